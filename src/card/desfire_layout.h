// Warifu's use of a DESFire card: one application per share site, with a key that nobody but the
// site and the card knows (docs/formats/desfire-card.md). The scripts queue their steps on
// a Dialogue; the site that runs it keeps key and token.
//
//   application 57 41 n (n from 1; 1 is share control's), one AES key, number 0
//     file 1 id       32 bytes  standard, read by everybody       "WID1" version n of card:16 ..
//     file 2 grant    32 bytes  backup, Comm::kMac                SHA-256 of the last grant proved
//     file 3 token    16 bytes  backup, Comm::kFull               drawn anew by the site at each
//     use file 4 records  2048      backup, Comm::kFull, n = 1 only   32 object records of 64 bytes
//
// The digest is written in clear under the session's MAC: the terminal sees which grant every site
// asks the card about, and the card refuses a digest that was changed on the way. Digest and token
// take effect together, at the commit. A copy of the card is found by its token: the two drift
// apart at the first use of either.
#pragma once

#include <functional>

#include "card/desfire_dialogue.h"
#include "card/values.h"

namespace warifu::card::desfire {

inline constexpr std::size_t kTokenBytes = 16;
inline constexpr std::size_t kDigestBytes = 32;
inline constexpr std::size_t kIdBytes = 32;
inline constexpr std::uint32_t kRecordSlots = 32;
inline constexpr FileNumber kIdFile{1};
inline constexpr FileNumber kGrantFile{2};
inline constexpr FileNumber kTokenFile{3};
inline constexpr FileNumber kRecordsFile{4};
inline constexpr Byte kRecordsApplication = 1;
// What a card of the first generation takes: one for each site, and others for sites that have lost
// the key of theirs.
inline constexpr Byte kMaxApplications = 28;

[[nodiscard]] constexpr ApplicationId application_of(Byte number) {
  return {0x574100U | number};
}
[[nodiscard]] bool is_ours(ApplicationId application);

// What everybody can read.
struct CardLabel {
  Byte number = 0;        // of the application
  Byte applications = 0;  // on the card
  CardId card;
  [[nodiscard]] std::array<Byte, kIdBytes> bytes() const;
  // Errors: kCorrupt.
  [[nodiscard]] static Result<CardLabel> parse(ByteView bytes);
};

// The application of one site, as that site sees it.
struct SiteKey {
  Byte number = 0;
  secret::Buffer key;
};

// Makes the site's application on a card as it comes from the factory, or goes on where an earlier
// try ended: creates it, changes the factory's key to `own.key`, makes and fills the files. The
// label is written last. `done` learns what kind of card it is.
// The factory's key is public: whoever records this dialogue can work out the new key. So a site
// that has finished before, and is asked again because another site has not, sets `is_known`: then
// nothing but its own key opens the application, and that key is never sent again.
struct SiteSetup {
  CardLabel label;
  SiteKey own;
  secret::Buffer token;
  bool is_known = false;
};
void personalise(Dialogue& dialogue, SiteSetup setup, std::function<Result<>(CardKind)> done);

// Proves one grant: the card authenticates to the site, the site reads the token and asks
// `renew` for the next one (which must be durable before it returns, or refuse), writes both files
// and commits. `done` runs once the card has confirmed the commit.
void authorise(Dialogue& dialogue, const SiteKey& own, ByteView grant_digest,
               std::function<Result<secret::Buffer>(ByteView token)> renew,
               std::function<Result<>()> done);

// The record of an object in the site's application, which must be number 1. Errors of the
// dialogue: kNotFound when the card has none.
void get_record(Dialogue& dialogue, const SiteKey& own, const ObjectId& object,
                std::function<Result<>(ObjectRecord)> done);
// The same record again is no error. Errors: kAlreadyExists, kNoSpace.
void put_record(Dialogue& dialogue, const SiteKey& own, const ObjectRecord& record);

// What a terminal can say of a card without any key.
struct DesfireIdentity {
  CardKind kind = CardKind::kDesfire;
  bool is_active = false;  // its first application carries a label
  CardLabel label;         // of an active card
  Byte applications = 0;   // of ours, labelled or not
  Bytes version;           // as GetVersion answers, 28 bytes
};
// Errors: kNotFound when the card in the session is no DESFire card.
[[nodiscard]] Result<DesfireIdentity> identify(Session& session, os::Random& random);

[[nodiscard]] secret::Buffer record_bytes(const ObjectRecord& record);
// Errors: kCorrupt.
[[nodiscard]] Result<ObjectRecord> parse_record_bytes(ByteView bytes);

}  // namespace warifu::card::desfire
