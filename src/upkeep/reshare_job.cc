// Steps of a re-share; where the parts go is in parts_plan.cc.
#include "upkeep/reshare_job.h"

#include <algorithm>

#include <boost/json.hpp>

namespace warifu::upkeep {

namespace json = boost::json;
using catalog::JobState;
using catalog::ShareState;

std::string ReshareWork::text() const {
  json::array shares;
  for (const sharing::SharePath& place : places) shares.emplace_back(place.text());
  return json::serialize(
      json::object{{"shares", std::move(shares)},
                   {"parts", parts.empty() ? json::array() : json::parse(parts)}});
}

Result<ReshareWork> ReshareWork::parse(const std::string& text) {
  json::error_code bad;
  const json::value value = json::parse(text, bad);
  ReshareWork work;
  try {
    if (!bad) {
      for (const json::value& share : value.at("shares").as_array()) {
        TRY_ASSIGN(const auto place, sharing::SharePath::parse(std::string(share.as_string())));
        work.places.push_back(place);
      }
      const json::array& parts = value.at("parts").as_array();
      if (!parts.empty()) work.parts = json::serialize(parts);
    }
  } catch (const std::exception&) {  // Boost.JSON's own word for a missing or other field
    work.places.clear();
  }
  if (!work.places.empty()) return work;
  return fail(Code::kCorrupt, "the plan of a re-share in the catalog cannot be read");
}

namespace {

void add_parts(const std::vector<planner::ShareTarget>& parts, const sharing::SharePath& cut,
               json::array& list) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    list.push_back({{"share", cut.part(i).text()},
                    {"site", parts[i].site.text()},
                    {"route", planner::route_text(parts[i].route)}});
    add_parts(parts[i].nested, cut.part(i), list);
  }
}

}  // namespace

std::string plan_text(const PartsPlan& plan) {
  json::array cuts;
  for (const PartsPlan::Cut& cut : plan.cuts) {
    json::array parts, reasons;
    add_parts(cut.plan.shares, cut.whole.path, parts);
    for (const std::string& reason : cut.plan.reasons) reasons.emplace_back(reason);
    std::uint64_t key = 0;
    for (const auto& [ends, bytes] : cut.plan.bytes_by_edge) key += bytes;
    cuts.push_back({{"share", cut.whole.path.text()},
                    {"site", cut.whole.last_site.text()},
                    {"parts", std::move(parts)},
                    {"key_bytes", key},
                    {"price", cut.plan.price},
                    {"reasons", std::move(reasons)}});
  }
  return json::serialize(cuts);
}

Result<> ReshareJob::run() {
  TRY(load());
  if (job_.step == "plan") TRY(plan());
  if (job_.step == control::kRecutStep) TRY(cut());
  if (job_.step == "account") TRY(account());
  return finish();
}

Result<> ReshareJob::load() {
  TRY(load_job());
  TRY_ASSIGN(work_, ReshareWork::parse(job_.plan));
  TRY_ASSIGN(tree_, control::ShareTree::read(engine_.catalog(), *job_.object));
  if (job_.step != control::kRecutStep) return {};
  for (const catalog::Share& whole : tree_.uncut()) {
    const bool is_ours = std::ranges::find(work_.places, whole.path) != work_.places.end();
    if (!is_ours || tree_.is_to_be_cut(whole.share)) continue;
    // A crash came between the parts' records and this job's, and the reason is gone with it.
    return fail(Code::kRefused, job_.error.empty() ? "the re-share was given up before the site "
                                                     "stopped"
                                                   : job_.error);
  }
  return {};
}

Result<> ReshareJob::plan() {
  TRY_ASSIGN(PartsPlanner planner,
             PartsPlanner::look(engine_, parts_.giver, *job_.object,
                                control::look_at_network(engine_.site(), engine_.own())));
  TRY_ASSIGN(const PartsPlan plan, planner.plan(work_.places));
  TRY(parts_.alone(*job_.object, job_id_, [&] { return record(planner, plan); }));
  if (!plan.cuts.empty()) work_.parts = plan_text(plan);
  TRY(save_plan(work_.text()));
  TRY_ASSIGN(tree_, control::ShareTree::read(engine_.catalog(), *job_.object));
  return save(JobState::kRunning, control::kRecutStep);
}

// What was planned on is looked at again: a repair may have ended meanwhile.
Result<> ReshareJob::record(const PartsPlanner& planner, const PartsPlan& plan) {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const auto now, catalog.list_shares(*job_.object));
  if (now != planner.tree().shares) {
    return fail(Code::kBusy, "the shares of the object have changed meanwhile; planned again");
  }
  return catalog.plan_shares(*job_.object, job_id_,
                             plan.shares(planner.tree(), engine_.site().system.random),
                             plan.sightings, plan.reckoned);
}

std::vector<catalog::Share> ReshareJob::parts() const {
  std::vector<catalog::Share> parts;
  for (const catalog::Share& share : tree_.shares) {
    if (share.path.is_top() || share.generation != tree_.object.generation) continue;
    if (!control::is_within_any(share.path.parent(), work_.places)) continue;
    if (share.state < ShareState::kDeletePending || tree_.stands(share)) parts.push_back(share);
  }
  return parts;
}

Result<> ReshareJob::cut() {
  job_.total_bytes = 0;
  for (const catalog::Share& part : parts()) job_.total_bytes += part.bytes;
  TRY(control::lease_ways(engine_, job_, parts()));
  control::Recut recut(engine_, job_id_, tree_,
                       {.progress = [&](std::uint64_t bytes) { return show_bytes(bytes); },
                        .keep_waiting = [&] { return keep_waiting(); }});
  TRY(recut.run(work_.places));
  return save(JobState::kRunning, "account");
}

Result<> ReshareJob::account() {
  TRY_ASSIGN(tree_.shares, engine_.catalog().list_shares(*job_.object));
  TRY(control::account_ways(engine_, job_id_, tree_, parts()));
  return save(JobState::kRunning, "finish");
}

bool ReshareJob::is_committed() const {
  if (work_.places.empty()) return false;  // its plan could not be read: it has done nothing
  const auto tree = control::ShareTree::read(engine_.catalog(), *job_.object);
  if (!tree) return true;  // that cannot be told
  return std::ranges::any_of(tree->shares, [&](const catalog::Share& share) {
    return share.state == ShareState::kDurable && !share.path.is_top() &&
           share.generation == tree->object.generation &&
           control::is_within_any(share.path.parent(), work_.places);
  });
}

void ReshareJob::roll_back(const Error& why) {
  if (is_committed()) return note_trouble(why);  // the location has moved: it goes on
  // In the records first, and tried again where they cannot be written. What was begun is deleted
  // by the sweep of deletions.
  const auto given_up = [&]() -> Result<> {
    if (work_.places.empty()) return {};
    TRY_ASSIGN(const auto tree, control::ShareTree::read(engine_.catalog(), *job_.object));
    for (const catalog::Share& whole : tree.uncut()) {
      if (std::ranges::find(work_.places, whole.path) == work_.places.end()) continue;
      TRY(engine_.catalog().give_up_parts(whole.share));
    }
    return {};
  }();
  if (!given_up) return note_trouble(given_up.error());
  give_up(why);
}

}  // namespace warifu::upkeep
