// Landlock rules.
#include "os/file_sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace warifu::os {
namespace {

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kAllFirst = (1ULL << 13) - 1;  // of the first version
constexpr std::uint64_t kRefer = 1ULL << 13;           // from the second on
constexpr std::uint64_t kTruncate = 1ULL << 14;        // from the third on
constexpr std::uint64_t kOfFiles =
    kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;  // what a rule about a file may hold

constexpr std::array kReadable = {"/usr", "/lib",  "/lib32", "/lib64", "/etc",
                                  "/dev", "/proc", "/run",   "/sys"};
// A module that speaks to USB readers itself; what goes nowhere.
constexpr std::array kWritable = {"/dev/bus/usb", "/dev/null"};

std::uint64_t rights_of(long version) {
  return kAllFirst | (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0);
}

std::string trouble(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

Result<> add_rule(int rules, const std::string& path, std::uint64_t rights) {
  const int file = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (file < 0) return fail(Code::kNotFound, trouble("folder '" + path + "'"));
  struct stat about{};
  if (::fstat(file, &about) == 0 && !S_ISDIR(about.st_mode)) rights &= kOfFiles;
  const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = file};
  const bool done =
      ::syscall(__NR_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
  Result<> added;
  if (!done) added = fail(Code::kIo, trouble("'" + path + "' cannot be kept open"));
  ::close(file);
  return added;
}

Result<> add_rules(int rules, std::uint64_t all, const std::string& module,
                   const std::vector<std::string>& folders) {
  const auto add_if_there = [&](const char* path, std::uint64_t rights) -> Result<> {
    const auto added = add_rule(rules, path, rights);
    if (!added && added.error().code != Code::kNotFound) return added;
    return {};
  };
  for (const char* path : kReadable) TRY(add_if_there(path, kRead));
  for (const char* path : kWritable) TRY(add_if_there(path, all));
  // Without a slash the loader looks where the system keeps its libraries.
  if (module.find('/') != std::string::npos) TRY(add_if_there(module.c_str(), kRead));
  for (const std::string& folder : folders) TRY(add_rule(rules, folder, all));
  return {};
}

// `add(rules, all)` says what is left.
template <typename Add>
Result<FileSandbox> restrict_self(const Add& add) {
  const long version =
      ::syscall(__NR_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return FileSandbox::kNone;
  const std::uint64_t all = rights_of(version);
  const landlock_ruleset_attr handled{.handled_access_fs = all};
  const long rules = ::syscall(__NR_landlock_create_ruleset, &handled, sizeof(handled), 0);
  if (rules < 0) return fail(Code::kIo, trouble("the helper process has no file sandbox"));
  Result<> kept = add(static_cast<int>(rules), all);
  if (kept && ::syscall(__NR_landlock_restrict_self, rules, 0) != 0) {
    kept = fail(Code::kIo, trouble("the helper process is not kept to its files"));
  }
  ::close(static_cast<int>(rules));
  if (!kept) return std::unexpected(kept.error());
  return FileSandbox::kLandlock;
}

}  // namespace

Result<FileSandbox> keep_to_files(const std::string& module,
                                  const std::vector<std::string>& folders) {
  return restrict_self(
      [&](int rules, std::uint64_t all) { return add_rules(rules, all, module, folders); });
}

Result<FileSandbox> keep_to_no_files() {
  return restrict_self([](int, std::uint64_t) { return Result<>(); });
}

}  // namespace warifu::os
