// The dealer of a refresh: cuts zero record by record, its own share of it here, the others on
// lanes.
#include <algorithm>

#include "control/cut_lane.h"
#include "upkeep/part_maker.h"
#include "upkeep/refresh_plan.h"
#include "upkeep/repair_plan.h"
#include "upkeep/share_refresher.h"
#include "upkeep/zero_cut.h"

namespace warifu::upkeep {
namespace {

std::unexpected<Error> refuse(const std::string& why) {
  return fail(Code::kRefused, "the zero shares that are ordered do not fit the object: " + why);
}

// The ways of an order, and who may know the key of their links.
std::vector<ZeroWay> ways_of(const config::SiteConfig& config, const DealOrder& order) {
  std::vector<ZeroWay> ways;
  for (const ZeroTarget& target : order.targets) {
    ZeroWay way{.at = {.path = target.place, .share = {}, .site = target.site},
                .route = target.route};
    way.knowing = config::key_relays(config.links, target.route);
    ways.push_back(std::move(way));
  }
  return ways;
}

// So many as may be given of each cut, among those that end a link with the dealer.
std::vector<bool> choose_drawn(control::SiteContext& site, const planner::PolicyNode& policy,
                               const std::vector<ZeroTarget>& targets) {
  std::vector<bool> drawn(targets.size());
  std::map<sharing::SharePath, std::size_t> left;  // by cut
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const ZeroTarget& target = targets[i];
    const sharing::SharePath cut = target.place.parent();
    left.try_emplace(cut, policy.find(cut)->scheme.privacy());
    const kme::Link* link = target.route.size() == 2 ? site.keys.link_to(target.site) : nullptr;
    drawn[i] =
        left[cut] > 0 && link != nullptr && link->key_becomes_shares(site.config.key_as_share);
    if (drawn[i]) --left[cut];
  }
  return drawn;
}

// As far as a dealer can tell: of whole shares its own share's header says so, of parts the policy.
bool may_hold(const config::SiteConfig& config, const planner::PolicyNode& policy,
              const store::ShareHeader& held, const ZeroTarget& target) {
  if (!target.place.is_top()) return control::may_hold(config, policy, target.place, target.site);
  const auto sibling =
      std::ranges::find(held.siblings, target.place.index(), &store::Sibling::index);
  return sibling != held.siblings.end() && sibling->site == target.site;
}

// What a dealing needs at every record.
struct Table {
  control::SiteContext& site;
  std::vector<bool> drawn;
  std::vector<std::unique_ptr<control::CutLane>> lanes;  // by target
  sharing::RecordLayout object;
  std::uint64_t first = 0;
};

Result<keypool::Entropy> deal_all(Table& table, const ZeroCut& cut,
                                  const std::function<Result<>(std::uint64_t done)>& progress) {
  keypool::Entropy entropy;
  const auto random = [&](MutableBytes out) -> Result<> {
    TRY_ASSIGN(const keypool::Entropy from,
               table.site.keys.random().fill(out, kme::RandomUse::kSharing));
    entropy.add(from);
    return {};
  };
  for (std::uint64_t at = table.first; at < table.object.count(); ++at) {
    std::vector<secret::Buffer> zeros(table.lanes.size());
    for (std::size_t i = 0; i < zeros.size(); ++i) {
      if (!table.drawn[i]) continue;
      TRY_ASSIGN(zeros[i], table.lanes[i]->take());
    }
    TRY(cut.cut({at}, zeros, random));
    std::uint64_t durable = table.object.count();
    for (std::size_t i = 0; i < zeros.size(); ++i) {
      if (!table.drawn[i]) TRY(table.lanes[i]->put(std::move(zeros[i])));
      durable = std::min(durable, table.lanes[i]->durable());
    }
    TRY(progress(table.first + durable));
  }
  for (const auto& lane : table.lanes) {
    TRY(lane->finish());
    entropy.add(lane->entropy());
  }
  return entropy;
}

}  // namespace

