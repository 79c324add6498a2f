// Checks, and the start of jobs.
#include "upkeep/upkeep_desk.h"

#include <algorithm>

#include "audit/actor.h"
#include "base/log.h"
#include "control/consent_desk.h"

namespace warifu::upkeep {
namespace {

// Looks at the network for many objects one after the other: one look is enough for a while, every
// job looks again.
class Looks {
 public:
  explicit Looks(control::JobEngine& engine) : engine_(engine) {}
  const control::NetworkView& now() {
    const auto time = engine_.site().system.clock.monotonic();
    if (!view_ || time - looked_ > kLife) {
      view_ = control::look_at_network(engine_.site(), engine_.own());
      looked_ = time;
    }
    return *view_;
  }

 private:
  static constexpr std::chrono::seconds kLife{10};
  control::JobEngine& engine_;
  std::optional<control::NetworkView> view_;
  std::chrono::nanoseconds looked_{0};
};

}  // namespace

std::string_view holding_name(Holding holding) {
  switch (holding) {
    case Holding::kHeld: return "held";
    case Holding::kMissing: return "missing";
    case Holding::kDamaged: return "damaged";
    default: return "unreachable";
  }
}

UpkeepDesk::UpkeepDesk(control::JobEngine& engine, RelocationParts parts,
                       RefreshParts refresh_parts, const AuditDesk& audits,
                       std::function<std::vector<ShareId>()> own_damage)
    : engine_(engine),
      parts_(parts),
      refresh_parts_(refresh_parts),
      audits_(audits),
      own_damage_(std::move(own_damage)),
      sweep_(engine) {
  const auto relocation = [parts](control::JobEngine& of, const JobId& job) {
    return std::make_unique<RelocationJob>(of, parts, job);
  };
  engine.add_kind(catalog::JobKind::kRepair, relocation);
  engine.add_kind(catalog::JobKind::kMove, relocation);
  engine.add_kind(catalog::JobKind::kRefresh,
                  [refresh_parts](control::JobEngine& of, const JobId& job) {
                    return std::make_unique<RefreshJob>(of, refresh_parts, job);
                  });
  const ReshareParts reshare_parts{.giver = parts_.giver,
                                   .alone = [this](const ObjectId& object, const JobId& job,
                                                   const std::function<Result<>()>& change) {
                                     return change_alone(object, job, change);
                                   }};
  engine.add_kind(catalog::JobKind::kReshare,
                  [reshare_parts](control::JobEngine& of, const JobId& job) {
                    return std::make_unique<ReshareJob>(of, reshare_parts, job);
                  });
  const SiteJobParts site_parts{
      .relocate = [this](const ObjectId& object, const planner::ShareLocation& share, bool repair,
                         const control::NetworkView& view) -> Result<JobId> {
        TRY(check_idle(object, repair ? std::optional(share.share) : std::nullopt));
        return relocate_share(object, share, repair, std::nullopt, view);
      },
      .damaged_at = [this](const SiteName& site) { return damaged_at(site); }};
  const auto whole_site = [site_parts](control::JobEngine& of, const JobId& job) {
    return std::make_unique<SiteJob>(of, site_parts, job);
  };
  engine.add_kind(catalog::JobKind::kSiteRepair, whole_site);
  engine.add_kind(catalog::JobKind::kSiteDrain, whole_site);
  engine.add_kind(catalog::JobKind::kDelete, [](control::JobEngine& of, const JobId& job) {
    return std::make_unique<DeleteJob>(of, job);
  });
}

std::set<ShareId> UpkeepDesk::damaged_at(const SiteName& at) {
  control::SiteContext& site = engine_.site();
  std::vector<ShareId> damaged;
  if (at == site.config.name) {
    damaged = own_damage_();
  } else if (const auto answer = site.caller.ask(at, number(AuditMethod::kDamageList), {})) {
    if (auto shares = decode_shares(*answer)) damaged = std::move(*shares);
  }
  return {damaged.begin(), damaged.end()};
}

Result<std::vector<CheckedShare>> UpkeepDesk::check(const ObjectId& object) {
  TRY(engine_.catalog().object(object));
  TRY_ASSIGN(const auto shares, control::locate_shares(engine_.catalog(), object));
  std::vector<CheckedShare> checked;
  for (const planner::ShareLocation& share : shares) {
    const auto held = control::is_held_at(engine_.site(), engine_.own(), share.site, share.share);
    Holding holding = !held ? Holding::kUnreachable : *held ? Holding::kHeld : Holding::kMissing;
    if (held && damaged_at(share.site).contains(share.share)) holding = Holding::kDamaged;
    checked.push_back({share, holding});
  }
  return checked;
}

Result<planner::ShareLocation> UpkeepDesk::find_share(const ObjectId& object,
                                                      const std::string& letter) {
  TRY(engine_.catalog().object(object));
  TRY_ASSIGN(const auto shares, control::locate_shares(engine_.catalog(), object));
  const auto share = std::ranges::find(shares, letter, &planner::ShareLocation::letter);
  if (share != shares.end()) return *share;
  return fail(Code::kInvalidArgument,
              "object " + object.text() + " has no share '" + letter + "' in use");
}

Result<> UpkeepDesk::check_idle(const ObjectId& object, const std::optional<ShareId>& repaired) {
  TRY_ASSIGN(const auto jobs, engine_.catalog().unfinished_jobs_of(object));
  for (const catalog::Job& job : jobs) {
    if (job.kind == catalog::JobKind::kRestore) continue;
    if (repaired && control::is_cutting_again(job)) {
      TRY_ASSIGN(const auto tree, control::ShareTree::read(engine_.catalog(), object));
      const auto uncut = tree.uncut();
      if (std::ranges::find(uncut, *repaired, &catalog::Share::share) != uncut.end()) continue;
    }
    return fail(Code::kBusy, "object " + object.text() + " is being worked on by job " +
                                 job.job.text() + " (" + std::string(kind_name(job.kind)) + ")");
  }
  return {};
}

Result<> UpkeepDesk::change_alone(const ObjectId& object, const JobId& job,
                                  const std::function<Result<>()>& change) {
  const std::lock_guard lock(begin_mutex_);
  TRY_ASSIGN(const auto jobs, engine_.catalog().unfinished_jobs_of(object));
  for (const catalog::Job& other : jobs) {
    if (other.kind == catalog::JobKind::kRestore || other.job == job) continue;
    return fail(Code::kBusy, "job " + other.job.text() + " (" + std::string(kind_name(other.kind)) +
                                 ") works on the object");
  }
  return change();
}

Result<RepairPlan> UpkeepDesk::plan(const ObjectId& object, const std::string& letter, bool repair,
                                    const std::optional<SiteName>& target) {
  TRY_ASSIGN(const planner::ShareLocation share, find_share(object, letter));
  TRY_ASSIGN(const RepairOutlook outlook, RepairOutlook::look(engine_, object, share.share));
  return outlook.plan(
      {.old_share = share.share, .new_share = {}, .target = target, .repair = repair});
}

Result<JobId> UpkeepDesk::begin(const ObjectId& object, catalog::JobKind kind,
                                const std::string& step, const std::string& plan,
                                catalog::JobPriority priority,
                                const std::optional<ShareId>& repaired) {
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(const catalog::Object record, engine_.catalog().object(object));
  const JobId job = os::random_id<JobId>(site.system.random);
  const os::UnixMs now = site.system.clock.now();
  const std::lock_guard lock(begin_mutex_);
  TRY(check_idle(object, repaired));
  TRY(audit::note_job(site.log, job.text(), object.text()));
  TRY(engine_.catalog().start_job({.job = {.job = job,
                                           .kind = kind,
                                           .state = catalog::JobState::kRunning,
                                           .step = step,
                                           .object = object,
                                           .person_id = record.person_id,
                                           .plan = plan,
                                           .created = now,
                                           .updated = now,
                                           .priority = priority}}));
  engine_.start(job, kind);
  return job;
}

Result<JobId> UpkeepDesk::relocate(const ObjectId& object, const std::string& letter, bool repair,
                                   const std::optional<SiteName>& target) {
  TRY_ASSIGN(const planner::ShareLocation share, find_share(object, letter));
  const auto repaired = repair ? std::optional(share.share) : std::nullopt;
  TRY(check_idle(object, repaired));
  if (repair) {
    const auto held = control::is_held_at(engine_.site(), engine_.own(), share.site, share.share);
    if (held && *held && !damaged_at(share.site).contains(share.share) &&
        !audits_.is_blamed(object, letter)) {
      return fail(Code::kRefused, share.site.text() + " holds share " + letter +
                                      ": there is nothing to repair; move it instead");
    }
  }
  return relocate_share(object, share, repair, target, Looks(engine_).now());
}

void UpkeepDesk::hear_of_damage(const SiteName& from, const std::vector<ShareId>& shares) {
  Looks looks(engine_);
  for (const ShareId& id : shares) {
    const auto known = engine_.catalog().share(id);
    if (!known || known->last_site != from || known->state != catalog::ShareState::kDurable) {
      continue;
    }
    const std::string what = "share " + id.text() + " of object " + known->object.text();
    log_warning(from.text() + " says that " + what + " is damaged");
    if (!engine_.site().config.auto_repair) continue;
    const auto started = [&]() -> Result<JobId> {
      TRY(check_idle(known->object, id));
      TRY_ASSIGN(const auto located, control::locate_shares(engine_.catalog(), known->object));
      const auto share = std::ranges::find(located, id, &planner::ShareLocation::share);
      if (share == located.end()) return fail(Code::kNotFound, what + " is not in use");
      return relocate_share(known->object, *share, true, std::nullopt, looks.now());
    }();
    if (started) {
      log_info("job " + started->text() + " repairs " + what);
    } else {
      log_warning(what + " is not repaired: " + started.error().message);
    }
  }
}

Result<JobId> UpkeepDesk::relocate_share(const ObjectId& object,
                                         const planner::ShareLocation& share, bool repair,
                                         const std::optional<SiteName>& target,
                                         const control::NetworkView& view) {
  const Relocation relocation{.old_share = share.share,
                              .new_share = os::random_id<ShareId>(engine_.site().system.random),
                              .target = target,
                              .repair = repair};
  TRY_ASSIGN(const RepairOutlook outlook, RepairOutlook::look(engine_, object, share.share, view));
  TRY(outlook.plan(relocation));
  return begin(object, repair ? catalog::JobKind::kRepair : catalog::JobKind::kMove, "plan",
               relocation.text(), catalog::JobPriority::kUsual,
               repair ? std::optional(share.share) : std::nullopt);
}

Result<RefreshPreview> UpkeepDesk::preview_refresh(const ObjectId& object,
                                                   const RefreshWish& wish) {
  TRY_ASSIGN(const RefreshOutlook outlook, RefreshOutlook::look(engine_, object));
  const std::size_t needed = dealers_needed(outlook.tree.policy);
  RefreshPreview preview{
      .plan = {}, .dealers = wish.dealers == 0 ? needed : wish.dealers, .keepers = {}};
  const auto most = static_cast<std::size_t>(std::ranges::count_if(
      outlook.shares, [](const planner::ShareLocation& share) { return share.path.is_top(); }));
  if (preview.dealers < needed || preview.dealers > most) {
    return fail(
        preview.dealers < needed || wish.dealers > 0 ? Code::kInvalidArgument : Code::kRefused,
        "a refresh of this object takes from " + std::to_string(needed) +
            " dealers to as many as hold a whole share, " + std::to_string(most) + "; not " +
            std::to_string(preview.dealers));
  }
  std::optional<SiteName> dealer;
  if (wish.dealers == 0) {
    if (needed > 1) {
      return fail(Code::kRefused, "this policy needs " + std::to_string(needed) +
                                      " dealers, each of which could spoil the object; if they are "
                                      "trusted, ask for " +
                                      std::to_string(needed));
    }
    dealer = engine_.site().config.name;
  }
  TRY_ASSIGN(preview.plan, outlook.plan(dealer, {}));
  if (wish.key_after) {
    TRY(check_key_age(engine_, refresh_parts_.refresher, preview.plan, *wish.key_after));
  }
  const auto views = zero_views(outlook.tree.policy, preview.plan.dealer, preview.plan.ways);
  preview.keepers =
      keepers(outlook.shares, still_seen(outlook.tree.policy, outlook.shares, outlook.seen, views));
  for (const auto& [ends, bytes] : preview.plan.bytes_by_edge) {
    const auto* edge = planner::find_edge(outlook.view.snapshot, ends.first, ends.second);
    if (edge != nullptr) preview.room.emplace(ends, *edge);
  }
  return preview;
}

Result<JobId> UpkeepDesk::refresh(const ObjectId& object, const RefreshWish& wish,
                                  catalog::JobPriority priority) {
  TRY(check_idle(object));
  TRY_ASSIGN(const RefreshPreview preview, preview_refresh(object, wish));
  RefreshState state;
  state.dealers = preview.dealers;
  if (wish.dealers == 0) state.dealer = preview.plan.dealer;
  state.key_after = wish.key_after;
  return begin(object, catalog::JobKind::kRefresh, "plan", state.text(), priority);
}

Result<PartsPlan> UpkeepDesk::preview_reshare(const ObjectId& object, const std::string& letter) {
  TRY_ASSIGN(PartsPlanner planner,
             PartsPlanner::look(engine_, parts_.giver, object, Looks(engine_).now()));
  TRY_ASSIGN(const auto places, planner.places(letter));
  return planner.plan(places);
}

Result<JobId> UpkeepDesk::reshare(const ObjectId& object, const std::string& letter,
                                  catalog::JobPriority priority) {
  TRY(check_idle(object));
  TRY_ASSIGN(PartsPlanner planner,
             PartsPlanner::look(engine_, parts_.giver, object, Looks(engine_).now()));
  ReshareWork work;
  TRY_ASSIGN(work.places, planner.places(letter));
  TRY(planner.plan(work.places));
  return begin(object, catalog::JobKind::kReshare, "plan", work.text(), priority);
}

Result<JobId> UpkeepDesk::remove(const ObjectId& object) {
  return begin(object, catalog::JobKind::kDelete, "delete", "");
}

Result<JobId> UpkeepDesk::begin_site(const SiteName& at, catalog::JobKind kind) {
  control::SiteContext& site = engine_.site();
  if (site.config.find(at) == nullptr) {
    return fail(Code::kNotFound, "'" + at.text() + "' is not a site of this network");
  }
  const JobId job = os::random_id<JobId>(site.system.random);
  const os::UnixMs now = site.system.clock.now();
  const std::lock_guard lock(begin_mutex_);
  TRY_ASSIGN(const auto unfinished, engine_.catalog().unfinished_jobs());
  for (const catalog::Job& other : unfinished) {
    const bool is_site =
        other.kind == catalog::JobKind::kSiteRepair || other.kind == catalog::JobKind::kSiteDrain;
    if (!is_site) continue;
    TRY_ASSIGN(const SiteWork work, SiteWork::parse(other.plan));
    if (work.site != at) continue;
    return fail(Code::kBusy, at.text() + " is being worked on by job " + other.job.text() + " (" +
                                 std::string(kind_name(other.kind)) + ")");
  }
  TRY(audit::note_job(site.log, job.text(), at.text()));
  const SiteWork work{.site = at, .after = {}, .told = {}};
  TRY(engine_.catalog().start_job({.job = {.job = job,
                                           .kind = kind,
                                           .state = catalog::JobState::kRunning,
                                           .step = "plan",
                                           .plan = work.text(),
                                           .created = now,
                                           .updated = now}}));
  engine_.start(job, kind);
  return job;
}

Result<JobId> UpkeepDesk::repair_site(const SiteName& site) {
  return begin_site(site, catalog::JobKind::kSiteRepair);
}

Result<JobId> UpkeepDesk::drain_site(const SiteName& site) {
  return begin_site(site, catalog::JobKind::kSiteDrain);
}

}  // namespace warifu::upkeep
