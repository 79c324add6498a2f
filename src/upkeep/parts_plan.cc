// Planning, asking, planning again.
#include "upkeep/parts_plan.h"

#include <algorithm>

#include "control/consent_desk.h"
#include "control/exposure_ledger.h"
#include "control/key_account.h"

namespace warifu::upkeep {

std::vector<catalog::Share> PartsPlan::shares(const control::ShareTree& tree,
                                              os::Random& random) const {
  std::vector<catalog::Share> all;
  for (const Cut& cut : cuts) {
    const auto parts = control::planned_shares(cut.whole, cut.plan.shares,
                                               tree.policy.find(cut.whole.path)->scheme,
                                               tree.records_of(cut.whole), random);
    all.insert(all.end(), parts.begin(), parts.end());
  }
  return all;
}

std::map<std::pair<SiteName, SiteName>, std::uint64_t> PartsPlan::bytes_by_edge() const {
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes;
  for (const Cut& cut : cuts) {
    for (const auto& [ends, more] : cut.plan.bytes_by_edge) bytes[ends] += more;
  }
  return bytes;
}

Result<PartsPlanner> PartsPlanner::look(control::JobEngine& engine, const ShareGiver& giver,
                                        const ObjectId& object, control::NetworkView view) {
  PartsPlanner planner(engine, giver, std::move(view));
  TRY_ASSIGN(planner.tree_, control::ShareTree::read(engine.catalog(), object));
  if (planner.tree_.object.state != catalog::ObjectState::kCommitted) {
    return fail(Code::kInvalidArgument, "object " + object.text() + " is not stored");
  }
  TRY_ASSIGN(planner.holders_, control::locate_shares(engine.catalog(), object));
  TRY_ASSIGN(planner.seen_, control::exposure_of(engine.catalog(), object));
  for (const planner::ShareLocation& share : planner.holders_) {
    planner.resting_.push_back({planner.tree_.policy.find(share.path)->number, share.site});
  }
  return planner;
}

// Of shares that a rebuild has found nobody knows how they came.
void PartsPlanner::suppose_ways() {
  const config::SiteConfig& config = engine_.site().config;
  for (const catalog::Share& share : tree_.shares) {
    if (share.state != catalog::ShareState::kDurable || !share.route.empty()) continue;
    SiteName from = config.controller;
    const auto whole = std::ranges::find_if(
        tree_.shares, [&](const catalog::Share& one) { return one.share == share.parent; });
    if (whole != tree_.shares.end()) from = whole->last_site;
    if (from == share.last_site) continue;
    const auto route = config::travel_route(config.links, from, share.last_site);
    for (const SiteName& site : planner::way_along(route)) seen_[site].insert(share.path);
    for (const SiteName& site : config::key_relays(config.links, route)) {
      seen_[site].insert(share.path);
    }
  }
}

Result<std::vector<sharing::SharePath>> PartsPlanner::places(const std::string& letter) const {
  std::vector<sharing::SharePath> places;
  for (const catalog::Share& share : tree_.uncut()) {
    if (letter.empty() || share.path.text() == letter) places.push_back(share.path);
  }
  if (!places.empty()) return places;
  const std::string object = "object " + tree_.object.object.text();
  if (letter.empty()) {
    return fail(Code::kInvalidArgument,
                object + " has no share that stands whole and is to be cut: nothing to do");
  }
  const auto path = sharing::SharePath::parse(letter);
  const planner::PolicyNode* node = path ? tree_.policy.find(*path) : nullptr;
  if (node == nullptr) {
    return fail(Code::kInvalidArgument, object + " has no share '" + letter + "'");
  }
  return fail(Code::kInvalidArgument,
              "share " + letter + " of " + object +
                  (node->is_leaf() ? " is not cut again by the policy"
                                   : " does not stand whole: it was cut, or is lost"));
}

Result<PartsPlan> PartsPlanner::plan(const std::vector<sharing::SharePath>& places) {
  PartsPlan plan;
  plan.reckoned = control::sightings_of(seen_);
  suppose_ways();
  for (const catalog::Share& whole : tree_.uncut()) {
    const bool wanted = std::ranges::find(places, whole.path) != places.end();
    if (!wanted || tree_.is_to_be_cut(whole.share)) continue;
    TRY_ASSIGN(planner::PlacementPlan parts, plan_one(whole));
    const auto sightings = control::sightings_of(parts.shares, view_.snapshot.origin, whole.path);
    for (const catalog::Sighting& one : sightings) seen_[one.site].insert(one.path);
    plan.sightings.insert(plan.sightings.end(), sightings.begin(), sightings.end());
    const auto resting = planner::resting_of(*tree_.policy.find(whole.path), parts.shares);
    resting_.insert(resting_.end(), resting.begin(), resting.end());
    plan.cuts.push_back({whole, std::move(parts)});
  }
  plan.sightings.insert(plan.sightings.end(), told_.begin(), told_.end());
  return plan;
}

Result<planner::PlacementPlan> PartsPlanner::plan_one(const catalog::Share& whole) {
  for (;;) {
    const planner::StandingCut standing{.share = whole.path,
                                        .holder = whole.last_site,
                                        .seen = seen_,
                                        .resting = resting_,
                                        .closed = closed_};
    auto plan = planner::plan_parts(tree_.policy, view_.snapshot,
                                    sharing::RecordLayout(tree_.chunking()), standing);
    if (!plan) {
      Error why = plan.error();
      for (const std::string& text : reasons_) why.message += "; " + text;
      for (const auto& [site, text] : view_.missing) why.message += "; " + text.message;
      // With every site there it cannot be done; otherwise a site may come back.
      if (!view_.missing.empty()) why.code = Code::kUnavailable;
      return std::unexpected(std::move(why));
    }
    TRY_ASSIGN(const bool agreed, agree(whole, plan->shares));
    if (agreed) return plan;
  }
}

namespace {

void list_places(const std::vector<planner::ShareTarget>& parts, const sharing::SharePath& cut,
                 std::vector<std::pair<sharing::SharePath, SiteName>>& places) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    places.emplace_back(cut.part(i), parts[i].site);
    list_places(parts[i].nested, cut.part(i), places);
  }
}

}  // namespace

