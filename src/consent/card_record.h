// What a site's gate knows of one card: one file per card, replaced as a whole, so that every
// change is a single durable step.
//
//   file    := body crc32c(body):u32                                        little-endian
//   body    := "WGC1" version:u16=8 kind:u8 revoked:u8 card:16 person:16 last_used:u32
//              keys:u32 key* nonces:u32 nonce* grants:u32 grant*
//              revoked_at:i64 reissue_until:i64 records_until:i64 withdrawn:u32 withdrawal*
//              own:u8 (application:u8 active:u8 salt:16 sealed:64){own} certificate:blob
//   key     := index:u32 salt:16 sealed:48          ascending, every index above last_used
//   nonce   := nonce:16 issued:i64
//   grant   := length:u32 bytes tag:16 uses_left:u16 sessions:u32 (session:16 use:u16)*
//   withdrawal := grant:16 until:i64
//   own     := 1 for a relayed card (kinds 3 and 4) unless revoked: this site's application on it
//
// What is sealed of an application: its AES key, the token that the card carries, the token that it
// may carry if the answer to the last commit was lost.
//
// certificate := DER, of a signature card (kinds 5 and 6) unless revoked; else empty.
//
// Version 1, which ended behind the grants, 2, behind the withdrawals, and 3, behind `own`, are
// read. Up to version 6 grants were of versions 1 to 3, which no gate honours any more: they are
// dropped. Up to version 7 sessions had no numbers; they are numbered in their order.
// A one-time key is sealed alone: AES-256-GCM under SHA-256("warifu gate key 1" root card index
// salt) with a fresh salt, so no nonce repeats, even when an old copy of the file comes back, and a
// sealed key does not open under another index. Burning a key drops it from the file.
// Grants, nonces and pseudonyms stand in clear: they name nobody. The CRC is against accidents
// only.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "consent/grant.h"
#include "os/system.h"

namespace warifu::consent {

inline constexpr std::size_t kMaxNonces = 16;           // issued and alive, per card
inline constexpr std::size_t kMaxAcceptedGrants = 256;  // accepted and alive, per card
inline constexpr std::size_t kMaxWithdrawn = 1024;      // not expired yet, per card
inline constexpr std::size_t kMaxCardFileBytes = 16 * 1024 * 1024;

struct SealedKey {
  std::array<Byte, 16> salt{};
  std::array<Byte, card::kOneTimeKeyBytes + crypto::kSealOverhead> sealed{};
};

// This site's application on a relayed card.
struct OwnApplication {
  std::uint8_t number = 0;
  bool is_active = false;  // personalised
  std::array<Byte, 16> salt{};
  std::array<Byte, 48 + crypto::kSealOverhead> sealed{};
};

// What is sealed in it, 16 bytes each.
struct ApplicationSecrets {
  secret::Buffer key;
  secret::Buffer token;
  secret::Buffer pending;
};

struct IssuedNonce {
  Nonce nonce;
  os::UnixMs issued;
};

// A session that has taken a use, and which: uses are numbered from 1, and no number goes to two.
struct TakenUse {
  JobId session;
  std::uint16_t use = 1;
  bool operator==(const TakenUse&) const = default;
};

struct AcceptedGrant {
  Bytes grant;
  mac::Tag tag{};
  std::uint16_t uses_left = 0;
  std::vector<TakenUse> taken;
};

// The person has taken back a grant that expires at `until`; perhaps it was never shown here.
struct Withdrawal {
  GrantId grant;
  os::UnixMs until;
};

struct CardRecord {
  CardId card;
  Pseudonym person;
  card::CardKind kind = card::CardKind::kOneTimeMac;
  bool revoked = false;
  card::KeyIndex last_used;
  std::map<std::uint32_t, SealedKey> keys;
  std::vector<IssuedNonce> nonces;
  std::vector<AcceptedGrant> grants;
  os::UnixMs revoked_at;     // 0: it is not
  os::UnixMs reissue_until;  // an officer here lets another card take its place; 0: nobody did
  os::UnixMs records_until;  // it took the place of a card and is given its records; 0: it did not
  std::vector<Withdrawal> withdrawn;
  std::optional<OwnApplication> own;  // of a relayed card only
  Bytes certificate;                  // of a signature card only
};

[[nodiscard]] Bytes encode_record(const CardRecord& record);
// Errors: kCorrupt with what is wrong.
[[nodiscard]] Result<CardRecord> parse_record(ByteView bytes);

// `key` is r and s, 32 bytes; `root` the site's root key, 32 bytes.
[[nodiscard]] SealedKey seal_key(const secret::Buffer& root, const CardId& card,
                                 card::KeyIndex index, ByteView key, os::Random& random);
// Errors: kCorrupt when the root key is another one or the file was changed.
[[nodiscard]] Result<secret::Buffer> open_key(const secret::Buffer& root, const CardId& card,
                                              card::KeyIndex index, const SealedKey& sealed);

// Seals under a fresh salt; number and state stay. Errors of opening as open_key().
void seal_application(const secret::Buffer& root, const CardId& card,
                      const ApplicationSecrets& secrets, os::Random& random, OwnApplication& own);
[[nodiscard]] Result<ApplicationSecrets> open_application(const secret::Buffer& root,
                                                          const CardId& card,
                                                          const OwnApplication& own);

}  // namespace warifu::consent
