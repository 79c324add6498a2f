// A file that appears under its name only when it is whole: PATH.part until then.
#pragma once

#include <memory>
#include <string>

#include "os/system.h"

namespace warifu::genome {

class NewFile {
 public:
  // Errors: kAlreadyExists for the name or a part that somebody else writes; kNoSpace, kIo.
  [[nodiscard]] static Result<NewFile> create(os::FileSystem& files, const std::string& path) {
    if (files.exists(path)) {
      return fail(Code::kAlreadyExists, "'" + path + "' already exists; it was not touched");
    }
    TRY_ASSIGN(auto file, files.open(path + ".part", os::OpenMode::kCreate));
    return NewFile(files, path, std::move(file));
  }
  // A part that is not committed goes.
  ~NewFile() {
    if (file_) (void)files_->remove(part());
  }
  NewFile(NewFile&&) = default;
  NewFile& operator=(NewFile&&) = delete;
  NewFile(const NewFile&) = delete;

  [[nodiscard]] Result<> append(ByteView bytes) {
    TRY(file_->write_at(size_, bytes));
    size_ += bytes.size();
    return {};
  }
  [[nodiscard]] std::string part() const { return path_ + ".part"; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  void sync() { file_->sync(); }
  // Durable under its name. Errors: kIo.
  [[nodiscard]] Result<> commit() {
    file_->sync();
    TRY(files_->rename(part(), path_));
    file_.reset();
    files_->sync_dir(os::parent_of(path_));
    return {};
  }

 private:
  NewFile(os::FileSystem& files, std::string path, std::unique_ptr<os::File> file)
      : files_(&files), path_(std::move(path)), file_(std::move(file)) {}
  os::FileSystem* files_;
  std::string path_;
  std::unique_ptr<os::File> file_;
  std::uint64_t size_ = 0;
};

}  // namespace warifu::genome
