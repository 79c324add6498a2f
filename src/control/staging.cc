// Sealed chunks of a staged upload.
#include "control/staging.h"

#include <algorithm>
#include <array>

#include "crypto/crypto.h"
#include "os/folders.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::string_view kStagedMagic = "WSTG";
constexpr std::uint16_t kStagedVersion = 2;
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::size_t kRunBytes = 8;
constexpr std::uint64_t kBlockStride = limits::kChunkBytes + kPageBytes;
static_assert(kRunBytes + crypto::kSealOverhead <= kPageBytes &&
              limits::kChunkBytes % kPageBytes == 0);

std::uint64_t offset_of(std::uint64_t index) {
  return kPageBytes + index * kBlockStride;
}

// The 96 bits of the nonce: 64 of the run, the lowest of which tells the part, and 32 of the place.
struct Nonce {
  std::uint32_t domain;
  std::uint64_t index;
};
static_assert(limits::kMaxObjectBytes / limits::kChunkBytes <= 1ULL << 32U);

std::uint64_t part_bit(StagedPart part) {
  return part == StagedPart::kLead ? 1U : 0U;
}

Nonce nonce_of(std::uint64_t run, std::uint64_t index) {
  WARIFU_CHECK(index < (1ULL << 32U));
  return {static_cast<std::uint32_t>(run >> 32U), (run << 32U) | index};
}

Bytes first_page() {
  wire::Writer writer;
  writer.raw(as_bytes(kStagedMagic));
  writer.u16(kStagedVersion);
  Bytes page = writer.take();
  page.resize(kPageBytes);
  return page;
}

}  // namespace

std::string staged_lead_path(const std::string& path) {
  return path + ".lead";
}

StagingWriter::StagingWriter(os::System system, std::unique_ptr<os::File> file, ByteView key,
                             StagedPart part, std::uint64_t chunks)
    : system_(system),
      file_(std::move(file)),
      key_(secret::Buffer::copy_of(key)),
      chunk_(limits::kChunkBytes),
      chunks_(chunks),
      synced_(chunks),
      length_(chunks * limits::kChunkBytes) {
  WARIFU_CHECK(key.size() == kStagingKeyBytes);
  std::array<Byte, sizeof run_> drawn{};
  system.random.fill(drawn);
  std::memcpy(&run_, drawn.data(), drawn.size());
  run_ = (run_ & ~1ULL) | part_bit(part);
}

Result<StagingWriter> StagingWriter::create(os::System system, const std::string& path,
                                            ByteView key, StagedPart part) {
  TRY(os::make_folder(system.files, os::parent_of(path)));
  TRY_ASSIGN(auto file, system.files.open(path, os::OpenMode::kCreate));
  TRY(file->write_at(0, first_page()));
  return StagingWriter(system, std::move(file), key, part, 0);
}

Result<StagingWriter> StagingWriter::open_behind(os::System system, const std::string& path,
                                                 ByteView key, std::uint64_t chunks) {
  TRY_ASSIGN(auto file, system.files.open(path, os::OpenMode::kReadWrite));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size > offset_of(chunks)) {
    // Durable at once: otherwise a block of an earlier try could come back behind a later one's.
    TRY(file->truncate(offset_of(chunks)));
    file->sync();
  }
  return StagingWriter(system, std::move(file), key, StagedPart::kFile, chunks);
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
  sealed_.resize(kRunBytes + filled_ + crypto::kSealOverhead);
  std::memcpy(sealed_.data(), &run_, kRunBytes);
  const Nonce nonce = nonce_of(run_, chunks_);
  crypto::seal(key_.bytes(), nonce.domain, nonce.index, chunk_.bytes().first(filled_),
               MutableBytes(sealed_).subspan(kRunBytes));
  TRY(file_->write_at(offset_of(chunks_), sealed_));
  ++chunks_;
  filled_ = 0;
  if (chunks_ - synced_ >= kStagingSyncChunks) sync();
  return {};
}

void StagingWriter::sync() {
  file_->sync();
  synced_ = chunks_;
}

