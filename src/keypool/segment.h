// A segment file: pad in sealed blocks of 64 KiB under one key, readable from any block.
//
// Thread rule: read_block() is safe from several threads.
#pragma once

#include "keypool/format.h"

namespace warifu::keypool {

// An open segment with its key in locked memory.
class SegmentReader {
 public:
  SegmentReader(std::unique_ptr<os::File> file, secret::Buffer key, std::uint32_t length)
      : file_(std::move(file)), key_(std::move(key)), length_(length) {}

  // Plain bytes of block `block`; the last may be shorter than the others.
  [[nodiscard]] std::size_t block_length(std::uint32_t block) const;
  // Opens block `block` into `out`, block_length() bytes; `sealed` is room for its ciphertext that
  // the caller keeps from block to block. Errors: kCorrupt, kIo; `out` is then wiped or untouched.
  [[nodiscard]] Result<> read_block(std::uint32_t block, Bytes& sealed, MutableBytes out);
  [[nodiscard]] std::uint32_t length() const { return length_; }

 private:
  std::unique_ptr<os::File> file_;
  secret::Buffer key_;
  std::uint32_t length_;
};

// Writes `material` sealed under `key` to a new file and makes it and its name durable.
[[nodiscard]] Result<> write_segment(os::FileSystem& files, const std::string& path, ByteView key,
                                     ByteView material);

}  // namespace warifu::keypool
