// Planning, committing and finishing of a store job; moving is in store_move.cc.
#include "control/store_job.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/log.h"
#include "control/card_records.h"
#include "control/exposure_ledger.h"
#include "control/key_account.h"
#include "control/plan_json.h"
#include "control/share_facts.h"

namespace warifu::control {

bool is_cutting_again(const catalog::Job& job) {
  return job.kind == catalog::JobKind::kStore && job.step == "reshare";
}

std::string staging_path(const config::SiteConfig& config, const JobId& job) {
  return config.data_dir + "/staging/" + job.text();
}

std::string StoreJob::staging_path() const {
  return control::staging_path(engine_.site().config, job_id_);
}

Result<> StoreJob::run() {
  TRY(load());
  if (job_.step == "plan") TRY(plan());
  if (job_.step == "move" || job_.step == "commit" || job_.step == "reshare") TRY(lease());
  if (job_.step == "move") TRY(move());
  if (job_.step == "commit") TRY(commit());
  if (job_.step == "move")
    return fail(Code::kUnavailable, "a site lost chunks; sending them again");
  if (job_.step == "reshare") TRY(reshare_all());
  if (job_.step == "account") TRY(account());
  return finish();
}

Result<> StoreJob::load() {
  catalog::Catalog& catalog = engine_.catalog();
  TRY(load_job());
  TRY_ASSIGN(tree_, ShareTree::read(catalog, *job_.object));
  if (tree_.object.state == catalog::ObjectState::kFailed) {
    // A crash came between the object's record and this job's, and the reason is gone with it.
    return fail(Code::kRefused,
                job_.error.empty() ? "the store was given up before the site stopped" : job_.error);
  }
  // They are erased once the card has its record, which may come before the end of the job.
  const bool erased =
      job_.sealed_secret.empty() && tree_.object.state == catalog::ObjectState::kCommitted;
  if (!erased) {
    TRY_ASSIGN(secrets_,
               open_object_secrets(engine_.site().keys.root_key().bytes(), job_.sealed_secret));
  }
  chunking_ = tree_.chunking();
  if (job_.total_bytes == 0) {
    for (const auto& share : tree_.shares) job_.total_bytes += share.bytes;
  }
  started_ = engine_.site().system.clock.monotonic();
  return {};
}

Result<> StoreJob::save_secrets() {
  SiteContext& site = engine_.site();
  return engine_.catalog().set_job_secret(
      job_id_, seal_object_secrets(site.keys.root_key().bytes(), site.system.random, secrets_));
}

// What the card has to keep stays, unless it is safe elsewhere: then nothing may come back.
Result<> StoreJob::forget_staging_key() {
  catalog::Catalog& catalog = engine_.catalog();
  const auto is_safe = [&] { return is_record_safe(engine_.site(), catalog, tree_.object.object); };
  TRY_ASSIGN(const bool before, is_safe());
  if (before) return catalog.set_job_secret(job_id_, {});
  TRY(save_secrets());
  // Whoever confirmed meanwhile has erased what was there before.
  TRY_ASSIGN(const bool behind, is_safe());
  return behind ? catalog.set_job_secret(job_id_, {}) : Result<>();
}

namespace {

// Adds all shares of a cut, each before its parts. `parent`, without an id for the object's own
// cut, is the share that is cut; `cut` its records.
void add_planned(const catalog::Share& parent, const std::vector<planner::ShareTarget>& targets,
                 const sharing::Scheme& scheme, const sharing::RecordLayout& cut,
                 os::Random& random, std::vector<catalog::Share>& shares) {
  const sharing::RecordLayout records = cut.below(scheme);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    catalog::Share share{.share = os::random_id<ShareId>(random),
                         .object = parent.object,
                         .parent = {},
                         .path = parent.path.part(i),
                         .cut_shares = scheme.shares,
                         .generation = 1,
                         .site = targets[i].site,
                         .state = catalog::ShareState::kPlanned,
                         .bytes = records.lengths({0}, records.count()),
                         .route = planner::route_text(targets[i].route)};
    if (!parent.path.is_object()) share.parent = parent.share;
    shares.push_back(share);
    if (!targets[i].nested.empty()) {
      add_planned(share, targets[i].nested, targets[i].cut, records, random, shares);
    }
  }
}

std::vector<catalog::Share> planned_shares(const ObjectId& object,
                                           const planner::PlacementPlan& plan,
                                           const sharing::Scheme& scheme,
                                           const sharing::RecordLayout& records,
                                           os::Random& random) {
  std::vector<catalog::Share> shares;
  add_planned({.object = object, .parent = {}, .path = {}, .site = {}}, plan.shares, scheme,
              records, random, shares);
  return shares;
}

}  // namespace

