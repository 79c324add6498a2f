// What a refresh looks at, and its plan in the catalog.
#include <algorithm>
#include <ranges>

#include <boost/json.hpp>

#include "control/consent_desk.h"
#include "control/exposure_ledger.h"
#include "upkeep/refresh_job.h"

namespace warifu::upkeep {

namespace json = boost::json;

namespace {

json::array sites_json(const std::set<SiteName>& sites) {
  json::array names;
  for (const SiteName& site : sites) names.emplace_back(site.text());
  return names;
}

Result<std::set<SiteName>> read_sites(const json::value& names) {
  std::set<SiteName> sites;
  for (const json::value& name : names.as_array()) {
    TRY_ASSIGN(SiteName site, SiteName::parse(name.as_string()));
    sites.insert(std::move(site));
  }
  return sites;
}

Result<RefreshState> read_state(const json::object& plan) {
  RefreshState state;
  state.dealers = plan.at("dealers").to_number<std::size_t>();
  const auto after = plan.at("key_after").to_number<std::int64_t>();
  if (after > 0) state.key_after = os::UnixMs{after};
  state.generation = plan.at("generation").to_number<std::uint32_t>();
  TRY_ASSIGN(state.used, read_sites(plan.at("used")));
  TRY_ASSIGN(state.keepers, read_sites(plan.at("keepers")));
  if (const auto* dealer = plan.at("dealer").if_string()) {
    TRY_ASSIGN(const SiteName site, SiteName::parse(*dealer));
    state.dealer = site;
  }
  for (const json::value& pair : plan.at("shares").as_array()) {
    TRY_ASSIGN(const ShareId old, ShareId::parse(pair.at(0).as_string()));
    TRY_ASSIGN(const ShareId fresh, ShareId::parse(pair.at(1).as_string()));
    state.fresh[old] = fresh;
  }
  for (const json::value& view : plan.at("shown").as_array()) {
    TRY_ASSIGN(const SiteName site, SiteName::parse(view.at(0).as_string()));
    sharing::SharePath path;
    for (const json::value& step : view.as_array() | std::views::drop(1)) {
      if (!step.is_null()) path = path.part(step.to_number<std::size_t>());
    }
    state.shown[site].insert(path);
  }
  state.entropy = plan.at("entropy").to_number<std::uint16_t>();
  state.check = plan.at("check").as_string();
  state.switched = {plan.at("switched").to_number<std::int64_t>()};
  TRY_ASSIGN(state.late, read_sites(plan.at("late")));
  return state;
}

}  // namespace

std::string RefreshState::text() const {
  json::array pairs, views;
  for (const auto& [old, fresh_share] : fresh) {
    pairs.push_back(json::array{old.text(), fresh_share.text()});
  }
  for (const auto& [site, known] : shown) {
    for (const sharing::SharePath& path : known) {
      json::array view{site.text()};
      for (const std::uint8_t step : path.steps()) view.emplace_back(step);
      views.push_back(std::move(view));
    }
  }
  return json::serialize(
      json::object{{"dealers", dealers},
                   {"key_after", key_after ? key_after->value : 0},
                   {"generation", generation},
                   {"used", sites_json(used)},
                   {"dealer", dealer ? json::value(dealer->text()) : json::value(nullptr)},
                   {"shares", std::move(pairs)},
                   {"shown", std::move(views)},
                   {"entropy", entropy},
                   {"check", check},
                   {"keepers", sites_json(keepers)},
                   {"switched", switched.value},
                   {"late", sites_json(late)}});
}

Result<RefreshState> RefreshState::parse(const std::string& text) {
  json::error_code bad;
  const json::value value = json::parse(text, bad);
  try {
    if (!bad) return read_state(value.as_object());
  } catch (const std::exception&) {  // Boost.JSON's own word for a missing or other field
  }
  return fail(Code::kCorrupt, "the plan of a refresh in the catalog cannot be read");
}

void RefreshState::begin_round() {
  generation = 0;
  dealer.reset();
  fresh.clear();
  shown.clear();
  entropy = 0;
}

std::string RefreshState::result() const {
  return json::serialize(json::object{{"generation", generation},
                                      {"dealers", sites_json(used)},
                                      {"audit", check},
                                      {"still_usable_at", sites_json(keepers)},
                                      {"not_deleted_at", sites_json(late)}});
}

Result<RefreshOutlook> RefreshOutlook::look(control::JobEngine& engine, const ObjectId& object) {
  RefreshOutlook outlook;
  TRY_ASSIGN(outlook.tree, control::ShareTree::read(engine.catalog(), object));
  if (outlook.tree.object.state != catalog::ObjectState::kCommitted) {
    return fail(Code::kInvalidArgument, "object " + object.text() + " is not stored");
  }
  TRY_ASSIGN(outlook.shares, control::locate_shares(engine.catalog(), object));
  std::ranges::sort(outlook.shares, {}, &planner::ShareLocation::path);
  std::vector<sharing::SharePath> stand;
  for (const planner::ShareLocation& share : outlook.shares) stand.push_back(share.path);
  if (stand != planner::leaf_paths(outlook.tree.policy)) {
    return fail(Code::kRefused, "object " + object.text() +
                                    " does not stand as its policy says: a share is missing");
  }
  outlook.view = control::look_at_network(engine.site(), engine.own());
  TRY_ASSIGN(outlook.seen, control::exposure_of(engine.catalog(), object));
  return outlook;
}

Result<RefreshPlan> RefreshOutlook::plan(const std::optional<SiteName>& dealer,
                                         const std::set<SiteName>& used) const {
  auto plan = plan_refresh({.policy = tree.policy,
                            .shares = shares,
                            .snapshot = view.snapshot,
                            .records = sharing::RecordLayout(tree.chunking()),
                            .seen = seen},
                           dealer, used);
  if (plan || view.missing.empty()) return plan;
  // With every site there it cannot be done; now a site may come back.
  Error why{Code::kUnavailable, plan.error().message, plan.error().reason};
  for (const auto& [site, text] : view.missing) why.message += "; " + text.message;
  return std::unexpected(why);
}

Result<> check_key_age(control::JobEngine& engine, const ShareRefresher& own,
                       const RefreshPlan& plan, os::UnixMs after) {
  control::SiteContext& site = engine.site();
  for (const auto& [ends, bytes] : plan.bytes_by_edge) {
    std::optional<os::UnixMs> oldest;
    if (ends.first == site.config.name) {
      TRY_ASSIGN(oldest, own.oldest_key(ends.second));
    } else {
      wire::Writer question;
      question.site(ends.second);
      TRY_ASSIGN(const Bytes answer,
                 site.caller.ask(ends.first, number(RefreshMethod::kKeyAge), question.take()));
      wire::Reader reader(answer, "age of key");
      const os::UnixMs said{reader.i64()};
      TRY(reader.finish());
      if (said.value > 0) oldest = said;
    }
    if (!oldest || oldest->value >= after.value) continue;
    return fail(Code::kRefused, "the link from " + ends.first.text() + " to " + ends.second.text() +
                                    " still has key that came in before the given time; a "
                                    "refresh under it would protect nothing");
  }
  return {};
}

}  // namespace warifu::upkeep
