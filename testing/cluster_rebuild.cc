// The control site burns down, and the catalog with it: what people know to be over, and how the
// catalog comes back, as operators do it (docs/recovery.md).
#include <algorithm>

#include <boost/json.hpp>

#include "planner/policy.h"
#include "store/directory_files.h"
#include "testing/cluster_run.h"

namespace warifu::sim {
namespace {

using State = ClusterObject::State;
namespace json = boost::json;

constexpr std::chrono::hours kLeave(1);

bool is_share_file(const std::string& name, std::optional<ShareId>& share) {
  share = store::share_of_name(name, store::kCommittedEnding);
  if (!share) share = store::share_of_name(name, store::kPartialEnding);
  return share.has_value();
}

}  // namespace

// While everybody is down. A share that was under way is nobody's from now on: operators look at
// such, and nothing is deleted on what sites say.
void ClusterRun::lose_catalog() {
  catalog_ = CatalogFate::kLost;
  for (std::size_t site = 0; site < cluster_.size(); ++site) {
    const auto names = cluster_.disk(site).list(cluster_.folder(site) + "/shares");
    if (!names) continue;
    std::optional<ShareId> share;
    for (const std::string& name : *names) {
      if (is_share_file(name, share)) left_behind_.insert(*share);
    }
  }
  bool anybody = false;
  for (ClusterObject& object : objects_) {
    // Its bytes were staged there; and who had asked to delete it may have to ask again.
    if (object.state == State::kStoring || object.state == State::kGoing) {
      object.state = State::kNotStored;
    }
    if (object.state == State::kDeleted) object.state = State::kNotStored;
    object.grant.reset();
    // The key of its tags was in the catalog alone, or is in the copy.
    object.may_be_lost = object.state == State::kStored && !object.on_card;
    anybody = anybody || object.state == State::kStored;
  }
  // Without shares of a person's nobody tells who there is.
  from_shares_ = anybody && Schedule::dice().one_in(2);
}

// One step towards a catalog that says what the sites hold; what is still to be waited for.
std::string ClusterRun::rebuild_catalog() {
  if (std::exchange(rebuilding_, true)) return "somebody rebuilds the catalog";
  std::string left = try_to_rebuild();
  rebuilding_ = false;
  return left;
}

std::string ClusterRun::try_to_rebuild() {
  for (std::size_t site = kControlSite + 1; site < cluster_.size(); ++site) {
    Cluster::Use use(cluster_, site);
    if (!use) continue;
    const os::UnixMs until{os::real_clock().now().value +
                           std::chrono::milliseconds(kLeave).count()};
    if (const auto given = use->copies().allow_until(until); !given) return given.error().message;
  }
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return "share control is down";
  if (!rebuild_job_) {
    const auto begun = control->control().recovery().rebuild(from_shares_);
    if (!control.counts()) return "share control is down";
    if (!begun) {
      cluster_.say("operator: the catalog is not rebuilt: ", begun.error().message);
      if (begun.error().code == Code::kNotFound) {
        cluster_.found(&ClusterCounts::lost, "the catalog: " + begun.error().message);
      }
      return "the catalog is not rebuilt: " + begun.error().message;
    }
    cluster_.say("operator: the catalog is being rebuilt ",
                 begun->copy_made ? "from a copy" : "from what sites hold");
    if (begun->copy_made) ++cluster_.counts.from_copy;
    if (!begun->copy_made && catalog_ == CatalogFate::kLost && from_shares_) {
      ++cluster_.counts.from_shares;
    }
    rebuild_job_ = begun->job;
  }
  const auto job = control->catalog().job(*rebuild_job_);
  if (!control.counts()) return "share control is down";
  if (!job || !catalog::is_finished(job->state)) return "the catalog is being rebuilt";
  rebuild_job_.reset();
  if (job->state != catalog::JobState::kDone) return "a rebuild has failed: " + job->error;
  cluster_.say("operator: the catalog is rebuilt: ", job->result);
  if (auto named = person_.find_name(*control.operator->()); !named) return named.error().message;
  if (!control.counts()) return "share control is down";
  catalog_ = CatalogFate::kRebuilt;
  return calm_ ? unsettled(job->result) : "";
}

// What a rebuild on a good network has left aside of what people count on.
std::string ClusterRun::unsettled(const std::string& result) {
  const json::value told = json::parse(result);
  for (const json::value& site : told.at("silent").as_array()) {
    return json::serialize(site) + " has told nothing for the catalog";
  }
  for (const json::value& one : told.at("unsettled").as_array()) {
    for (const ClusterObject& object : objects_) {
      if (object.state == State::kStored && one.at("name").as_string() == object.object.text()) {
        return "the catalog is not settled: " + json::serialize(one);
      }
    }
  }
  catalog_ = CatalogFate::kSettled;
  return "";
}

// Whether a site may keep that share though nobody needs it.
bool ClusterRun::is_spare(const ShareId& share) const {
  return left_behind_.contains(share);
}

// Whether a share that the policy cuts again stands whole. The job that was to cut it may have
// burnt with the catalog: then share control begins another one by itself.
bool ClusterRun::is_uncut(const ObjectId& object) {
  Cluster::Use control(cluster_, kControlSite);
  const auto shares = control->catalog().list_shares(object);
  const auto policy = planner::parse_policy(cluster_.shape().policy);
  WARIFU_CHECK(policy.has_value());
  if (!shares) return true;  // it cannot be told now
  return std::ranges::any_of(*shares, [&](const catalog::Share& share) {
    return share.state == catalog::ShareState::kDurable && !policy->find(share.path)->is_leaf();
  });
}

}  // namespace warifu::sim
