// Enrolment of a person: one-time keys from every site for a new card, pseudonyms, the catalog
// entry.
//
// The enrolling terminal at the control site sees the card's keys once while it loads them; it is
// trusted at that moment (docs/threat-model.md). Nothing is enrolled unless every site has drawn
// its keys and the card has confirmed.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "catalog/catalog.h"
#include "control/share_service.h"

namespace warifu::control {

// What the terminal loads on the card.
struct CardContent {
  CardId card;
  card::KeyRange keys;
  std::vector<card::SiteKeys> sites;
};

// A type A card to be personalised: its sites in the order of their applications, from number 1,
// and the person's pseudonym at each.
struct RelayedCard {
  CardId card;
  std::vector<std::pair<SiteName, Pseudonym>> sites;
};

// A signature card as the terminal read it, and its signature over
// consent::enrolment_statement().
struct SignatureCard {
  Bytes certificate;  // DER
  os::UnixMs signed_at;
  Bytes signature;
};

// A card that was begun for a person: enough to finish it after a restart.
struct BegunCard {
  std::string person, name;
  CardId card;
  std::vector<catalog::SitePseudonym> pseudonyms;
  bool is_relayed = false;
  bool again = false;  // in the place of a lost card
};

// What came of its enrolment.
struct SignedPerson {
  CardId card;
  card::CardKind kind = card::CardKind::kSignature;  // as the sites judge it
  std::vector<SiteName> sites;
};

class Enrolment {
 public:
  Enrolment(SiteContext& site, catalog::Catalog& catalog) : site_(site), catalog_(catalog) {}

  // Draws card id, pseudonyms and keys. Errors: kAlreadyExists, kInvalidArgument, kUnavailable
  // naming a site.
  [[nodiscard]] Result<CardContent> begin(const std::string& person, const std::string& name,
                                          std::uint32_t keys_per_site);
  // The same for a person whose card is on the hot list: the pseudonyms stay. Errors: as begin();
  // kNotFound (the person), kRefused naming a site that does not let another card come, or not yet.
  [[nodiscard]] Result<CardContent> begin_again(const std::string& person,
                                                std::uint32_t keys_per_site);
  // Other keys from sites that have lost those of a card, for the indices that it has left. They
  // count at the site at once; on a card that was not loaded with them its consents fail there.
  // Errors: kNotFound (the card), kAlreadyExists (a site knows the card still), kInvalidArgument,
  // kUnavailable naming a site.
  [[nodiscard]] Result<CardContent> renew(const CardId& card, card::KeyRange left,
                                          const std::vector<SiteName>& sites);
  // Draws card id and pseudonyms for a card that the sites personalise themselves; the same ones
  // again while the enrolment of this person is not finished, so that it can go on. They are
  // forgotten at a restart. Errors: as begin().
  [[nodiscard]] Result<RelayedCard> begin_relayed(const std::string& person,
                                                  const std::string& name);
  // Enrols the person with a signature card, at every site. After an error it may be done again
  // with the same card. Errors: kAlreadyExists (the person, or the card is somebody's), kRefused
  // naming a site that does not trust the card, kUnavailable naming a site.
  [[nodiscard]] Result<SignedPerson> enrol_signed(const std::string& person,
                                                  const std::string& name,
                                                  const SignatureCard& card);
  // The same for a person whose card is on the hot list; the pseudonyms stay. Errors: the same,
  // and kRefused naming a site that does not let another card come, or not yet.
  [[nodiscard]] Result<SignedPerson> enrol_signed_again(const std::string& person,
                                                        const SignatureCard& card);
  // A site that has lost its gate judges the person's signature card and keeps its certificate
  // again; uses that the lost gate had counted are forgotten there. Errors: kNotFound (the card),
  // kInvalidArgument, kAlreadyExists (the site knows the card still), kRefused, kUnavailable.
  [[nodiscard]] Result<card::CardKind> renew_signed(const SignatureCard& card, const SiteName& at);
  // What begin(), begin_again() or begin_relayed() began last for the person. Errors: kNotFound.
  [[nodiscard]] Result<BegunCard> begun(const std::string& person, bool again);
  // As if it had just been begun, so that finish(), finish_again() or begin_relayed() go on from
  // it.
  void take_up(const BegunCard& begun);
  // The card is loaded: the person is enrolled from here on. Errors: kNotFound.
  [[nodiscard]] Result<> finish(const std::string& person, const CardId& card);
  // The card is loaded: it is the person's from here on. Errors: kNotFound.
  [[nodiscard]] Result<> finish_again(const std::string& person, const CardId& card);

 private:
  // A card with keys of every site; `pseudonym_at` says who the person is there.
  Result<CardContent> draw(std::uint32_t keys_per_site,
                           const std::function<Result<Pseudonym>(const SiteName&)>& pseudonym_at,
                           std::map<SiteName, Pseudonym>& pseudonyms);
  Result<SignedPerson> enrol_everywhere(const SignatureCard& card,
                                        const std::map<SiteName, Pseudonym>& pseudonyms);
  // The person's at every site, known ones where there are.
  Result<std::map<SiteName, Pseudonym>> pseudonyms_for(
      const CardId& card, const std::vector<catalog::SitePseudonym>& known) const;
  Result<card::SiteKeys> keys_of(const SiteName& at, const EnrolRequest& request);

  struct Pending {
    std::string name;
    CardId card;
    std::map<SiteName, Pseudonym> pseudonyms;
    bool is_relayed = false;
  };
  Result<Pending> pending_of(const std::map<std::string, Pending>& begun, const std::string& person,
                             const CardId& card);

  SiteContext& site_;
  catalog::Catalog& catalog_;
  std::mutex mutex_;
  std::map<std::string, Pending> pending_;
  std::map<std::string, Pending> again_;  // for a lost card
};

}  // namespace warifu::control
