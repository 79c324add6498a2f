// Steps of a refresh; its plan and what it looks at are in refresh_state.cc.
#include "upkeep/refresh_job.h"

#include <algorithm>

#include "base/log.h"
#include "base/reason.h"
#include "control/consent_desk.h"
#include "control/exposure_ledger.h"
#include "control/key_account.h"
#include "control/share_facts.h"
#include "planner/policy_sets.h"
#include "upkeep/audit_round.h"
#include "upkeep/zero_cut.h"

namespace warifu::upkeep {
namespace {

using catalog::JobState;
using catalog::ShareState;
constexpr std::int64_t kDeletingMs = 600'000;
constexpr std::string_view kUndo = "undo", kCancel = "cancel";

// The shares of the cut that makes `share`, by index.
std::vector<control::Sibling> siblings_in(const std::vector<catalog::Share>& fresh,
                                          const catalog::Share& share) {
  std::vector<catalog::Share> cut;
  for (const catalog::Share& other : fresh) {
    if (other.parent == share.parent) cut.push_back(other);
  }
  std::ranges::sort(cut, {}, &catalog::Share::path);
  return control::siblings_of(cut);
}

}  // namespace

Result<> RefreshJob::run() {
  TRY(load());
  if (is_taking_back()) {
    TRY(take_back());
    return fail(Code::kRefused, job_.error);
  }
  for (bool more = true; more;) {
    if (job_.step == "plan") TRY(plan());
    if (job_.step == "deal") TRY(deal());
    if (job_.step == "settle") TRY(settle());
    if (job_.step == "check") TRY(check());
    if (job_.step == "switch") TRY(switch_over());
    if (job_.step == "delete") TRY(remove_old());
    more = job_.step == "plan";
  }
  job_.result = state_.result();
  return finish();
}

Result<> RefreshJob::load() {
  TRY(load_job());
  TRY_ASSIGN(state_, RefreshState::parse(job_.plan));
  return {};
}

Result<ShareId> RefreshJob::fresh_of(const ShareId& old) const {
  const auto found = state_.fresh.find(old);
  if (found != state_.fresh.end()) return found->second;
  return fail(Code::kRefused, "share " + old.text() + " was moved while it was to be refreshed");
}

Result<catalog::Share> RefreshJob::next_of(const catalog::Share& old) const {
  catalog::Share next = old;
  TRY_ASSIGN(next.share, fresh_of(old.share));
  if (old.parent) {
    TRY_ASSIGN(const ShareId parent, fresh_of(*old.parent));
    next.parent = parent;
  }
  next.generation = state_.generation;
  next.protections.clear();
  if (old.site) {
    next.route = old.site->text();
    next.state = ShareState::kWriting;
  } else {  // it was cut again
    next.route.clear();
    next.state = ShareState::kDeleted;
  }
  return next;
}

Result<RefreshJob::Renewal> RefreshJob::renewal(const control::ShareTree& tree) const {
  Renewal renewal;
  for (const auto& [old, fresh] : state_.fresh) {
    const auto row = std::ranges::find(tree.shares, old, &catalog::Share::share);
    if (row == tree.shares.end()) {
      return fail(Code::kCorrupt, "share " + old.text() + " of a refresh is not in the catalog");
    }
    renewal.old.push_back(*row);
    TRY_ASSIGN(catalog::Share next, next_of(*row));
    renewal.fresh.push_back(std::move(next));
  }
  return renewal;
}

Result<> RefreshJob::plan() {
  TRY_ASSIGN(const control::ShareTree tree,
             control::ShareTree::read(engine_.catalog(), *job_.object));
  if (state_.fresh.empty()) {
    state_.generation = tree.object.generation + 1;
    const auto draw = [&](const ShareId& old) {
      state_.fresh.try_emplace(old, os::random_id<ShareId>(engine_.site().system.random));
    };
    for (const catalog::Share& share : tree.shares) {
      if (share.state != ShareState::kDurable) continue;
      draw(share.share);
      // And those that were cut again, up to the object.
      for (const catalog::Share* at = &share; at->parent;) {
        draw(*at->parent);
        const auto parent = std::ranges::find(tree.shares, *at->parent, &catalog::Share::share);
        if (parent == tree.shares.end()) {
          return fail(Code::kCorrupt, "share " + at->parent->text() + " is not in the catalog");
        }
        at = &*parent;
      }
    }
    if (state_.fresh.empty()) {
      return fail(Code::kInvalidArgument, "object " + job_.object->text() + " has no shares");
    }
    TRY(clear_leftovers(tree));
    TRY(save_plan(state_.text()));
  }
  TRY_ASSIGN(Renewal renewal, this->renewal(tree));
  // Those that were cut again stand before their parts.
  std::ranges::sort(renewal.fresh, {}, &catalog::Share::path);
  const bool known = std::ranges::find(tree.shares, renewal.fresh.front().share,
                                       &catalog::Share::share) != tree.shares.end();
  if (!known) TRY(engine_.catalog().add_shares(renewal.fresh));
  return save(JobState::kRunning, "deal");
}

Result<> RefreshJob::clear_leftovers(const control::ShareTree& tree) {
  for (const catalog::Share& share : tree.shares) {
    if (share.state != ShareState::kWriting || share.generation < state_.generation) continue;
    TRY(engine_.catalog().set_share_state(share.share, ShareState::kDeletePending));
  }
  return {};
}

Result<std::uint64_t> RefreshJob::begin_all(const RefreshOutlook& outlook, const JobId& session) {
  control::SiteContext& site = engine_.site();
  std::vector<control::BegunShare> begun;
  for (const planner::ShareLocation& share : outlook.shares) {
    TRY_ASSIGN(const ShareId id, fresh_of(share.share));
    const auto row = std::ranges::find(outlook.tree.shares, id, &catalog::Share::share);
    if (row == outlook.tree.shares.end()) {
      return fail(Code::kCorrupt, "share " + id.text() + " of a refresh is not in the catalog");
    }
    const RefreshBegin begin{.session = session,
                             .old = share.share,
                             .dealer = *state_.dealer,
                             .fresh = outlook.tree.spec_of(*row)};
    std::uint64_t durable = 0;
    if (share.site == site.config.name) {
      TRY_ASSIGN(durable, parts_.refresher.begin(begin));
    } else {
      TRY_ASSIGN(const Bytes answer,
                 site.caller.ask(share.site, number(RefreshMethod::kBegin), encode(begin)));
      wire::Reader reader(answer, "answer to the beginning of a refresh");
      durable = reader.u64();
      TRY(reader.finish());
    }
    begun.push_back({share.site, id, durable});
  }
  // Everywhere before anything of this dealing is anywhere, as for every cut.
  return control::cut_back_to_least(site, engine_.own().uploads(), begun,
                                    outlook.tree.chunking().chunk_count());
}

Result<keypool::Entropy> RefreshJob::order_deal(const DealOrder& order) {
  control::SiteContext& site = engine_.site();
  if (*state_.dealer == site.config.name) {
    return parts_.refresher.deal(order, job_id_,
                                 {[&](std::uint64_t done, std::uint64_t total) -> Result<> {
                                    if (must_stop_at(done)) {
                                      return fail(Code::kCancelled, "interrupted");
                                    }
                                    show_part(done, total);
                                    return {};
                                  },
                                  [&] { return keep_waiting(); }});
  }
  TRY_ASSIGN(channel::Call call, site.caller.start({.to = *state_.dealer,
                                                    .method = number(RefreshMethod::kDeal),
                                                    .job = job_id_,
                                                    .body = encode(order)}));
  TRY_ASSIGN(const channel::Reply reply, call.reply([&](std::uint64_t done, std::uint64_t total) {
    if (must_stop_at(done)) call.cancel();  // reply() fails then
    show_part(done, total);
  }));
  return decode_entropy(reply.body);
}

Result<> RefreshJob::deal() {
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(const RefreshOutlook outlook, RefreshOutlook::look(engine_, *job_.object));
  TRY_ASSIGN(const RefreshPlan plan, outlook.plan(state_.dealer, state_.used));
  if (state_.key_after) {
    TRY(check_key_age(engine_, parts_.refresher, plan, *state_.key_after));
  }
  state_.dealer = plan.dealer;
  for (const auto& [who, shown] : zero_views(outlook.tree.policy, plan.dealer, plan.ways)) {
    state_.shown[who].insert(shown.begin(), shown.end());
  }
  TRY(save_plan(state_.text()));
  TRY(control::lease_key(site, job_id_, job_.priority, plan.bytes_by_edge));
  const auto session = os::random_id<JobId>(site.system.random);
  TRY_ASSIGN(const std::uint64_t first, begin_all(outlook, session));
  const sharing::RecordLayout object(outlook.tree.chunking());
  job_.total_bytes = plan.key_bytes();
  // What an earlier attempt moved counts as made by a generator: this one cannot know better.
  if (first > 0) state_.entropy |= keypool::Entropy{{keypool::Origin::kKernelGenerator}}.bits();
  if (first < object.count()) {
    DealOrder order{.session = session, .first_chunk = first, .targets = {}};
    for (const ZeroWay& way : plan.ways) {
      const sharing::SharePath place = way.at.path;
      TRY_ASSIGN(const ShareId fresh, fresh_of(way.at.share));
      order.targets.push_back({place, way.at.site, fresh, way.route});
      const auto records = planner::records_at(outlook.tree.policy, object, place);
      TRY(control::record_route_use(engine_.catalog(), job_id_, way.route, outlook.view.snapshot,
                                    control::bulk_use(records, first, records.count() - first)));
    }
    auto dealt = order_deal(order);
    // Somebody has started anew since, and does not know this session any more.
    if (!dealt && dealt.error().code == Code::kNotFound) {
      return fail(Code::kUnavailable, dealt.error().message, dealt.error().reason);
    }
    if (!dealt) return std::unexpected(dealt.error());
    state_.entropy |= dealt->bits();
  }
  TRY(save_plan(state_.text()));
  job_.progress_bytes = job_.total_bytes;
  return save(JobState::kRunning, "settle");
}

Result<> RefreshJob::settle() {
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(const control::ShareTree tree,
             control::ShareTree::read(engine_.catalog(), *job_.object));
  TRY_ASSIGN(const Renewal renewal, this->renewal(tree));
  TRY_ASSIGN(const auto uses, engine_.catalog().link_use_of_job(job_id_));
  for (std::size_t i = 0; i < renewal.fresh.size(); ++i) {
    const catalog::Share& fresh = renewal.fresh[i];
    if (!fresh.site) continue;
    TRY_ASSIGN(control::Protections protections,
               control::parse_protections(renewal.old[i].protections));
    protections.drawn = false;
    protections.hops = control::hops_of(uses);
    protections.entropy.add(keypool::Entropy::from_bits(state_.entropy));
    TRY(engine_.catalog().set_share_travel(fresh.share, fresh.route,
                                           control::protections_json(protections)));
    TRY(control::commit_share(site, engine_.own().uploads(), *fresh.site,
                              {.share = fresh.share,
                               .siblings = siblings_in(renewal.fresh, fresh),
                               .entropy = protections.entropy}));
  }
  return save(JobState::kRunning, "check");
}

// Shares that do not belong together would be the loss of the object; so the old ones are not given
// up unseen. Not seen is a dealer that cuts another value than zero (ADR 0030).
Result<> RefreshJob::check() {
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(RefreshOutlook outlook, RefreshOutlook::look(engine_, *job_.object));
  for (planner::ShareLocation& share : outlook.shares) {
    TRY_ASSIGN(share.share, fresh_of(share.share));
  }
  AuditPlanner planner({.policy = outlook.tree.policy,
                        .shares = outlook.shares,
                        .links = site.config.links,
                        .collector = site.config.name});
  planner.cover();
  state_.check = "none: the holders have no links for it";
  if (!planner.sums().empty()) {
    AuditRoundRun round(site, parts_.auditor, planner, outlook.shares);
    const RoundResult result =
        round.run([this](std::uint64_t, std::uint64_t) { return !must_stop(); });
    if (must_stop()) return fail(Code::kCancelled, "interrupted");
    for (const HolderFailure& failure : result.failures) {
      // A holder that has started anew has forgotten the order; one that has lost its disk, the
      // share, and no waiting brings that back.
      const bool forgot = failure.error.code == Code::kNotFound;
      if (forgot) TRY(check_held(outlook.shares, failure.letter));
      return fail(
          forgot ? Code::kUnavailable : failure.error.code,
          "the new share " + failure.letter + " could not be audited: " + failure.error.message);
    }
    for (const SumOutcome& outcome : result.outcomes) {
      if (outcome.holds) continue;
      std::string letters;
      for (const std::string& letter : outcome.planned.letters) letters += " " + letter;
      return fail(Code::kCorrupt, "the new shares" + letters +
                                      " do not belong together: a holder or the dealer " +
                                      state_.dealer->text() + " has added something else");
    }
    state_.check = planner.left_out().empty() ? "consistent" : "in part";
  }
  TRY(save_plan(state_.text()));
  return save(JobState::kRunning, "switch");
}

Result<> RefreshJob::check_held(const std::vector<planner::ShareLocation>& fresh,
                                const std::string& letter) {
  const auto share = std::ranges::find(fresh, letter, &planner::ShareLocation::letter);
  if (share == fresh.end()) return {};
  TRY_ASSIGN(const bool held,
             control::is_held_at(engine_.site(), engine_.own(), share->site, share->share));
  if (held) return {};
  return fail(Code::kCorrupt, "the new share " + letter + " is gone: " + share->site.text() +
                                  " does not hold it any more");
}

// Where no link allows an audit, and since the audit, a holder may have lost its new share: it says
// so when it is asked.
Result<> RefreshJob::check_fresh_present() {
  std::vector<catalog::Share> rows;
  for (const auto& [old, fresh] : state_.fresh) {
    TRY_ASSIGN(catalog::Share row, engine_.catalog().share(fresh));
    if (row.site) rows.push_back(std::move(row));  // else it was cut again
  }
  return control::check_present(engine_.site(), rows);
}

Result<> RefreshJob::switch_over() {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const catalog::Object object, catalog.object(*job_.object));
  if (object.generation < state_.generation) {
    TRY(check_fresh_present());
    TRY_ASSIGN(const RefreshOutlook outlook, RefreshOutlook::look(engine_, *job_.object));
    const auto still = still_seen(outlook.tree.policy, outlook.shares, outlook.seen, state_.shown);
    state_.keepers = keepers(outlook.shares, still);
    state_.switched = engine_.site().system.clock.now();
    TRY(save_plan(state_.text()));
    TRY(catalog.commit_generation(*job_.object, state_.generation, job_id_,
                                  control::sightings_of(still),
                                  control::sightings_of(outlook.seen)));
  }
  TRY(engine_.site().log.append(
      "object_refreshed",
      {{"object", job_.object->text()}, {"generation", std::to_string(state_.generation)}}));
  return save(JobState::kRunning, "delete");
}

