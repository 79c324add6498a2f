// Sealed blocks of a segment.
#include "keypool/segment.h"

#include <algorithm>

#include "base/limits.h"

namespace warifu::keypool {
namespace {
constexpr std::uint32_t kBlock = limits::kSealBlockBytes;
constexpr std::uint32_t kSealedBlock = kBlock + crypto::kSealOverhead;
constexpr std::uint32_t kBlockDomain = 0x42444150;  // "PADB"
}  // namespace

std::size_t SegmentReader::block_length(std::uint32_t block) const {
  const std::uint64_t start = static_cast<std::uint64_t>(block) * kBlock;
  WARIFU_CHECK(start < length_);
  return static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, length_ - start));
}

Result<> SegmentReader::read_block(std::uint32_t block, Bytes& sealed, MutableBytes out) {
  WARIFU_CHECK(out.size() == block_length(block));
  sealed.resize(out.size() + crypto::kSealOverhead);
  TRY(file_->read_exact_at(static_cast<std::uint64_t>(block) * kSealedBlock, sealed));
  if (auto opened = crypto::open_sealed(key_.bytes(), kBlockDomain, block, sealed, out); !opened) {
    return fail_in("pool segment '" + file_->path() + "' block " + std::to_string(block),
                   opened.error());
  }
  return {};
}

Result<> write_segment(os::FileSystem& files, const std::string& path, ByteView key,
                       ByteView material) {
  TRY(files.remove(path));  // a leftover of an intake that a crash cut short
  TRY_ASSIGN(const auto file, files.open(path, os::OpenMode::kCreate));
  Bytes sealed(kSealedBlock);
  std::uint32_t block = 0;
  for (std::size_t at = 0; at < material.size(); at += kBlock, ++block) {
    const ByteView plain =
        material.subspan(at, std::min<std::size_t>(kBlock, material.size() - at));
    const MutableBytes out = MutableBytes(sealed).first(plain.size() + crypto::kSealOverhead);
    crypto::seal(key, kBlockDomain, block, plain, out);
    if (auto written = file->write_at(static_cast<std::uint64_t>(block) * kSealedBlock, out);
        !written) {
      (void)files.remove(path);  // the first error is the one to tell
      return std::unexpected(written.error());
    }
  }
  file->sync();
  files.sync_dir(os::parent_of(path));
  return {};
}

}  // namespace warifu::keypool
