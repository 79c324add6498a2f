// A share that stands whole, without a job that cuts it: share control begins one by itself, and
// whoever loses power at whatever moment, the parts come to stand, the whole share goes, and no
// site comes to more than it may.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "base/log.h"
#include "control/share_tree.h"
#include "secret/secret.h"
#include "testing/cluster_ask.h"
#include "testing/cluster_run.h"

namespace warifu::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kGateway = 2, kCloud1 = 3, kCloud2 = 4;
constexpr std::size_t kBytes = 30'000;

class RecutTest : public testing::Test {
 protected:
  void SetUp() override {
    secret::allow_unlocked();  // simulated secrets
    ASSERT_TRUE(init_log("recut", "/dev/null", LogLevel::kError));
  }

  template <typename Answer>
  Answer ask(const std::function<Result<Answer>(ClusterSite&)>& question) {
    return ask_control<Answer>(*cluster_, question);
  }
  control::ShareTree tree() {
    return ask<control::ShareTree>([this](ClusterSite& control) {
      return control::ShareTree::read(control.catalog(), object_);
    });
  }
  void wait_until(const std::function<bool()>& reached, milliseconds step = milliseconds(50)) {
    const auto end = Schedule::now() + std::chrono::minutes(20);
    while (!reached()) {
      ASSERT_LT(Schedule::now(), end) << "it does not come to an end";
      cluster_->supervise();
      Schedule::sleep(step);
    }
  }
  std::string step_of(const JobId& job) {
    return ask<catalog::Job>([&](ClusterSite& control) { return control.catalog().job(job); }).step;
  }

  // The object is committed; C stands whole at the gateway, which cannot reach a cloud; and the
  // store job is gone, with what it had planned, as after the loss of a catalog.
  void leave_whole() {
    plain_ = Bytes(kBytes, Byte{7});
    ClusterPerson person(*card_disk_);
    const auto ticket = ask<control::StoreTicket>(
        [&](ClusterSite& control) { return person.upload(control, plain_, "file"); });
    object_ = ticket.object;
    cluster_->watch().set_plain(object_, plain_);
    // Planned while all answer; then the gateway cannot cut for all.
    wait_until([&] { return step_of(ticket.job) != "plan"; }, milliseconds(1));
    cluster_->net().close_way(kGateway, kCloud2, true);
    wait_until([&] { return step_of(ticket.job) == "reshare"; });
    cluster_->kill(kControlSite);
    cluster_->hold_down(kControlSite);
    cluster_->bring_back(kControlSite);
    // Before the job is carried on to its end: the way is closed.
    const auto uncut = tree().uncut();
    WARIFU_CHECK(!uncut.empty());
    const ShareId whole = uncut.front().share;
    ask<bool>([&](ClusterSite& control) -> Result<bool> {
      const auto job = control.catalog().job(ticket.job);
      if (!catalog::is_finished(job->state)) {
        TRY(control.catalog().update_job(ticket.job, {.state = catalog::JobState::kFailed,
                                                      .step = "reshare",
                                                      .error = "the control site was lost",
                                                      .updated = os::real_clock().now()}));
      }
      TRY(control.catalog().give_up_parts(whole));
      return true;
    });
    cluster_->kill(kControlSite);  // and with it the worker that still knows of the job
    cluster_->net().open_all_ways();
  }

  void check_end() {
    const control::ShareTree now = tree();
    EXPECT_TRUE(now.uncut().empty());
    const auto held = catalog::held_shares(now.shares, now.object.generation);
    ASSERT_EQ(held.size(), 5u);
    std::set<SiteName> sites;
    for (const catalog::Share& share : held) {
      sites.insert(*share.site);
      Cluster::Use site(*cluster_, cluster_->shape().find(share.site->text()));
      EXPECT_TRUE(site->context().shares.open(share.share)) << share.path.text();
    }
    EXPECT_EQ(sites.size(), 5u);
    EXPECT_FALSE(sites.contains(cluster_->shape().site(kGateway)));
    for (std::size_t at = 0; at < cluster_->size(); ++at) {
      Cluster::Use site(*cluster_, at);
      const auto kept = site->context().shares.list();
      ASSERT_TRUE(kept);
      for (const store::ShareHeader& header : kept->shares) {
        EXPECT_TRUE(std::ranges::find(held, header.share, &catalog::Share::share) != held.end())
            << cluster_->shape().text(at) << " keeps " << header.path.text();
      }
    }
    EXPECT_TRUE(cluster_->watch().exposed().empty());
    EXPECT_EQ(cluster_->counts.reused, 0u);
  }

