// Cutting a file into share files and putting it together, on one machine and without a network:
// for people who carry shares on media.
//
// A share file is the one of `store` (docs/formats/share-file.md). Beside the shares stands a local
// record (docs/formats/local-record.md): object id, hash key r and the tag over all tags. It plays
// the part of the person's card: without it nothing can be verified, and nothing unverified leaves
// combine_files.
//
// Nothing half-written: every output is written under a temporary name, synced, and gets its name
// when all of it is right; on any error, and when the watch says stop, nothing of it is left.
// Memory: fixed buffers for each worker, and 32 bytes for each chunk (2 MiB for 16 GiB).
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "keypool/format.h"
#include "os/system.h"
#include "sharing/scheme.h"

namespace warifu::localshare {

// Who looks on. `progress` is called in the caller's thread with bytes done and total; `stop` may
// be set by anybody, and the work then ends with kCancelled.
struct Watch {
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
  const std::atomic<bool>* stop = nullptr;
};

struct SplitOptions {
  std::string file;
  std::string out_dir;      // made when it is not there
  sharing::Scheme scheme;   // 2 of 3 by default
  std::string random_file;  // consumed as the given shares; empty: the generator
  std::optional<keypool::Origin> random_origin;  // of that file; none: not recorded
  unsigned workers = 0;                          // 0: one for each processor, at most 8
};

struct SplitReport {
  ObjectId object;
  std::uint64_t bytes = 0;        // of the file
  std::uint64_t share_bytes = 0;  // of each share file
  std::uint64_t random_bytes = 0;
  bool computational = false;
  std::string random;  // where the random numbers came from, for people
  std::vector<std::string> shares;
  std::string record;
};

// Writes DIR/NAME.A.share, DIR/NAME.B.share, ... and DIR/NAME.record (mode 0600), durable on
// return. Errors: kInvalidArgument (empty file; random file too short: says how many bytes are
// missing), kNotFound, kAlreadyExists naming the output, kNoSpace, kIo, kCorrupt when the file
// changed its length meanwhile, kCancelled.
[[nodiscard]] Result<SplitReport> split_file(os::System system, const SplitOptions& options,
                                             const Watch& watch);

struct CombineOptions {
  std::vector<std::string> shares;  // at least the threshold; all of them are read and compared
  std::string record;
  std::string out;
  unsigned workers = 0;
};

// A share that does not fit the ones that restored a verified chunk.
struct WrongShare {
  std::string path;
  std::string share;  // "A", "B", ...
  ChunkIndex chunk;   // the first one where it was seen
};

struct CombineReport {
  ObjectId object;
  std::uint64_t bytes = 0;
  sharing::Scheme scheme;
  bool computational = false;
  std::vector<WrongShare> wrong;  // left out; the output is verified all the same
};

// Errors: kInvalidArgument (too few shares, the same share twice, shares of different objects),
// kCorrupt (naming a share file that is damaged or cut short; or the chunk that no choice of shares
// restores; or the tag over all tags), kNotFound, kAlreadyExists, kNoSpace, kIo, kCancelled.
[[nodiscard]] Result<CombineReport> combine_files(os::System system, const CombineOptions& options,
                                                  const Watch& watch);

// "A" to "Z", then "27" to "32".
[[nodiscard]] std::string share_name(std::size_t index);

}  // namespace warifu::localshare
