// Honest labels for one object.
#include "api/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <boost/json.hpp>

#include "control/card_records.h"
#include "control/consent_desk.h"
#include "control/exposure_ledger.h"
#include "control/key_account.h"
#include "planner/policy.h"

namespace warifu::api {
namespace {

namespace json = boost::json;

std::string scheme_text(const sharing::Scheme& scheme) {
  if (scheme.kind == sharing::SchemeKind::kRamp) {
    return scheme.text() + ": one share tells nothing, two tell half";
  }
  const std::size_t privacy = scheme.privacy();
  return fmt::format("{}: any {} shares restore, {} tell{} nothing", scheme.text(),
                     scheme.threshold, privacy == 1 ? "one" : std::to_string(privacy),
                     privacy == 1 ? "s" : "");
}

// For labels only: what cannot be read shows as nothing known.
control::Protections protections_of(const catalog::Share& share) {
  auto parsed = control::parse_protections(share.protections);
  return parsed ? std::move(*parsed) : control::Protections{};
}

std::set<std::string> origins_of(const control::Protections& protections) {
  std::set<std::string> origins;
  for (const auto& hop : protections.hops) {
    origins.insert(hop.origins.begin(), hop.origins.end());
  }
  return origins;
}

std::set<std::string> names_of(const keypool::Entropy& entropy) {
  std::set<std::string> names;
  for (const auto origin : entropy.origins) names.emplace(keypool::origin_name(origin));
  return names;
}

json::array to_json(const std::set<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

json::object share_json(const catalog::Share& share) {
  const control::Protections protections = protections_of(share);
  std::set<std::string> classes;
  std::set<std::string> relays;
  for (const auto& hop : protections.hops) {
    classes.insert(hop.link_class);
    relays.insert(hop.relays.begin(), hop.relays.end());
  }
  return {{"share", share.path.text()},
          {"id", share.share.text()},
          {"site", share.site ? share.site->text() : ""},
          {"last_site", share.last_site.text()},
          {"state", catalog::state_name(share.state)},
          {"bytes", share.bytes},
          {"generation", share.generation},
          {"route", share.route},
          {"key_as_share", protections.drawn},
          {"random_origins", to_json(names_of(protections.entropy))},
          {"link_classes", to_json(classes)},
          {"origins", to_json(origins_of(protections))},
          {"key_relays", to_json(relays)}};
}

// Whose hands the key of relayed links has gone through, share by share.
json::array relayed(const std::vector<catalog::Share>& shares) {
  json::array list;
  for (const auto& share : shares) {
    for (const auto& hop : protections_of(share).hops) {
      if (hop.relay_paths == 0) continue;
      std::string names;
      for (const std::string& relay : hop.relays) names += (names.empty() ? "" : ", ") + relay;
      list.emplace_back(
          hop.relay_paths == 1
              ? fmt::format(
                    "share {}, {} > {}: the key came over one path; each of its relays knew "
                    "it ({})",
                    share.path.text(), hop.from, hop.to, names)
              : fmt::format(
                    "share {}, {} > {}: the key is the XOR of parts over {} disjoint paths; "
                    "no relay alone knew anything of it ({})",
                    share.path.text(), hop.from, hop.to, hop.relay_paths, names));
    }
  }
  return list;
}

json::array simulated(const std::set<std::string>& origins) {
  json::array list;
  if (origins.contains("RATE_MODEL")) {
    list.emplace_back(
        "key of the qkd links came from a rate model: kernel random numbers handed "
        "out at a modelled rate (origin RATE_MODEL)");
  }
  if (origins.contains("SIMULATED_CLICKS")) {
    list.emplace_back(
        "key of the qkd links came from simulated detector clicks "
        "(origin SIMULATED_CLICKS)");
  }
  list.emplace_back("cards may be emulated: the evidence of each consent says which kind it was");
  return list;
}

json::array computational(const std::set<std::string>& origins, const keypool::Entropy& random) {
  json::array list;
  if (origins.contains("RATE_MODEL")) {
    list.emplace_back(
        "RATE_MODEL key comes from the kernel's generator and passes between the two devices "
        "under TLS");
  }
  if (origins.contains("RELAYED")) {
    list.emplace_back(
        "RELAYED key is random numbers of the leading site that travelled under pads of other "
        "links: it is as good as both, and trusts its relays (named under relayed)");
  }
  if (origins.contains("PRESHARED")) {
    list.emplace_back("PRESHARED key comes from the kernel's generator");
  }
  if (random.computational()) {
    std::string names;
    for (const std::string& name : names_of(random)) names += (names.empty() ? "" : ", ") + name;
    list.emplace_back("the random numbers and key that the shares were cut with (" + names +
                      ") did not all come from hardware: secrecy of the shares rests on the "
                      "generators behind them");
  }
  list.emplace_back("unused pads at rest are sealed with AES-256-GCM under a software root key");
  list.emplace_back(
      "used pads are gone when their segment keys are forgotten: protection of "
      "used pads at rest is computational plus key destruction");
  return list;
}

// Of consents that a DESFire card or a signature card has proved, if there are any.
Result<> add_computational_consents(catalog::Catalog& catalog, const ObjectId& object,
                                    json::array& list) {
  TRY_ASSIGN(const auto grants,
             catalog.list_grants({.object = object}, {.count = catalog::kMaxPageRows}));
  const auto proved_by = [&](bool (*is_such)(card::CardKind)) {
    return std::ranges::count_if(grants, [&](const catalog::Grant& grant) {
      const auto kind = control::card_kind_of(grant.evidence);
      return kind && is_such(*kind);
    });
  };
  if (const auto by_signature = proved_by(card::is_signature); by_signature > 0) {
    list.emplace_back(
        fmt::format("{} of the last {} consents were proved by a signature (RSA or ECDSA), which "
                    "has to hold at the moment of use; the hash key, which the card cannot keep, "
                    "is in safekeeping, or sealed at the control site where that is off",
                    by_signature, grants.size()));
  }
  const auto relayed = proved_by(card::is_relayed);
  if (relayed == 0) return {};
  list.emplace_back(fmt::format(
      "{} of the last {} consents were proved by a DESFire card: AES and 64-bit MACs at the moment "
      "of use, the holder by possession; the hash key is kept sealed at the control site too",
      relayed, grants.size()));
  return {};
}

json::array key_spent(const std::vector<catalog::LinkUse>& uses) {
  json::array list;
  for (const auto& use : uses) {
    list.push_back({{"from", use.from.text()},
                    {"to", use.to.text()},
                    {"class", use.link_class},
                    {"origin", use.origin},
                    {"payload_bytes", use.payload_bytes},
                    {"tag_bytes", use.tag_bytes},
                    {"key_bytes", use.key_bytes}});
  }
  return list;
}

// Who has come to see what, by the ledger; whom a consent names as its destination is not in it.
Result<json::array> seen_json(catalog::Catalog& catalog, const catalog::Object& object) {
  TRY_ASSIGN(const auto seen, control::exposure_of(catalog, object.object));
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(object.policy));
  json::array list;
  for (const auto& [site, paths] : seen) {
    std::set<std::string> names;
    for (const sharing::SharePath& path : paths) names.insert(path.text());
    list.push_back({{"site", site.text()},
                    {"shares", to_json(names)},
                    {"could_restore", planner::satisfies(policy, paths)}});
  }
  return list;
}

// Shares that stand whole though the policy cuts them again.
json::array uncut_json(const planner::PolicyNode& policy, const catalog::Object& object,
                       const std::vector<catalog::Share>& shares) {
  json::array list;
  for (const catalog::Share& share : shares) {
    const planner::PolicyNode* node = policy.find(share.path);
    const bool stands =
        share.state == catalog::ShareState::kDurable && share.generation == object.generation;
    if (stands && node != nullptr && !node->is_leaf()) list.emplace_back(share.path.text());
  }
  return list;
}

json::object scheme_json(const std::string& cut, const sharing::Scheme& scheme) {
  return {{"cut", cut}, {"scheme", scheme.text()}, {"text", scheme_text(scheme)}};
}

// What holds against any computer, for the cut of the object itself.
json::array information_theoretic(const json::array& schemes) {
  json::array list;
  for (const auto& scheme : schemes) {
    const auto& fields = scheme.as_object();
    const std::string cut(fields.at("cut").as_string());
    list.emplace_back(
        (cut == "object" ? "shares of the object, " : "parts of share " + cut + ", ") +
        std::string(fields.at("text").as_string()) + " (given uniform random numbers)");
  }
  list.emplace_back(
      "what travels between sites is under one-time pad with one-time tags (given uniform key)");
  list.emplace_back("every restored chunk is checked by a universal hash whose key is on the card");
  return list;
}

}  // namespace

json::array schemes_json(const std::string& policy) {
  const auto tree = planner::parse_policy(policy);
  if (!tree) return {};
  json::array list = {scheme_json("object", tree->scheme)};
  for (const auto& [path, node] : planner::share_paths(*tree)) {
    if (!node->is_leaf()) list.push_back(scheme_json(path.text(), node->scheme));
  }
  return list;
}

Result<json::value> shares_json(catalog::Catalog& catalog, const ObjectId& object) {
  TRY_ASSIGN(const auto shares, catalog.list_shares(object));
  json::array list;
  for (const auto& share : shares) list.push_back(share_json(share));
  return json::value(std::move(list));
}

Result<json::value> explain_json(control::SiteContext& site, catalog::Catalog& catalog,
                                 const ObjectId& id) {
  TRY_ASSIGN(const catalog::Object object, catalog.object(id));
  TRY_ASSIGN(const auto shares, catalog.list_shares(id));
  TRY_ASSIGN(const auto uses, catalog.link_use_of_object(id));
  std::set<std::string> origins;
  keypool::Entropy random;
  for (const auto& share : shares) {
    const control::Protections protections = protections_of(share);
    origins.merge(origins_of(protections));
    random.add(protections.entropy);
  }
  TRY_ASSIGN(json::value share_list, shares_json(catalog, id));
  json::array computational_list = computational(origins, random);
  TRY(add_computational_consents(catalog, id, computational_list));
  TRY_ASSIGN(json::array seen, seen_json(catalog, object));
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(object.policy));
  const bool staged = object.state == catalog::ObjectState::kStoring;
  return json::value{{"object", id.text()},
                     {"person", object.person_id},
                     {"label", object.label},
                     {"bytes", object.length},
                     {"state", catalog::state_name(object.state)},
                     {"generation", object.generation},
                     {"policy", object.policy},
                     {"schemes", schemes_json(object.policy)},
                     {"control_site", site.config.name.text()},
                     {"shares", std::move(share_list)},
                     {"uncut", uncut_json(policy, object, shares)},
                     {"simulated", simulated(origins)},
                     {"computational", std::move(computational_list)},
                     {"information_theoretic", information_theoretic(schemes_json(object.policy))},
                     {"relayed", relayed(shares)},
                     {"seen", std::move(seen)},
                     {"key_spent", key_spent(uses)},
                     {"card_record", control::record_place(site, catalog, object)},
                     {"staging", staged ? "sealed, until the object is committed" : "erased"}};
}

}  // namespace warifu::api
