// The work on a tree, one cut after the other.
#include "control/recut.h"

#include <algorithm>

#include "control/key_account.h"
#include "control/reshare.h"
#include "control/share_facts.h"

namespace warifu::control {

using catalog::ShareState;

bool is_cutting_again(const catalog::Job& job) {
  if (job.kind == catalog::JobKind::kReshare) return true;
  return job.kind == catalog::JobKind::kStore && job.step == kRecutStep;
}

bool is_within_any(const sharing::SharePath& share, const std::vector<sharing::SharePath>& places) {
  return places.empty() || std::ranges::any_of(places, [&](const sharing::SharePath& place) {
           return share.is_within(place);
         });
}

Result<> Recut::run(const std::vector<sharing::SharePath>& places) {
  places_ = places;
  // Shares are listed level by level; what is cut on one is durable when the next one's turn comes.
  for (std::size_t i = 0; i < tree_.shares.size(); ++i) {
    TRY_ASSIGN(tree_.shares, engine_.catalog().list_shares(tree_.object.object));
    if (i >= tree_.shares.size()) break;
    const catalog::Share& share = tree_.shares[i];
    if (is_within_any(share.path, places_) && !tree_.nested_of(share.share).empty() &&
        share.state != ShareState::kDeleted) {
      TRY(cut(catalog::Share(share)));
    }
  }
  return {};
}

Result<> Recut::cut(const catalog::Share& whole) {
  catalog::Catalog& catalog = engine_.catalog();
  if (whole.state == ShareState::kDeletePending && !tree_.stands(whole)) {
    return {};  // replaced, with what was to be made of it: whoever did that has it deleted
  }
  if (whole.state == ShareState::kDurable) {
    std::vector<catalog::Share> parts = tree_.nested_of(whole.share);
    std::erase_if(parts, [](const catalog::Share& part) {  // what was planned before
      return part.state >= ShareState::kDeletePending;
    });
    if (parts.empty()) return {};  // given up: it stays whole
    for (const auto& part : parts) {
      TRY(catalog.set_share_state(part.share, ShareState::kWriting));
    }
    const auto report = order(whole, parts);
    if (!report && report.error().code == Code::kAlreadyExists) {
      return std::unexpected(plan_anew(whole));
    }
    if (!report) return std::unexpected(report.error());
    TRY(note(parts, *report));
    // Who is silent has acknowledged its part; who says that it has lost it since is believed.
    const auto present = check_present(engine_.site(), parts);
    if (!present && present.error().code == Code::kCorrupt) {
      return std::unexpected(plan_anew(whole));
    }
    std::vector<ShareId> ids;
    for (const auto& part : parts) ids.push_back(part.share);
    TRY(catalog.move_location(whole.share, ids));
  }
  return engine_.delete_for_good(whole);
}

// Some are permanent, another one is not whole any more: they cannot be cut on. Why the job waits.
Error Recut::plan_anew(const catalog::Share& whole) {
  os::Random& random = engine_.site().system.random;
  const auto planned = engine_.catalog().replace_parts(
      whole.share, tree_.parts_anew(whole.share, whole.share, random));
  if (!planned) return planned.error();
  return {Code::kUnavailable, "a part of share " + whole.path.text() +
                                  " was lost before all were permanent; all are cut anew"};
}

Result<ReshareRequest> Recut::request_for(const catalog::Share& whole,
                                          const std::vector<catalog::Share>& parts) const {
  ReshareRequest request{.share = whole.share};
  for (const auto& part : parts) {
    TRY_ASSIGN(planner::Route route, parse_route(part.route));
    request.targets.push_back({part.last_site, tree_.spec_of(part), std::move(route)});
  }
  for (const auto& share : tree_.shares) {
    if (share.route.empty()) continue;  // found by a rebuild: its holder supposes the usual way
    TRY_ASSIGN(planner::Route route, parse_route(share.route));
    const bool stands = share.state < ShareState::kDeletePending;
    if (stands) {  // it counts before what was replaced
      request.travelled.insert_or_assign(share.path, std::move(route));
    } else {
      request.travelled.try_emplace(share.path, std::move(route));
    }
  }
  return request;
}

// What was made on the levels above, and of shares that were cut earlier.
std::uint64_t Recut::bytes_before(const catalog::Share& part) const {
  const auto turn = [](const catalog::Share& of) { return std::pair(of.path.size(), of.path); };
  std::uint64_t bytes = 0;
  for (const auto& share : tree_.shares) {
    const bool counts = !share.path.is_top() && is_within_any(share.path.parent(), places_) &&
                        (share.state < ShareState::kDeletePending || tree_.stands(share));
    if (counts && turn(share) < turn(part)) bytes += share.bytes;
  }
  return bytes;
}

Result<CutReport> Recut::order(const catalog::Share& whole,
                               const std::vector<catalog::Share>& parts) {
  SiteContext& site = engine_.site();
  TRY_ASSIGN(const ReshareRequest request, request_for(whole, parts));
  const std::uint64_t before = bytes_before(parts.front());
  const sharing::RecordLayout records = tree_.records_of(parts.front());
  // False when it must stop.
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    if (total == 0) return watch_.keep_waiting();
    return watch_.progress(before + records.lengths({0}, done) * parts.size());
  };
  if (whole.last_site == site.config.name) {
    return reshare(site, engine_.own().uploads(), request, job_id_,
                   {[&](std::uint64_t done, std::uint64_t total) -> Result<> {
                      if (progress(done, total)) return {};
                      return fail(Code::kCancelled, "the job is interrupted");
                    },
                    watch_.keep_waiting});
  }
  TRY_ASSIGN(channel::Call call, site.caller.start({.to = whole.last_site,
                                                    .method = number(Method::kReshare),
                                                    .job = job_id_,
                                                    .body = encode(request)}));
  TRY_ASSIGN(const channel::Reply reply, call.reply([&](std::uint64_t done, std::uint64_t total) {
    if (!progress(done, total)) call.cancel();  // reply() fails then
  }));
  return decode_cut_report(reply.body);
}

