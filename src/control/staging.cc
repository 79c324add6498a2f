// Sealed chunks of a staged upload.
#include "control/staging.h"

#include "crypto/crypto.h"
#include "os/folders.h"

namespace warifu::control {
namespace {
constexpr std::uint32_t kDomain = 0x47415453;  // "STAG"
constexpr std::uint64_t kBlock = limits::kChunkBytes + crypto::kSealOverhead;
}  // namespace

Result<StagingWriter> StagingWriter::create(os::System system, const std::string& path,
                                            ByteView key) {
  WARIFU_CHECK(key.size() == kStagingKeyBytes);
  TRY(os::make_folder(system.files, os::parent_of(path)));
  TRY_ASSIGN(auto file, system.files.open(path, os::OpenMode::kCreate));
  return StagingWriter(system, std::move(file), secret::Buffer::copy_of(key));
}

Result<> StagingWriter::append(ByteView plain) {
  while (!plain.empty()) {
    const std::size_t part = std::min(plain.size(), chunk_.size() - filled_);
    copy_bytes(chunk_.bytes().subspan(filled_), plain.first(part));
    filled_ += part;
    length_ += part;
    plain = plain.subspan(part);
    if (filled_ == chunk_.size()) TRY(flush());
  }
  return {};
}

Result<> StagingWriter::flush() {
  sealed_.resize(filled_ + crypto::kSealOverhead);
  crypto::seal(key_.bytes(), kDomain, chunks_, chunk_.bytes().first(filled_), sealed_);
  TRY(file_->write_at(chunks_ * kBlock, sealed_));
  ++chunks_;
  filled_ = 0;
  return {};
}

Result<ByteCount> StagingWriter::finish() {
  if (filled_ > 0) TRY(flush());
  file_->sync();
  system_.files.sync_dir(os::parent_of(file_->path()));
  return ByteCount{length_};
}

Result<StagingReader> StagingReader::open(os::System system, const std::string& path, ByteView key,
                                          const sharing::Chunking& chunking) {
  TRY_ASSIGN(auto file, system.files.open(path, os::OpenMode::kRead));
  return StagingReader(std::move(file), secret::Buffer::copy_of(key), chunking);
}

Result<> StagingReader::read(ChunkIndex index, MutableBytes record) {
  const std::uint32_t length = chunking_.length(index);
  WARIFU_CHECK(record.size() >= length);
  sealed_.resize(length + crypto::kSealOverhead);
  TRY(file_->read_exact_at(index.value * kBlock, sealed_));
  if (auto opened =
          crypto::open_sealed(key_.bytes(), kDomain, index.value, sealed_, record.first(length));
      !opened) {
    return fail_in("staged file '" + file_->path() + "'", opened.error());
  }
  return {};
}

Result<> erase_staging(os::System system, const std::string& path) {
  TRY(system.files.remove(path));
  system.files.sync_dir(os::parent_of(path));
  return {};
}

}  // namespace warifu::control