Result<bool> PartsPlanner::agree(const catalog::Share& whole,
                                 const std::vector<planner::ShareTarget>& parts) {
  if (engine_.stopping()) return fail(Code::kCancelled, "the site stops");
  bool agreed = true;
  for (const auto& [site, views] : planner::views_of(parts, whole.path)) {
    if (site == whole.last_site || !asked_.insert(site).second) continue;
    if (learn(site)) agreed = false;
  }
  if (!agreed) return false;
  std::vector<std::pair<sharing::SharePath, SiteName>> places;
  list_places(parts, whole.path, places);
  for (const auto& [place, site] : places) agreed = may_go(place, site) && agreed;
  return agreed;
}

bool PartsPlanner::learn(const SiteName& at) {
  const auto known = control::sightings_of_object(engine_.site(), engine_.own().sightings(), at,
                                                  tree_.object.object);
  if (!known) {
    exclude(at, at.text() + " does not tell what it knows of the object: " + known.error().message);
    return true;
  }
  bool is_new = false;
  for (const control::NotedSighting& one : *known) {
    if (one.generation != tree_.object.generation) continue;
    if (!seen_[one.site].insert(one.place).second) continue;
    told_.push_back({one.site, one.place});
    is_new = true;
  }
  return is_new;
}

bool PartsPlanner::may_go(const sharing::SharePath& place, const SiteName& to) {
  const MayRequest request{tree_.object.object, place, to};
  std::set<SiteName> asked;
  for (const planner::ShareLocation& holder : holders_) {
    if (!asked.insert(holder.site).second) continue;
    Result<> answer;
    if (holder.site == engine_.site().config.name) {
      answer = giver_.may(request);
    } else if (view_.reaches(holder.site)) {
      const auto told =
          engine_.site().caller.ask(holder.site, number(Method::kMay), encode(request));
      if (!told) answer = std::unexpected(told.error());
    }
    // Who is silent knows of nothing that it gave itself for this.
    if (answer || answer.error().code != Code::kRefused) continue;
    exclude(to, answer.error().message);
    return false;
  }
  return true;
}

void PartsPlanner::exclude(const SiteName& site, const std::string& why) {
  closed_.insert(site);
  reasons_.push_back(why);
}

}  // namespace warifu::upkeep
