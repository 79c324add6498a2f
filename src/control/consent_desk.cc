// Grants: written from the holders' nonces, kept with the card's evidence.
#include "control/consent_desk.h"

#include <algorithm>
#include <set>

#include "base/reason.h"
#include "consent/veil.h"
#include "control/givers.h"
#include "planner/restore_plan.h"
#include "wire/wire.h"

namespace warifu::control {

namespace {

std::unexpected<Error> unfit_proof() {
  return fail(Code::kInvalidArgument, "the card's proof does not fit the grant");
}

}  // namespace

Result<std::vector<planner::ShareLocation>> locate_shares(catalog::Catalog& catalog,
                                                          const ObjectId& object) {
  TRY_ASSIGN(const std::vector<catalog::Share> shares, catalog.list_shares(object));
  std::vector<planner::ShareLocation> located;
  for (const catalog::Share& share : shares) {
    if (share.state != catalog::ShareState::kDurable || !share.site) continue;
    located.push_back({.path = share.path, .share = share.share, .site = *share.site});
  }
  return located;
}

Result<> check_decoys(std::uint32_t decoys, const consent::Scope& scope) {
  if (decoys > kMostDecoys) {
    return fail(Code::kInvalidArgument,
                "decoys must be at most " + std::to_string(kMostDecoys) + " for each region");
  }
  if (decoys > 0 && scope.regions.empty()) {
    return fail(Code::kInvalidArgument, "decoys hide regions: name those that the consent is for");
  }
  return {};
}

void PreparedConsent::add_untold(const SiteName& at, std::vector<consent::Emergency> untold) {
  for (consent::Emergency& one : untold) {
    const auto known = std::ranges::find_if(
        emergencies, [&](const UntoldEmergency& other) { return other.emergency.id == one.id; });
    if (known != emergencies.end()) {
      known->sites.push_back(at);
    } else {
      emergencies.push_back({std::move(one), {at}});
    }
  }
}

std::vector<consent::JointId> PreparedConsent::shown() const {
  std::vector<consent::JointId> ids;
  for (const UntoldEmergency& one : emergencies) ids.push_back(one.emergency.id);
  // The oldest first, as every gate counts them; the rest at the next ceremony.
  if (ids.size() > consent::kMaxShown) ids.resize(consent::kMaxShown);
  std::ranges::sort(ids);
  return ids;
}

std::optional<card::CardKind> card_kind_of(ByteView evidence) {
  const auto kept = consent::parse_kept(evidence);
  if (!kept || kept->sites.empty()) return std::nullopt;
  return kept->sites.front().kind;
}

Result<consent::Challenge> ConsentDesk::ask_nonce(const SiteName& at, const CardId& card) {
  if (at == site_.config.name) return site_.gate.issue_nonce(card);
  wire::Writer body;
  body.id(card);
  TRY_ASSIGN(const Bytes answer, site_.caller.ask(at, number(Method::kGateNonce), body.take()));
  wire::Reader reader(answer, "nonce of " + at.text());
  consent::Challenge challenge;
  challenge.nonce = reader.id<consent::Nonce>();
  challenge.lowest_index = {reader.u32()};
  const std::size_t untold = reader.u8();
  if (untold > consent::kMaxShown) reader.reject("too many emergencies");
  for (std::size_t i = 0; i < untold && reader.good(); ++i) {
    challenge.untold.push_back(consent::read_emergency(reader));
  }
  TRY(reader.finish());
  return challenge;
}

Result<ConsentDesk::Terms> ConsentDesk::terms_of(const ConsentWish& wish) {
  Terms terms;
  consent::Grant& grant = terms.grant;
  const os::UnixMs now = site_.system.clock.now();
  if (wish.joins) {
    TRY_ASSIGN(const catalog::Grant other, catalog_.grant(*wish.joins));
    TRY_ASSIGN(grant, consent::parse_opened(other.grant_bytes, other.opening));
    terms.opening = other.opening;
    if (grant.together < 2 || other.state != catalog::GrantState::kGiven) {
      return fail(Code::kInvalidArgument,
                  "consent " + wish.joins->text() + " waits for no other guardian");
    }
    for (const consent::GrantSite& one : grant.sites) terms.sites.insert(one.site);
    grant.sites.clear();
  } else {
    grant = {.object = wish.object,
             .purpose = wish.purpose,
             .uses = wish.uses,
             .grantee = wish.grantee,
             .destination = wish.destination,
             .expiry = {now.value + wish.valid.count() * 1000},
             .data_uses = wish.data_uses,
             .capacity = wish.capacity,
             .reason = wish.reason};
    TRY(set_scope(wish, terms));
  }
  grant.card = wish.card;
  // A little earlier, because the clocks of sites differ.
  grant.not_before = {now.value - 60'000};
  grant.index = wish.next_index.value_or(card::KeyIndex{1});
  grant.locale = wish.locale;
  grant.terminal = wish.terminal;
  if (site_.config.find(grant.destination) == nullptr) {
    return fail(Code::kInvalidArgument,
                "destination '" + grant.destination.text() + "' is not a site of this network");
  }
  return terms;
}

Result<> ConsentDesk::set_scope(const ConsentWish& wish, Terms& terms) {
  if (wish.is_index) {
    TRY_ASSIGN(const catalog::Object object, catalog_.object(wish.object));
    if (object.lead_chunks == 0) {
      return fail(Code::kInvalidArgument,
                  "object " + wish.object.text() +
                      " was stored without an index (object store --genome): regions of it cannot "
                      "be found");
    }
    terms.grant.scope = {{}, {}, {{0, object.lead_chunks}}};
    return {};
  }
  if (wish.scope.is_whole()) return {};
  const auto quote =
      wish.index ? quotes_.find(*wish.index, wish.scope, wish.decoys, site_.system.clock.now())
                 : std::nullopt;
  if (quote && quote->object == wish.object) {
    terms.grant.scope = quote->scope();
    terms.opening = quote->cuts.opening();
    return {};
  }
  return fail(Code::kInvalidArgument,
              "a consent to regions needs a quote first, made under a consent to the index less "
              "than an hour ago");
}

Result<RegionCuts> ConsentDesk::cuts_of(const consent::Grant& grant) {
  if (auto cuts = quotes_.find(grant.object, grant.scope, site_.system.clock.now())) {
    return *std::move(cuts);
  }
  TRY_ASSIGN(const auto given,
             catalog_.list_grants({.object = grant.object, .state = catalog::GrantState::kGiven},
                                  {.count = catalog::kMaxPageRows}));
  for (const catalog::Grant& record : given) {
    const auto other = consent::parse_grant(record.grant_bytes);
    if (!other || other->scope != grant.scope || record.sealed_secret.empty()) continue;
    const auto secrets = open_object_secrets(site_.keys.root_key().bytes(), record.sealed_secret);
    if (secrets && !secrets->cuts.empty()) return decode_cuts(secrets->cuts);
  }
  return fail(Code::kUnavailable,
              "the quote for these regions is forgotten; make another one and ask again",
              Reason::kQuoteForgotten);
}

Result<> ConsentDesk::set_capacity(const ConsentWish& wish, const std::string& person,
                                   consent::Grant& grant) {
  if (grant.capacity == consent::Capacity::kEmergency && !wish.joins) {
    const auto& rule = site_.gate.break_glass();
    if (!rule) {
      return fail(Code::kRefused, "site " + site_.config.name.text() +
                                      " opens nothing in an emergency ('[break_glass]')");
    }
    grant.together = rule->needed;
    grant.joint = os::random_id<consent::JointId>(site_.system.random);
    return {};
  }
  if (grant.capacity != consent::Capacity::kGuardian || wish.joins) return {};
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person));
  for (const catalog::SitePseudonym& at : pseudonyms) {
    if (at.site != site_.config.name) continue;
    const auto record = site_.gate.person(at.pseudonym);
    if (!record || record->guardians.empty()) break;
    grant.together = record->needed;
    if (record->needed > 1) grant.joint = os::random_id<consent::JointId>(site_.system.random);
    return {};
  }
  return fail(Code::kRefused, "person '" + person + "' has no guardians at this site");
}