Result<> check_deal(const config::SiteConfig& config, const store::ShareHeader& held,
                    const DealOrder& order) {
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(held.policy));
  if (!held.path.is_top()) return refuse("its dealer holds a part of a share only");
  const std::vector<sharing::SharePath> places = planner::leaf_paths(policy);
  if (places.size() != order.targets.size()) return refuse("not every share has a zero share");
  std::set<SiteName> sites;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const ZeroTarget& target = order.targets[i];
    if (target.place != places[i]) return refuse("its places are not those of the policy");
    if (!sites.insert(target.site).second) return refuse("one site stands there twice");
    if (target.route.front() != config.name || target.route.back() != target.site) {
      return refuse("a way does not lead from here to " + target.site.text());
    }
    if (!may_hold(config, policy, held, target)) {
      return refuse(target.site.text() + " does not hold the share of that place");
    }
    const bool is_own = target.place == held.path;
    if (is_own != (target.site == config.name)) return refuse("it names another share as its own");
  }
  return check_zero_views(policy, config.name, ways_of(config, order));
}

Result<keypool::Entropy> ShareRefresher::deal(const DealOrder& order, const JobId& job,
                                              const control::CutWatch& watch) {
  const auto own = std::ranges::find(order.targets, site_.config.name, &ZeroTarget::site);
  if (own == order.targets.end()) return refuse("its dealer holds none of the shares");
  TRY_ASSIGN(const Attempt attempt, attempt_of(own->fresh, order.session, site_.config.name));
  TRY_ASSIGN(const auto held, site_.shares.open(attempt.old));
  const store::ShareHeader& header = held->header();
  if (const auto fits = check_deal(site_.config, header, order); !fits) {
    TRY(site_.log.append("refused", {{"reason", "deal"}, {"share", attempt.old.text()}}));
    return std::unexpected(fits.error());
  }
  TRY(site_.log.append("refresh_dealt", {{"object", header.object.text()},
                                         {"generation", std::to_string(header.generation + 1)}}));
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(header.policy));
  std::mutex watching;  // outlives the lanes, which ask from threads of their own
  Table table{.site = site_,
              .drawn = choose_drawn(site_, policy, order.targets),
              .lanes = {},
              .object = sharing::RecordLayout(
                  sharing::Chunking{{header.object_length}, header.chunk_bytes}),
              .first = order.first_chunk};
  if (table.first >= table.object.count()) {
    return fail(Code::kInvalidArgument, "all records have their zero shares already");
  }
  TRY_ASSIGN(const ZeroCut cut, ZeroCut::make(policy, table.object, table.drawn));
  const auto keep_waiting = [&] {
    const std::lock_guard lock(watching);
    return watch.keep_waiting();
  };
  const auto progress = [&](std::uint64_t done) {
    const std::lock_guard lock(watching);
    return watch.progress(done, table.object.count());
  };
  for (std::size_t i = 0; i < order.targets.size(); ++i) {
    const ZeroTarget& target = order.targets[i];
    if (target.site == site_.config.name) {
      TRY_ASSIGN(auto lane, open_lane(target.fresh, attempt, table.first));
      table.lanes.push_back(std::move(lane));
      continue;
    }
    TRY_ASSIGN(auto lane,
               control::open_remote_lane(
                   site_,
                   {.site = target.site,
                    .route = target.route,
                    .method = number(RefreshMethod::kZeros),
                    .body = encode(ZeroHead{order.session, target.fresh, table.first}),
                    .drawn = table.drawn[i]},
                   {planner::records_at(policy, table.object, target.place), table.first}, job,
                   keep_waiting));
    table.lanes.push_back(std::move(lane));
  }
  const auto entropy = deal_all(table, cut, progress);
  table.lanes.clear();  // their threads end before what they ask does
  return entropy;
}

}  // namespace warifu::upkeep
