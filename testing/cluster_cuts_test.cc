// Cuts that break off and are tried again, at sites of the simulated cluster: whatever was lost
// meanwhile, records of two cuts never stand beside one another.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/log.h"
#include "control/cutting.h"
#include "planner/policy.h"
#include "secret/secret.h"
#include "testing/cluster.h"

namespace warifu::sim {
namespace {

using control::CutTarget;
using control::Cutting;

constexpr std::uint64_t kLength = 3 * limits::kChunkBytes + 5;
constexpr std::size_t kHolders = 3;  // tommo itself, lsa, tuh

class Ones final : public control::CutInput {
 public:
  Result<> read(ChunkIndex, MutableBytes record) override {
    std::ranges::fill(record, Byte{1});
    return {};
  }
};

class CutsTest : public testing::Test {
 protected:
  void SetUp() override {
    secret::allow_unlocked();  // simulated secrets
    ASSERT_TRUE(init_log("cuts", "/dev/null", LogLevel::kError));
  }

  // Runs `body` in a cluster that has just started.
  void in_cluster(const std::function<void()>& body) {
    Schedule::run(11, {.preempt_one_in = 0}, [&] {
      Cluster cluster({.seed = 11}, direct_shape(), nullptr);
      cluster.start_all();
      cluster_ = &cluster;
      plan();
      body();
      cluster.stop_all();
    });
  }

  void plan() {
    Cluster::Use control(*cluster_, kControlSite);
    const auto policy = planner::parse_policy(cluster_->shape().policy);
    ASSERT_TRUE(policy.has_value());
    scheme_ = policy->scheme;
    const auto object = os::random_id<ObjectId>(control->context().system.random);
    targets_.clear();
    for (std::size_t i = 0; i < kHolders; ++i) {
      const SiteName site = cluster_->shape().site(i);
      const control::ShareSpec spec{
          .share = os::random_id<ShareId>(control->context().system.random),
          .object = object,
          .parent = {},
          .path = sharing::SharePath(static_cast<sharing::ShareIndex>(i)),
          .scheme = scheme_,
          .owner = os::random_id<Pseudonym>(control->context().system.random),
          .object_length = kLength,
          .records = records_.below(scheme_),
          .policy = cluster_->shape().policy};
      planner::Route route = {cluster_->shape().site(kControlSite)};
      if (i != kControlSite) route.push_back(site);
      targets_.push_back({site, spec, route});
    }
  }

  Result<Cutting> prepare() {
    Cluster::Use control(*cluster_, kControlSite);
    return Cutting::prepare(control->context(), control->shares().uploads(), scheme_, records_,
                            targets_, job_);
  }
  void cut_all() {
    auto cutting = prepare();
    ASSERT_TRUE(cutting.has_value()) << cutting.error().message;
    Ones input;
    const auto done = cutting->run(
        input, {[](std::uint64_t, std::uint64_t) { return Result<>(); }, [] { return true; }});
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(cutting->first_chunk(), records_.count());
  }
  void commit(std::size_t holder) {
    Cluster::Use control(*cluster_, kControlSite);
    const CutTarget& target = targets_[holder];
    const auto done = control::commit_share(control->context(), control->shares().uploads(),
                                            target.site, {target.spec.share, {}, {}});
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  void lose(std::size_t holder) {
    Cluster::Use site(*cluster_, holder);
    ASSERT_TRUE(site->shares().remove(targets_[holder].spec.share));
  }
  std::uint64_t durable(std::size_t holder) {
    Cluster::Use control(*cluster_, kControlSite);
    const CutTarget& target = targets_[holder];
    const auto prepared = control::prepare_share(control->context(), control->shares().uploads(),
                                                 target.site, target.spec);
    EXPECT_TRUE(prepared.has_value()) << prepared.error().message;
    return prepared ? prepared->durable_chunks : UINT64_MAX;
  }

  Cluster* cluster_ = nullptr;
  sharing::Scheme scheme_;
  const sharing::RecordLayout records_{sharing::Chunking{{kLength}}};
  std::vector<CutTarget> targets_;
  const JobId job_{{1}};
};

TEST_F(CutsTest, WhatIsLeftOfACutGoesEverywhereBeforeTheNextBegins) {
  in_cluster([&] {
    cut_all();
    lose(1);
    const auto again = prepare();
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(again->first_chunk(), 0u);
    for (std::size_t i = 0; i < kHolders; ++i) EXPECT_EQ(durable(i), 0u) << i;
  });
}

TEST_F(CutsTest, NothingIsCutBesideAPermanentShareOfAnOlderCut) {
  in_cluster([&] {
    cut_all();
    commit(2);
    lose(1);
    for (int i = 0; i < 3; ++i) {
      const auto again = prepare();
      ASSERT_FALSE(again.has_value());
      EXPECT_EQ(again.error().code, Code::kAlreadyExists) << again.error().message;
      EXPECT_EQ(durable(1), 0u);
      EXPECT_EQ(durable(2), records_.count());
    }
  });
}

TEST_F(CutsTest, WhatIsAnnouncedAgainAndCannotBeOpenedIsBegunAnew) {
  in_cluster([&] {
    cut_all();
    for (std::size_t i = 0; i < kHolders; ++i) commit(i);
    EXPECT_EQ(durable(1), records_.count());
    const std::string file =
        cluster_->folder(1) + "/shares/" + targets_[1].spec.share.text() + ".share";
    for (const std::uint64_t at :
         {std::uint64_t{0}, std::uint64_t{store::kHeaderBytes}}) {  // both copies of the header
      ASSERT_TRUE(cluster_->disk(1).rot(file, at + 40, Byte{1}));
    }
    EXPECT_EQ(durable(1), 0u);
  });
}

TEST_F(CutsTest, AShareIsCutByOneAtATime) {
  in_cluster([&] {
    Cluster::Use control(*cluster_, kControlSite);
    control::Uploads& uploads = control->shares().uploads();
    const ShareId share = targets_[0].spec.share;
    {
      const auto turn = uploads.begin_cut(share);
      ASSERT_TRUE(turn.has_value());
      EXPECT_EQ(uploads.begin_cut(share).error().code, Code::kBusy);
      EXPECT_TRUE(uploads.begin_cut(targets_[1].spec.share));
    }
    EXPECT_TRUE(uploads.begin_cut(share));
  });
}

}  // namespace
}  // namespace warifu::sim
