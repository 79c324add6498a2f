// What an operator has switched at a site while it runs: pauses of applications, what a link's key
// may be used for, what becomes shares on it, and where random numbers come from.
//
//   file  := "WRFSWIT1" count:u16 entry* crc32c:u32                      numbers little-endian
//   entry := kind:u8 value:u8 since:i64 name:text                        text := length:u16 bytes
//
// The one record of all of them: the file is replaced whole and durable before a change is
// answered, and holds until it is switched again, over restarts. No entry: the configuration
// decides. Entries are kept of links and applications that the configuration does not name at the
// moment. A switch binds what this end begins (docs/keys.md). Ownership: the KeyManager's.
// Thread-safe; calls nothing but the file system.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "os/system.h"

namespace warifu::kme {

enum class SwitchKind : std::uint8_t {
  kSae = 1,           // name: an application's SAE id
  kApplications = 2,  // name: the far end of a link, as in the next two
  kSharing = 3,
  kTransport = 4,
  kRandom = 5,  // name: random_use_name()
};

// Of kSae, kApplications and kTransport: "on" is no entry.
enum class SwitchValue : std::uint8_t {
  kOff = 1,
  kKey = 2,     // kSharing: key of the link becomes a share at both ends
  kRandom = 3,  // kSharing: random numbers of the site, sent under pad
  kFromKernel = 4,
  kFromPool = 5,
  kFromPoolOrKernel = 6,
};

// "off", "key", "random", "kernel", "pool" or "pool-or-kernel".
[[nodiscard]] std::string_view switch_value_name(SwitchValue value);
// The value that a kind may have by that text; none for "on" and "default", which take the entry
// away. Errors: kInvalidArgument, with what is possible.
[[nodiscard]] Result<std::optional<SwitchValue>> parse_switch_value(SwitchKind kind,
                                                                    std::string_view text);

struct Switch {
  SwitchKind kind = SwitchKind::kSae;
  std::string name;
  SwitchValue value = SwitchValue::kOff;
  os::UnixMs since;
};

class Switches {
 public:
  // `pauses`: a file of an earlier version, taken over and removed when there is no record yet.
  // Errors: kCorrupt naming the file, kNoSpace, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Switches>> open(os::System system, std::string file,
                                                              const std::string& pauses);

  // None takes the entry away. Durable when it returns; repeating is harmless and keeps the time.
  // Errors: kInvalidArgument (too many, or too long a name), kNoSpace, kIo; then nothing changes.
  [[nodiscard]] Result<> set(SwitchKind kind, const std::string& name,
                             std::optional<SwitchValue> value);
  // None: the configuration decides.
  [[nodiscard]] std::optional<Switch> find(SwitchKind kind, const std::string& name) const;
  [[nodiscard]] bool is_off(SwitchKind kind, const std::string& name) const {
    return find(kind, name).has_value();
  }
  [[nodiscard]] std::vector<Switch> all() const;

 private:
  using Key = std::pair<SwitchKind, std::string>;
  struct Entry {
    SwitchValue value;
    os::UnixMs since;
  };
  using Entries = std::map<Key, Entry>;
  Switches(os::System system, std::string file) : system_(system), file_(std::move(file)) {}
  static Bytes encode(const Entries& entries);
  Result<Entries> decode(ByteView bytes) const;
  Result<> take_over(const std::string& pauses);

  os::System system_;
  std::string file_;
  mutable std::mutex mutex_;
  Entries entries_;
};

}  // namespace warifu::kme
