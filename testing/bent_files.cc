// The file system that bends what is read from and written to a mark.
#include "testing/bent_files.h"

#include "keypool/format.h"
#include "testing/passing_files.h"
#include "wire/wire.h"

namespace warifu::sim {
namespace {

constexpr std::size_t kSlot = keypool::kMarkSlotBytes;
constexpr std::size_t kSummed = 8 + 8 * 8;  // bytes of a slot that its checksum covers
constexpr std::string_view kMagic = "WRFMARK3";

void mend_checksum(MutableBytes slot) {
  const std::uint32_t sum = wire::crc32c(slot.first(kSummed));
  for (std::size_t i = 0; i < 4; ++i) slot[kSummed + i] = static_cast<Byte>(sum >> (8 * i));
}

class BentMark final : public PassingFile {
 public:
  BentMark(std::unique_ptr<os::File> below, MarkBends bends)
      : PassingFile(std::move(below)), bends_(bends) {}

  Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) override {
    TRY_ASSIGN(const std::size_t got, below().read_at(offset, out));
    if (offset != 0 || got != 2 * kSlot) return got;
    const bool second = as_text(out.subspan(kSlot, kMagic.size())) == kMagic;
    if (bends_.reads_one_slot && second) std::ranges::fill(out.first(kSlot), Byte{0});
    if (bends_.no_checksum) {
      mend_checksum(out.first(kSlot));
      if (second) mend_checksum(out.subspan(kSlot));
    }
    return got;
  }

  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    if (bends_.one_slot) offset = 0;
    if (!bends_.one_behind) return below().write_at(offset, bytes);
    if (!late_.empty()) TRY(below().write_at(late_offset_, late_));
    late_offset_ = offset;
    late_.assign(bytes.begin(), bytes.end());
    return {};
  }

  void sync() override {
    if (!bends_.never_synced) below().sync();
  }

 private:
  MarkBends bends_;
  std::uint64_t late_offset_ = 0;
  Bytes late_;
};

class BentFiles final : public PassingFiles {
 public:
  BentFiles(os::FileSystem& below, MarkBends bends) : PassingFiles(below), bends_(bends) {}

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    auto file = below().open(path, mode);
    if (!file || !path.ends_with("/mark")) return file;
    return std::make_unique<BentMark>(std::move(*file), bends_);
  }

 private:
  MarkBends bends_;
};

}  // namespace

std::unique_ptr<os::FileSystem> bent_files(os::FileSystem& below, MarkBends bends) {
  return std::make_unique<BentFiles>(below, bends);
}

}  // namespace warifu::sim
