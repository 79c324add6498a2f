// Commands about key: links, their pools, random numbers, applications and their streams.
//
// Options as values, one function per command: command_options.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/command_options.h"

namespace warifu::apps {

struct PreshareOptions {
  std::string a, b;                // the two sites
  std::string size = "512M";       // per direction
  std::string back;                // of the direction b to a; empty: `size`
  std::string out;                 // folder for the two files, or
  std::vector<std::string> disks;  // two folders for a disk set
  std::string piece = "1G";        // of a disk set: bytes per piece, both directions
};
[[nodiscard]] Result<> link_preshare(const Common& common, const PreshareOptions& options);
struct NewLinkOptions {
  std::string a, b;  // the two sites
  std::string size = "64M", back;
  std::string out;
};
// Files for both ends of a link that begins (anew).
[[nodiscard]] Result<> link_new(const Common& common, const NewLinkOptions& options);
struct BeginLinkOptions {
  std::string file, config;
  bool replace = false, keep = false;
};
[[nodiscard]] Result<> link_begin(const Common& common, const BeginLinkOptions& options);
struct ImportOptions {
  std::string file;  // or
  std::string disk;  // folder of a disk set, or
  bool abandon = false;
  std::string peer;  // whose set is given up
  bool wipe = false;
  std::optional<std::uint32_t> pieces;  // of a disk set: most to take in now
  bool wait = false, no_wait = false;
};
[[nodiscard]] Result<> link_import(const Common& common, const ImportOptions& options);
[[nodiscard]] Result<> link_status(const Common& common);

// The key of a site's links.
struct KeysWatchOptions {
  std::string interval = "2s";
  std::uint64_t rounds = 0;  // 0: until it is stopped
};
struct KeysOptions {
  std::string peer, direction, job, since, older_than, origin;
  std::optional<std::uint64_t> segment;
  std::uint64_t most = 1000;
  std::string bytes;  // with a unit
  bool all = false, yes = false;
};
[[nodiscard]] Result<> keys_status(const Common& common);
[[nodiscard]] Result<> keys_watch(const Common& common, const KeysWatchOptions& options);
[[nodiscard]] Result<> keys_list(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_quarantine_list(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_quarantine_discard(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_reconcile(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_retire(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_burn(const Common& common, const KeysOptions& options);
[[nodiscard]] Result<> keys_trail(const Common& common, const KeysOptions& options);

struct RandomImportOptions {
  std::string file;
  std::string origin;  // "hardware" or "preshared"
  bool wipe = false;
};
[[nodiscard]] Result<> random_import(const Common& common, const RandomImportOptions& options);
[[nodiscard]] Result<> random_status(const Common& common);
struct RandomTestOptions {
  std::string source;  // of the site; empty: all
  // Without a site: one source, described here. Empty: kernel and processor.
  std::string kind, path;
  double min_entropy = 0;  // 0: not given
  std::uint32_t alpha = 40;
  std::string bytes = "0";  // to read besides the start-up tests
};
[[nodiscard]] Result<> random_test(const Common& common, const RandomTestOptions& options);
[[nodiscard]] Result<> random_readmit(const Common& common, const RandomTestOptions& options);

// What is switched while a site runs: of a link, or of random numbers.
struct SwitchOptions {
  std::string link;
  std::string use;  // what for
  std::string value;
};
// Without options both list what is switched.
[[nodiscard]] Result<> keys_use(const Common& common, const SwitchOptions& options);
[[nodiscard]] Result<> random_use(const Common& common, const SwitchOptions& options);

// Applications that take keys at a site.
[[nodiscard]] Result<> sae_list(const Common& common);
[[nodiscard]] Result<> sae_status(const Common& common);
struct SaePauseOptions {
  std::string id;    // an application of the site, or
  std::string link;  // the far end's site of a link
};
[[nodiscard]] Result<> sae_pause(const Common& common, const SaePauseOptions& options, bool paused);

// Key streams, as an application uses them.
struct StreamOptions {
  std::string socket;  // instead of the one that the site's configuration names
  std::string as, to;  // applications
  std::string id;
  std::string chunk, ttl, timeout;
  std::uint32_t min_bps = 0, max_bps = 0;
  std::string bytes, out;
};
[[nodiscard]] Result<> stream_open(const Common& common, const StreamOptions& options);
[[nodiscard]] Result<> stream_read(const Common& common, const StreamOptions& options);
[[nodiscard]] Result<> stream_close(const Common& common, const StreamOptions& options);
[[nodiscard]] Result<> stream_status(const Common& common);

}  // namespace warifu::apps
