// The end of a run: everything heals, and then nothing may be missing, wrong or known to a wrong
// site.
#include <algorithm>

#include "control/recut.h"
#include "store/directory_files.h"
#include "testing/cluster_run.h"

namespace warifu::sim {
namespace {

using State = ClusterObject::State;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::chrono::minutes kHealing(30);
constexpr int kTries = 8;                           // of a restore at the end
constexpr std::uint64_t kKeyForRestores = 1 << 20;  // of each link, at the end
constexpr std::size_t kLooksAtWaiting = 10;         // until somebody brings key

std::string text_of(const catalog::Share& share) {
  return "share " + share.path.text() + " (" + share.share.text() + ") of object " +
         share.object.text();
}

}  // namespace

// From now on nothing breaks by itself.
void ClusterRun::calm_down() {
  cluster_.say("nothing breaks any more");
  SimNet& net = cluster_.net();
  net.open_all_ways();
  net.mischief.one_in = 0;
  for (std::size_t site = 0; site < cluster_.size(); ++site) {
    net.set_slow(site, {});
    cluster_.disk(site).set_full(false);
    cluster_.disk(site).clear_faults();
  }
}

void ClusterRun::heal() {
  const auto until = Schedule::now() + kHealing;
  std::string left = "nobody has looked";
  while (!left.empty() && Schedule::now() < until) {
    cluster_.supervise();
    for (std::size_t site = 0; site < cluster_.size(); ++site) cluster_.disk(site).clear_faults();
    std::string now = heal_once();
    if (now != left) cluster_.say("left: ", now.empty() ? "nothing" : now);
    left = std::move(now);
    if (waited_for_key_ == kLooksAtWaiting) {
      waited_for_key_ = 0;
      cluster_.bring_key();
    }
    if (!left.empty()) Schedule::sleep(seconds(1));
  }
  if (!left.empty()) {
    cluster_.found(&ClusterCounts::unhealed,
                   "after " + std::to_string(kHealing.count()) + " good minutes " + left);
  }
}

std::string ClusterRun::heal_once() {
  if (!cluster_.all_up()) return "a site is down";
  if (catalog_ == CatalogFate::kLost || catalog_ == CatalogFate::kRebuilt) {
    auto left = rebuild_catalog();
    // A new control site asks for the copies of its catalog again and again: that uses key up.
    if (!left.empty() && is_key_short()) ++waited_for_key_;
    if (!left.empty()) {
      help_all();  // an object that a job works on is not settled
      return left;
    }
  }
  Cluster::Use control(cluster_, kControlSite);
  for (ClusterObject& object : objects_) {
    if (object.state == State::kStoring || object.state == State::kStored) follow(object);
    if (object.state == State::kStoring) return "an object is not stored yet";
    if (object.state == State::kStored && !object.on_card) return "an object is not on the card";
  }
  const auto jobs = control->catalog().unfinished_jobs();
  if (!jobs) return jobs.error().message;
  for (const catalog::Job& job : *jobs) {
    if (job.kind == catalog::JobKind::kRestore) continue;  // its reader may come back
    help(job);
    return "a job (" + std::string(catalog::kind_name(job.kind)) + ", " + job.step +
           ") is not done: " + job.error;
  }
  for (ClusterObject& object : objects_) {
    if (object.state != State::kGoing) continue;
    const auto known = control->catalog().object(object.object);
    const bool deleted = known && known->state == catalog::ObjectState::kDeleted;
    object.state = deleted ? State::kDeleted : State::kStored;
  }
  if (to_renew_) {
    const auto renewed =
        person_.renew_card(*control.operator->(), cluster_.shape().site(*to_renew_));
    if (!renewed) return "the card is not renewed: " + renewed.error().message;
    to_renew_.reset();
    for (ClusterObject& object : objects_) object.grant.reset();
  }
  if (auto left = mend_shares(); !left.empty()) return left;
  if (auto left = await_cuts(); !left.empty()) return left;
  const auto pending = control->catalog().pending_deletions();
  if (!pending) return pending.error().message;
  // A deletion that was under way when the catalog burnt has to be begun again, and nobody does.
  const auto waits = std::ranges::find_if(
      *pending, [&](const catalog::Share& share) { return is_counted_on(share.share); });
  return waits == pending->end() ? "" : text_of(*waits) + " is to be deleted still";
}

void ClusterRun::help_all() {
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return;
  const auto jobs = control->catalog().unfinished_jobs();
  if (!jobs) return;
  for (const catalog::Job& job : *jobs) {
    if (job.kind != catalog::JobKind::kRestore && job.object) help(job);
  }
}

std::string ClusterRun::await_cuts() {
  Cluster::Use control(cluster_, kControlSite);
  for (const ClusterObject& object : objects_) {
    if (object.state != State::kStored || !is_uncut(object.object)) continue;
    control->control().reshares().hurry();
    const auto status = control->control().reshares().status();
    return "a share of " + object.object.text() +
           " stands whole and is to be cut: " + (status ? status->problem : status.error().message);
  }
  return "";
}

void ClusterRun::help(const catalog::Job& job) {
  if (job.state == catalog::JobState::kWaitingKey) ++waited_for_key_;
  if (!control::is_cutting_again(job) || job.error.empty()) return;
  Cluster::Use control(cluster_, kControlSite);
  const auto checked = control->control().upkeep().check(*job.object);
  if (!checked) return;
  for (const upkeep::CheckedShare& share : *checked) {
    const bool is_lost =
        share.holding == upkeep::Holding::kMissing || share.holding == upkeep::Holding::kDamaged;
    if (!is_lost) continue;
    const auto begun =
        control->control().upkeep().relocate(*job.object, share.at.letter(), true, std::nullopt);
    if (begun) ++cluster_.counts.repaired;
  }
}

// Repairs what is not there or not whole.
std::string ClusterRun::mend_shares() {
  Cluster::Use control(cluster_, kControlSite);
  std::string left;
  for (std::size_t site = 0; harmed_ && site < cluster_.size(); ++site) {
    const std::string damage = look_at_shares(site);
    if (damage.empty()) continue;
    Cluster::Use use(cluster_, site);
    if (use) use->scrubber().hurry();
    left = damage;
  }
  for (const ClusterObject& object : objects_) {
    if (object.state != State::kStored) continue;
    const auto checked = control->control().upkeep().check(object.object);
    if (!checked) return checked.error().message;
    for (const upkeep::CheckedShare& share : *checked) {
      if (share.holding == upkeep::Holding::kHeld) continue;
      left = "share " + share.at.letter() + " of " + object.object.text() + " at " +
             share.at.site.text() + " is " + std::string(upkeep::holding_name(share.holding));
      if (share.holding == upkeep::Holding::kUnreachable) continue;
      // Only what was harmed may be gone; all else is a promise that was not kept.
      if (!harmed_ || share.at.site != cluster_.shape().site(*harmed_)) {
        cluster_.found(&ClusterCounts::missing, left);
      }
      const auto job = control->control().upkeep().relocate(object.object, share.at.letter(), true,
                                                            std::nullopt);
      if (job) ++cluster_.counts.repaired;
      if (!job) left += "; and is not repaired: " + job.error().message;
    }
  }
  return left;
}

std::string ClusterRun::look_at_shares(std::size_t site) {
  Cluster::Use use(cluster_, site);
  if (!use) return "a site is down";
  store::ShareStore& shares = use->context().shares;
  const auto listing = shares.list();
  if (!listing) return listing.error().message;
  // What a failed job has left may be harmed too, and nobody mends it.
  Cluster::Use control(cluster_, kControlSite);
  const auto is_in_use = [&](const std::optional<ShareId>& share) {
    const auto known = share && control ? control->catalog().share(*share)
                                        : Result<catalog::Share>(fail(Code::kNotFound, ""));
    return known && known->state == catalog::ShareState::kDurable;
  };
  for (const auto& problem : listing->problems) {
    const std::string name = problem.path.substr(problem.path.rfind('/') + 1);
    if (is_in_use(store::share_of_name(name, store::kCommittedEnding))) return problem.reason;
  }
  for (const store::ShareHeader& header : listing->shares) {
    if (!is_in_use(header.share)) continue;
    const auto reader = shares.open(header.share);
    if (!reader) return reader.error().message;
    const store::ShareLayout& layout = (*reader)->layout();
    for (std::uint64_t i = 0; i < layout.chunk_count(); ++i) {
      Bytes record(layout.record_length({i}));
      if (const auto read = (*reader)->verify({i}, record); !read) return read.error().message;
    }
  }
  return "";
}

// --- reckoning ----------------------------------------------------------------------------------

void ClusterRun::reckon() {
  if (cluster_.counts.unhealed > 0) return;
  count_cuts();
  compare_catalog();
  for (const ClusterObject& object : objects_) {
    if (object.state == State::kStored) compare_joins(object);
  }
  for (std::size_t site = kControlSite + 1; site < cluster_.size(); ++site) restore_without(site);
  for (const auto& [site, object] : cluster_.watch().exposed()) {
    cluster_.found(&ClusterCounts::exposed,
                   cluster_.shape().text(site) + " came to two shares of object " + object.text());
  }
  if (cluster_.counts.reused > 0) cluster_.findings.push_back("pad bytes were used twice");
}

void ClusterRun::count_cuts() {
  Cluster::Use control(cluster_, kControlSite);
  const auto jobs = control->catalog().list_jobs(
      {.kind = catalog::JobKind::kReshare, .state = catalog::JobState::kDone},
      {.count = catalog::kMaxPageRows});
  if (jobs) cluster_.counts.recut += jobs->size();
}

// Every site keeps what the catalog says, and nothing else.
void ClusterRun::compare_catalog() {
  Cluster::Use control(cluster_, kControlSite);
  if (const auto whole = control->catalog().integrity_check(); !whole) {
    cluster_.found(&ClusterCounts::lost, "the catalog is damaged: " + whole.error().message);
  }
  std::set<std::pair<SiteName, ShareId>> expected;
  const auto objects = control->catalog().list_objects({}, {.count = catalog::kMaxPageRows});
  WARIFU_CHECK(objects.has_value());
  for (const catalog::Object& object : *objects) {
    const auto shares = control->catalog().list_shares(object.object);
    WARIFU_CHECK(shares.has_value());
    for (const catalog::Share& share : *shares) {
      if (share.state == catalog::ShareState::kDurable && share.site) {
        expected.insert({*share.site, share.share});
      }
    }
  }
  for (std::size_t site = 0; site < cluster_.size(); ++site) {
    Cluster::Use use(cluster_, site);
    const auto held = use->context().shares.list();
    const auto partial = use->context().shares.list_partial();
    WARIFU_CHECK(held.has_value() && partial.has_value());
    const auto orphan = [&](const ShareId& share, const char* what) {
      if (is_spare(share)) {
        ++cluster_.counts.spare;
        return;
      }
      cluster_.found(&ClusterCounts::orphans, cluster_.shape().text(site) + " keeps " + what +
                                                  " share " + share.text() + " that nobody needs");
    };
    for (const store::ShareHeader& header : held->shares) {
      if (expected.erase({cluster_.shape().site(site), header.share}) > 0) continue;
      orphan(header.share, "a whole");
    }
    for (const auto& one : partial->shares) orphan(one.header.share, "a part of");
  }
  for (const auto& [site, share] : expected) {
    if (!is_counted_on(share)) continue;
    cluster_.found(&ClusterCounts::missing, site.text() + " has not got share " + share.text());
  }
}

// Not of what people have given up since the catalog burnt.
bool ClusterRun::is_counted_on(const ShareId& share) {
  Cluster::Use control(cluster_, kControlSite);
  const auto known = control->catalog().share(share);
  return catalog_ == CatalogFate::kWhole || !known ||
         std::ranges::any_of(objects_, [&](const ClusterObject& object) {
           return object.object == known->object && object.state == State::kStored;
         });
}

void ClusterRun::restore_without(std::size_t site) {
  if (is_key_short()) {  // a restore would wait for it for ever
    cluster_.bring_key();
    await_all_up();
  }
  {
    // Nonces come from every holder, so consents are given while all are there; and they are used
    // in the order in which the card gave them, because a site takes no older index after a newer.
    Cluster::Use control(cluster_, kControlSite);
    for (ClusterObject& object : objects_) {
      object.grant.reset();
      if (object.state != State::kStored) continue;
      const auto grant = person_.consent(*control.operator->(), object.object);
      if (grant) object.grant = *grant;
      if (!grant) cluster_.say("no consent: ", grant.error().message);
    }
  }
  cluster_.say("restores without ", cluster_.shape().text(site));
  cluster_.hold_down(site);
  for (ClusterObject& object : objects_) {
    if (object.state != State::kStored) continue;
    ++cluster_.counts.checked;
    const std::string problem = restore_finally(object);
    if (problem.empty()) continue;
    say_where(object.object);
    cluster_.found(&ClusterCounts::lost, "object " + object.object.text() + " without " +
                                             cluster_.shape().text(site) + ": " + problem);
  }
  cluster_.bring_back(site);
  await_all_up();
}

bool ClusterRun::is_key_short() {
  for (std::size_t site = 0; site < cluster_.size(); ++site) {
    Cluster::Use use(cluster_, site);
    if (!use) continue;
    for (kme::Link* link : use->context().keys.links()) {
      if (link->status().residual_bytes < kKeyForRestores) return true;
    }
  }
  return false;
}

void ClusterRun::await_all_up() {
  const auto until = Schedule::now() + seconds(60);
  while (!cluster_.all_up() && Schedule::now() < until) {
    cluster_.supervise();
    for (std::size_t i = 0; i < cluster_.size(); ++i) cluster_.disk(i).clear_faults();
    Schedule::sleep(milliseconds(100));
  }
}

// For the trace: where its shares are, and who has seen what.
void ClusterRun::say_where(const ObjectId& object) {
  Cluster::Use control(cluster_, kControlSite);
  const auto shares = control->catalog().list_shares(object);
  const auto seen = control->catalog().sightings(object);
  if (!shares || !seen) return;
  for (const catalog::Share& share : *shares) {
    cluster_.say("  ", text_of(share), ", generation ", share.generation, ": ",
                 catalog::state_name(share.state), " at ", share.site ? share.site->text() : "-");
  }
  for (const catalog::Sighting& one : *seen) {
    cluster_.say("  ", one.site.text(), " has seen ", one.path.text());
  }
}

std::string ClusterRun::restore_finally(ClusterObject& object) {
  Cluster::Use control(cluster_, kControlSite);
  std::string problem = "there is no consent";
  for (int i = 0; i < kTries && !problem.empty(); ++i) {
    if (!object.grant) return problem;
    auto got = ClusterPerson::restore(*control.operator->(), object.object, *object.grant);
    if (!got) {
      problem = got.error().message;
      Schedule::sleep(seconds(1));
      continue;
    }
    if (rules_.bugs.reads_blind && !got->empty()) got->front() ^= 1;
    compare(object, *got, "a restore");
    return "";
  }
  return problem;
}

}  // namespace warifu::sim
