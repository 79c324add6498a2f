// What a relocation looks at, and the orders that follow from a plan.
#include <algorithm>

#include <boost/json.hpp>

#include "control/consent_desk.h"
#include "control/exposure_ledger.h"
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
  RepairOutlook outlook;
  TRY_ASSIGN(outlook.tree, control::ShareTree::read(engine.catalog(), object));
  if (outlook.tree.object.state != catalog::ObjectState::kCommitted) {
    return fail(Code::kInvalidArgument, "object " + object.text() + " is not stored");
  }
  TRY_ASSIGN(outlook.others, control::locate_shares(engine.catalog(), object));
  const auto own = std::ranges::find(outlook.others, share, &control::ShareLocation::share);
  if (own == outlook.others.end()) {
    return fail(Code::kInvalidArgument,
                "share " + share.text() + " of object " + object.text() + " is not in use");
  }
  outlook.share = *own;
  outlook.others.erase(own);
  outlook.view = control::look_at_network(engine.site(), engine.own());
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
  std::vector<SiteName> places = resting_places(now, share);
  if (wish.target)
    std::erase_if(places, [&](const SiteName& site) { return site != *wish.target; });
  if (!wish.repair) std::erase(places, share.site);
  std::optional<RepairPlan> best;
  Error why{Code::kRefused, wish.target
                                ? wish.target->text() + " may not hold share " + share.letter
                                : "no site may hold share " + share.letter};
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
  for (const auto& [site, text] : view.missing) why.message += "; " + text;
  // With every site there it cannot be done; otherwise a site may come back.
  if (!view.missing.empty()) why.code = Code::kUnavailable;
  return std::unexpected(why);
}

namespace {

std::vector<sharing::ShareIndex> parts_of(const SumOfParts& sum, sharing::ShareIndex top) {
  std::vector<sharing::ShareIndex> parts;
  for (const PartWay& part : sum.parts) {
    if (part.at.nested && part.at.top == top) {
      parts.push_back(static_cast<sharing::ShareIndex>(part.at.part));
    }
  }
  return parts;
}

std::uint8_t place_in(const std::vector<sharing::ShareIndex>& shares, sharing::ShareIndex own) {
  return static_cast<std::uint8_t>(std::ranges::find(shares, own) - shares.begin());
}

RepairStep step_of(const SumOfParts& sum, const control::PolicyNode& policy, const PartWay& part) {
  RepairStep step;
  sharing::ShareIndex own = part.at.top;
  if (sum.made.nested) {
    step.helpers.scheme = policy.children[static_cast<std::size_t>(sum.made.top)].scheme;
    step.helpers.shares = parts_of(sum, sum.made.top);
    step.lost = static_cast<sharing::ShareIndex>(sum.made.part);
    own = static_cast<sharing::ShareIndex>(part.at.part);
  } else {
    step.helpers.scheme = policy.scheme;
    for (const PartWay& each : sum.parts) {
      const auto& shares = step.helpers.shares;
      if (std::ranges::find(shares, each.at.top) == shares.end()) {
        step.helpers.shares.push_back(each.at.top);
      }
    }
    step.lost = sum.made.top;
  }
  step.helpers.own = place_in(step.helpers.shares, own);
  return step;
}

}  // namespace

std::vector<PartOrder> orders_of(const SumOfParts& sum, const control::PolicyNode& policy,
                                 const Relocation& relocation, const JobId& session,
                                 std::uint64_t first) {
  std::vector<PartOrder> orders;
  for (std::size_t i = 0; i < sum.parts.size(); ++i) {
    const PartWay& part = sum.parts[i];
    PartOrder order{.session = session,
                    .share = part.at.share,
                    .made = relocation.new_share,
                    .to = sum.made.site,
                    .first_chunk = first,
                    .join = {},
                    .repair = {},
                    .before = {},
                    .after = {}};
    if (relocation.repair) {
      order.repair = step_of(sum, policy, part);
      if (part.at.nested && !sum.made.nested) {
        Place join{.scheme = policy.children[static_cast<std::size_t>(part.at.top)].scheme,
                   .shares = parts_of(sum, part.at.top)};
        join.own = place_in(join.shares, static_cast<sharing::ShareIndex>(part.at.part));
        order.join = std::move(join);
      }
      if (i > 0) order.before = sum.parts[i - 1].at.site;
      if (i + 1 < sum.parts.size()) order.after = sum.parts[i + 1].at.site;
    }
    orders.push_back(std::move(order));
  }
  return orders;
}

}  // namespace warifu::upkeep
