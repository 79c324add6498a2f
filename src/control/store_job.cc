// Planning, committing and finishing of a store job; moving is in store_move.cc.
#include "control/store_job.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/log.h"
#include "control/card_records.h"
#include "control/exposure_ledger.h"
#include "control/key_account.h"
#include "control/plan_json.h"

namespace warifu::control {

std::string staging_path(const config::SiteConfig& config, const JobId& job) {
  return config.data_dir + "/staging/" + job.text();
}

std::string StoreJob::staging_path() const {
  return control::staging_path(engine_.site().config, job_id_);
}

Result<> StoreJob::run() {
  TRY(load());
  if (job_.step == "plan") TRY(plan());
  if (job_.step == "move" || job_.step == "commit" || job_.step == "reshare") {
    TRY(lease_ways(engine_, job_, tree_.shares));
  }
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
      planned_shares({.object = tree_.object.object, .parent = {}, .path = {}, .site = {}},
                     plan.shares, tree_.policy.scheme, records, site.system.random);
  TRY(engine_.catalog().set_job_plan(
      job_id_, boost::json::serialize(advice_json(*advice, tree_.policy, view))));
  for (const auto& share : shares) job_.total_bytes += share.bytes;
  TRY(engine_.catalog().plan_shares(tree_.object.object, job_id_, shares,
                                    sightings_of(plan.shares, view.snapshot.origin), {}));
  TRY_ASSIGN(tree_.shares, engine_.catalog().list_shares(tree_.object.object));
  return save(catalog::JobState::kRunning, "move");
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
  std::uint64_t before = 0;
  for (const auto& share : tree_.top_shares()) before += share.bytes;
  Recut recut(engine_, job_id_, tree_,
              {.progress = [&](std::uint64_t bytes) { return show_bytes(before + bytes); },
               .keep_waiting = [&] { return keep_waiting(); }});
  TRY(recut.run({}));
  return save(catalog::JobState::kRunning, "account");
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

Result<> StoreJob::account() {
  TRY_ASSIGN(tree_.shares, engine_.catalog().list_shares(tree_.object.object));
  TRY(account_ways(engine_, job_id_, tree_, tree_.shares));
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
