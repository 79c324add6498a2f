// The seam to files. Production uses real_files(); tests put a simulated disk with torn and lost
// writes in its place (testing/sim_disk.h).
//
// Durability rules that every caller may rely on:
// - bytes are durable only after sync() of their file, and a name only after sync_dir() of its
// folder;
// - a failed sync() or sync_dir() never returns: the process aborts, because the kernel may have
//   dropped the dirty pages and a retry would lie;
// - write_at() either writes all bytes or fails; kNoSpace is told apart from other errors.
// Thread rule: different File objects may be used at once; one File by one thread at a time, except
// that read_at() is safe beside other read_at() calls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace warifu::os {

class File {
 public:
  virtual ~File() = default;
  // Reads up to out.size() bytes at `offset`; fewer only at the end of the file. Errors: kIo.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) = 0;
  // Errors: kNoSpace, kIo. On error an unknown part may have been written.
  [[nodiscard]] virtual Result<> write_at(std::uint64_t offset, ByteView bytes) = 0;
  // Makes data and size durable; aborts the process on failure.
  virtual void sync() = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
  [[nodiscard]] virtual Result<> truncate(std::uint64_t size) = 0;
  [[nodiscard]] virtual const std::string& path() const = 0;

  // Reads exactly out.size() bytes. Errors: kCorrupt "PATH is cut short" at end of file, kIo.
  [[nodiscard]] Result<> read_exact_at(std::uint64_t offset, MutableBytes out);
};

enum class OpenMode {
  kRead,
  kReadWrite,  // must exist
  kCreate,     // must not exist; mode 0600
  kOpenOrCreate,
};

// Held for the life of the object; released by the kernel when the process dies.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Errors: kNotFound, kAlreadyExists, kNoSpace, kIo; the message names the path.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                                           OpenMode mode) = 0;
  [[nodiscard]] virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  // Removing what is not there is not an error.
  [[nodiscard]] virtual Result<> remove(const std::string& path) = 0;
  // Makes the folder and its parents, mode 0700.
  [[nodiscard]] virtual Result<> make_directories(const std::string& path) = 0;
  // Names (not paths) of the folder's entries, sorted.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;
  // Makes the names in a folder durable; aborts the process on failure.
  virtual void sync_dir(const std::string& path) = 0;
  // Exclusive lock on a folder. Errors: kBusy when another process (or object) holds it.
  [[nodiscard]] virtual Result<std::unique_ptr<DirectoryLock>> lock_directory(
      const std::string& path) = 0;
  // Bytes free for new files in the file system of `path`.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

[[nodiscard]] FileSystem& real_files();

// The folder part of a path ("." when there is none).
[[nodiscard]] std::string parent_of(const std::string& path);

// Replaces `path` by `bytes` atomically and durably: temporary file, sync, rename, sync_dir.
// After a crash the file holds all of the old or all of the new bytes. Errors: kNoSpace, kIo.
[[nodiscard]] Result<> replace_file(FileSystem& files, const std::string& path, ByteView bytes);

// The whole file, which must not be larger than `most` bytes. Errors: kNotFound, kCorrupt (too
// large), kIo.
[[nodiscard]] Result<Bytes> read_file(FileSystem& files, const std::string& path,
                                      std::uint64_t most);

}  // namespace warifu::os
