// Encoding, strict decoding, and the two ways to compare.
#include "kme/key_offer.h"

#include "wire/wire.h"

namespace warifu::kme {
namespace {
constexpr std::size_t kMaxIds = 4096;

// Length first: the hash pads with zeros.
mac::Tag fingerprint(ByteView hash_key, ByteView material) {
  const mac::Key key(hash_key);
  mac::Hasher hasher(key);
  std::array<Byte, mac::kBlockBytes> length{};
  const std::uint64_t size = material.size();
  std::memcpy(length.data(), &size, sizeof size);
  hasher.update(length);
  hasher.update(material);
  return hasher.finish();
}

}  // namespace

Bytes encode(const KeyOffer& offer) {
  wire::Writer writer;
  writer.u64(offer.number.value);
  writer.u64(offer.base.value);
  writer.u8(static_cast<std::uint8_t>(offer.origin));
  writer.u8(offer.device);
  writer.u16(offer.parts);
  writer.raw(offer.hash_key.bytes());
  writer.u32(static_cast<std::uint32_t>(offer.ids.size()));
  for (const std::string& id : offer.ids) writer.text(id);
  return writer.take();
}

Result<KeyOffer> decode_key_offer(ByteView body) {
  wire::Reader reader(body, "key offer");
  KeyOffer offer;
  offer.number = {reader.u64()};
  offer.base = {reader.u64()};
  const std::uint8_t origin = reader.u8();
  offer.device = reader.u8();
  offer.parts = reader.u16();
  offer.hash_key = secret::Buffer::copy_of(reader.raw(mac::kBlockBytes));
  const std::uint32_t count = reader.u32();
  if (count == 0 || count > kMaxIds) reader.reject("number of keys out of range");
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) offer.ids.push_back(reader.text(64));
  TRY(reader.finish());
  TRY_ASSIGN(offer.origin, keypool::origin_from_number(origin));
  return offer;
}

Result<Compared> compare_by(const KeyOffer& offer, ByteView material) {
  constexpr std::size_t kHead = mac::kBlockBytes * 2;
  if (offer.origin != keypool::Origin::kRelayed) {
    return Compared{material, fingerprint(offer.hash_key.bytes(), material)};
  }
  if (material.size() <= kHead) return fail(Code::kProtocol, "relayed key is too short");
  const ByteView mask = material.subspan(mac::kBlockBytes, mac::kBlockBytes);
  const ByteView key = material.subspan(kHead);
  mac::Tag tag = fingerprint(material.first(mac::kBlockBytes), key);
  for (std::size_t i = 0; i < tag.size(); ++i) tag[i] ^= mask[i];
  return Compared{key, tag};
}

}  // namespace warifu::kme