Result<std::vector<VoidedConsent>> ConsentDesk::voided_by(const consent::Grant& grant) {
  const os::UnixMs now = site_.system.clock.now();
  std::vector<VoidedConsent> voided;
  for (catalog::Page page{.count = catalog::kMaxPageRows};; page.skip += page.count) {
    TRY_ASSIGN(const auto given,
               catalog_.list_grants({.state = catalog::GrantState::kGiven}, page));
    for (const catalog::Grant& record : given) {
      const auto kind = card_kind_of(record.evidence);
      auto other = consent::parse_grant(record.grant_bytes);
      if (!other || other->card != grant.card || other->index >= grant.index ||
          other->expiry <= now || !kind || card::is_proved_first(*kind)) {
        continue;
      }
      TRY_ASSIGN(const bool is_used, has_restored(catalog_, other->object, record.grant));
      if (!is_used) voided.push_back({record.grant, std::move(*other)});
    }
    if (given.size() < page.count) return voided;
  }
}

void ConsentDesk::leave_out(const planner::PolicyNode& policy,
                            const std::vector<planner::ShareLocation>& shares,
                            const std::set<SiteName>& wanted, consent::Grant& grant,
                            PreparedConsent& prepared) {
  std::set<SiteName> holders, named;
  std::vector<planner::ShareLocation> willing;
  for (const planner::ShareLocation& share : shares) {
    holders.insert(share.site);
    if (std::ranges::find(prepared.sites, share.site) != prepared.sites.end()) {
      willing.push_back(share);
    }
  }
  std::ranges::stable_sort(willing, {}, [&](const planner::ShareLocation& share) {
    return std::pair(share.site != site_.config.name, !wanted.contains(share.site));
  });
  for (const planner::ShareLocation& share : choose_givers(policy, willing))
    named.insert(share.site);
  const auto is_spare = [&](const SiteName& site) {
    return holders.contains(site) && !named.contains(site);
  };
  std::ranges::copy_if(prepared.sites, std::back_inserter(prepared.spare), is_spare);
  std::erase_if(prepared.sites, is_spare);
  std::erase_if(grant.sites, [&](const consent::GrantSite& one) { return is_spare(one.site); });
}