// How the shares of one cut came to be, beside each of them.
Result<> Recut::note(const std::vector<catalog::Share>& parts, const CutReport& report) {
  for (const auto& part : parts) {
    TRY(engine_.catalog().set_share_travel(
        part.share, part.route,
        protections_json(
            {.drawn = report.is_drawn(part.path.index()), .entropy = report.entropy})));
  }
  return {};
}

Result<> lease_ways(JobEngine& engine, const catalog::Job& job,
                    const std::vector<catalog::Share>& shares) {
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes;
  for (const auto& share : shares) {
    if (share.state != ShareState::kPlanned && share.state != ShareState::kWriting) continue;
    TRY_ASSIGN(const planner::Route route, parse_route(share.route));
    for (std::size_t i = 0; i + 1 < route.size(); ++i) {
      bytes[{route[i], route[i + 1]}] += share.bytes;
    }
  }
  return lease_key(engine.site(), job.job, job.priority, bytes);
}

Result<> account_ways(JobEngine& engine, const JobId& job, const ShareTree& tree,
                      const std::vector<catalog::Share>& shares) {
  const NetworkView view = look_at_network(engine.site(), engine.own());
  TRY_ASSIGN(const auto booked, engine.catalog().link_use_of_job(job));
  for (const auto& share : shares) {
    if (share.route.empty()) continue;
    TRY_ASSIGN(const planner::Route route, parse_route(share.route));
    TRY_ASSIGN(Protections protections, parse_protections(share.protections));
    protections.hops = hops_of(route, view.snapshot);
    TRY(engine.catalog().set_share_travel(share.share, share.route, protections_json(protections)));
    if (!booked.empty()) continue;  // by a run that a crash cut short
    TRY(record_route_use(engine.catalog(), job, route, view.snapshot,
                         bulk_use(tree.records_of(share), 0, tree.chunking().chunk_count())));
  }
  return {};
}

}  // namespace warifu::control
