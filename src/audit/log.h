// The audit log of one site: what was enrolled, released and refused, append-only.
//
// One JSON record per line; each is a leaf of a Merkle tree and of a chain, as a salted commitment,
// so that what a record says can be erased and everything else be proved as before (grammar in
// line.h and docs/formats/audit-log.md). An event is durable when append() returns; whoever acts on
// an event appends first and acts after, so that nothing is released that is not in the log.
//
// What the file alone shows: a changed, inserted, removed or reordered line before the end. What it
// cannot show: whole lines cut off at the end, or a log rewritten from some line on by somebody who
// holds the file; for that, other sites keep its leaves and checkpoints (witness.h).
//
// Never given secrets or names of persons: identifiers, reasons and sizes only.
// Thread-safe. One process and one object hold a log (a lock folder PATH.lock beside it).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/merkle.h"
#include "base/ids.h"
#include "os/system.h"

namespace warifu::audit {

inline constexpr std::size_t kMaxLineBytes = 16 * 1024;
inline constexpr std::size_t kMaxRead = 10'000;

// In this order in the record. Names are of [a-z_]; bytes that are not UTF-8 become '?'.
using Fields = std::vector<std::pair<std::string, std::string>>;

// The end of a log: what other sites may keep as a witness.
struct Head {
  std::uint64_t sequence = 0;  // 0: no record
  Digest hash{};
  bool operator==(const Head&) const = default;
};

using Salt = std::array<Byte, 16>;

struct Record {
  std::uint64_t sequence = 0;  // from 1; its leaf has index sequence - 1
  os::UnixMs time;             // with event and fields empty when it is erased
  std::string event;
  Fields fields;
  bool erased = false;
  Salt salt{};
  std::string text;  // what is committed to besides the salt; empty when erased, or of version 1
  Digest leaf{};
  Digest hash{};
};

class Log {
 public:
  // Opens or makes the log of `site`; its first record then is "log_created". Every line is
  // checked. An unfinished last line (a crash) is cut off with a warning and a record
  // "log_recovered"; it was never acknowledged. Errors: kCorrupt naming the first bad line;
  // kRefused when it is another site's log; kBusy; kIo. `system` must outlive the log.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(const os::System& system,
                                                         const std::string& path,
                                                         const SiteName& site);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Durable when it returns without an error. `event` is of [a-z_]. While the thread acts for an
  // operator (actor.h), a field "operator" with the name comes last.
  // Errors: kInvalidArgument (name, or a record beyond kMaxLineBytes); kNoSpace, kIo.
  [[nodiscard]] Result<> append(std::string_view event, const Fields& fields);

  // Forgets what a record says; its leaf, and so every proof, stays. A record `record_erased` with
  // number and reason is durable before. The file is written anew, in one step. Errors:
  // kInvalidArgument (no such record, of version 1, or erased already), kNoSpace, kIo.
  [[nodiscard]] Result<> erase(std::uint64_t sequence, const std::string& reason);

  [[nodiscard]] Head head();
  // The tree's root over the first `size` records. Errors: kInvalidArgument beyond the end, kIo,
  // kCorrupt.
  [[nodiscard]] Result<Digest> root(std::uint64_t size);
  // Proofs (merkle.h); `sequence` as in Record. Errors likewise.
  [[nodiscard]] Result<std::vector<Digest>> inclusion(std::uint64_t sequence, std::uint64_t size);
  [[nodiscard]] Result<std::vector<Digest>> consistency(std::uint64_t before, std::uint64_t size);
  // Leaves of records with sequence > `after`, at most `most`. Errors: kIo, kCorrupt.
  [[nodiscard]] Result<std::vector<Digest>> leaves(std::uint64_t after, std::size_t most);
  // Records with sequence >= `from` in order, at most `most` (and kMaxRead).
  [[nodiscard]] Result<std::vector<Record>> read(std::uint64_t from, std::size_t most);

 private:
  Log(const os::System& system, std::unique_ptr<os::DirectoryLock> lock,
      std::unique_ptr<os::File> file)
      : system_(system), lock_(std::move(lock)), file_(std::move(file)) {}
  Result<> load();
  void take(const Record& record, std::uint64_t offset);
  // What the line at index_[slot] follows.
  Result<Head> head_before_slot(std::size_t slot);
  Result<std::vector<Record>> read_locked(std::uint64_t from, std::size_t most);
  Result<std::vector<Digest>> read_leaves(std::uint64_t first, std::uint64_t count);
  // An erased line, and the bytes of the file in whose place it comes.
  struct Replacement {
    std::string line;
    std::uint64_t begin = 0, end = 0;
  };
  Result<Replacement> replacement_for(std::uint64_t sequence);
  Result<> replace_line(const Replacement& found);
  Result<> check_owner(const SiteName& site);
  Result<> append_line(std::string_view event, const Fields& fields);
  Result<> write_durably(std::string_view bytes);

  static constexpr std::uint64_t kIndexEvery = kTileLeaves;

  os::System system_;
  std::unique_ptr<os::DirectoryLock> lock_;
  std::unique_ptr<os::File> file_;
  std::mutex mutex_;
  Head head_;
  Tree tree_;
  std::uint64_t end_ = 0;             // bytes of good lines
  std::uint64_t torn_bytes_ = 0;      // cut off when opened
  std::vector<std::uint64_t> index_;  // offset of record 1 + i * kIndexEvery
  bool broken_ = false;               // a failed append could not be undone
};

// Checks a log file that nobody has to be holding; reads only. With `witnessed`, the log must still
// contain that head. Errors: kCorrupt "PATH line N: ..." naming the first bad line; kNotFound, kIo.
[[nodiscard]] Result<Head> verify(os::FileSystem& files, const std::string& path,
                                  const Head* witnessed = nullptr);

}  // namespace warifu::audit