Result<PreparedConsent> ConsentDesk::prepare(const ConsentWish& wish) {
  TRY(forget_old());
  TRY_ASSIGN(Terms terms, terms_of(wish));
  consent::Grant& grant = terms.grant;
  TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
  TRY_ASSIGN(const catalog::Person person, catalog_.person(object.person_id));
  if (object.state != catalog::ObjectState::kCommitted) {
    return fail(Code::kRefused, "object " + grant.object.text() + " is not stored yet",
                Reason::kNotStored);
  }
  TRY(set_capacity(wish, person.person_id, grant));
  TRY_ASSIGN(const auto shares, locate_shares(catalog_, grant.object));
  PreparedConsent prepared{.opening = std::move(terms.opening)};
  std::set<SiteName> holders;
  for (const planner::ShareLocation& share : shares) holders.insert(share.site);
  const std::set<SiteName> of_shares = holders;
  // Who keeps shares of the record, too, where no card brings it.
  const bool keeps_nothing =
      wish.is_signature || (!wish.next_index && grant.capacity != consent::Capacity::kOwn);
  // What one guardian's grant names, another's does.
  std::set<SiteName> wanted = std::move(terms.sites);
  if (keeps_nothing || grant.together > 1) {
    const auto& keepers = site_.config.records.holders;
    holders.insert(keepers.begin(), keepers.end());
    if (wanted.empty()) wanted.insert(keepers.begin(), keepers.end());
  }
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(object.policy));
  bool is_stranger = true;  // no holder knows the card
  for (const SiteName& holder : holders) {
    auto challenge = ask_nonce(holder, wish.card);
    is_stranger = is_stranger && !challenge && challenge.error().code == Code::kNotFound;
    if (!challenge && challenge.error().code == Code::kRefused) {
      return std::unexpected(challenge.error());
    }
    if (!challenge) {
      prepared.missing.emplace_back(holder, challenge.error().message);
      continue;
    }
    if (!wish.next_index) grant.index = std::max(grant.index, challenge->lowest_index);
    if (grant.index < challenge->lowest_index) {
      return fail(Code::kRefused,
                  holder.text() + ": the card's one-time index " +
                      std::to_string(grant.index.value) +
                      " was used before; is this a copy of the card?",
                  Reason::kCopiedCard);
    }
    grant.sites.push_back({holder, challenge->nonce});
    prepared.sites.push_back(holder);
    prepared.add_untold(holder, std::move(challenge->untold));
  }
  const std::size_t needed = policy.scheme.threshold;
  const auto willing = std::ranges::count_if(
      prepared.sites, [&](const SiteName& site) { return of_shares.contains(site); });
  if (static_cast<std::size_t>(willing) < needed) {
    return fail(is_stranger ? Code::kRefused : Code::kUnavailable,
                "fewer than " + (needed == 2 ? "two" : std::to_string(needed)) +
                    " holders of shares answer: " +
                    (prepared.missing.empty() ? std::string("the object has too few shares")
                                              : prepared.missing.front().second),
                is_stranger ? Reason::kUnknownCard : Reason::kCannotRestore);
  }
  leave_out(policy, shares, wanted, grant, prepared);
  if (wish.next_index) {
    TRY_ASSIGN(prepared.voids, voided_by(grant));
  }
  prepared.labels = {person.name, object.label, wish.is_signature || wish.next_index.has_value()};
  if (grant.capacity == consent::Capacity::kOwn) grant.shown = prepared.shown();
  prepared.text = consent::consent_text(grant, prepared.labels);
  grant.text_digest = consent::text_digest(prepared.text, prepared.opening);
  TRY_ASSIGN(prepared.grant, consent::encode_grant(grant));
  return prepared;
}