Result<> RefreshJob::remove_old() {
  std::optional<Error> trouble;
  std::set<SiteName> late;
  for (const auto& [old, fresh] : state_.fresh) {
    TRY_ASSIGN(const catalog::Share share, engine_.catalog().share(old));
    if (share.state != ShareState::kDeletePending) continue;
    const auto removed = engine_.delete_for_good(share);
    if (removed) continue;
    trouble = removed.error();
    late.insert(share.last_site);
  }
  const std::int64_t now = engine_.site().system.clock.now().value;
  if (trouble && now - state_.switched.value < kDeletingMs) return std::unexpected(*trouble);
  // A site may be gone for good. If it comes back, the sweep of deletions finds it.
  state_.late.insert(late.begin(), late.end());
  for (const SiteName& site : late) log_warning("old shares at " + site.text() + " are left");
  if (state_.dealer) state_.used.insert(*state_.dealer);
  if (state_.used.size() >= state_.dealers) return save(JobState::kRunning, "done");
  state_.begin_round();
  TRY(save_plan(state_.text()));
  return save(JobState::kRunning, "plan");
}

bool RefreshJob::is_committed() const {
  if (state_.generation == 0) return false;
  const auto object = engine_.catalog().object(*job_.object);
  return !object || object->generation >= state_.generation;
}

