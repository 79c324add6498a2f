// Files in memory for fuzz targets: no disk, no durability, no links between runs.
//
// Ownership: an opened file refers to the folder, which must outlive it. One thread.
#pragma once

#include <algorithm>
#include <map>

#include "os/files.h"

namespace warifu::fuzz {

class MemoryFiles final : public os::FileSystem {
 public:
  std::map<std::string, Bytes> files;

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (mode != os::OpenMode::kCreate && mode != os::OpenMode::kOpenOrCreate &&
        !files.contains(path)) {
      return fail(Code::kNotFound, path);
    }
    return std::make_unique<Open>(path, files[path]);
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    files[to] = std::move(files[from]);
    files.erase(from);
    return {};
  }
  Result<> remove(const std::string& path) override {
    files.erase(path);
    return {};
  }
  Result<> make_directories(const std::string& /*path*/) override { return {}; }
  Result<std::vector<std::string>> list(const std::string& path) override {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files) {
      if (name.starts_with(path + "/")) names.push_back(name.substr(path.size() + 1));
    }
    return names;
  }
  bool exists(const std::string& path) override { return files.contains(path); }
  void sync_dir(const std::string& /*path*/) override {}
  Result<std::unique_ptr<os::DirectoryLock>> lock_directory(const std::string& /*path*/) override {
    return std::make_unique<os::DirectoryLock>();
  }
  Result<std::uint64_t> free_bytes(const std::string& /*path*/) override { return 1ULL << 40; }

 private:
  class Open final : public os::File {
   public:
    Open(std::string path, Bytes& bytes) : path_(std::move(path)), bytes_(bytes) {}
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) override {
      if (offset >= bytes_.size()) return 0;
      const std::size_t count = std::min<std::size_t>(out.size(), bytes_.size() - offset);
      copy_bytes(out, ByteView(bytes_).subspan(offset, count));
      return count;
    }
    Result<> write_at(std::uint64_t offset, ByteView bytes) override {
      bytes_.resize(std::max<std::size_t>(bytes_.size(), offset + bytes.size()));
      copy_bytes(MutableBytes(bytes_).subspan(offset), bytes);
      return {};
    }
    void sync() override {}
    Result<std::uint64_t> size() override { return bytes_.size(); }
    Result<> truncate(std::uint64_t size) override {
      bytes_.resize(size);
      return {};
    }
    const std::string& path() const override { return path_; }

   private:
    std::string path_;
    Bytes& bytes_;
  };
};

}  // namespace warifu::fuzz
