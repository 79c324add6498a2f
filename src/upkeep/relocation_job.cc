// Steps of a relocation; what it looks at is in outlook.cc.
#include "upkeep/relocation_job.h"

#include <algorithm>

#include "base/log.h"
#include "control/exposure_ledger.h"
#include "control/key_account.h"

namespace warifu::upkeep {
namespace {

using catalog::JobState;

// A request without data to a site, or to this one.
template <typename Here>
Result<> ask(control::SiteContext& site, const SiteName& to, Method method, Bytes body, Here here) {
  if (to == site.config.name) return here();
  TRY(site.caller.ask(to, number(method), std::move(body)));
  return {};
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
  TRY(load_job());
  TRY_ASSIGN(relocation_, Relocation::parse(job_.plan));
  const auto fresh = engine_.catalog().share(relocation_.new_share);
  if (!fresh && fresh.error().code == Code::kNotFound) return {};
  if (!fresh) return std::unexpected(fresh.error());
  if (fresh->state < catalog::ShareState::kDeletePending) return {};
  // A crash came between the record of the share and that of this job.
  return fail(Code::kRefused,
              job_.error.empty() ? "it was given up before the site stopped" : job_.error);
}

Result<> RelocationJob::plan() {
  if (!relocation_.target) {
    TRY_ASSIGN(RepairOutlook outlook,
               RepairOutlook::look(engine_, *job_.object, relocation_.old_share));
    while (!relocation_.target) {
      TRY_ASSIGN(const RepairPlan plan, outlook.plan(relocation_));
      const SiteName& place = plan.sum.made.site;
      if (const auto agreed = ask_holders(outlook, place); agreed) {
        relocation_.target = place;
      } else {
        log_info("not to " + place.text() + ": " + agreed.error().message);
        outlook.refused.insert(place);
      }
    }
    TRY(save_plan(relocation_.text()));
  }
  return save(JobState::kRunning, "take");
}

Result<> RelocationJob::ask_holders(const RepairOutlook& outlook, const SiteName& target) {
  const MayRequest request{*job_.object, outlook.share.path, target};
  std::vector<SiteName> holders;
  for (const planner::ShareLocation& share : outlook.others) holders.push_back(share.site);
  if (!relocation_.repair) holders.push_back(outlook.share.site);
  for (const SiteName& holder : holders) {
    const auto answer = ask(engine_.site(), holder, Method::kMay, encode(request),
                            [&] { return parts_.giver.may(request); });
    // Who is silent is asked again by whoever gives.
    if (!answer && answer.error().code == Code::kRefused) return answer;
  }
  return {};
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

Result<> RelocationJob::take() {
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(const RepairOutlook outlook,
             RepairOutlook::look(engine_, *job_.object, relocation_.old_share));
  const catalog::Share fresh = fresh_share(outlook.tree);
  TRY_ASSIGN(const control::PreparedShare prepared,
             control::prepare_share(site, engine_.own().uploads(), fresh.last_site,
                                    outlook.tree.spec_of(fresh)));
  const std::uint64_t first = prepared.durable_chunks;
  const sharing::RecordLayout records = outlook.tree.records_of(fresh);
  job_.total_bytes = fresh.bytes;
  if (first < records.count()) {
    TRY_ASSIGN(const RepairPlan plan, outlook.plan(relocation_));
    TRY(engine_.catalog().add_sightings(*job_.object, job_id_,
                                        control::sightings_of(views_of(plan.sum)),
                                        control::sightings_of(outlook.seen)));
    TRY(control::lease_key(site, job_id_, job_.priority, plan.bytes_by_edge));
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
      fetched = fail(Code::kUnavailable, fetched.error().message, fetched.error().reason);
    }
    TRY(fetched);
  }
  job_.progress_bytes = job_.total_bytes;
  return save(JobState::kRunning, "settle");
}

Result<> RelocationJob::fetch(const TakeRequest& request) {
  control::SiteContext& site = engine_.site();
  if (*relocation_.target == site.config.name) {
    return parts_.taker.take(request, site.config.name, job_id_,
                             [&](std::uint64_t done, std::uint64_t total) -> Result<> {
                               if (must_stop_at(done)) return fail(Code::kCancelled, "interrupted");
                               show_part(done, total);
                               return {};
                             });
  }
  TRY_ASSIGN(channel::Call call, site.caller.start({.to = *relocation_.target,
                                                    .method = number(Method::kTake),
                                                    .job = job_id_,
                                                    .body = encode(request)}));
  TRY(call.reply([&](std::uint64_t done, std::uint64_t total) {
    if (must_stop_at(done)) call.cancel();  // reply() fails then
    show_part(done, total);
  }));
  return {};
}

Result<> RelocationJob::settle() {
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(const control::ShareTree tree,
             control::ShareTree::read(engine_.catalog(), *job_.object));
  // A crash came behind the location record: what its site has lost since is another repair's.
  if (is_committed()) return save(JobState::kRunning, "tell");
  catalog::Share fresh = fresh_share(tree);
  const auto old = std::ranges::find(tree.shares, relocation_.old_share, &catalog::Share::share);
  TRY_ASSIGN(control::Protections protections, control::parse_protections(old->protections));
  const control::CommitRequest commit{.share = fresh.share,
                                      .siblings = control::siblings_of(tree.cut_around(fresh)),
                                      .entropy = protections.entropy};
  TRY(control::commit_share(site, engine_.own().uploads(), fresh.last_site, commit));
  protections.drawn = false;
  // Every link that carried or masked a part, over all attempts.
  TRY_ASSIGN(const auto uses, engine_.catalog().link_use_of_job(job_id_));
  protections.hops = control::hops_of(uses);
  fresh.route = planner::route_text({fresh.last_site});
  fresh.protections = control::protections_json(protections);
  TRY(engine_.catalog().replace_share(
      relocation_.old_share, fresh,
      tree.parts_anew(relocation_.old_share, fresh.share, site.system.random)));
  return save(JobState::kRunning, "tell");
}

Result<> RelocationJob::tell() {
  TRY_ASSIGN(const control::ShareTree tree,
             control::ShareTree::read(engine_.catalog(), *job_.object));
  const catalog::Share fresh = fresh_share(tree);
  for (const catalog::Share& share : tree.cut_around(fresh)) {
    if (share.share == fresh.share || share.state != catalog::ShareState::kDurable) continue;
    const SiblingNews news{
        share.share,
        {static_cast<sharing::ShareIndex>(fresh.path.index()), fresh.share, fresh.last_site}};
    const auto told = ask(engine_.site(), share.last_site, Method::kNews, encode(news),
                          [&] { return parts_.taker.hear(news); });
    // A share that is gone itself, or damaged, hears of it when it is repaired: which waits for the
    // end of this job, so this one must not wait for that.
    const bool is_lost =
        !told && (told.error().code == Code::kNotFound || told.error().code == Code::kCorrupt);
    if (!told && !is_lost) return told;
  }
  return save(JobState::kRunning, "delete");
}

Result<> RelocationJob::remove_old() {
  TRY_ASSIGN(const catalog::Share old, engine_.catalog().share(relocation_.old_share));
  if (old.state == catalog::ShareState::kDeleted) return {};
  const auto removed = engine_.delete_for_good(old);
  if (removed || !relocation_.repair) return removed;
  // The site may be gone for good. If it comes back, the sweep of deletions finds it.
  log_warning("share " + old.share.text() + " at " + old.last_site.text() +
              " could not be deleted yet: " + removed.error().message);
  return {};
}

bool RelocationJob::is_committed() const {
  const auto fresh = engine_.catalog().share(relocation_.new_share);
  return fresh ? fresh->state == catalog::ShareState::kDurable
               : fresh.error().code != Code::kNotFound;
}

void RelocationJob::roll_back(const Error& why) {
  if (is_committed()) return note_trouble(why);
  if (const auto kept = take_back(); !kept) return note_trouble(kept.error());
  give_up(why);
}

// What was begun at the new site is deleted there; when it is away, by the sweep of deletions.
Result<> RelocationJob::take_back() {
  if (!relocation_.target) return {};
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const control::ShareTree tree, control::ShareTree::read(catalog, *job_.object));
  catalog::Share begun = fresh_share(tree);
  begun.state = catalog::ShareState::kDeletePending;
  if (const auto known = catalog.share(begun.share); !known) {
    if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
    TRY(catalog.add_shares(std::array{begun}));
  }
  if (const auto removed = engine_.delete_for_good(begun); !removed) {
    log_warning("what was begun of share " + begun.share.text() + " at " + begun.last_site.text() +
                " could not be deleted yet: " + removed.error().message);
  }
  return {};
}

}  // namespace warifu::upkeep
