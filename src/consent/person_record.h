// What a site's gate knows of one person beside the cards: who may consent in the person's place,
// until when, and what has been ordered and waits for this site's officer. One file per person,
// replaced as a whole; most people have none.
//
//   file     := body crc32c(body):u32                                       little-endian
//   body     := "WGP1" version:u16=3 zero:u16 person:16 died:i64 of_age:i64
//               needed:u8 guardians:u8 id:16{guardians} proxies:u8 proxy{proxies}
//               waiting:u8 order{waiting} done:u8 id:16{done}
//               leaves:u8 leave{leaves} emergencies:u8 emergency{emergencies}
//   proxy    := person:16 card:16 object:16 purposes:u8 flags:u8 zero:u16 since:i64 until:i64
//               authority:32
//   order    := received:i64 size:u32 bytes                                 person_order.h
//   leave    := object:16 card:16 since:i64 until:i64                       break_glass.h
//   emergency := id:16 object:16 at:i64 told:i64 own:u8 officers:u8 card:16{officers} reason:short
//
// Version 1, which ended behind `done`, and 2, whose emergencies had no `own`, are read.
// Guardians and proxies are persons of this site, by their pseudonyms here, so that a card that
// takes the place of a lost one goes on for them. The clock is the gate's.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "consent/break_glass.h"
#include "consent/grant.h"
#include "wire/wire.h"

namespace warifu::consent {

inline constexpr std::size_t kMaxProxies = 8;
inline constexpr std::size_t kMaxWaitingOrders = 8;
inline constexpr std::size_t kMaxDoneOrders = 32;  // the oldest give way
inline constexpr std::size_t kMaxLeaves = 16;
inline constexpr std::size_t kMaxEmergencies = 32;  // see PersonRecord::note()
inline constexpr std::size_t kMaxPersonFileBytes = 64 * 1024;

// Somebody who may consent in the person's place.
struct Proxy {
  Pseudonym person;  // at this site
  CardId card;       // that the person named; by it the proxy is told and removed
  Mandate mandate;
  os::UnixMs since;
};

struct WaitingOrder {
  os::UnixMs received;
  PersonOrder order;
};

struct PersonRecord {
  Pseudonym person;
  os::UnixMs died;          // 0: lives
  os::UnixMs of_age;        // from then on guardians count no more; 0: of age
  std::uint8_t needed = 0;  // so many of the guardians together
  std::vector<Pseudonym> guardians;
  std::vector<Proxy> proxies;
  std::vector<WaitingOrder> waiting;
  std::vector<OrderId> done;  // allowed or declined last: not taken again when told again

  std::vector<EmergencyLeave> leaves;
  std::vector<Emergency> emergencies;  // by time

  void finish(const OrderId& id);  // it waits no more
  // Whether an emergency may open the object now.
  [[nodiscard]] bool allows_emergency(const ObjectId& object, os::UnixMs now) const;
  // Takes it in, or officers of it that were not known; false when nothing is new. Those that were
  // told give way first, then those that this gate has not judged itself. `is_used_first`: this
  // gate opens something under it that it did not open before.
  bool note(const Emergency& emergency, bool is_used_first = false);
  // Which the person has not been shown, the first kMaxShown of those from before `before`.
  [[nodiscard]] std::vector<Emergency> untold(os::UnixMs before) const;
  // The person was shown these at `now`: ids of those that are new to that, joined by commas.
  std::string tell(std::span<const JointId> shown, os::UnixMs now);
  [[nodiscard]] bool is_ward(os::UnixMs now) const { return now < of_age; }
};

// One emergency as it stands in the file, and in a gate's answers.
void write_emergency(wire::Writer& writer, const Emergency& emergency);
[[nodiscard]] Emergency read_emergency(wire::Reader& reader);

[[nodiscard]] Bytes encode_person(const PersonRecord& record);
// Errors: kCorrupt with what is wrong.
[[nodiscard]] Result<PersonRecord> parse_person(ByteView bytes);

// Who consents for whom, as a grant says it and a card has proved it.
struct Acting {
  Pseudonym person;  // whose card it is
  Capacity capacity = Capacity::kOwn;
  std::uint8_t together = 1;  // cards that prove the consent together
  Purpose purpose = Purpose::kHealthManagement;
  ObjectId object;
};

enum class Bar : std::uint8_t { kNone, kOtherPerson, kDied, kUnderAge, kOfAge, kNotEntitled };

// What stands against it at `now`, by the record of `owner` (nullptr: there is none); kNone:
// nothing.
[[nodiscard]] Bar bar_to(const Acting& acting, const Pseudonym& owner, const PersonRecord* record,
                         os::UnixMs now);
// Until when it can hold at most.
[[nodiscard]] os::UnixMs latest_end(const Acting& acting, const PersonRecord* record,
                                    os::UnixMs expiry);

}  // namespace warifu::consent
