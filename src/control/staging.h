// Staging: the plaintext of an object between upload and commitment, sealed under its own random
// key.
//
//   file := block*      block i := AES-256-GCM(chunk i)
//
// The key lives in locked memory and, sealed under the site's root key, in the job's record.
// Erasing forgets the key and removes the file. Never more than one chunk is in clear at a time.
#pragma once

#include "os/system.h"
#include "secret/secret.h"
#include "sharing/chunk.h"

namespace warifu::control {

inline constexpr std::size_t kStagingKeyBytes = 32;

class StagingWriter {
 public:
  // Errors: kIo, kNoSpace.
  [[nodiscard]] static Result<StagingWriter> create(os::System system, const std::string& path,
                                                    ByteView key);
  // Plaintext in any pieces. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> append(ByteView plain);
  // Writes the rest and makes all durable; returns the length.
  [[nodiscard]] Result<ByteCount> finish();

 private:
  StagingWriter(os::System system, std::unique_ptr<os::File> file, secret::Buffer key)
      : system_(system),
        file_(std::move(file)),
        key_(std::move(key)),
        chunk_(limits::kChunkBytes) {}
  Result<> flush();

  os::System system_;
  std::unique_ptr<os::File> file_;
  secret::Buffer key_;
  secret::Buffer chunk_;
  std::size_t filled_ = 0;
  std::uint64_t chunks_ = 0;
  std::uint64_t length_ = 0;
  Bytes sealed_;
};

class StagingReader {
 public:
  [[nodiscard]] static Result<StagingReader> open(os::System system, const std::string& path,
                                                  ByteView key, const sharing::Chunking& chunking);
  // Chunk i into the start of `record`, which has chunking.record_length(i) bytes. Errors:
  // kCorrupt, kIo.
  [[nodiscard]] Result<> read(ChunkIndex index, MutableBytes record);

 private:
  StagingReader(std::unique_ptr<os::File> file, secret::Buffer key, sharing::Chunking chunking)
      : file_(std::move(file)), key_(std::move(key)), chunking_(chunking) {}
  std::unique_ptr<os::File> file_;
  secret::Buffer key_;
  sharing::Chunking chunking_;
  Bytes sealed_;
};

// Removes the file; the caller forgets the key.
[[nodiscard]] Result<> erase_staging(os::System system, const std::string& path);

}  // namespace warifu::control
