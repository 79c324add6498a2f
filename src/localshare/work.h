// Chunks shared out to workers, and files that get their names only when everything is right.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "localshare/localshare.h"
#include "os/files.h"
#include "secret/secret.h"

namespace warifu::localshare {

// Works on chunk `index`; each worker object is used by one thread.
class Worker {
 public:
  virtual ~Worker() = default;
  [[nodiscard]] virtual Result<> work(ChunkIndex index) = 0;
};

// Shares `count` chunks of about `bytes_total / count` bytes out to the workers, a thread for each,
// and tells the watch. The first error ends all of them and is returned. Errors: kCancelled.
[[nodiscard]] Result<> run_workers(std::vector<std::unique_ptr<Worker>>& workers,
                                   std::uint64_t count, std::uint64_t bytes_total,
                                   const Watch& watch);

// `wanted`, or one for each processor up to 8; never more than chunks.
[[nodiscard]] std::size_t worker_count(unsigned wanted, std::uint64_t chunks);

// Buffers of one worker in locked memory, at addresses that differ within 4 KiB so that streams do
// not disturb one another's stores.
class Buffers {
 public:
  Buffers(std::size_t count, std::size_t bytes_each);
  [[nodiscard]] MutableBytes at(std::size_t i) {
    return memory_.bytes().subspan(i * stride_, bytes_each_);
  }

 private:
  std::size_t bytes_each_;
  std::size_t stride_;
  secret::Buffer memory_;
};

// A file under a temporary name. Unless keep() is called it is removed by the destructor.
class Draft {
 public:
  // Errors: kAlreadyExists when `path` (or its draft) is there, kNoSpace, kIo.
  [[nodiscard]] static Result<Draft> create(os::FileSystem& files, const std::string& path,
                                            std::uint64_t bytes);
  ~Draft();
  Draft(Draft&&) noexcept;
  Draft& operator=(Draft&&) = delete;

  // Another handle for another thread.
  [[nodiscard]] Result<std::unique_ptr<os::File>> reopen() const;
  [[nodiscard]] os::File& file() { return *file_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Makes the content durable.
  void sync() { file_->sync(); }
  // Gives it its name; after sync(). Durable once the folder is synced. Undone by the destructor
  // unless keep() follows, so that several drafts appear together or not at all.
  [[nodiscard]] Result<> publish();
  void keep() { files_ = nullptr; }

 private:
  Draft(os::FileSystem& files, std::string path, std::unique_ptr<os::File> file)
      : files_(&files), path_(std::move(path)), file_(std::move(file)) {}
  [[nodiscard]] std::string draft_path() const;

  os::FileSystem* files_;
  std::string path_;
  std::unique_ptr<os::File> file_;
  bool published_ = false;
};

}  // namespace warifu::localshare
