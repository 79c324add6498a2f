// The audit log of one site: what was enrolled, released and refused, append-only.
//
// One JSON record per line, chained by SHA-256 (grammar in line.h and docs/formats/audit-log.md).
// An event is durable when append() returns; whoever acts on an event appends first and acts after,
// so that nothing is released that is not in the log.
//
// What the chain shows: a changed, inserted, removed or reordered line before the end. What it
// cannot show: whole lines cut off at the end, or a log rewritten from some line on by somebody who
// holds the file; for that, head() is told to other sites and verify() takes what they remember.
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

#include "base/ids.h"
#include "crypto/crypto.h"
#include "os/system.h"

namespace warifu::audit {

inline constexpr std::size_t kMaxLineBytes = 16 * 1024;
inline constexpr std::size_t kMaxRead = 10'000;

// In this order in the record. Names are of [a-z_]; bytes that are not UTF-8 become '?'.
using Fields = std::vector<std::pair<std::string, std::string>>;

// The end of a log: what other sites may keep as a witness.
struct Head {
  std::uint64_t sequence = 0;  // 0: no record
  crypto::Digest hash{};
  bool operator==(const Head&) const = default;
};

struct Record {
  std::uint64_t sequence = 0;  // from 1
  os::UnixMs time;
  std::string event;
  Fields fields;
  crypto::Digest hash{};
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

  // Durable when it returns without an error. `event` is of [a-z_].
  // Errors: kInvalidArgument (name, or a record beyond kMaxLineBytes); kNoSpace, kIo.
  [[nodiscard]] Result<> append(std::string_view event, const Fields& fields);

  [[nodiscard]] Head head();
  // Records with sequence >= `from` in order, at most `most` (and kMaxRead).
  [[nodiscard]] Result<std::vector<Record>> read(std::uint64_t from, std::size_t most);

 private:
  Log(const os::System& system, std::unique_ptr<os::DirectoryLock> lock,
      std::unique_ptr<os::File> file)
      : system_(system), lock_(std::move(lock)), file_(std::move(file)) {}
  Result<> load();
  Result<> check_owner(const SiteName& site);
  Result<> append_line(std::string_view event, const Fields& fields);
  Result<> write_durably(std::string_view bytes);

  static constexpr std::uint64_t kIndexEvery = 256;

  os::System system_;
  std::unique_ptr<os::DirectoryLock> lock_;
  std::unique_ptr<os::File> file_;
  std::mutex mutex_;
  Head head_;
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
