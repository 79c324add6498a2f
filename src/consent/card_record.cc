// The codec of card records and the sealing of one-time keys.
#include "consent/card_record.h"

#include "wire/wire.h"

namespace warifu::consent {
namespace {

constexpr std::string_view kMagic = "WGC1";
constexpr std::uint16_t kVersion = 2;
constexpr std::uint32_t kSealDomain = 0x31'59'4B'57;  // "WKY1"
constexpr std::string_view kKeyLabel = "warifu gate key 1";

secret::Buffer sealing_key(const secret::Buffer& root, const CardId& card, card::KeyIndex index,
                           const std::array<Byte, 16>& salt) {
  WARIFU_CHECK(root.size() == crypto::kSealKeyBytes);
  wire::Writer rest;
  rest.id(card);
  rest.u32(index.value);
  rest.raw(salt);
  secret::Buffer input(kKeyLabel.size() + root.size() + rest.bytes().size());
  copy_bytes(input.bytes(), as_bytes(kKeyLabel));
  copy_bytes(input.bytes().subspan(kKeyLabel.size()), root.bytes());
  copy_bytes(input.bytes().subspan(kKeyLabel.size() + root.size()), rest.bytes());
  crypto::Digest digest = crypto::sha256(input.bytes());
  secret::Buffer key = secret::Buffer::copy_of(digest);
  secret::wipe(digest);
  return key;
}

void read_keys(wire::Reader& reader, CardRecord& record) {
  const std::uint32_t count = reader.u32();
  std::uint32_t before = record.last_used.value;
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    const std::uint32_t index = reader.u32();
    SealedKey key;
    const ByteView salt = reader.raw(key.salt.size());
    const ByteView sealed = reader.raw(key.sealed.size());
    if (index <= before) reader.reject("keys are not in order above the last used index");
    if (!reader.good()) return;
    before = index;
    copy_bytes(key.salt, salt);
    copy_bytes(key.sealed, sealed);
    record.keys.emplace_hint(record.keys.end(), index, key);
  }
}

void read_grants(wire::Reader& reader, CardRecord& record) {
  const std::uint32_t count = reader.u32();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    AcceptedGrant accepted;
    const ByteView grant = reader.blob(card::kMaxGrantBytes);
    const ByteView tag = reader.raw(mac::kBlockBytes);
    accepted.uses_left = reader.u16();
    const std::uint32_t sessions = reader.u32();
    for (std::uint32_t j = 0; j < sessions && reader.good(); ++j) {
      accepted.sessions.push_back(reader.id<JobId>());
    }
    if (!reader.good()) return;
    if (!parse_grant(grant)) reader.reject("an accepted grant is not canonical");
    accepted.grant.assign(grant.begin(), grant.end());
    copy_bytes(accepted.tag, tag);
    record.grants.push_back(std::move(accepted));
  }
}

void read_withdrawn(wire::Reader& reader, CardRecord& record) {
  record.revoked_at = {reader.i64()};
  record.reissue_until = {reader.i64()};
  record.records_until = {reader.i64()};
  const std::uint32_t count = reader.u32();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    const GrantId grant = reader.id<GrantId>();
    record.withdrawn.push_back({grant, {reader.i64()}});
  }
}

}  // namespace

Bytes encode_record(const CardRecord& record) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.u16(kVersion);
  writer.u8(static_cast<std::uint8_t>(record.kind));
  writer.u8(record.revoked ? 1 : 0);
  writer.id(record.card);
  writer.id(record.person);
  writer.u32(record.last_used.value);
  writer.u32(static_cast<std::uint32_t>(record.keys.size()));
  for (const auto& [index, key] : record.keys) {
    writer.u32(index);
    writer.raw(key.salt);
    writer.raw(key.sealed);
  }
  writer.u32(static_cast<std::uint32_t>(record.nonces.size()));
  for (const IssuedNonce& nonce : record.nonces) {
    writer.id(nonce.nonce);
    writer.i64(nonce.issued.value);
  }
  writer.u32(static_cast<std::uint32_t>(record.grants.size()));
  for (const AcceptedGrant& accepted : record.grants) {
    writer.blob(accepted.grant);
    writer.raw(accepted.tag);
    writer.u16(accepted.uses_left);
    writer.u32(static_cast<std::uint32_t>(accepted.sessions.size()));
    for (const JobId& session : accepted.sessions) writer.id(session);
  }
  writer.i64(record.revoked_at.value);
  writer.i64(record.reissue_until.value);
  writer.i64(record.records_until.value);
  writer.u32(static_cast<std::uint32_t>(record.withdrawn.size()));
  for (const Withdrawal& withdrawal : record.withdrawn) {
    writer.id(withdrawal.grant);
    writer.i64(withdrawal.until.value);
  }
  writer.checksum();
  return writer.take();
}

Result<CardRecord> parse_record(ByteView bytes) {
  if (bytes.size() < 4) return fail(Code::kCorrupt, "it is cut short");
  const auto body = wire::before_checksum(bytes);
  if (!body) return fail(Code::kCorrupt, "its checksum does not match");
  wire::Reader reader(*body, "card record");
  CardRecord record;
  if (as_text(reader.raw(4)) != kMagic) reader.reject("it does not begin with WGC1");
  const std::uint16_t version = reader.u16();
  if (version < 1 || version > kVersion) reader.reject("its version is unknown");
  const std::uint8_t kind = reader.u8();
  const std::uint8_t revoked = reader.u8();
  if (kind < 1 || kind > 2 || revoked > 1) reader.reject("a number is out of range");
  record.kind = static_cast<card::CardKind>(kind);
  record.revoked = revoked == 1;
  record.card = reader.id<CardId>();
  record.person = reader.id<Pseudonym>();
  record.last_used.value = reader.u32();
  read_keys(reader, record);
  const std::uint32_t nonces = reader.u32();
  for (std::uint32_t i = 0; i < nonces && reader.good(); ++i) {
    const Nonce nonce = reader.id<Nonce>();
    record.nonces.push_back({nonce, {reader.i64()}});
  }
  read_grants(reader, record);
  if (version > 1) read_withdrawn(reader, record);
  if (const auto finished = reader.finish(); !finished) {
    return fail(Code::kCorrupt, finished.error().message);
  }
  return record;
}

SealedKey seal_key(const secret::Buffer& root, const CardId& card, card::KeyIndex index,
                   ByteView key, os::Random& random) {
  SealedKey sealed;
  random.fill(sealed.salt);
  crypto::seal(sealing_key(root, card, index, sealed.salt).bytes(), kSealDomain, 0, key,
               sealed.sealed);
  return sealed;
}

Result<secret::Buffer> open_key(const secret::Buffer& root, const CardId& card,
                                card::KeyIndex index, const SealedKey& sealed) {
  secret::Buffer key(card::kOneTimeKeyBytes);
  TRY(crypto::open_sealed(sealing_key(root, card, index, sealed.salt).bytes(), kSealDomain, 0,
                          sealed.sealed, key.bytes()));
  return key;
}

}  // namespace warifu::consent