Result<> StoreJob::plan() {
  SiteContext& site = engine_.site();
  if (!tree_.shares.empty())
    return save(catalog::JobState::kRunning, "move");  // planned before a crash
  const NetworkView view = look_at_network(site, engine_.own());
  const sharing::RecordLayout records(chunking_);
  const auto advice = planner::advise_placement(tree_.policy, view.snapshot, records);
  if (!advice) {
    std::string text = advice.error().message;
    for (const auto& [missing, why] : view.missing) text += "; " + why.message;
    // With every site there, the policy cannot be met; otherwise a site may come back.
    return fail(view.missing.empty() ? advice.error().code : Code::kUnavailable, text,
                advice.error().reason);
  }
  const planner::PlacementPlan& plan = advice->plan;
  const auto shares =
      planned_shares(tree_.object.object, plan, tree_.policy.scheme, records, site.system.random);
  TRY(engine_.catalog().set_job_plan(
      job_id_, boost::json::serialize(advice_json(*advice, tree_.policy, view))));
  for (const auto& share : shares) job_.total_bytes += share.bytes;
  TRY(engine_.catalog().plan_shares(tree_.object.object, job_id_, shares,
                                    sightings_of(plan.shares, view.snapshot.origin)));
  TRY_ASSIGN(tree_.shares, engine_.catalog().list_shares(tree_.object.object));
  return save(catalog::JobState::kRunning, "move");
}

// At every start of a run: leases live in the memory of the sending ends and are lost with it.
Result<> StoreJob::lease() {
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes;
  for (const auto& share : tree_.shares) {
    if (share.state != catalog::ShareState::kPlanned &&
        share.state != catalog::ShareState::kWriting) {
      continue;
    }
    TRY_ASSIGN(const planner::Route route, parse_route(share.route));
    for (std::size_t i = 0; i + 1 < route.size(); ++i) {
      bytes[{route[i], route[i + 1]}] += share.bytes;
    }
  }
  return lease_key(engine_.site(), job_id_, job_.priority, bytes);
}

Result<> StoreJob::commit() {
  SiteContext& site = engine_.site();
  const auto top = tree_.top_shares();
  TRY_ASSIGN(Cutting cutting, prepare_cut());
  if (cutting.first_chunk() != chunking_.chunk_count()) {
    // A site lost what it had acknowledged; the staged file is still here.
    return save(catalog::JobState::kRunning, "move");
  }
  CutReport report = cutting.report();
  if (cut_entropy_) report.entropy = *cut_entropy_;
  TRY(cutting.commit(siblings_of(top), report.entropy));
  for (const auto& share : top) {
    TRY(engine_.catalog().set_share_state(share.share, catalog::ShareState::kDurable));
  }
  TRY(note_cut(top, report));
  TRY(engine_.catalog().commit_object(tree_.object.object, site.system.clock.now()));
  tree_.object.state = catalog::ObjectState::kCommitted;
  // The plaintext has done its work: forget its key, then its file.
  secrets_.staging_key = {};
  TRY(forget_staging_key());
  TRY(save(catalog::JobState::kRunning, "reshare"));
  TRY(erase_staging(site.system, staging_path()));
  return site.log.append("object_committed", {{"object", tree_.object.object.text()}});
}

Result<> StoreJob::reshare_all() {
  TRY(erase_staging(engine_.site().system, staging_path()));  // again, after a crash just before
  // Shares are listed level by level; what is cut on one is durable when the next one's turn comes.
  for (std::size_t i = 0; i < tree_.shares.size(); ++i) {
    TRY_ASSIGN(tree_.shares, engine_.catalog().list_shares(tree_.object.object));
    const catalog::Share& share = tree_.shares[i];
    if (!tree_.nested_of(share.share).empty() && share.state != catalog::ShareState::kDeleted) {
      TRY(reshare_one(share));
    }
  }
  return save(catalog::JobState::kRunning, "account");
}

Result<> StoreJob::reshare_one(const catalog::Share& share) {
  catalog::Catalog& catalog = engine_.catalog();
  const catalog::Share parent = share;
  if (parent.state == catalog::ShareState::kDurable) {
    std::vector<catalog::Share> nested = tree_.nested_of(parent.share);
    std::erase_if(nested, [](const catalog::Share& part) {  // what was planned before
      return part.state >= catalog::ShareState::kDeletePending;
    });
    for (const auto& part : nested) {
      TRY(catalog.set_share_state(part.share, catalog::ShareState::kWriting));
    }
    const auto report = order_reshare(parent, nested);
    if (!report && report.error().code == Code::kAlreadyExists) {
      return std::unexpected(plan_parts_anew(parent));
    }
    if (!report) return std::unexpected(report.error());
    TRY(note_cut(nested, *report));
    // Who is silent has acknowledged its part; who says that it has lost it since is believed.
    const auto present = check_present(engine_.site(), nested);
    if (!present && present.error().code == Code::kCorrupt) {
      return std::unexpected(plan_parts_anew(parent));
    }
    std::vector<ShareId> children;
    for (const auto& part : nested) children.push_back(part.share);
    TRY(catalog.move_location(parent.share, children));
  }
  return engine_.delete_for_good(parent);
}

