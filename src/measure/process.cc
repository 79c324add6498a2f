// posix_spawn, wait4, and files.
#include "measure/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/units.h"
#include "crypto/drbg.h"
#include "os/system.h"

extern char** environ;

namespace warifu::measure {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1U << 20;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<pid_t> spawn(const std::vector<std::string>& words, const std::string& out,
                    const std::string& err) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t pid = 0;
  const int rc = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (rc != 0) {
    return fail(rc == ENOENT ? Code::kNotFound : Code::kIo,
                fmt::format("cannot start {}: {}", words[0], std::strerror(rc)));
  }
  return pid;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool stopped(const Settings& settings) {
  return settings.stop != nullptr && *settings.stop;
}

Result<Ran> run(const Settings& settings, const std::vector<std::string>& words) {
  if (stopped(settings)) return fail(Code::kCancelled, "stopped");
  TRY_ASSIGN(const Scratch said, Scratch::make("/tmp"));
  const double start = seconds_now();
  TRY_ASSIGN(const pid_t pid, spawn(words, said / "out", said / "err"));
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) != pid) {
    if (errno == EINTR && stopped(settings)) (void)::kill(pid, SIGTERM);
  }
  if (stopped(settings)) return fail(Code::kCancelled, "stopped");
  return Ran{.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
             .wall_seconds = seconds_now() - start,
             .user_seconds = seconds_of(usage.ru_utime),
             .system_seconds = seconds_of(usage.ru_stime),
             .out = read_text(said / "out"),
             .err = read_text(said / "err")};
}

Result<Ran> run_good(const Settings& settings, const std::vector<std::string>& words) {
  TRY_ASSIGN(Ran ran, run(settings, words));
  if (ran.code == 0) return ran;
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  const std::string end = ran.err.size() > 400 ? ran.err.substr(ran.err.size() - 400) : ran.err;
  return fail(Code::kIo, fmt::format("'{}' ended with code {}: {}", line, ran.code, end));
}

bool installed(const std::string& program) {
  if (program.contains('/')) return ::access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::stringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

Result<Background> Background::start(const std::vector<std::string>& words,
                                     const std::string& log) {
  TRY_ASSIGN(const pid_t pid, spawn(words, log, log + ".err"));
  return Background(pid);
}

Background::Background(Background&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}

Background::~Background() {
  if (pid_ <= 0) return;
  (void)::kill(pid_, SIGTERM);
  int status = 0;
  while (::waitpid(pid_, &status, 0) != pid_ && errno == EINTR) {
  }
}

Result<Scratch> Scratch::make(const std::string& parent) {
  std::string name = parent + "/warifu-bench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    return fail(Code::kIo, "cannot make a folder in '" + parent + "': " + std::strerror(errno));
  }
  return Scratch(name);
}

Scratch::Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, "")) {}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

std::uint64_t room(const std::string& dir) {
  return os::real_files().free_bytes(dir).value_or(0);
}

std::string memory_dir(const Settings& settings, std::uint64_t bytes) {
  constexpr long kTmpfs = 0x01021994;
  struct statfs status{};
  const bool good = ::statfs("/dev/shm", &status) == 0 && status.f_type == kTmpfs &&
                    ::access("/dev/shm", W_OK) == 0 && room("/dev/shm") > bytes;
  return good ? "/dev/shm" : settings.dir;
}

Result<> make_random_file(const Settings& settings, const std::string& path, std::uint64_t bytes) {
  TRY_ASSIGN(const auto file, os::real_files().open(path, os::OpenMode::kCreate));
  crypto::Drbg drbg([](MutableBytes out) { os::kernel_random().fill(out); });
  Bytes piece(kPiece);
  for (std::uint64_t at = 0; at < bytes; at += kPiece) {
    if (stopped(settings)) return fail(Code::kCancelled, "stopped");
    drbg.fill(piece);
    TRY(file->write_at(at, ByteView(piece).first(std::min<std::uint64_t>(kPiece, bytes - at))));
  }
  file->sync();
  return {};
}

Result<> same_bytes(const Settings& settings, const std::string& a, const std::string& b) {
  TRY_ASSIGN(const auto first, os::real_files().open(a, os::OpenMode::kRead));
  TRY_ASSIGN(const auto second, os::real_files().open(b, os::OpenMode::kRead));
  Bytes x(kPiece), y(kPiece);
  for (std::uint64_t at = 0;; at += kPiece) {
    if (stopped(settings)) return fail(Code::kCancelled, "stopped");
    TRY_ASSIGN(const std::size_t got_x, first->read_at(at, x));
    TRY_ASSIGN(const std::size_t got_y, second->read_at(at, y));
    if (got_x != got_y || std::memcmp(x.data(), y.data(), got_x) != 0) {
      return fail(Code::kCorrupt, fmt::format("'{}' and '{}' differ after byte {}", a, b, at));
    }
    if (got_x < kPiece) return {};
  }
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Figure not_measured(std::string name, std::string why) {
  Figure figure;
  figure.name = std::move(name);
  figure.note = std::move(why);
  figure.measured = false;
  return figure;
}

}  // namespace warifu::measure
