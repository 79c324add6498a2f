// Keys and streaming hashers over the kernels.
#include "mac/mac.h"

#include <new>

namespace warifu::mac {
Element load(const Byte* block16) {
  Element element;
  std::memcpy(&element.low, block16, 8);
  std::memcpy(&element.high, block16 + 8, 8);
  return element;
}

void store(Element element, Byte* block16) {
  std::memcpy(block16, &element.low, 8);
  std::memcpy(block16 + 8, &element.high, 8);
}

Element multiply(Element a, Element b) {
  return kernels::best().multiply(a, b);
}

Key::Key(ByteView r) : memory_(sizeof(kernels::HashKey)) {
  WARIFU_CHECK(r.size() == kBlockBytes);
  auto* key =
      new (memory_.bytes().data()) kernels::HashKey;  // trivial: the memory is wiped as bytes
  kernels::prepare(*key, load(r.data()));
}

void Hasher::update(ByteView piece) {
  WARIFU_CHECK(!ended_);
  const std::size_t whole = piece.size() / kBlockBytes;
  kernels::best().hash(sum_, piece.data(), whole);
  const ByteView rest = piece.subspan(whole * kBlockBytes);
  if (rest.empty()) return;
  ended_ = true;
  std::array<Byte, kBlockBytes> last{};
  copy_bytes(last, rest);
  kernels::best().hash(sum_, last.data(), 1);
  secret::wipe(last);
}

kernels::BlockSum& Hasher::running() {
  WARIFU_CHECK(!ended_);
  return sum_;
}

Tag Hasher::finish() const {
  Tag tag;
  store(sum_.sum, tag.data());
  return tag;
}

void LaneHasher::update_first_lane(ByteView blocks) {
  WARIFU_CHECK(blocks.size() % kBlockBytes == 0);
  kernels::BlockSum first{sums_.key, sums_.sum[0]};
  kernels::best().hash(first, blocks.data(), blocks.size() / kBlockBytes);
  sums_.sum[0] = first.sum;
}

void LaneHasher::update(ByteView words) {
  WARIFU_CHECK(words.size() % (2 * kBlockBytes) == 0);
  kernels::best().hash_lanes(sums_, words.data(), words.size() / (2 * kBlockBytes));
}

std::array<Byte, 2 * kBlockBytes> LaneHasher::finish() const {
  std::array<Byte, 2 * kBlockBytes> tags{};
  store(sums_.sum[0], tags.data());
  store(sums_.sum[1], tags.data() + kBlockBytes);
  return tags;
}

Tag hash(const Key& key, ByteView message) {
  Hasher hasher(key);
  hasher.update(message);
  return hasher.finish();
}

Tag one_time_tag(const Key& key, ByteView message, ByteView pad) {
  WARIFU_CHECK(pad.size() == kBlockBytes);
  Tag tag = hash(key, message);
  for (std::size_t i = 0; i < kBlockBytes; ++i) tag[i] = static_cast<Byte>(tag[i] ^ pad[i]);
  return tag;
}

const char* variant_name() {
  return kernels::best().name;
}

}  // namespace warifu::mac
