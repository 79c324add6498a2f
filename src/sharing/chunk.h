// A chunk of an object on its way through sharing: record = data padded to 32 bytes, then its tag.
//
//   T_i  = ( h_r(object, "WRC1", i, length, lane 1 of data), h_r(lane 2 of data) )      32 bytes
//   record_i = data_i || zeros to a multiple of 32 || T_i
//
// The record as a whole is split, so that nobody sees the tag in clear, and nested sharing simply
// splits a share's record again. r is uniform, secret, one per object, and lives on the person's
// card; a share holder that adds any difference passes with probability at most
// (blocks + 1) / 2^128, under every scheme (a join is linear, so the difference that arrives is one
// that the holder knows; docs/formats/sharing.md has the argument). The tag over all tags binds the
// number and the order of chunks.
#pragma once

#include "base/ids.h"
#include "base/limits.h"
#include "base/units.h"
#include "mac/mac.h"
#include "secret/secret.h"
#include "sharing/form_q.h"
#include "sharing/scheme.h"

namespace warifu::datapath {
class Verifier;
}

namespace warifu::sharing {

inline constexpr std::size_t kTagBytes = limits::kChunkTagBytes;
static_assert(kTagBytes == 2 * mac::kBlockBytes);

// How an object is cut. Every object has at least one chunk; zero-length objects are refused
// earlier.
struct Chunking {
  ByteCount object_length;
  std::uint32_t chunk_bytes = limits::kChunkBytes;

  [[nodiscard]] std::uint64_t chunk_count() const {
    return (object_length.value + chunk_bytes - 1) / chunk_bytes;
  }
  // Plaintext bytes of chunk i.
  [[nodiscard]] std::uint32_t length(ChunkIndex i) const;
  // Bytes of record i: padded data and tag.
  [[nodiscard]] std::uint32_t record_length(ChunkIndex i) const;
  // Sum of record_length over chunks [first, first + count).
  [[nodiscard]] std::uint64_t records_length(ChunkIndex first, std::uint64_t count) const;
};

// Lengths of the records at one place of a policy tree: the object's own records at the top, and
// below each cut the records of its shares (data and tag are cut together).
class RecordLayout {
 public:
  RecordLayout() = default;
  // The object's records: padded data and tag.
  explicit RecordLayout(const Chunking& chunking);
  // From the numbers of a share header. Errors: kInvalidArgument when they make no sense.
  [[nodiscard]] static Result<RecordLayout> from_numbers(std::uint64_t count,
                                                         std::uint32_t full_bytes,
                                                         std::uint32_t last_bytes);
  // The records of the shares that a cut of these records makes.
  [[nodiscard]] RecordLayout below(const Scheme& scheme) const;

  bool operator==(const RecordLayout&) const = default;
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint32_t full_bytes() const { return full_bytes_; }
  [[nodiscard]] std::uint32_t last_bytes() const { return last_bytes_; }
  [[nodiscard]] std::uint32_t length(ChunkIndex index) const;
  // Sum of length() over records [first, first + count).
  [[nodiscard]] std::uint64_t lengths(ChunkIndex first, std::uint64_t count) const;

 private:
  RecordLayout(std::uint64_t count, std::uint32_t full_bytes, std::uint32_t last_bytes)
      : count_(count), full_bytes_(full_bytes), last_bytes_(last_bytes) {}
  std::uint64_t count_ = 0;
  std::uint32_t full_bytes_ = 0;  // every record but the last
  std::uint32_t last_bytes_ = 0;
};

using ChunkTag = std::array<Byte, kTagBytes>;

// `padded` is the chunk's data followed by zeros, a multiple of 32 bytes; `length` its real length.
[[nodiscard]] ChunkTag chunk_tag(const mac::Key& r, const ObjectId& object, ChunkIndex index,
                                 std::uint32_t length, ByteView padded);

// The start of a chunk's tag: a hasher that has taken the prefix and waits for the padded data.
[[nodiscard]] mac::LaneHasher begin_chunk_tag(const mac::Key& r, const ObjectId& object,
                                              ChunkIndex index, std::uint32_t length);

// Zeros in the place of the tag over all tags say that nobody knows it (docs/adr/0066): that of one
// object in 2^128 looks so, and is not checked. In constant time.
[[nodiscard]] bool is_known(const mac::Tag& over_all);

// The tag over all tags: h_r(object, "WRA1", object length, chunk size, T_0, T_1, ...).
class ObjectTagger {
 public:
  ObjectTagger(const mac::Key& r, const ObjectId& object, const Chunking& chunking);
  // In the order of the chunks.
  void add(const ChunkTag& tag);
  [[nodiscard]] mac::Tag finish() const { return hasher_.finish(); }

 private:
  mac::Hasher hasher_;
};

// Fills `record` (record_length bytes whose first `length` bytes are the data): zeros, then the
// tag.
[[nodiscard]] ChunkTag finish_record(const mac::Key& r, const ObjectId& object, ChunkIndex index,
                                     std::uint32_t length, MutableBytes record);

// Plaintext that has passed its tag under the card's key; only verify_record and the fused passes
// of datapath/ make one.
class VerifiedChunk {
 public:
  [[nodiscard]] ByteView data() const { return record_.bytes().first(length_); }
  [[nodiscard]] ChunkIndex index() const { return index_; }
  [[nodiscard]] const ChunkTag& tag() const { return tag_; }

 private:
  friend class ::warifu::datapath::Verifier;
  friend Result<VerifiedChunk> verify_record(const mac::Key&, const ObjectId&, ChunkIndex,
                                             std::uint32_t, secret::Buffer);
  VerifiedChunk() = default;
  secret::Buffer record_;
  std::uint32_t length_ = 0;
  ChunkIndex index_;
  ChunkTag tag_{};
};

// Checks a combined record against the tag it carries, in constant time.
// Errors: kCorrupt naming the chunk; kInvalidArgument when the record's size does not fit `length`.
[[nodiscard]] Result<VerifiedChunk> verify_record(const mac::Key& r, const ObjectId& object,
                                                  ChunkIndex index, std::uint32_t length,
                                                  secret::Buffer record);

}  // namespace warifu::sharing
