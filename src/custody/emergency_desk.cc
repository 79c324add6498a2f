// Telling, to sites and to people.
#include "custody/emergency_desk.h"

#include <algorithm>

namespace warifu::custody {
namespace {

constexpr std::int64_t kShownMs = 90LL * 86'400'000;

}  // namespace

Result<> EmergencyDesk::tell_sites(const catalog::Object& object, const consent::Grant& grant,
                                   const std::vector<catalog::Grant>& others) {
  consent::Emergency emergency{grant.joint, grant.object, site_.system.clock.now(),
                               {},          {grant.card}, grant.reason};
  for (const catalog::Grant& other : others) {
    TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(other.grant_bytes));
    emergency.officers.push_back(parsed.card);
  }
  TRY_ASSIGN(const Ordered told,
             people_.tell_everywhere(object.person_id, number(Method::kEmergency),
                                     [&](const Pseudonym& person) {
                                       return encode(EmergencyNote{person, emergency});
                                     }));
  (void)told;  // who has not heard yet is told again
  return {};
}

std::vector<EmergencyView> EmergencyDesk::recent() {
  std::vector<EmergencyView> views;
  const os::UnixMs since{site_.system.clock.now().value - kShownMs};
  for (auto& [pseudonym, emergency] : site_.gate.emergencies(since)) {
    const auto person = catalog_.person_of_pseudonym({site_.config.name, pseudonym});
    views.push_back({person ? person->person_id : pseudonym.text(), std::move(emergency)});
  }
  return views;
}

Result<> EmergencyDesk::told_by(ByteView bytes, std::span<const consent::Evidence> evidence) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(bytes));
  if (grant.shown.empty()) return {};
  const auto own = std::ranges::find(evidence, site_.config.name, &consent::Evidence::site);
  if (own != evidence.end()) {
    const auto told = site_.gate.told_under(bytes, *own);
    // The gate has logged why not; every site goes on telling.
    return told || told.error().code == Code::kRefused ? Result<>() : told;
  }
  const auto person = catalog_.person_of_card(grant.card);
  if (!person) return {};
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person->person_id));
  for (const catalog::SitePseudonym& at : pseudonyms) {
    if (at.site == site_.config.name) {
      return site_.gate.emergencies_told(at.pseudonym, grant.shown);
    }
  }
  return {};
}

Result<> EmergencyDesk::told_by(const GrantId& id) {
  TRY_ASSIGN(const catalog::Grant record, catalog_.grant(id));
  TRY_ASSIGN(const consent::KeptEvidence kept, consent::parse_kept(record.evidence));
  return told_by(record.grant_bytes, kept.sites);
}

std::vector<SeenEmergency> EmergencyDesk::seen(const control::PreparedConsent& prepared,
                                               const CardId& card) {
  const auto person = catalog_.person_of_card(card);
  if (!person) return {};
  std::vector<SeenEmergency> all;
  for (EmergencyView& own : recent()) {
    if (own.person != person->person_id) continue;
    all.push_back({std::move(own), {site_.config.name}});
  }
  for (const control::UntoldEmergency& untold : prepared.emergencies) {
    const auto known = std::ranges::find_if(all, [&](const SeenEmergency& one) {
      return one.view.emergency.id == untold.emergency.id;
    });
    if (known == all.end()) {
      all.push_back({{person->person_id, untold.emergency}, untold.sites, false});
      continue;
    }
    for (const SiteName& at : untold.sites) {
      if (at != site_.config.name) known->sites.push_back(at);
    }
  }
  std::erase_if(all, [](const SeenEmergency& one) { return one.view.emergency.told.value != 0; });
  return all;
}

}  // namespace warifu::custody