Result<ByteCount> StagingWriter::finish() {
  if (filled_ > 0) TRY(flush());
  sync();
  system_.files.sync_dir(os::parent_of(file_->path()));
  return ByteCount{length_};
}

Result<StagedFile> StagedFile::open(os::System system, const std::string& path, ByteView key,
                                    StagedPart part) {
  TRY_ASSIGN(auto file, system.files.open(path, os::OpenMode::kRead));
  Bytes start(kStagedMagic.size() + 2);
  TRY_ASSIGN(const std::size_t got, file->read_at(0, start));
  const Bytes page = first_page();
  if (got != start.size() || !std::equal(start.begin(), start.end(), page.begin())) {
    return fail(Code::kCorrupt, "staged file '" + path +
                                    "' is damaged, or was written by an earlier version of "
                                    "warifu: cancel its job and store the file again");
  }
  return StagedFile(std::move(file), key, part);
}

Result<> StagedFile::read(std::uint64_t index, MutableBytes plain) {
  sealed_.resize(kRunBytes + plain.size() + crypto::kSealOverhead);
  TRY(file_->read_exact_at(offset_of(index), sealed_));
  std::uint64_t run = 0;
  std::memcpy(&run, sealed_.data(), kRunBytes);
  const std::string what = "staged file '" + file_->path() + "'";
  if ((run & 1U) != part_bit(part_))
    return fail(Code::kCorrupt, what + ": a block of another part");
  const Nonce nonce = nonce_of(run, index);
  const auto opened = crypto::open_sealed(key_.bytes(), nonce.domain, nonce.index,
                                          ByteView(sealed_).subspan(kRunBytes), plain);
  return opened ? Result<>() : fail_in(what, opened.error());
}

Result<std::uint64_t> StagedFile::blocks() {
  TRY_ASSIGN(const std::uint64_t size, file_->size());
  return size <= kPageBytes ? 0 : (size - kPageBytes + kBlockStride - 1) / kBlockStride;
}

Result<StagingReader> StagingReader::open(os::System system, const std::string& path, ByteView key,
                                          const sharing::Chunking& chunking) {
  TRY_ASSIGN(StagedFile file, StagedFile::open(system, path, key));
  StagingReader reader(std::move(file), chunking);
  if (const std::string beside = staged_lead_path(path); system.files.exists(beside)) {
    TRY_ASSIGN(StagedFile lead, StagedFile::open(system, beside, key, StagedPart::kLead));
    TRY_ASSIGN(reader.lead_chunks_, lead.blocks());
    reader.lead_.emplace(std::move(lead));
  }
  return reader;
}

Result<> StagingReader::read(ChunkIndex index, MutableBytes record) {
  const std::uint32_t length = chunking_.length(index);
  WARIFU_CHECK(record.size() >= length);
  if (index.value < lead_chunks_) return lead_->read(index.value, record.first(length));
  return file_.read(index.value - lead_chunks_, record.first(length));
}

Result<std::uint64_t> count_staged_chunks(os::System system, const std::string& path, ByteView key,
                                          std::uint64_t length) {
  TRY_ASSIGN(StagedFile file, StagedFile::open(system, path, key));
  TRY_ASSIGN(const std::uint64_t blocks, file.blocks());
  const sharing::Chunking chunking{ByteCount{length}};
  const std::uint64_t most = std::min(blocks, chunking.chunk_count());
  secret::Buffer chunk(limits::kChunkBytes);
  // One more than a run between two syncs: the last block may be there in part.
  const std::uint64_t from = most - std::min(most, kStagingSyncChunks + 1);
  for (std::uint64_t i = from; i < most; ++i) {
    const auto read = file.read(i, chunk.bytes().first(chunking.length({i})));
    if (!read && read.error().code == Code::kIo) return std::unexpected(read.error());
    if (!read) return i;
  }
  return most;
}

Result<> erase_staging(os::System system, const std::string& path) {
  TRY(system.files.remove(path));
  TRY(system.files.remove(staged_lead_path(path)));
  system.files.sync_dir(os::parent_of(path));
  return {};
}

}  // namespace warifu::control