// Some are permanent, another one is not whole any more: they cannot be cut on. Why the job waits.
Error StoreJob::plan_parts_anew(const catalog::Share& parent) {
  os::Random& random = engine_.site().system.random;
  const auto planned = engine_.catalog().replace_parts(
      parent.share, tree_.parts_anew(parent.share, parent.share, random));
  if (!planned) return planned.error();
  return {Code::kUnavailable, "a part of share " + parent.path.text() +
                                  " was lost before all were permanent; all are cut anew"};
}

Result<CutReport> StoreJob::order_reshare(const catalog::Share& parent,
                                          const std::vector<catalog::Share>& nested) {
  SiteContext& site = engine_.site();
  ReshareRequest request{.share = parent.share};
  for (const auto& share : nested) {
    TRY_ASSIGN(planner::Route route, parse_route(share.route));
    request.targets.push_back({share.last_site, tree_.spec_of(share), std::move(route)});
  }
  std::uint64_t before = 0;  // what was made on the levels above, and of shares cut earlier
  for (const auto& share : tree_.shares) {
    TRY_ASSIGN(planner::Route route, parse_route(share.route));
    const bool stands = share.state < catalog::ShareState::kDeletePending;
    if (stands) {  // it counts before what was replaced
      request.travelled.insert_or_assign(share.path, std::move(route));
    } else {
      request.travelled.try_emplace(share.path, std::move(route));
    }
    const auto turn = [](const catalog::Share& of) { return std::pair(of.path.size(), of.path); };
    if (turn(share) < turn(nested.front())) before += share.bytes;
  }
  const sharing::RecordLayout records = tree_.records_of(nested.front());
  // False when it must stop.
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    const std::uint64_t bytes = before + records.lengths({0}, done) * nested.size();
    if (total == 0) return keep_waiting();
    show_progress(bytes);
    return !must_stop_at(bytes);
  };
  if (parent.last_site == site.config.name) {
    return reshare(site, engine_.own().uploads(), request, job_id_,
                   {[&](std::uint64_t done, std::uint64_t total) -> Result<> {
                      if (progress(done, total)) return {};
                      return fail(Code::kCancelled, "the job is interrupted");
                    },
                    [&] { return keep_waiting(); }});
  }
  TRY_ASSIGN(channel::Call call, site.caller.start({.to = parent.last_site,
                                                    .method = number(Method::kReshare),
                                                    .job = job_id_,
                                                    .body = encode(request)}));
  TRY_ASSIGN(const channel::Reply reply, call.reply([&](std::uint64_t done, std::uint64_t total) {
    if (!progress(done, total)) call.cancel();  // reply() fails then
  }));
  return decode_cut_report(reply.body);
}

// How the shares of one cut came to be, beside each of them.
Result<> StoreJob::note_cut(const std::vector<catalog::Share>& shares, const CutReport& report) {
  for (const auto& share : shares) {
    TRY(engine_.catalog().set_share_travel(
        share.share, share.route,
        protections_json(
            {.drawn = report.is_drawn(share.path.index()), .entropy = report.entropy})));
  }
  return {};
}

// What every share travelled under, and the key that its way has cost.
Result<> StoreJob::account() {
  const NetworkView view = look_at_network(engine_.site(), engine_.own());
  TRY_ASSIGN(const auto booked, engine_.catalog().link_use_of_job(job_id_));
  TRY_ASSIGN(tree_.shares, engine_.catalog().list_shares(tree_.object.object));
  for (const auto& share : tree_.shares) {
    TRY_ASSIGN(const planner::Route route, parse_route(share.route));
    TRY_ASSIGN(Protections protections, parse_protections(share.protections));
    protections.hops = hops_of(route, view.snapshot);
    TRY(engine_.catalog().set_share_travel(share.share, share.route,
                                           protections_json(protections)));
    if (!booked.empty()) continue;  // by a run that a crash cut short
    TRY(record_route_use(engine_.catalog(), job_id_, route, view.snapshot,
                         bulk_use(tree_.records_of(share), 0, chunking_.chunk_count())));
  }
  return save(catalog::JobState::kRunning, "finish");
}

bool StoreJob::is_committed() const {
  const auto now = engine_.catalog().object(tree_.object.object);
  return !now || (now->state != catalog::ObjectState::kStoring &&
                  now->state != catalog::ObjectState::kFailed);
}

void StoreJob::roll_back(const Error& why) {
  if (is_committed()) return note_trouble(why);  // never take back what was acknowledged
  // In the records first, and tried again where they cannot be written: a failed job whose object
  // is not failed would be waited for for ever.
  const auto failed = engine_.catalog().fail_object(tree_.object.object);
  if (!failed) return note_trouble(failed.error());
  (void)engine_.catalog().set_job_secret(job_id_, {});
  (void)erase_staging(engine_.site().system, staging_path());
  for (const auto& share : tree_.shares) {
    if (share.state == catalog::ShareState::kDeleted) continue;
    // Who is away now is asked again by the sweep of deletions.
    const Result<> removed = engine_.delete_for_good(share);
    if (!removed) log_warning("not taken back yet: " + removed.error().message);
  }
  give_up(why);
}

}  // namespace warifu::control
