// Choice of the variant, keys and streaming hashers.
#include "mac/mac.h"

namespace warifu::mac {
namespace {

internal::HornerFunction chosen_horner() {
  static const internal::HornerFunction function =
      internal::has_pclmul() ? internal::horner_pclmul : internal::horner_portable;
  return function;
}

}  // namespace

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
  Byte block[kBlockBytes];
  store(a, block);
  return chosen_horner()(Element{}, &b, block, 1, kBlockBytes);
}

Key::Key(ByteView r) : powers_(kPowers * sizeof(Element)) {
  WARIFU_CHECK(r.size() == kBlockBytes);
  auto* powers = reinterpret_cast<Element*>(powers_.bytes().data());
  powers[0] = load(r.data());
  for (std::size_t i = 1; i < kPowers; ++i) powers[i] = multiply(powers[i - 1], powers[0]);
}

void Hasher::update(ByteView piece) {
  WARIFU_CHECK(!ended_);
  const std::size_t whole = piece.size() / kBlockBytes;
  sum_ = chosen_horner()(sum_, key_.powers(), piece.data(), whole, kBlockBytes);
  const ByteView rest = piece.subspan(whole * kBlockBytes);
  if (rest.empty()) return;
  ended_ = true;
  std::array<Byte, kBlockBytes> last{};
  copy_bytes(last, rest);
  sum_ = chosen_horner()(sum_, key_.powers(), last.data(), 1, kBlockBytes);
  secret::wipe(last);
}

Tag Hasher::finish() const {
  Tag tag;
  store(sum_, tag.data());
  return tag;
}

void LaneHasher::update_first_lane(ByteView blocks) {
  WARIFU_CHECK(blocks.size() % kBlockBytes == 0);
  sum_[0] = chosen_horner()(sum_[0], key_.powers(), blocks.data(), blocks.size() / kBlockBytes,
                            kBlockBytes);
}

void LaneHasher::update(ByteView words) {
  WARIFU_CHECK(words.size() % (2 * kBlockBytes) == 0);
  const std::size_t count = words.size() / (2 * kBlockBytes);
  if (count == 0) return;
  for (std::size_t lane = 0; lane < 2; ++lane) {
    sum_[lane] = chosen_horner()(sum_[lane], key_.powers(), words.data() + lane * kBlockBytes,
                                 count, 2 * kBlockBytes);
  }
}

std::array<Byte, 2 * kBlockBytes> LaneHasher::finish() const {
  std::array<Byte, 2 * kBlockBytes> tags{};
  store(sum_[0], tags.data());
  store(sum_[1], tags.data() + kBlockBytes);
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
  return internal::has_pclmul() ? "pclmul" : "portable";
}

}  // namespace warifu::mac