  // Runs it with a site that loses power at its `change`th change to its disk; 0: nobody does.
  // Whether that came to pass.
  bool run(std::size_t crashing, std::uint64_t change) {
    const ClusterImages& images = cluster_images(nested_shape());
    bool crashed = false;
    Schedule::run(23 + change, {.preempt_one_in = 0}, [&] {
      const auto card = images.card->crash_image(0);
      Cluster cluster({.seed = 23 + change}, nested_shape(), &images);
      cluster_ = &cluster;
      card_disk_ = card.get();
      cluster.start_all();
      leave_whole();
      wait_until([&] { return cluster.all_up(); });
      if (change > 0) cluster.crash_soon(crashing, change);
      bool hurried = false;
      wait_until([&] {
        crashed = crashed || !cluster.is_up(crashing);
        if (!cluster.all_up()) return false;
        Cluster::Use control(cluster, kControlSite);
        if (!std::exchange(hurried, true)) control->control().reshares().hurry();
        const auto jobs = control->catalog().unfinished_jobs();
        const auto pending = control->catalog().pending_deletions();
        return tree().uncut().empty() && jobs && jobs->empty() && pending && pending->empty();
      });
      for (std::size_t at = 0; at < cluster.size(); ++at) cluster.disk(at).clear_faults();
      wait_until([&] { return cluster.all_up(); });
      check_end();
      cluster.stop_all();
    });
    return crashed;
  }

  Cluster* cluster_ = nullptr;
  SimDisk* card_disk_ = nullptr;
  ObjectId object_;
  Bytes plain_;
};

TEST_F(RecutTest, BeginsByItself) {
  (void)run(kControlSite, 0);
}

// The control: nothing else than share control's own look makes it begin, and people are told.
TEST_F(RecutTest, LeftToPeopleItStaysWhole) {
  const ClusterImages& images = cluster_images(nested_shape());
  Schedule::run(23, {.preempt_one_in = 0}, [&] {
    const auto card = images.card->crash_image(0);
    ClusterRules rules{.seed = 23};
    rules.bugs.leaves_whole = true;
    Cluster cluster(rules, nested_shape(), &images);
    cluster_ = &cluster;
    card_disk_ = card.get();
    cluster.start_all();
    leave_whole();
    const auto end = Schedule::now() + std::chrono::minutes(5);
    wait_until([&] { return cluster.all_up() && Schedule::now() > end; });
    ASSERT_EQ(tree().uncut().size(), 1u);
    const auto status = ask<upkeep::UncutStatus>(
        [](ClusterSite& control) { return control.control().reshares().status(); });
    EXPECT_EQ(status.objects, 1u);
    EXPECT_EQ(status.left, 1u);
    cluster.stop_all();
  });
}

TEST_F(RecutTest, EndsWhoeverLosesPowerInTheMiddle) {
  for (const std::size_t site : {kControlSite, kGateway, kCloud1}) {
    std::size_t crashes = 0;
    for (std::uint64_t change = 1; change < 200; change += 1 + change / 2) {
      SCOPED_TRACE(nested_shape().text(site) + ", change " + std::to_string(change));
      if (!run(site, change)) break;
      ++crashes;
      if (HasFailure()) return;
    }
    std::cout << nested_shape().text(site) << ": " << crashes << " moments\n";
    EXPECT_GT(crashes, 3u);
  }
}

}  // namespace
}  // namespace warifu::sim
