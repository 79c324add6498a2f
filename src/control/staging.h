// Staging: the plaintext of an object between upload and commitment, sealed under its own random
// key.
//
//   file  := page block*                     page := "WSTG" version:u16=2 zeros      (4,096 bytes)
//   block := run:8 AES-256-GCM(chunk) zeros  at 4,096 + i * 266,240
//
// Nonce: run, its lowest bit set in a lead, then the chunk's index (32 bits). `run` is drawn
// whenever a writer opens the file, so that a chunk which is written again after a crash is never
// sealed with a nonce that was used before. Blocks begin on pages of their own: a torn write
// damages none that was synced. A genome's lead lies in a file beside, PATH.lead; without one the
// lead, if there is any, is the beginning of the file itself. docs/formats/staging.md.
//
// The key lives in locked memory and, sealed under the site's root key, in the job's record or the
// upload's (kept_upload.h). Erasing forgets the key and removes the files. Never more than one
// chunk is in clear at a time. One thread for each object.
#pragma once

#include <memory>
#include <optional>

#include "os/system.h"
#include "secret/secret.h"
#include "sharing/chunk.h"

namespace warifu::control {

inline constexpr std::size_t kStagingKeyBytes = 32;
// A writer makes durable what it wrote after so many chunks at the latest: what a power loss can
// spoil lies in the last so many.
inline constexpr std::uint64_t kStagingSyncChunks = 32;

enum class StagedPart : std::uint8_t { kFile, kLead };

class StagingWriter {
 public:
  // Errors: kAlreadyExists, kIo, kNoSpace.
  [[nodiscard]] static Result<StagingWriter> create(os::System system, const std::string& path,
                                                    ByteView key,
                                                    StagedPart part = StagedPart::kFile);
  // Goes on behind the first `chunks` whole chunks; what stands behind them is gone. Errors:
  // kNotFound, kIo.
  [[nodiscard]] static Result<StagingWriter> open_behind(os::System system, const std::string& path,
                                                         ByteView key, std::uint64_t chunks);
  // Plaintext in any pieces. Errors: kNoSpace, kIo; the chunks that chunks() counts are good.
  [[nodiscard]] Result<> append(ByteView plain);
  // Makes whole chunks durable; what is left over stays in memory.
  void sync();
  // Whole chunks that were written.
  [[nodiscard]] std::uint64_t chunks() const { return chunks_; }
  // All that was appended, with what is left over.
  [[nodiscard]] std::uint64_t length() const { return length_; }
  // Writes the rest and makes all durable; returns the length. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<ByteCount> finish();

 private:
  StagingWriter(os::System system, std::unique_ptr<os::File> file, ByteView key, StagedPart part,
                std::uint64_t chunks);
  Result<> flush();

  os::System system_;
  std::unique_ptr<os::File> file_;
  secret::Buffer key_;
  secret::Buffer chunk_;
  std::uint64_t run_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t chunks_ = 0;
  std::uint64_t synced_ = 0;
  std::uint64_t length_ = 0;
  Bytes sealed_;
};

// Reads one staged file.
class StagedFile {
 public:
  // Errors: kNotFound, kIo, kCorrupt (no staged file, or an earlier version's).
  [[nodiscard]] static Result<StagedFile> open(os::System system, const std::string& path,
                                               ByteView key, StagedPart part = StagedPart::kFile);
  // Chunk i, which has plain.size() bytes. Errors: kCorrupt, kIo.
  [[nodiscard]] Result<> read(std::uint64_t index, MutableBytes plain);
  // Blocks that the file's size has room for, the last one perhaps in part. Errors: kIo.
  [[nodiscard]] Result<std::uint64_t> blocks();

 private:
  StagedFile(std::unique_ptr<os::File> file, ByteView key, StagedPart part)
      : file_(std::move(file)), key_(secret::Buffer::copy_of(key)), part_(part) {}
  std::unique_ptr<os::File> file_;
  secret::Buffer key_;
  StagedPart part_;
  Bytes sealed_;
};

class StagingReader {
 public:
  [[nodiscard]] static Result<StagingReader> open(os::System system, const std::string& path,
                                                  ByteView key, const sharing::Chunking& chunking);
  // Chunk i of the object into the start of `record`, which has chunking.record_length(i) bytes.
  // Errors: kCorrupt, kIo.
  [[nodiscard]] Result<> read(ChunkIndex index, MutableBytes record);

 private:
  StagingReader(StagedFile file, const sharing::Chunking& chunking)
      : file_(std::move(file)), chunking_(chunking) {}
  StagedFile file_;
  std::optional<StagedFile> lead_;
  std::uint64_t lead_chunks_ = 0;
  sharing::Chunking chunking_;
};

// How many chunks of a file of `length` bytes stand there whole after a crash. Only the last
// kStagingSyncChunks are looked at: what came before was durable. Errors: of StagedFile::open; kIo.
[[nodiscard]] Result<std::uint64_t> count_staged_chunks(os::System system, const std::string& path,
                                                        ByteView key, std::uint64_t length);

[[nodiscard]] std::string staged_lead_path(const std::string& path);

// Removes the file and its lead; the caller forgets the key.
[[nodiscard]] Result<> erase_staging(os::System system, const std::string& path);

}  // namespace warifu::control
