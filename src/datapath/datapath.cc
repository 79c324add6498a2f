// One kernel call over the data of a record, one over its last word.
#include "datapath/datapath.h"

#include <algorithm>

#include "kernels/kernels.h"

namespace warifu::datapath {

using kernels::kWordBytes;
using sharing::kTagBytes;

// Makes VerifiedChunks out of records whose tag a fused pass has computed.
class Verifier {
 public:
  static Result<sharing::VerifiedChunk> check(const ChunkName& name, secret::Buffer record,
                                              const sharing::ChunkTag& computed) {
    const ByteView carried = std::as_const(record).bytes().last(kTagBytes);
    if (!secret::equal(computed, carried)) {
      return fail(Code::kCorrupt, "chunk " + std::to_string(name.index.value) +
                                      " does not match its tag under the card's key");
    }
    sharing::VerifiedChunk chunk;
    chunk.record_ = std::move(record);
    chunk.length_ = name.length;
    chunk.index_ = name.index;
    chunk.tag_ = computed;
    return chunk;
  }
};

namespace {

std::size_t record_size(const ChunkName& name) {
  return sharing::padded_size(name.length) + kTagBytes;
}

// Zeros behind the data, as far as the tag.
void pad_with_zeros(const ChunkName& name, MutableBytes record) {
  WARIFU_CHECK(record.size() == record_size(name));
  std::ranges::fill(record.first(record.size() - kTagBytes).subspan(name.length), Byte{0});
}

kernels::Factor factor_of(sharing::ShareIndex x, sharing::ShareIndex y) {
  WARIFU_CHECK(x != y);
  // The index that is missing decides: C -> 1, B -> w^2, A -> w.
  switch (3 - static_cast<int>(x) - static_cast<int>(y)) {
    case 2: return kernels::Factor::kOne;
    case 1: return kernels::Factor::kW2;
    default: return kernels::Factor::kW;
  }
}

Result<> check_sizes(const ChunkName& name, std::size_t first, std::size_t second) {
  if (first == record_size(name) && second == first) return {};
  return fail(Code::kInvalidArgument,
              "chunk " + std::to_string(name.index.value) + " has a record of a wrong size");
}

}  // namespace

sharing::ChunkTag cut(const mac::Key& r, const ChunkName& name, MutableBytes record,
                      ByteView random, const PlainShares& shares) {
  WARIFU_CHECK(random.size() == record.size() && shares.b.size() == record.size() &&
               shares.c.size() == record.size());
  WARIFU_CHECK(shares.a.empty() || shares.a.size() == record.size());
  pad_with_zeros(name, record);
  mac::LaneHasher storage = sharing::begin_chunk_tag(r, name.object, name.index, name.length);
  const auto pass = [&](std::size_t at, std::size_t bytes) {
    return kernels::SplitPass{.secret = record.data() + at,
                              .random = random.data() + at,
                              .a = shares.a.empty() ? nullptr : shares.a.data() + at,
                              .b = shares.b.data() + at,
                              .c = shares.c.data() + at,
                              .bytes = bytes};
  };
  const std::size_t data_bytes = record.size() - kTagBytes;
  kernels::best().split_tag(pass(0, data_bytes), storage.running());
  const sharing::ChunkTag tag = storage.finish();
  copy_bytes(record.last(kTagBytes), tag);
  kernels::best().split(pass(data_bytes, kTagBytes));
  return tag;
}

Result<sharing::VerifiedChunk> combine_and_verify(const mac::Key& r, const ChunkName& name,
                                                  const HeldShare& x, const HeldShare& y) {
  TRY(check_sizes(name, x.record.size(), y.record.size()));
  secret::Buffer record(x.record.size());
  mac::LaneHasher storage = sharing::begin_chunk_tag(r, name.object, name.index, name.length);
  const auto pass = [&](std::size_t at, std::size_t bytes) {
    return kernels::CombinePass{.factor = factor_of(x.index, y.index),
                                .x = x.record.data() + at,
                                .y = y.record.data() + at,
                                .out = record.bytes().data() + at,
                                .bytes = bytes};
  };
  const std::size_t data_bytes = record.size() - kTagBytes;
  kernels::best().combine_tag(pass(0, data_bytes), storage.running());
  const sharing::ChunkTag computed = storage.finish();
  kernels::best().combine(pass(data_bytes, kTagBytes));
  // On failure `record` is wiped by its destructor.
  return Verifier::check(name, std::move(record), computed);
}

}  // namespace warifu::datapath
