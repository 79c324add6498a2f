// FileSystem over Linux system calls.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "os/files.h"

namespace warifu::os {
namespace {

std::unexpected<Error> system_error(const std::string& what, const std::string& path, int number) {
  Code code = Code::kIo;
  if (number == ENOENT) code = Code::kNotFound;
  if (number == EEXIST) code = Code::kAlreadyExists;
  if (number == ENOSPC || number == EDQUOT) code = Code::kNoSpace;
  return fail(code, "cannot " + what + " '" + path + "': " + std::strerror(number));
}

[[noreturn]] void sync_failed(const std::string& path) {
  std::fprintf(stderr,
               "warifu: fatal: fsync of '%s' failed: %s; stopping so that nothing is "
               "trusted that may not be on disk\n",
               path.c_str(), std::strerror(errno));
  std::abort();
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class RealFile final : public File {
 public:
  RealFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::pread(fd_.get(), out.data() + done, out.size() - done,
                                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_error("read", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t put = ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done,
                                   static_cast<off_t>(offset + done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return system_error("write", path_, errno);
      done += static_cast<std::size_t>(put);
    }
    start_write_back(offset, bytes.size());
    return {};
  }

  void sync() override {
    if (::fdatasync(fd_.get()) != 0) sync_failed(path_);
  }

  Result<std::uint64_t> size() override {
    struct stat status{};
    if (::fstat(fd_.get(), &status) != 0) return system_error("inspect", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      return system_error("truncate", path_, errno);
    }
    return {};
  }

  const std::string& path() const override { return path_; }

 private:
  // Large files here are written front to back and synced soon: the disk may begin at once, so that
  // the sync finds little left to wait for. A hint; nothing depends on its success.
  void start_write_back(std::uint64_t offset, std::size_t size) {
    if (offset != written_to_) started_to_ = offset;
    written_to_ = offset + size;
    if (written_to_ - started_to_ < kWriteBackBytes) return;
    (void)::sync_file_range(fd_.get(), static_cast<off_t>(started_to_),
                            static_cast<off_t>(written_to_ - started_to_), SYNC_FILE_RANGE_WRITE);
    started_to_ = written_to_;
  }

  static constexpr std::uint64_t kWriteBackBytes = 1U << 20;
  Descriptor fd_;
  std::string path_;
  std::uint64_t started_to_ = 0;  // write-back was asked for up to here
  std::uint64_t written_to_ = 0;  // the end of the last write
};

class RealLock final : public DirectoryLock {
 public:
  explicit RealLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead: return O_RDONLY | O_CLOEXEC;
    case OpenMode::kReadWrite: return O_RDWR | O_CLOEXEC;
    case OpenMode::kCreate: return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    case OpenMode::kOpenOrCreate: return O_RDWR | O_CREAT | O_CLOEXEC;
  }
  return O_RDONLY | O_CLOEXEC;
}

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const int fd = ::open(path.c_str(), flags_of(mode), 0600);
    if (fd < 0) return system_error("open", path, errno);
    auto file = std::make_unique<RealFile>(fd, path);
    struct stat status{};
    if (::fstat(fd, &status) != 0) return system_error("inspect", path, errno);
    if (S_ISDIR(status.st_mode)) {
      return fail(Code::kIo, "'" + path + "' is a directory, not a file");
    }
    return file;
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from, errno);
    return {};
  }

  Result<> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("remove", path, errno);
    return {};
  }

  Result<> make_directories(const std::string& path) override {
    std::string partial;
    for (std::size_t at = 0; at <= path.size(); ++at) {
      if (at < path.size() && path[at] != '/') continue;
      partial = path.substr(0, at);
      if (partial.empty()) continue;
      if (::mkdir(partial.c_str(), 0700) != 0 && errno != EEXIST) {
        return system_error("make directory", partial, errno);
      }
    }
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) {
      return fail(Code::kIo, "'" + path + "' is not a directory");
    }
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
         it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return system_error("list", path, error.value());
    std::ranges::sort(names);
    return names;
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  void sync_dir(const std::string& path) override {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0 || ::fsync(fd.get()) != 0) sync_failed(path);
  }

  Result<std::unique_ptr<DirectoryLock>> lock_directory(const std::string& path) override {
    const std::string name = path + "/.lock";
    const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return system_error("open", name, errno);
    auto lock = std::make_unique<RealLock>(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      return fail(Code::kBusy, "'" + path + "' is in use by another process");
    }
    return lock;
  }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0) return system_error("inspect", path, errno);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }
};

}  // namespace

FileSystem& real_files() {
  static RealFileSystem instance;
  return instance;
}

}  // namespace warifu::os
