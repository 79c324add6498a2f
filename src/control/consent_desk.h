// The consent desk of the control site: collects nonces, writes the grant that the card will prove,
// keeps grant and evidence for the restore. It decides nothing: every site's gate does, this site's
// own before a consent is written down as given.
#pragma once

#include <optional>
#include <set>

#include "catalog/catalog.h"
#include "control/region_quotes.h"
#include "control/sealed_secret.h"
#include "control/share_service.h"
#include "planner/restore_plan.h"

namespace warifu::control {

// A consent to the index is for a quote, and another one when the first was lost, soon.
inline constexpr std::uint16_t kIndexUses = 2;
inline constexpr std::chrono::seconds kIndexLife{3600};

struct ConsentWish {
  ObjectId object;
  consent::Purpose purpose = consent::Purpose::kHealthManagement;
  consent::Grantee grantee;
  consent::DataUses data_uses;
  consent::Scope scope;
  SiteName destination;
  std::uint16_t uses = 1;
  std::chrono::seconds valid{3600};
  consent::Locale locale = consent::Locale::kEnglish;
  CardId card;
  // The card's own; none for a card without index and PIN (DESFire): then the first one that is
  // free at every site.
  std::optional<card::KeyIndex> next_index;
  std::string terminal;
  consent::Capacity capacity = consent::Capacity::kOwn;
  // Another guardian's consent that this one is to count together with: its terms are taken.
  std::optional<GrantId> joins;
  std::string reason;  // of an emergency
  // A signature card: its grant names the sites that keep shares of its records, too.
  bool is_signature = false;
  bool is_index = false;  // of the object's index alone, to find out which chunks hold regions
  // The consent to the index under which the chunks of the scope's regions were found.
  std::optional<GrantId> index;
  std::uint32_t decoys = 0;  // of that quote; more than none: the regions are hidden from holders
};

// An emergency of which sites say that the card's person was not told.
struct UntoldEmergency {
  consent::Emergency emergency;  // as the first of them has it
  std::vector<SiteName> sites;
};

// Errors: kInvalidArgument for more than there may be, or where nothing is to be hidden.
[[nodiscard]] Result<> check_decoys(std::uint32_t decoys, const consent::Scope& scope);

// A consent of the same one-time card with an earlier index, not ended, under which nothing was
// restored by share control's book. A gate that sees the later one first burns the earlier index.
struct VoidedConsent {
  GrantId id;
  consent::Grant grant;
};

struct PreparedConsent {
  Bytes grant;
  Bytes opening;                  // of regions that the grant hides: for the terminal
  std::string text;               // to be shown before the PIN is asked for
  consent::ConsentLabels labels;  // the names in it: a terminal writes the text again and compares
  std::vector<SiteName> sites;
  std::vector<std::pair<SiteName, std::string>> missing;  // holders that did not answer
  std::vector<SiteName> spare;  // holders that are not named, so that uses count once (givers.h)
  std::vector<UntoldEmergency> emergencies;  // by the sites' own answers
  std::vector<VoidedConsent> voids;          // that count no more once this one is used before them

  void add_untold(const SiteName& at, std::vector<consent::Emergency> untold);
  // What the grant has to name of them.
  [[nodiscard]] std::vector<consent::JointId> shown() const;
};

// What the card gave back.
struct CardProof {
  Bytes grant;
  card::CardKind kind = card::CardKind::kOneTimeMacEmulated;
  std::vector<mac::Tag> tags;  // in the order of the grant's sites
  secret::Buffer hash_key;     // the object's r; empty of one of several who consent together
  mac::Tag tag_over_tags{};
  std::uint64_t chunk_count = 0;  // of the object, as the card knows it
  ByteCount length;
  std::optional<consent::SignedGrant> signature;  // of a signature card
};

class ConsentDesk {
 public:
  ConsentDesk(SiteContext& site, catalog::Catalog& catalog, RegionQuotes& quotes)
      : site_(site), catalog_(catalog), quotes_(quotes) {}

  // Errors: kNotFound, kRefused (a site does not know the card, or its index is spent),
  // kUnavailable when too few holders answer to restore anything.
  [[nodiscard]] Result<PreparedConsent> prepare(const ConsentWish& wish);
  // Whether this site's own gate would release a share of the object under the proof; nothing is
  // burnt. False where the grant is not for this site: then only the gates that it is for can say,
  // when it is used. Errors: kInvalidArgument (not as many tags as sites); the gate's refusal.
  [[nodiscard]] Result<bool> judge(const consent::Grant& grant, const CardProof& proof);
  // Durable, and in the log with whose gate has judged it, when it returns. Errors: as judge();
  // kInvalidArgument (no hash key), kCorrupt (the card knows the object otherwise), kUnavailable
  // (the quote for its regions is forgotten).
  [[nodiscard]] Result<GrantId> accept(const CardProof& proof);
  // Forgets the secrets of consents that ended more than a day ago.
  [[nodiscard]] Result<> forget_old();

  // A nonce of that site for a grant of the card. Errors: the gate's; kUnavailable.
  [[nodiscard]] Result<consent::Challenge> ask_nonce(const SiteName& at, const CardId& card);

 private:
  struct Terms {
    consent::Grant grant;  // with its regions
    Bytes opening;
    std::set<SiteName> sites = {};  // of the consent that it joins
  };
  // The wish as it stands, or, where it joins another consent, with that one's terms.
  Result<Terms> terms_of(const ConsentWish& wish);
  // With the chunks: of the index, or of the regions by the quote.
  Result<> set_scope(const ConsentWish& wish, Terms& terms);
  // How a file is made of a regions grant's chunks: by the quote, or by another guardian's grant.
  Result<RegionCuts> cuts_of(const consent::Grant& grant);
  Result<std::vector<VoidedConsent>> voided_by(const consent::Grant& grant);
  // Takes as many holders of shares out of the grant as givers.h says. This site stays, its share
  // costs no key; then `wanted`.
  void leave_out(const planner::PolicyNode& policy,
                 const std::vector<planner::ShareLocation>& shares,
                 const std::set<SiteName>& wanted, consent::Grant& grant,
                 PreparedConsent& prepared);
  // Guardians and officers: how many are needed together, by this site's own gate.
  Result<> set_capacity(const ConsentWish& wish, const std::string& person, consent::Grant& grant);
  SiteContext& site_;
  catalog::Catalog& catalog_;
  RegionQuotes& quotes_;
};

// What kind of card proved a consent, from its kept evidence; none when there is none.
[[nodiscard]] std::optional<card::CardKind> card_kind_of(ByteView evidence);

// Whether this site's own gate has judged the proof of a consent before it was written down.
[[nodiscard]] bool is_judged_at(const SiteName& site, const consent::Grant& grant);

// Where the durable shares of an object lie.
[[nodiscard]] Result<std::vector<planner::ShareLocation>> locate_shares(catalog::Catalog& catalog,
                                                                        const ObjectId& object);

}  // namespace warifu::control
