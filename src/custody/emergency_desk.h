// Break-glass at the control site (ADR 0047): officers' proofs become one emergency, every site is
// told of it, and the person at the first occasion.
//
// Nothing is decided here: each holder's gate judges every officer's grant for itself. Before an
// emergency can be used, what all sites are to be told of it is durable in the catalog; they are
// told until each has confirmed. Thread-safe.
#pragma once

#include "custody/people_desk.h"

namespace warifu::custody {

// An emergency as people are told of it.
struct EmergencyView {
  std::string person;  // the id here, or the pseudonym where there is no catalog
  consent::Emergency emergency;
};

class EmergencyDesk {
 public:
  EmergencyDesk(control::SiteContext& site, catalog::Catalog& catalog, PeopleDesk& people,
                control::ConsentDesk& consent, RecordKeeper& records)
      : site_(site), catalog_(catalog), people_(people), consent_(consent), records_(records) {}

  // An officer's card has proved a grant. The last of them brings the object's record out of
  // safekeeping, under all of their grants. Errors: kInvalidArgument, kNotFound; kRefused as the
  // gates of the record's holders say.
  [[nodiscard]] Result<GrantId> accept(control::CardProof proof);
  // Those of the last ninety days that this site knows of, by time.
  [[nodiscard]] std::vector<EmergencyView> recent();
  // The person whose card that is has been shown them, if it is anybody's. Errors: the gate's.
  [[nodiscard]] Result<> told_by_card(const CardId& card);

 private:
  // Grants of other officers' cards that go together with this one.
  Result<std::vector<catalog::Grant>> others_of(const consent::Grant& grant);
  Result<> add_record(const catalog::Object& object, const std::vector<catalog::Grant>& others,
                      control::CardProof& proof);
  Result<> tell_sites(const catalog::Object& object, const consent::Grant& grant,
                      const std::vector<catalog::Grant>& others);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  PeopleDesk& people_;
  control::ConsentDesk& consent_;
  RecordKeeper& records_;
};

}  // namespace warifu::custody
