// Break-glass at the control site (ADR 0047): every site is told of an emergency, and the person at
// the first occasion.
//
// What all sites are to be told is durable in the catalog before an emergency can be used
// (consent_intake.h); they are told until each has confirmed. The person is told by the sites' own
// answers: a grant of the own card names what the person is told, and a gate that knows of more
// takes none (consent/decision.cc), whatever share control says. Thread-safe.
#pragma once

#include "custody/people_desk.h"

namespace warifu::custody {

// An emergency as people are told of it.
struct EmergencyView {
  std::string person;  // the id here, or the pseudonym where there is no catalog
  consent::Emergency emergency;
};

struct SeenEmergency {
  EmergencyView view;
  std::vector<SiteName> sites;  // that know of it, as far as they answered
  bool is_known_here = true;    // share control has not forgotten it
};

class EmergencyDesk {
 public:
  EmergencyDesk(control::SiteContext& site, catalog::Catalog& catalog, PeopleDesk& people)
      : site_(site), catalog_(catalog), people_(people) {}

  // Officers' grants, this one and the others, open the object: every site is to be told.
  // Errors: kNotFound, the catalog's.
  [[nodiscard]] Result<> tell_sites(const catalog::Object& object, const consent::Grant& grant,
                                    const std::vector<catalog::Grant>& others);
  // Those of the last ninety days that this site knows of, by time.
  [[nodiscard]] std::vector<EmergencyView> recent();
  // The person has been shown what the grant names, if this site's gate finds the card's proof
  // right: a terminal's word is not enough to hide an emergency. Where the grant is not for this
  // site, which then holds no share of the object, it has to be. Errors: the catalog's, kIo.
  [[nodiscard]] Result<> told_by(ByteView grant, std::span<const consent::Evidence> evidence);
  [[nodiscard]] Result<> told_by(const GrantId& grant);
  // What the person at a ceremony has to be told: what this site knows, and what others say in
  // their own answers, which share control may have forgotten.
  [[nodiscard]] std::vector<SeenEmergency> seen(const control::PreparedConsent& prepared,
                                                const CardId& card);

 private:
  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  PeopleDesk& people_;
};

}  // namespace warifu::custody
