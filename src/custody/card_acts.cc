// Acts of a card: written, proved, told.
#include "custody/card_acts.h"

#include <algorithm>

#include "control/signature_service.h"

namespace warifu::custody {
namespace {
constexpr std::int64_t kProofLifeMs = 3600 * 1000;
}  // namespace

Result<control::PreparedConsent> CardActs::write(consent::Grant act, const ActPlace& place,
                                                 const std::vector<SiteName>& sites,
                                                 const consent::ConsentLabels& labels) {
  const os::UnixMs now = site_.system.clock.now();
  act.card = place.card;
  act.destination = site_.config.name;
  act.not_before = {now.value - 60'000};  // the clocks of sites differ
  act.expiry = {now.value + kProofLifeMs};
  act.index = place.next_index.value_or(card::KeyIndex{1});
  act.locale = place.locale;
  act.terminal = place.terminal;
  control::PreparedConsent prepared;
  for (const SiteName& at : sites) {
    TRY_ASSIGN(consent::Challenge challenge, consent_.ask_nonce(at, place.card));
    if (!place.next_index) act.index = std::max(act.index, challenge.lowest_index);
    if (act.index < challenge.lowest_index) {
      return fail(Code::kRefused, at.text() + ": the card's one-time index was used before");
    }
    act.sites.push_back({at, challenge.nonce});
    prepared.add_untold(at, std::move(challenge.untold));
  }
  std::ranges::sort(act.sites, {}, &consent::GrantSite::site);
  act.shown = prepared.shown();
  prepared.labels = labels;
  const auto kind = site_.gate.kind_of(place.card);
  prepared.labels.has_pin = !kind || !card::is_relayed(*kind);
  for (const consent::GrantSite& one : act.sites) prepared.sites.push_back(one.site);
  prepared.text = consent::consent_text(act, prepared.labels);
  act.text_digest = consent::text_digest(prepared.text);
  TRY_ASSIGN(prepared.grant, consent::encode_grant(act));
  return prepared;
}

Result<CardActs::Proved> CardActs::prove_signed(const Bytes& grant_bytes, const Bytes& signature) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(grant_bytes));
  Proved proved;
  for (const consent::GrantSite& entry : grant.sites) {
    TRY_ASSIGN(const consent::Evidence evidence,
               control::prove_signature_at(site_, entry.site, {grant_bytes, signature}));
    proved.kind = evidence.kind;
    proved.tags.push_back(evidence.tag);
  }
  return proved;
}

Result<control::PreparedConsent> CardActs::prepare_top_up(const TopUpWish& wish) {
  TRY_ASSIGN(const catalog::Person person, catalog_.person_of_card(wish.place.card));
  for (const SiteName& at : wish.sites) {
    if (site_.config.find(at) != nullptr) continue;
    return fail(Code::kInvalidArgument, "the card has keys of site '" + at.text() +
                                            "', which is not of this network any more: give the "
                                            "person another card");
  }
  const consent::Grant act{
      .grantee = {consent::GranteeKind::kPerson, person.name, person.person_id},
      .top_up = wish.keys};
  return write(act, wish.place, wish.sites, {person.name, "", true});
}

Result<card::SiteKeys> CardActs::keys_of(const SiteName& at, const consent::Presented& act,
                                         std::uint32_t count) {
  if (at == site_.config.name) return site_.gate.top_up(act.grant, act.evidence);
  auto answer = site_.caller.ask(at, number(Method::kTopUp), encode(act));
  if (!answer) return fail_in(at.text(), answer.error());
  card::SiteKeys keys{at, secret::Buffer::copy_of(*answer)};
  secret::wipe(*answer);
  if (keys.keys.size() == count * card::kOneTimeKeyBytes) return keys;
  return fail(Code::kProtocol, at.text() + " answered with another number of one-time keys");
}

Result<control::CardContent> CardActs::top_up(const Bytes& grant_bytes, card::CardKind kind,
                                              const std::vector<mac::Tag>& tags) {
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(grant_bytes));
  if (!grant.top_up || tags.size() != grant.sites.size()) {
    return fail(Code::kInvalidArgument, "the card's proof does not fit the grant");
  }
  TRY(site_.log.append("card_top_up", {{"card", grant.card.text()},
                                       {"first_index", std::to_string(grant.top_up->first.value)},
                                       {"keys", std::to_string(grant.top_up->count)}}));
  control::CardContent content{.card = grant.card, .keys = *grant.top_up};
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const SiteName& at = grant.sites[i].site;
    TRY_ASSIGN(card::SiteKeys keys,
               keys_of(at, {grant_bytes, {at, kind, tags[i]}}, grant.top_up->count));
    content.sites.push_back(std::move(keys));
  }
  return content;
}

}  // namespace warifu::custody