bool is_judged_at(const SiteName& site, const consent::Grant& grant) {
  return std::ranges::find(grant.sites, site, &consent::GrantSite::site) != grant.sites.end();
}

Result<bool> ConsentDesk::judge(const consent::Grant& grant, const CardProof& proof) {
  if (proof.tags.size() != grant.sites.size()) return unfit_proof();
  const auto own = std::ranges::find(grant.sites, site_.config.name, &consent::GrantSite::site);
  if (own == grant.sites.end()) return false;
  TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(object.person_id));
  const auto owner =
      std::ranges::find(pseudonyms, site_.config.name, &catalog::SitePseudonym::site);
  if (owner == pseudonyms.end()) return false;
  const auto which = static_cast<std::size_t>(own - grant.sites.begin());
  TRY(site_.gate.would_release({proof.grant, {own->site, proof.kind, proof.tags[which]}},
                               owner->pseudonym));
  return true;
}

Result<GrantId> ConsentDesk::accept(const CardProof& proof) {
  TRY_ASSIGN(consent::Grant grant, consent::parse_grant(proof.grant));
  const bool has_record = grant.together == 1 || !proof.hash_key.empty();
  if (has_record && proof.hash_key.size() != mac::kBlockBytes) return unfit_proof();
  TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
  if (has_record &&
      (proof.chunk_count != object.chunk_count || proof.length.value != object.length)) {
    return fail(Code::kCorrupt, "the card knows object " + grant.object.text() +
                                    " with another length than this catalog");
  }
  TRY_ASSIGN(const bool is_judged, judge(grant, proof));
  consent::KeptEvidence kept{.sites = {}, .signature = proof.signature};
  for (std::size_t i = 0; i < proof.tags.size(); ++i) {
    kept.sites.push_back({grant.sites[i].site, proof.kind, proof.tags[i]});
  }
  const Bytes evidence = consent::encode_kept(kept);
  ObjectSecrets secrets{.hash_key = secret::Buffer::copy_of(proof.hash_key.bytes()),
                        .tag = proof.tag_over_tags};
  Bytes opening;
  if (grant.scope.is_of_regions()) {
    TRY_ASSIGN(const RegionCuts cuts, cuts_of(grant));
    secrets.cuts = encode_cuts(cuts);
    opening = cuts.opening();
    TRY_ASSIGN(grant.scope, consent::opened(std::move(grant.scope), opening));
  }
  Bytes sealed;
  if (has_record || !secrets.cuts.empty()) {
    sealed = seal_object_secrets(site_.keys.root_key().bytes(), site_.system.random, secrets);
  }
  const GrantId id = consent::grant_id(proof.grant);
  TRY(catalog_.add_grant({.grant = id,
                          .object = grant.object,
                          .person_id = object.person_id,
                          .grant_bytes = proof.grant,
                          .evidence = evidence,
                          .state = catalog::GrantState::kGiven,
                          .created = site_.system.clock.now(),
                          .expiry = grant.expiry,
                          .sealed_secret = std::move(sealed),
                          .opening = std::move(opening)}));
  TRY(site_.log.append(
      "consent_given",
      {{"grant", id.text()},
       {"object", grant.object.text()},
       {"kind", std::string(consent::card_kind_name(proof.kind))},
       {"security", std::string(consent::evidence_class(proof.kind))},
       {"purpose", std::string(consent::purpose_name(grant.purpose))},
       {"data_use", consent::data_uses_text(grant.data_uses)},
       {"grantee", consent::grantee_words(grant.grantee, consent::Locale::kEnglish)},
       {"scope", consent::scope_text(grant.scope)},
       {"capacity", std::string(consent::capacity_name(grant.capacity))},
       {"judged_by", is_judged ? site_.config.name.text() : std::string("nobody yet")}}));
  return id;
}

Result<> ConsentDesk::forget_old() {
  constexpr std::int64_t kDayMs = 86'400'000;
  const std::int64_t now = site_.system.clock.now().value;
  TRY_ASSIGN(const auto given, catalog_.list_grants({.state = catalog::GrantState::kGiven},
                                                    {.count = catalog::kMaxPageRows}));
  for (const catalog::Grant& grant : given) {
    if (grant.expiry.value + kDayMs > now) continue;
    TRY(catalog_.set_grant_state(grant.grant, catalog::GrantState::kExpired));
  }
  return {};
}

}  // namespace warifu::control
