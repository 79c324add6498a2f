// Chunk layout, tags and verification.
#include "sharing/chunk.h"

#include <algorithm>

namespace warifu::sharing {
namespace {

// Two blocks: the object, then domain, index and length.
std::array<Byte, 32> prefix_of(const ObjectId& object, std::string_view domain,
                               std::uint64_t number, std::uint32_t length) {
  std::array<Byte, 32> prefix{};
  copy_bytes(prefix, object.view());
  copy_bytes(MutableBytes(prefix).subspan(16), as_bytes(domain));
  std::memcpy(prefix.data() + 20, &length, 4);
  std::memcpy(prefix.data() + 24, &number, 8);
  return prefix;
}

}  // namespace

std::uint32_t Chunking::length(ChunkIndex i) const {
  const std::uint64_t start = i.value * chunk_bytes;
  WARIFU_CHECK(start < object_length.value);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(chunk_bytes, object_length.value - start));
}

std::uint32_t Chunking::record_length(ChunkIndex i) const {
  return static_cast<std::uint32_t>(padded_size(length(i)) + kTagBytes);
}

std::uint64_t Chunking::records_length(ChunkIndex first, std::uint64_t count) const {
  if (count == 0) return 0;
  const ChunkIndex last{first.value + count - 1};
  return (count - 1) * (chunk_bytes + kTagBytes) + record_length(last);
}

RecordLayout::RecordLayout(const Chunking& chunking)
    : RecordLayout(chunking.chunk_count(), chunking.chunk_bytes + kTagBytes,
                   chunking.record_length({chunking.chunk_count() - 1})) {}

Result<RecordLayout> RecordLayout::from_numbers(std::uint64_t count, std::uint32_t full_bytes,
                                                std::uint32_t last_bytes) {
  const bool sane = count > 0 && full_bytes > 0 && full_bytes <= limits::kMaxRecordBytes &&
                    last_bytes > 0 && last_bytes <= full_bytes && full_bytes % kWordBytes == 0 &&
                    last_bytes % kWordBytes == 0 && count <= limits::kMaxObjectBytes / kWordBytes;
  if (!sane) {
    return fail(Code::kInvalidArgument, "records: " + std::to_string(count) + " of " +
                                            std::to_string(full_bytes) + " bytes, the last of " +
                                            std::to_string(last_bytes) + ", make no sense");
  }
  return RecordLayout(count, full_bytes, last_bytes);
}

RecordLayout RecordLayout::below(const Scheme& scheme) const {
  return {count_, static_cast<std::uint32_t>(scheme.share_bytes(full_bytes_)),
          static_cast<std::uint32_t>(scheme.share_bytes(last_bytes_))};
}

std::uint32_t RecordLayout::length(ChunkIndex index) const {
  WARIFU_CHECK(index.value < count_);
  return index.value + 1 < count_ ? full_bytes_ : last_bytes_;
}

std::uint64_t RecordLayout::lengths(ChunkIndex first, std::uint64_t count) const {
  if (count == 0) return 0;
  WARIFU_CHECK(first.value < count_ && count <= count_ - first.value);
  return (count - 1) * full_bytes_ + length({first.value + count - 1});
}

ChunkTag chunk_tag(const mac::Key& r, const ObjectId& object, ChunkIndex index,
                   std::uint32_t length, ByteView padded) {
  mac::LaneHasher hasher = begin_chunk_tag(r, object, index, length);
  hasher.update(padded);
  return hasher.finish();
}

mac::LaneHasher begin_chunk_tag(const mac::Key& r, const ObjectId& object, ChunkIndex index,
                                std::uint32_t length) {
  mac::LaneHasher hasher(r);
  hasher.update_first_lane(prefix_of(object, "WRC1", index.value, length));
  return hasher;
}

bool is_known(const mac::Tag& over_all) {
  return !secret::equal(over_all, mac::Tag{});
}

ObjectTagger::ObjectTagger(const mac::Key& r, const ObjectId& object, const Chunking& chunking)
    : hasher_(r) {
  hasher_.update(prefix_of(object, "WRA1", chunking.object_length.value, chunking.chunk_bytes));
}

void ObjectTagger::add(const ChunkTag& tag) {
  hasher_.update(tag);
}

ChunkTag finish_record(const mac::Key& r, const ObjectId& object, ChunkIndex index,
                       std::uint32_t length, MutableBytes record) {
  WARIFU_CHECK(record.size() == padded_size(length) + kTagBytes);
  const MutableBytes padded = record.first(record.size() - kTagBytes);
  std::ranges::fill(padded.subspan(length), Byte{0});
  const ChunkTag tag = chunk_tag(r, object, index, length, padded);
  copy_bytes(record.last(kTagBytes), tag);
  return tag;
}

Result<VerifiedChunk> verify_record(const mac::Key& r, const ObjectId& object, ChunkIndex index,
                                    std::uint32_t length, secret::Buffer record) {
  if (record.size() != padded_size(length) + kTagBytes) {
    return fail(Code::kInvalidArgument,
                "chunk " + std::to_string(index.value) + " has a record of a wrong size");
  }
  const ByteView whole = record.bytes();
  const ChunkTag tag = chunk_tag(r, object, index, length, whole.first(whole.size() - kTagBytes));
  if (!secret::equal(tag, whole.last(kTagBytes))) {
    return fail(Code::kCorrupt, "chunk " + std::to_string(index.value) +
                                    " does not match its tag under the card's key");
  }
  VerifiedChunk chunk;
  chunk.record_ = std::move(record);
  chunk.length_ = length;
  chunk.index_ = index;
  chunk.tag_ = tag;
  return chunk;
}

}  // namespace warifu::sharing