bool RefreshJob::is_taking_back() const {
  return job_.step == kUndo || job_.step == kCancel;
}

// A site may be gone for good; so not all holders have to answer, but so many that what they have
// restores the object.
Result<> RefreshJob::check_old_stands() {
  TRY_ASSIGN(const control::ShareTree tree,
             control::ShareTree::read(engine_.catalog(), *job_.object));
  planner::NodeSet there;
  std::optional<Error> silent;
  for (const auto& [old, fresh] : state_.fresh) {
    TRY_ASSIGN(const catalog::Share share, engine_.catalog().share(old));
    if (!share.site) continue;  // it was cut again
    const auto held = control::is_held_at(engine_.site(), engine_.own(), *share.site, old);
    if (!held) {
      silent = held.error();
    } else if (*held) {
      there.set(tree.policy.find(share.path)->number);
    } else {
      return leave_new(share);
    }
  }
  if (!silent || planner::gives(tree.policy, there)) return {};
  return std::unexpected(*silent);
}

Result<> RefreshJob::leave_new(const catalog::Share& lost) {
  for (const auto& [before, left] : state_.fresh) {
    const auto row = engine_.catalog().share(left);
    if (!row || row->state != ShareState::kWriting) continue;
    TRY(engine_.catalog().set_share_state(left, ShareState::kDeletePending));
  }
  return fail(Code::kRefused,
              lost.site->text() + " does not hold share " + lost.share.text() +
                  " any more: no new share is deleted before it does. Was this catalog restored "
                  "from a backup? Then rebuild it: warifu catalog rebuild");
}

