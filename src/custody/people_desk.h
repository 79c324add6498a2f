// Who may consent in a person's place, at the control site: a person's card names a proxy, a ward
// gets guardians, a death is told.
//
// What is decided is written down with the sites that have still to be told, in one step
// (catalog::person_orders); then every site is told until it has confirmed, or has refused it for
// good. Nothing is decided here: each gate checks the card's proof for itself, and keeps orders
// about guardians and deaths until an officer of its own site has allowed them (ADR 0038).
// Thread-safe.
#pragma once

#include <mutex>

#include "control/consent_desk.h"
#include "custody/card_acts.h"
#include "custody/card_desk.h"

namespace warifu::custody {

struct ProxyWish {
  std::string person;
  std::string proxy;  // another enrolled person
  ActPlace place;     // the person's own card
  consent::Mandate mandate;
};

// Officers may open the object in an emergency, until then.
struct LeaveWish {
  std::string person;
  ActPlace place;
  ObjectId object;  // zero: all of the person's
  os::UnixMs until;
};

struct GuardianWish {
  std::string person;  // enrolled here as a ward if nobody is
  std::string name;
  std::vector<std::string> guardians;  // enrolled persons
  std::uint8_t needed = 1;             // so many of them together
  os::UnixMs of_age;
  crypto::Digest authority{};
};

// What became of an order.
struct Ordered {
  consent::OrderId order;  // zero for a proxy that a card has named
  Told told;
  std::vector<std::pair<SiteName, std::string>> refused;  // for good: why
};

// What this site's gate knows of a person, with names.
struct PersonView {
  catalog::Person person;
  consent::PersonRecord record;
  std::vector<std::string> guardians;
  std::vector<std::string> proxies;  // in the order of the record's
};

class PeopleDesk {
 public:
  PeopleDesk(control::SiteContext& site, catalog::Catalog& catalog, CustodyService& own,
             CardActs& acts)
      : site_(site), catalog_(catalog), own_(own), acts_(acts) {}

  // The grant that the person's card is to prove, for every site. Errors: kNotFound, kRefused,
  // kInvalidArgument, kUnavailable when a site does not answer: all must.
  [[nodiscard]] Result<control::PreparedConsent> prepare_proxy(const ProxyWish& wish);
  [[nodiscard]] Result<control::PreparedConsent> prepare_leave(const LeaveWish& wish);
  // The card has proved one of them: one tag for each site of the grant. Errors: kInvalidArgument,
  // kNotFound.
  [[nodiscard]] Result<Ordered> accept_act(const Bytes& grant, card::CardKind kind,
                                           const std::vector<mac::Tag>& tags);
  // No emergency access to the object any more, or (zero) to nothing of the person's. Needs no
  // proof. Errors: kNotFound.
  [[nodiscard]] Result<Ordered> forbid_emergency(const std::string& person, const ObjectId& object);
  // Something that every site where the person is known has to be told, in its own words for each.
  // Errors: kNotFound (the person).
  [[nodiscard]] Result<Ordered> tell_everywhere(
      const std::string& person, std::uint16_t method,
      const std::function<Bytes(const Pseudonym& person)>& body_for);
  // Needs no proof. Errors: kNotFound.
  [[nodiscard]] Result<Ordered> remove_proxy(const std::string& person, const std::string& proxy);
  // Errors: kNotFound (a guardian), kInvalidArgument.
  [[nodiscard]] Result<Ordered> set_guardians(const GuardianWish& wish);
  // A death, or that it was told in error. Errors: kNotFound.
  [[nodiscard]] Result<Ordered> tell_death(const std::string& person, bool has_died,
                                           const crypto::Digest& authority);
  // Errors: kNotFound.
  [[nodiscard]] Result<PersonView> view(const std::string& person);
  // Tells what still waits; called now and then.
  void tell_again();

 private:
  struct Left {
    catalog::PersonOrder order;
    std::string why;
    bool is_refused = false;
  };
  Result<> tell(const catalog::PersonOrder& order);
  // What was not confirmed; what was refused for good is forgotten.
  Result<std::vector<Left>> tell_all();
  Result<Ordered> write_down_and_tell(const consent::OrderId& id,
                                      std::vector<catalog::PersonOrder> orders);
  // The same order for every site, with the person's pseudonym there.
  Result<Ordered> order_everywhere(const std::string& person, consent::PersonOrder order);
  Result<catalog::Person> new_ward(const GuardianWish& wish);
  std::string name_of(const Pseudonym& person);
  // The object's label, if it is the person's; zero: none. Errors: kInvalidArgument, kNotFound.
  Result<std::string> label_of(const ObjectId& object, const std::string& person);
  [[nodiscard]] std::vector<SiteName> all_sites() const;

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  CustodyService& own_;
  CardActs& acts_;
  std::mutex telling_;
};

}  // namespace warifu::custody
