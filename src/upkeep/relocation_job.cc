// Steps of a relocation; what it looks at is in outlook.cc.
#include "upkeep/relocation_job.h"

#include <algorithm>
#include <sstream>

#include "base/log.h"
#include "control/exposure_ledger.h"
#include "control/key_account.h"
#include "wire/wire.h"

namespace warifu::upkeep {
namespace {

using catalog::JobState;
constexpr std::chrono::seconds kSaveInterval(1);

// A request without data to a site, or to this one.
template <typename Here>
Result<> ask(control::SiteContext& site, const SiteName& to, Method method, Bytes body, Here here) {
  if (to == site.config.name) return here();
  TRY(site.caller.ask(to, number(method), std::move(body)));
  return {};
}

std::vector<SiteName> all_sites(const control::SiteContext& site) {
  std::vector<SiteName> sites;
  for (const control::SiteEntry& entry : site.config.sites) sites.push_back(entry.name);
  return sites;
}

}  // namespace

Result<> RelocationJob::run() {
  TRY(load());
  if (job_.step == "plan") TRY(plan());
  if (job_.step == "take") TRY(take());
  if (job_.step == "settle") TRY(settle());
  if (job_.step == "tell") TRY(tell());
  if (job_.step == "delete") TRY(remove_old());
  return finish();
}

Result<> RelocationJob::load() {
  TRY_ASSIGN(job_, engine_.catalog().job(job_id_));
  TRY_ASSIGN(relocation_, Relocation::parse(job_.plan));
  return {};
}

Result<> RelocationJob::save(JobState state, const std::string& step) {
  job_.state = state;
  job_.step = step;
  return engine_.catalog().update_job(job_id_, {.state = state,
                                                .step = step,
                                                .progress_bytes = job_.progress_bytes,
                                                .total_bytes = job_.total_bytes,
                                                .error = job_.error,
                                                .result = job_.result,
                                                .updated = engine_.site().system.clock.now(),
                                                .expected_end = job_.expected_end});
}

Result<> RelocationJob::save_plan() {
  job_.plan = relocation_.text();
  return engine_.catalog().set_job_plan(job_id_, job_.plan);
}

void RelocationJob::note_trouble(const Error& why) {
  job_.error = why.message;
  const auto state = why.code == Code::kOutOfKey ? JobState::kWaitingKey : JobState::kRunning;
  if (const auto saved = save(state, job_.step); !saved) log_warning(saved.error().message);
}

void RelocationJob::show_progress(std::uint64_t done, std::uint64_t total) {
  const auto now = engine_.site().system.clock.monotonic();
  if (now - last_saved_ < kSaveInterval || total == 0) return;
  last_saved_ = now;
  job_.progress_bytes = job_.total_bytes / total * done;
  (void)save(JobState::kRunning, job_.step);  // shown to people only
}

Result<> RelocationJob::plan() {
  if (!relocation_.target) {
    TRY_ASSIGN(const RepairOutlook outlook,
               RepairOutlook::look(engine_, *job_.object, relocation_.old_share));
    TRY_ASSIGN(const RepairPlan plan, outlook.plan(relocation_));
    relocation_.target = plan.sum.made.site;
    TRY(save_plan());
  }
  return save(JobState::kRunning, "take");
}

catalog::Share RelocationJob::fresh_share(const control::ShareTree& tree) const {
  const auto old = std::ranges::find(tree.shares, relocation_.old_share, &catalog::Share::share);
  WARIFU_CHECK(old != tree.shares.end());
  catalog::Share fresh = *old;
  fresh.share = relocation_.new_share;
  fresh.site = relocation_.target;
  fresh.last_site = *relocation_.target;
  fresh.state = catalog::ShareState::kDurable;
  return fresh;
}

// Makes the upload at the target, or finds it: this site is the one that announces it either way.
Result<std::uint64_t> RelocationJob::prepare(const control::ShareSpec& spec) {
  control::SiteContext& site = engine_.site();
  if (*relocation_.target == site.config.name) {
    return engine_.own().uploads().prepare(spec, site.config.name);
  }
  TRY_ASSIGN(const Bytes answer,
             site.caller.ask(*relocation_.target, control::number(control::Method::kSharePrepare),
                             encode(spec)));
  wire::Reader reader(answer, "answer to prepare");
  const std::uint64_t durable = reader.u64();
  TRY(reader.finish());
  return durable;
}

Result<> RelocationJob::take() {
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(const RepairOutlook outlook,
             RepairOutlook::look(engine_, *job_.object, relocation_.old_share));
  const catalog::Share fresh = fresh_share(outlook.tree);
  TRY_ASSIGN(const std::uint64_t first, prepare(outlook.tree.spec_of(fresh)));
  const sharing::RecordLayout records = outlook.tree.records_of(fresh);
  job_.total_bytes = fresh.bytes;
  if (first < records.count()) {
    TRY_ASSIGN(const RepairPlan plan, outlook.plan(relocation_));
    TRY(engine_.catalog().add_sightings(*job_.object, job_id_,
                                        control::sightings_of(views_of(plan.sum))));
    TRY(control::lease_key(site, job_id_, plan.bytes_by_edge));
    const auto session = os::random_id<JobId>(site.system.random);
    const std::vector<PartOrder> orders = orders_of(plan.sum, session, first);
    for (std::size_t i = 0; i < orders.size(); ++i) {
      TRY(ask(site, plan.sum.parts[i].at.site, Method::kOrder, encode(orders[i]),
              [&] { return parts_.giver.accept(orders[i]); }));
    }
    TakeRequest request{
        .session = session, .share = relocation_.new_share, .first_chunk = first, .sources = {}};
    for (const PartWay& part : plan.sum.parts) {
      request.sources.push_back({part.at.site, part.route});
      TRY(control::record_route_use(engine_.catalog(), job_id_, part.route, outlook.view.snapshot,
                                    control::bulk_use(records, first, records.count() - first)));
    }
    for (std::size_t i = 0; i + 1 < plan.sum.parts.size(); ++i) {
      TRY(control::record_route_use(
          engine_.catalog(), job_id_, {plan.sum.parts[i].at.site, plan.sum.parts[i + 1].at.site},
          outlook.view.snapshot, control::bulk_use(records, first, records.count() - first)));
    }
    Result<> fetched = fetch(request);
    // Somebody has started anew since, and knows neither order nor upload any more.
    if (!fetched && fetched.error().code == Code::kNotFound) {
      fetched = fail(Code::kUnavailable, fetched.error().message);
    }
    TRY(fetched);
  }
  job_.progress_bytes = job_.total_bytes;
  return save(JobState::kRunning, "settle");
}

Result<> RelocationJob::fetch(const TakeRequest& request) {
  control::SiteContext& site = engine_.site();
  const auto watch = [this](std::uint64_t done, std::uint64_t total) {
    show_progress(done, total);
  };
  if (*relocation_.target == site.config.name) {
    return parts_.taker.take(request, site.config.name, job_id_,
                             [&](std::uint64_t done, std::uint64_t total) -> Result<> {
                               if (engine_.stopping()) return fail(Code::kCancelled, "stopping");
                               watch(done, total);
                               return {};
                             });
  }
  TRY_ASSIGN(channel::Call call, site.caller.start({.to = *relocation_.target,
                                                    .method = number(Method::kTake),
                                                    .job = job_id_,
                                                    .body = encode(request)}));
  TRY(call.reply(watch));
  return {};
}

// Every link that carried or masked a part, over all attempts.
Result<std::vector<control::Protections::Hop>> RelocationJob::hops_of_job() {
  TRY_ASSIGN(const std::vector<catalog::LinkUse> uses, engine_.catalog().link_use_of_job(job_id_));
  std::vector<control::Protections::Hop> hops;
  for (const catalog::LinkUse& use : uses) {
    control::Protections::Hop hop{use.from.text(), use.to.text(), use.link_class, {}};
    std::istringstream origins(use.origin);  // "HARDWARE+PRESHARED"
    for (std::string origin; std::getline(origins, origin, '+');) hop.origins.push_back(origin);
    hops.push_back(std::move(hop));
  }
  return hops;
}

Result<> RelocationJob::settle() {
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(const control::ShareTree tree,
             control::ShareTree::read(engine_.catalog(), *job_.object));
  catalog::Share fresh = fresh_share(tree);
  const auto old = std::ranges::find(tree.shares, relocation_.old_share, &catalog::Share::share);
  TRY_ASSIGN(control::Protections protections, control::parse_protections(old->protections));
  std::vector<catalog::Share> cut;  // with the new share in the place of the old one
  for (const catalog::Share& share : tree.shares) {
    const bool side = share.parent == fresh.parent && share.generation == fresh.generation;
    const bool live = share.state == catalog::ShareState::kDurable || share.parent == std::nullopt;
    if (side && live && share.index != fresh.index &&
        share.state != catalog::ShareState::kDeleted) {
      cut.push_back(share);
    }
  }
  cut.push_back(fresh);
  std::ranges::sort(cut, {}, &catalog::Share::index);
  const control::CommitRequest commit{
      .share = fresh.share, .siblings = control::siblings_of(cut), .entropy = protections.entropy};
  if (fresh.last_site == site.config.name) {
    TRY(engine_.own().uploads().commit(commit, site.config.name));
  } else {
    TRY(site.caller.ask(fresh.last_site, control::number(control::Method::kShareCommit),
                        encode(commit)));
  }
  protections.drawn = false;
  TRY_ASSIGN(protections.hops, hops_of_job());
  fresh.route = control::route_text({fresh.last_site});
  fresh.protections = control::protections_json(protections);
  TRY(engine_.catalog().replace_share(relocation_.old_share, fresh));
  return save(JobState::kRunning, "tell");
}

Result<> RelocationJob::tell() {
  TRY_ASSIGN(const control::ShareTree tree,
             control::ShareTree::read(engine_.catalog(), *job_.object));
  const catalog::Share fresh = fresh_share(tree);
  for (const catalog::Share& share : tree.shares) {
    const bool side = share.parent == fresh.parent && share.index != fresh.index &&
                      share.state == catalog::ShareState::kDurable;
    if (!side) continue;
    const SiblingNews news{
        share.share, {static_cast<sharing::ShareIndex>(fresh.index), fresh.share, fresh.last_site}};
    const auto told = ask(engine_.site(), share.last_site, Method::kNews, encode(news),
                          [&] { return parts_.taker.hear(news); });
    // A share that is gone itself hears of it when it is repaired.
    if (!told && told.error().code != Code::kNotFound) return told;
  }
  return save(JobState::kRunning, "delete");
}

Result<> RelocationJob::remove_old() {
  TRY_ASSIGN(const catalog::Share old, engine_.catalog().share(relocation_.old_share));
  if (old.state == catalog::ShareState::kDeleted) return {};
  const auto removed = control::delete_share(engine_.site(), engine_.own(), old);
  if (removed) return engine_.catalog().mark_deleted(old.share);
  if (!relocation_.repair) return removed;
  // The site may be gone for good. If it comes back, the sweep of deletions finds it.
  log_warning("share " + old.share.text() + " at " + old.last_site.text() +
              " could not be deleted yet: " + removed.error().message);
  return {};
}

Result<> RelocationJob::finish() {
  control::release_key(engine_.site(), job_id_, all_sites(engine_.site()));
  job_.error.clear();
  job_.expected_end.reset();
  return save(JobState::kDone, "done");
}

bool RelocationJob::is_committed() const {
  const auto fresh = engine_.catalog().share(relocation_.new_share);
  return fresh ? fresh->state == catalog::ShareState::kDurable
               : fresh.error().code != Code::kNotFound;
}

void RelocationJob::roll_back(const Error& why) {
  if (is_committed()) return note_trouble(why);
  control::SiteContext& site = engine_.site();
  if (relocation_.target) {
    catalog::Share partial;
    partial.share = relocation_.new_share;
    partial.last_site = *relocation_.target;
    if (const auto removed = control::delete_share(site, engine_.own(), partial); !removed) {
      log_warning("a partial share stays behind: " + removed.error().message);
    }
  }
  control::release_key(site, job_id_, all_sites(site));
  job_.error = why.message;
  job_.expected_end.reset();
  if (const auto saved = save(JobState::kFailed, job_.step); !saved) {
    log_error(saved.error().message);
  }
}

}  // namespace warifu::upkeep
