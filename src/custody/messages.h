// Requests between sites about cards, consents and card records in safekeeping
// (docs/formats/site-requests.md). All of them are the control site's.
#pragma once

#include <vector>

#include "base/ids.h"
#include "os/system.h"
#include "secret/secret.h"
#include "sharing/scheme.h"

namespace warifu::custody {

enum class Method : std::uint16_t {
  kWithdraw = 73,      // withdrawal
  kRevoke = 74,        // card
  kRecordKeep = 75,    // kept record
  kRecordGive = 76,    // wanted record; kept record. To a card that has taken the place of another
  kRecordCount = 77,   // empty; how many are kept
  kRecordForget = 78,  // object
};
[[nodiscard]] constexpr std::uint16_t number(Method method) {
  return static_cast<std::uint16_t>(method);
}

using KeepingId = Id16<struct KeepingTag>;  // one cut of a record: shares of one fit together

struct WithdrawOrder {
  CardId card;
  GrantId grant;
  os::UnixMs expiry;  // of the grant
};

// One site's share of a card record (card::ObjectRecord), guarded and cut (sharing/guarded.h).
struct KeptShare {
  ObjectId object;
  Pseudonym owner;  // the person at that site
  KeepingId keeping;
  os::UnixMs made;
  sharing::Scheme scheme;
  sharing::ShareIndex index = sharing::ShareIndex::kA;
  secret::Buffer share;
};

struct WantedRecord {
  ObjectId object;
  CardId card;  // that it is for
};

inline constexpr std::size_t kMaxKeptBytes = 1024;  // of a share

[[nodiscard]] Bytes encode(const WithdrawOrder& order);
[[nodiscard]] Result<WithdrawOrder> decode_withdraw(ByteView body);
[[nodiscard]] Bytes encode(const CardId& card);
[[nodiscard]] Result<CardId> decode_card(ByteView body);
[[nodiscard]] Bytes encode(const KeptShare& kept);
[[nodiscard]] Result<KeptShare> decode_kept(ByteView body);
[[nodiscard]] Bytes encode(const WantedRecord& wanted);
[[nodiscard]] Result<WantedRecord> decode_wanted(ByteView body);
[[nodiscard]] Bytes encode(const ObjectId& object);
[[nodiscard]] Result<ObjectId> decode_object(ByteView body);
[[nodiscard]] Bytes encode_count(std::uint64_t count);
[[nodiscard]] Result<std::uint64_t> decode_count(ByteView body);

}  // namespace warifu::custody
