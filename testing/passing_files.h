// A file system and a file that pass everything on: bases for those that watch or bend a little.
//
// Thread rule: that of what lies below.
#pragma once

#include <memory>

#include "os/files.h"

namespace warifu::sim {

class PassingFile : public os::File {
 public:
  explicit PassingFile(std::unique_ptr<os::File> below) : below_(std::move(below)) {}
  Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) override {
    return below_->read_at(offset, out);
  }
  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    return below_->write_at(offset, bytes);
  }
  void sync() override { below_->sync(); }
  Result<std::uint64_t> size() override { return below_->size(); }
  Result<> truncate(std::uint64_t size) override { return below_->truncate(size); }
  [[nodiscard]] const std::string& path() const override { return below_->path(); }

 protected:
  [[nodiscard]] os::File& below() { return *below_; }

 private:
  std::unique_ptr<os::File> below_;
};

// What lies below must outlive it.
class PassingFiles : public os::FileSystem {
 public:
  explicit PassingFiles(os::FileSystem& below) : below_(below) {}
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return below_.open(path, mode);
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    return below_.rename(from, to);
  }
  Result<> remove(const std::string& path) override { return below_.remove(path); }
  Result<> make_directories(const std::string& path) override {
    return below_.make_directories(path);
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return below_.list(path);
  }
  bool exists(const std::string& path) override { return below_.exists(path); }
  void sync_dir(const std::string& path) override { below_.sync_dir(path); }
  Result<std::unique_ptr<os::DirectoryLock>> lock_directory(const std::string& path) override {
    return below_.lock_directory(path);
  }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return below_.free_bytes(path);
  }

 protected:
  [[nodiscard]] os::FileSystem& below() { return below_; }

 private:
  os::FileSystem& below_;
};

}  // namespace warifu::sim