Result<> RefreshJob::take_back() {
  TRY(check_old_stands());
  for (const auto& [old, fresh] : state_.fresh) {
    const auto row = engine_.catalog().share(fresh);
    if (!row || row->state != ShareState::kWriting) continue;
    TRY(engine_.catalog().set_share_state(fresh, ShareState::kDeletePending));
    // The sweep of deletions asks again.
    if (const auto removed = engine_.delete_for_good(*row); !removed) {
      log_warning("a new share stays behind: " + removed.error().message);
    }
  }
  return {};
}

void RefreshJob::roll_back(const Error& why) {
  if (is_committed()) return note_trouble(why);
  const bool again = is_taking_back();
  const bool cancelled = again ? job_.step == kCancel : why.code == Code::kCancelled;
  if (!again) {
    job_.error = error_text(why);
    const auto saved = save(JobState::kRunning, std::string(cancelled ? kCancel : kUndo));
    if (!saved) return log_error(saved.error().message);
  }
  const auto taken = take_back();
  if (!taken && control::may_pass(taken.error().code)) return;  // it is tried again
  const std::string also = taken ? "" : "; " + taken.error().message;
  const Error first = again ? error_of_text(why.code, job_.error) : why;
  give_up({cancelled ? Code::kCancelled : why.code, first.message + also, first.reason});
}

}  // namespace warifu::upkeep
