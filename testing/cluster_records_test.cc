// What a restore makes of the tag over all tags in an object's record, in a simulated cluster: it
// is checked, and where nobody knows it the restore says so and relies on the chunks' own tags.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/log.h"
#include "control/sealed_secret.h"
#include "secret/secret.h"
#include "testing/cluster_person.h"

namespace warifu::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLength = 2 * limits::kChunkBytes + 77;

class RecordsTest : public testing::Test {
 protected:
  void SetUp() override {
    secret::allow_unlocked();  // simulated secrets
    ASSERT_TRUE(init_log("records", "/dev/null", LogLevel::kError));
  }

  // Runs `body` in a cluster with a person, at its control site.
  void in_cluster(const std::function<void(ClusterSite&)>& body) {
    Schedule::run(13, {.preempt_one_in = 0}, [&] {
      Cluster cluster({.seed = 13}, direct_shape(), nullptr);
      cluster.start_all();
      {
        Cluster::Use control(cluster, kControlSite);
        const auto enrolled = person_.enrol(*control.operator->());
        EXPECT_TRUE(enrolled) << enrolled.error().message;
        if (enrolled) body(*control.operator->());
      }
      cluster.stop_all();
    });
  }

  static Bytes plain() {
    Bytes bytes(kLength);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<Byte>(i * 131 + i / 997);
    return bytes;
  }
  // Stored, and its record not on the card yet.
  ObjectId store(ClusterSite& control) {
    const auto ticket = person_.upload(control, plain(), "a file");
    EXPECT_TRUE(ticket) << ticket.error().message;
    while (!catalog::is_finished(control.catalog().job(ticket->job)->state)) {
      Schedule::sleep(milliseconds(50));
    }
    EXPECT_EQ(control.catalog().job(ticket->job)->state, catalog::JobState::kDone);
    return ticket->object;
  }
  // What the catalog keeps of it for the card has another tag.
  static void change_tag(ClusterSite& control, const ObjectId& object,
                         const std::function<void(mac::Tag&)>& change) {
    const auto jobs = *control.catalog().list_jobs(
        {.kind = catalog::JobKind::kStore, .object = object}, {.count = 1});
    const ByteView root = control.context().keys.root_key().bytes();
    auto secrets = *control::open_object_secrets(root, jobs.front().sealed_secret);
    change(secrets.tag);
    ASSERT_TRUE(control.catalog().set_job_secret(
        jobs.front().job,
        control::seal_object_secrets(root, control.context().system.random, secrets)));
  }
  Result<Bytes> restore(ClusterSite& control, const ObjectId& object) {
    TRY(person_.load_record(control, object));
    TRY_ASSIGN(const GrantId grant, person_.consent(control, object));
    return ClusterPerson::restore(control, object, grant);
  }
  static std::string check_of_last_restore(ClusterSite& control, const ObjectId& object) {
    const auto jobs = *control.catalog().list_jobs(
        {.kind = catalog::JobKind::kRestore, .object = object}, {.count = 1});
    const auto result = boost::json::parse(jobs.front().result).as_object();
    const auto* check = result.if_contains("tag_over_all");
    return check == nullptr ? "" : std::string(check->as_string());
  }

  SimDisk card_disk_;
  ClusterPerson person_{card_disk_};
};

TEST_F(RecordsTest, TheTagOverAllIsCheckedAndTheRestoreSaysSo) {
  in_cluster([&](ClusterSite& control) {
    const ObjectId object = store(control);
    const auto got = restore(control, object);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, plain());
    EXPECT_EQ(check_of_last_restore(control, object), "checked");
  });
}

TEST_F(RecordsTest, WithoutATagTheChunksOwnAreReliedUponAndTheRestoreSaysSo) {
  in_cluster([&](ClusterSite& control) {
    const ObjectId object = store(control);
    change_tag(control, object, [](mac::Tag& tag) { tag = {}; });
    const auto got = restore(control, object);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, plain());
    EXPECT_EQ(check_of_last_restore(control, object), "not_known");
  });
}

TEST_F(RecordsTest, AWrongTagStopsTheRestore) {
  in_cluster([&](ClusterSite& control) {
    const ObjectId object = store(control);
    change_tag(control, object, [](mac::Tag& tag) { tag.back() ^= 1; });
    const auto got = restore(control, object);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::kCorrupt);
    EXPECT_NE(got.error().message.find("do not add up"), std::string::npos);
    EXPECT_EQ(check_of_last_restore(control, object), "");
  });
}

}  // namespace
}  // namespace warifu::sim
