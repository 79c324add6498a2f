// What a person's card says beside uses, at the control site: the grant of an act is written with
// nonces of every site concerned, shown, proved by the card, and told to the sites.
//
// More one-time keys for a card (ADR 0041) are such an act, so that no request of the control site
// alone has keys of a card handed out. Each site draws its own, once for one proof; they pass here
// on their way to the terminal, as at the enrolment (docs/threat-model.md, W4), and are not kept.
// Thread-safe.
#pragma once

#include "control/consent_desk.h"
#include "control/enrolment.h"
#include "custody/custody_service.h"

namespace warifu::custody {

// At which terminal, by which card.
struct ActPlace {
  CardId card;
  // The card's own; none for a card without index: then the first one that is free at every site.
  std::optional<card::KeyIndex> next_index;
  consent::Locale locale = consent::Locale::kEnglish;
  std::string terminal;
};

struct TopUpWish {
  ActPlace place;
  card::KeyRange keys;
  std::vector<SiteName> sites;  // all that the card has keys of
};

class CardActs {
 public:
  CardActs(control::SiteContext& site, catalog::Catalog& catalog, control::ConsentDesk& consent)
      : site_(site), catalog_(catalog), consent_(consent) {}

  // Fills in what all acts have in common; `act` names what it is. Errors: kRefused (the index was
  // used, a site does not know the card), kUnavailable when a site does not answer: all must.
  [[nodiscard]] Result<control::PreparedConsent> write(consent::Grant act, const ActPlace& place,
                                                       const std::vector<SiteName>& sites,
                                                       const consent::ConsentLabels& labels);
  // A signature card's one signature over the grant, judged by every site of it: their receipts are
  // the tags. Errors: kRefused, kUnavailable naming the site.
  struct Proved {
    card::CardKind kind = card::CardKind::kSignature;
    std::vector<mac::Tag> tags;
  };
  [[nodiscard]] Result<Proved> prove_signed(const Bytes& grant, const Bytes& signature);
  // Errors: as write(); kNotFound (the card), kInvalidArgument (a site is not of this network).
  [[nodiscard]] Result<control::PreparedConsent> prepare_top_up(const TopUpWish& wish);
  // The card has proved it, one tag for each site of the grant: keys of all of them. After an error
  // some sites may have drawn keys that no card will have; the next top-up replaces them.
  // Errors: kInvalidArgument; kRefused, kUnavailable naming the site.
  [[nodiscard]] Result<control::CardContent> top_up(const Bytes& grant, card::CardKind kind,
                                                    const std::vector<mac::Tag>& tags);

 private:
  Result<card::SiteKeys> keys_of(const SiteName& at, const consent::Presented& act,
                                 std::uint32_t count);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  control::ConsentDesk& consent_;
};

}  // namespace warifu::custody
