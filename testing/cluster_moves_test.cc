// Moves that stop between the location record and the job's own: whoever burns then, the job comes
// to its end, and what was lost is another repair's.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/log.h"
#include "secret/secret.h"
#include "testing/cluster_ask.h"
#include "testing/cluster_run.h"

namespace warifu::sim {
namespace {

class MovesTest : public testing::Test {
 protected:
  void SetUp() override {
    secret::allow_unlocked();  // simulated secrets
    ASSERT_TRUE(init_log("moves", "/dev/null", LogLevel::kError));
  }

  template <typename Answer>
  Answer ask(const std::function<Result<Answer>(ClusterSite&)>& question) {
    return ask_control<Answer>(*cluster_, question);
  }
  catalog::Job end_of(const JobId& job) {
    const auto end = Schedule::now() + std::chrono::minutes(20);
    for (;;) {
      const auto now =
          ask<catalog::Job>([&](ClusterSite& control) { return control.catalog().job(job); });
      if (catalog::is_finished(now.state) || Schedule::now() > end) return now;
      Schedule::sleep(std::chrono::milliseconds(50));
    }
  }

  Cluster* cluster_ = nullptr;
};

TEST_F(MovesTest, ATargetThatBurnsBehindTheLocationRecordHoldsNothingUp) {
  const ClusterImages& images = cluster_images(direct_shape());
  Schedule::run(31, {.preempt_one_in = 0}, [&] {
    const auto card = images.card->crash_image(0);
    Cluster cluster({.seed = 31}, direct_shape(), &images);
    cluster_ = &cluster;
    cluster.start_all();
    ClusterPerson person(*card);
    const Bytes plain(30'000, Byte{7});
    const auto ticket = ask<control::StoreTicket>(
        [&](ClusterSite& control) { return person.upload(control, plain, "file"); });
    ASSERT_EQ(end_of(ticket.job).state, catalog::JobState::kDone);
    const auto job = ask<JobId>([&](ClusterSite& control) {
      return control.control().upkeep().relocate(ticket.object, "B", false, std::nullopt);
    });
    const catalog::Job moved = end_of(job);
    ASSERT_EQ(moved.state, catalog::JobState::kDone) << moved.error;

    // As a power loss leaves it: the location record has passed, and the job does not know.
    const auto torn = ask<JobId>([&](ClusterSite& control) -> Result<JobId> {
      catalog::Job again = moved;
      again.job = os::random_id<JobId>(control.context().system.random);
      again.state = catalog::JobState::kRunning;
      again.step = "settle";
      TRY(control.catalog().start_job({.job = again, .object = {}, .shares = {}}));
      return again.job;
    });
    const auto shares = ask<std::vector<catalog::Share>>(
        [&](ClusterSite& control) { return control.catalog().list_shares(ticket.object); });
    const auto share = std::ranges::find_if(shares, [](const catalog::Share& one) {
      return one.path.text() == "B" && one.state == catalog::ShareState::kDurable;
    });
    ASSERT_TRUE(share != shares.end());
    cluster.burn(cluster.shape().find(share->last_site.text()), [] {});
    const catalog::Job ended = end_of(torn);
    EXPECT_EQ(ended.state, catalog::JobState::kDone) << ended.step << ": " << ended.error;
    cluster.stop_all();
  });
}

}  // namespace
}  // namespace warifu::sim
