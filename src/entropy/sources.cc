// Kernel, device and file.
#include <algorithm>
#include <utility>

#include "entropy/source.h"
#include "os/device.h"
#include "wire/wire.h"

namespace warifu::entropy {
namespace {

class KernelSource final : public Source {
 public:
  explicit KernelSource(os::Random& random) : random_(random) {}
  Result<std::size_t> read(MutableBytes out) override {
    random_.fill(out);
    return out.size();
  }

 private:
  os::Random& random_;
};

class DeviceSource final : public Source {
 public:
  explicit DeviceSource(std::string path) : path_(std::move(path)) {}
  Result<std::size_t> read(MutableBytes out) override {
    if (device_ == nullptr) {
      TRY_ASSIGN(device_, os::open_byte_device(path_));
    }
    auto got = device_->read_some(out, kDevicePatience);
    if (!got) device_.reset();
    return got;
  }

 private:
  std::string path_;
  std::unique_ptr<os::ByteDevice> device_;
};

constexpr std::string_view kMagic = "WRFRPOS1";
constexpr std::uint64_t kStep = 1 << 20;  // marked as read at a time: one sync for each

Bytes encode_position(const std::string& path, std::uint64_t size, std::uint64_t marked) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.text(path);
  writer.u64(size);
  writer.u64(marked);
  writer.checksum();
  return writer.take();
}

class FileSource final : public Source {
 public:
  FileSource(os::System system, std::string path, std::string position)
      : system_(system), path_(std::move(path)), position_(std::move(position)) {}

  Result<std::size_t> read(MutableBytes out) override {
    if (file_ == nullptr) TRY(open());
    if (at_ == size_) return fail(Code::kOutOfKey, "'" + path_ + "' is used up");
    if (at_ == marked_) TRY(mark(std::min(size_, marked_ + kStep)));
    const std::size_t part = std::min<std::uint64_t>(out.size(), marked_ - at_);
    TRY(file_->read_exact_at(at_, out.first(part)));
    at_ += part;
    return part;
  }

 private:
  Result<> open() {
    TRY_ASSIGN(auto file, system_.files.open(path_, os::OpenMode::kRead));
    TRY_ASSIGN(size_, file->size());
    if (!position_.empty() && system_.files.exists(position_)) {
      TRY_ASSIGN(const Bytes bytes, os::read_file(system_.files, position_, 8192));
      TRY(load(bytes));
    }
    at_ = marked_;
    file_ = std::move(file);
    return {};
  }

  Result<> load(ByteView bytes) {
    const auto damaged = [&] { return fail(Code::kCorrupt, "'" + position_ + "' is damaged"); };
    const auto body = wire::before_checksum(bytes);
    if (!body) return damaged();
    wire::Reader reader(*body, position_);
    const ByteView magic = reader.raw(kMagic.size());
    const std::string path = reader.text(4096);
    const std::uint64_t size = reader.u64();
    const std::uint64_t marked = reader.u64();
    TRY(reader.finish());
    if (as_text(magic) != kMagic || marked > size) return damaged();
    if (path != path_ || size != size_) {
      return fail(Code::kRefused, "'" + position_ + "' tells how far '" + path + "' (" +
                                      std::to_string(size) + " bytes) was read; '" + path_ +
                                      "' is another file: give its source another name");
    }
    marked_ = marked;
    return {};
  }

  Result<> mark(std::uint64_t to) {
    if (!position_.empty()) {
      const std::string folder = os::parent_of(position_);
      if (!system_.files.exists(folder)) TRY(system_.files.make_directories(folder));
      system_.files.sync_dir(os::parent_of(folder));  // a crash may have come before this
      TRY(os::replace_file(system_.files, position_, encode_position(path_, size_, to)));
    }
    marked_ = to;
    return {};
  }

  os::System system_;
  std::string path_;
  std::string position_;
  std::unique_ptr<os::File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;      // the next byte
  std::uint64_t marked_ = 0;  // durably: everything below may have been given
};

}  // namespace

std::unique_ptr<Source> kernel_source(os::Random& random) {
  return std::make_unique<KernelSource>(random);
}

std::unique_ptr<Source> device_source(std::string path) {
  return std::make_unique<DeviceSource>(std::move(path));
}

std::unique_ptr<Source> file_source(os::System system, std::string path, std::string position) {
  return std::make_unique<FileSource>(system, std::move(path), std::move(position));
}

}  // namespace warifu::entropy
