// What a site keeps of the logs of others, so that nobody can bend one unseen: every leaf, and the
// last checkpoint.
//
// A witness takes leaves that follow those it has, with a checkpoint of them all, computes the root
// for itself and co-signs; it never takes anything back. The leaves come over the one-time-pad
// channel, so who told them is proved by one-time tags: that a log still is what it was is then
// information-theoretic at each witness, signatures are for everybody else. The key of a log is
// noted when it is seen first.
//
//   FOLDER/SITE.leaves := leaf{256 n}             whole tiles, appended, synced before the
//   checkpoint FOLDER/SITE.seen   := "WRFSEEN1" key:32 length:u32 note count:u32 leaf{count}
//   crc32c:u32
//                         replaced whole; the leaves behind the last whole tile
//
// A tile is two whole blocks of a disk, so that a torn write of one harms no other. Tiles behind
// the checkpoint were never acknowledged and are dropped at a start. Ownership: holds the lock of
// its folder. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "audit/checkpoint.h"

namespace warifu::audit {

inline constexpr std::size_t kMaxLeavesAtOnce = 1024;

struct Seen {
  std::uint64_t size = 0;
  Digest root{};
  crypto::PublicKey key{};
  std::string note;
};

// What a log's own site offers.
struct LogOffer {
  std::string note;  // of all of its records, signed by `key`
  crypto::PublicKey key{};
  std::uint64_t after = 0;  // leaves that the witness has already
  std::vector<Digest> leaves;
};

class Witness {
 public:
  // `self` and `key` sign; the key must outlive it. Errors: kBusy, kCorrupt naming the file, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Witness>> open(os::System system,
                                                             const std::string& folder,
                                                             const SiteName& self,
                                                             const crypto::SigningKey& key);

  // Size 0 when nothing is known of that log.
  [[nodiscard]] Seen seen(const SiteName& site);
  [[nodiscard]] std::map<SiteName, Seen> all();
  // Durable, then co-signed: the line of this witness. The same offer again is answered again.
  // Errors: kInvalidArgument (malformed, or `after` is not what was seen), kRefused (another key, a
  // wrong signature, or the leaves do not give the root: another log than was seen), kNoSpace, kIo.
  [[nodiscard]] Result<std::string> take(const SiteName& site, const LogOffer& offer);
  // Leaves of that log behind the first `after`, at most kMaxLeavesAtOnce. Errors: kIo.
  [[nodiscard]] Result<std::vector<Digest>> leaves(const SiteName& site, std::uint64_t after);

 private:
  struct Log {
    Seen seen;
    Tree tree;
    std::vector<Digest> tail;  // leaves behind the last whole tile
    std::unique_ptr<os::File> file;
  };
  Witness(os::System system, std::string folder, const SiteName& self,
          const crypto::SigningKey& key)
      : system_(system), folder_(std::move(folder)), self_(self), key_(key) {}
  Result<> load(const SiteName& site);
  Result<Log*> log_of(const SiteName& site);
  static Result<std::vector<Digest>> read(Log& log, std::uint64_t first, std::uint64_t count);
  static Result<Note> check(const Log& log, const SiteName& site, const LogOffer& offer);
  Result<> keep(const SiteName& site, Log& log, const LogOffer& offer, const Note& note);

  os::System system_;
  std::string folder_;
  SiteName self_;
  const crypto::SigningKey& key_;
  std::unique_ptr<os::DirectoryLock> lock_;
  std::mutex mutex_;
  std::map<SiteName, Log> logs_;
};

}  // namespace warifu::audit
