// What a relocation looks at, and the orders that follow from a plan.
#include <algorithm>

#include <boost/json.hpp>

#include "control/consent_desk.h"
#include "control/exposure_ledger.h"
#include "upkeep/refresh_plan.h"
#include "upkeep/relocation_job.h"

namespace warifu::upkeep {

namespace json = boost::json;

std::string Relocation::text() const {
  json::object plan = {{"old", old_share.text()},
                       {"new", new_share.text()},
                       {"repair", repair},
                       {"target", target ? json::value(target->text()) : json::value(nullptr)}};
  return json::serialize(plan);
}

Result<Relocation> Relocation::parse(const std::string& text) {
  json::error_code bad;
  const json::value value = json::parse(text, bad);
  const auto* plan = bad ? nullptr : value.if_object();
  const auto word = [&](const char* name) {
    const auto* found = plan == nullptr ? nullptr : plan->if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
  };
  const auto* repair = plan == nullptr ? nullptr : plan->if_contains("repair");
  if (repair == nullptr || !repair->is_bool()) {
    return fail(Code::kCorrupt, "the plan of a relocation in the catalog cannot be read");
  }
  Relocation relocation{
      .old_share = {}, .new_share = {}, .target = {}, .repair = repair->get_bool()};
  TRY_ASSIGN(relocation.old_share, ShareId::parse(word("old")));
  TRY_ASSIGN(relocation.new_share, ShareId::parse(word("new")));
  if (!word("target").empty()) {
    TRY_ASSIGN(const SiteName target, SiteName::parse(word("target")));
    relocation.target = target;
  }
  return relocation;
}

Result<RepairOutlook> RepairOutlook::look(control::JobEngine& engine, const ObjectId& object,
                                          const ShareId& share) {
  return look(engine, object, share, control::look_at_network(engine.site(), engine.own()));
}

Result<RepairOutlook> RepairOutlook::look(control::JobEngine& engine, const ObjectId& object,
                                          const ShareId& share, control::NetworkView view) {
  RepairOutlook outlook;
  TRY_ASSIGN(outlook.tree, control::ShareTree::read(engine.catalog(), object));
  if (outlook.tree.object.state != catalog::ObjectState::kCommitted) {
    return fail(Code::kInvalidArgument, "object " + object.text() + " is not stored");
  }
  TRY_ASSIGN(outlook.others, control::locate_shares(engine.catalog(), object));
  const auto own = std::ranges::find(outlook.others, share, &planner::ShareLocation::share);
  if (own == outlook.others.end()) {
    return fail(Code::kInvalidArgument,
                "share " + share.text() + " of object " + object.text() + " is not in use");
  }
  outlook.share = *own;
  outlook.others.erase(own);
  outlook.view = std::move(view);
  TRY_ASSIGN(outlook.seen, control::exposure_of(engine.catalog(), object));
  return outlook;
}

RepairField RepairOutlook::field() const {
  return {.policy = tree.policy,
          .shares = others,
          .snapshot = view.snapshot,
          .records = sharing::RecordLayout(tree.chunking()),
          .seen = seen};
}

Result<RepairPlan> RepairOutlook::plan(const Relocation& wish) const {
  const RepairField now = field();
  std::vector<std::string> closed;
  std::vector<SiteName> places = resting_places(now, share, &closed);
  // The ways of parts that are still to be cut begin where the share is.
  const bool is_to_be_cut = tree.is_to_be_cut(share.share);
  if (is_to_be_cut) std::erase_if(places, [&](const SiteName& site) { return site != share.site; });
  if (wish.target)
    std::erase_if(places, [&](const SiteName& site) { return site != *wish.target; });
  if (!wish.repair) std::erase(places, share.site);
  for (const SiteName& site : refused) {
    if (std::erase(places, site) > 0) {
      closed.push_back(site.text() + " had another share of the object from its holders before");
    }
  }
  std::optional<RepairPlan> best;
  Error why{Code::kRefused, wish.target
                                ? wish.target->text() + " may not hold share " + share.letter()
                                : "no site may hold share " + share.letter()};
  for (const SiteName& place : places) {
    auto plan = wish.repair ? plan_repair(now, share, place) : plan_move(now, share, place);
    if (!plan) {
      why = plan.error();
      continue;
    }
    if (!best || plan->price < best->price) best = std::move(*plan);
    if (wish.repair && place == share.site) break;  // where it was, nobody else comes to see it
  }
  if (best) return std::move(*best);
  if (is_to_be_cut) why.message += "; it is still to be cut at " + share.site.text();
  for (const std::string& text : closed) why.message += "; " + text;
  for (const auto& [site, text] : view.missing) why.message += "; " + text.message;
  // With every site there it cannot be done; otherwise a site may come back.
  if (!view.missing.empty()) why.code = Code::kUnavailable;
  return std::unexpected(why);
}

std::vector<PartOrder> orders_of(const SumOfParts& sum, const JobId& session, std::uint64_t first) {
  Making making{.session = session,
                .made = sum.made.path,
                .to = sum.made.site,
                .first_chunk = first,
                .chain = {}};
  for (const PartWay& part : sum.parts) making.chain.push_back({part.at.site, part.at.path});
  std::vector<PartOrder> orders;
  for (std::size_t i = 0; i < sum.parts.size(); ++i) {
    orders.push_back({sum.parts[i].at.share, static_cast<std::uint8_t>(i), making});
  }
  return orders;
}

}  // namespace warifu::upkeep
