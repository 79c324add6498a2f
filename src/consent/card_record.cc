// The codec of card records and the sealing of one-time keys.
#include "consent/card_record.h"

#include "card/desfire_layout.h"
#include "crypto/card_certificate.h"
#include "wire/wire.h"

namespace warifu::consent {
namespace {

constexpr std::string_view kMagic = "WGC1";
constexpr std::uint16_t kVersion = 8;
constexpr std::uint16_t kFirstOfGrants4 = 7;  // the version from which on grants are of version 4
constexpr std::uint16_t kFirstOfNumbers =
    8;  // from which on sessions have the numbers of their uses
constexpr std::uint32_t kSealDomain = 0x31'59'4B'57;         // "WKY1"
constexpr std::uint32_t kApplicationDomain = 0x31'50'41'57;  // "WAP1"
constexpr std::string_view kKeyLabel = "warifu gate key 1";
constexpr std::size_t kPart = 16;  // of what is sealed of an application

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

void read_grants(wire::Reader& reader, std::uint16_t version, CardRecord& record) {
  const std::uint32_t count = reader.u32();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    AcceptedGrant accepted;
    const ByteView grant = reader.blob(card::kMaxGrantBytes);
    const ByteView tag = reader.raw(mac::kBlockBytes);
    accepted.uses_left = reader.u16();
    const std::uint32_t sessions = reader.u32();
    for (std::uint32_t j = 0; j < sessions && reader.good(); ++j) {
      const JobId session = reader.id<JobId>();
      const auto use = static_cast<std::uint16_t>(j + 1);
      accepted.taken.push_back({session, version < kFirstOfNumbers ? use : reader.u16()});
    }
    if (!reader.good()) return;
    // Their indices are burnt and their nonces used: what is dropped cannot come back.
    if (version < kFirstOfGrants4) continue;
    if (!parse_grant(grant)) reader.reject("an accepted grant is not canonical");
    accepted.grant.assign(grant.begin(), grant.end());
    copy_bytes(accepted.tag, tag);
    record.grants.push_back(std::move(accepted));
  }
}

void read_own(wire::Reader& reader, CardRecord& record) {
  const std::uint8_t count = reader.u8();
  if (count > 1 || (count == 1) != (card::is_relayed(record.kind) && !record.revoked)) {
    reader.reject("an application where there is none, or none where there is one");
  }
  if (count == 0 || !reader.good()) return;
  OwnApplication own;
  own.number = reader.u8();
  const std::uint8_t active = reader.u8();
  if (own.number == 0 || own.number > card::desfire::kMaxApplications || active > 1) {
    reader.reject("a number is out of range");
  }
  own.is_active = active == 1;
  const ByteView salt = reader.raw(own.salt.size());
  const ByteView sealed = reader.raw(own.sealed.size());
  if (!reader.good()) return;
  copy_bytes(own.salt, salt);
  copy_bytes(own.sealed, sealed);
  record.own = own;
}

void read_certificate(wire::Reader& reader, CardRecord& record) {
  const ByteView certificate = reader.blob(crypto::kMaxCertificateBytes);
  if (certificate.empty() == (card::is_signature(record.kind) && !record.revoked)) {
    reader.reject("a certificate where there is none, or none where there is one");
  }
  record.certificate.assign(certificate.begin(), certificate.end());
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
    writer.u32(static_cast<std::uint32_t>(accepted.taken.size()));
    for (const TakenUse& taken : accepted.taken) {
      writer.id(taken.session);
      writer.u16(taken.use);
    }
  }
  writer.i64(record.revoked_at.value);
  writer.i64(record.reissue_until.value);
  writer.i64(record.records_until.value);
  writer.u32(static_cast<std::uint32_t>(record.withdrawn.size()));
  for (const Withdrawal& withdrawal : record.withdrawn) {
    writer.id(withdrawal.grant);
    writer.i64(withdrawal.until.value);
  }
  writer.u8(record.own ? 1 : 0);
  if (record.own) {
    writer.u8(record.own->number);
    writer.u8(record.own->is_active ? 1 : 0);
    writer.raw(record.own->salt);
    writer.raw(record.own->sealed);
  }
  writer.blob(record.certificate);
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
  if (kind < 1 || kind > card::kLastCardKind || revoked > 1)
    reader.reject("a number is out of range");
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
  read_grants(reader, version, record);
  if (version > 1) read_withdrawn(reader, record);
  if (version > 2) read_own(reader, record);
  if (version > 3) read_certificate(reader, record);
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

// One-time indices begin with 1, so index 0 is free for the derivation.
void seal_application(const secret::Buffer& root, const CardId& card,
                      const ApplicationSecrets& secrets, os::Random& random, OwnApplication& own) {
  secret::Buffer plain(3 * kPart);
  copy_bytes(plain.bytes(), secrets.key.bytes());
  copy_bytes(plain.bytes().subspan(kPart), secrets.token.bytes());
  copy_bytes(plain.bytes().subspan(2 * kPart), secrets.pending.bytes());
  random.fill(own.salt);
  crypto::seal(sealing_key(root, card, {}, own.salt).bytes(), kApplicationDomain, 0, plain.bytes(),
               own.sealed);
}

Result<ApplicationSecrets> open_application(const secret::Buffer& root, const CardId& card,
                                            const OwnApplication& own) {
  secret::Buffer plain(3 * kPart);
  TRY(crypto::open_sealed(sealing_key(root, card, {}, own.salt).bytes(), kApplicationDomain, 0,
                          own.sealed, plain.bytes()));
  const ByteView parts = plain.bytes();
  return ApplicationSecrets{secret::Buffer::copy_of(parts.first(kPart)),
                            secret::Buffer::copy_of(parts.subspan(kPart, kPart)),
                            secret::Buffer::copy_of(parts.last(kPart))};
}

}  // namespace warifu::consent
