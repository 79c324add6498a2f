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

using std::chrono::microseconds;
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
  static catalog::Job wait_for(ClusterSite& control, const JobId& job) {
    while (!catalog::is_finished(control.catalog().job(job)->state)) {
      Schedule::sleep(milliseconds(50));
    }
    EXPECT_EQ(control.catalog().job(job)->state, catalog::JobState::kDone);
    return *control.catalog().job(job);
  }
  // Stored, and its record not on the card yet. `meanwhile` is called while the shares move.
  ObjectId store(ClusterSite& control, const std::function<void()>& meanwhile = {}) {
    const auto ticket = person_.upload(control, plain(), "a file");
    EXPECT_TRUE(ticket) << ticket.error().message;
    if (meanwhile) {
      while (control.catalog().job(ticket->job)->step == "plan") Schedule::sleep(microseconds(20));
      EXPECT_EQ(control.catalog().job(ticket->job)->step, "move");
      meanwhile();
    }
    (void)wait_for(control, ticket->job);
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

// The copy of the catalog was made while the shares moved; the store ended; the site burnt.
class BurntRecordsTest : public RecordsTest {
 protected:
  ObjectId store_and_copy(Cluster& cluster) {
    Cluster::Use use(cluster, kControlSite);
    ClusterSite& control = *use.operator->();
    const auto enrolled = person_.enrol(control);
    EXPECT_TRUE(enrolled) << enrolled.error().message;
    return store(control, [&] {
      const auto copied = control.control().recovery().copies()->round();
      EXPECT_TRUE(copied) << copied.error().message;
    });
  }
  static void burn(Cluster& cluster) {
    cluster.burn(kControlSite, [] {});
    while (!cluster.all_up()) {
      cluster.supervise();
      Schedule::sleep(milliseconds(100));
    }
    for (std::size_t site = kControlSite + 1; site < cluster.size(); ++site) {
      Cluster::Use holder(cluster, site);
      const os::UnixMs until{os::real_clock().now().value + 3'600'000};
      EXPECT_TRUE(holder->copies().allow_until(until));
    }
  }
  void rebuild_and_restore(ClusterSite& control, const ObjectId& object) {
    const auto begun = control.control().recovery().rebuild(false);
    ASSERT_TRUE(begun) << begun.error().message;
    EXPECT_TRUE(begun->copy_made);
    const auto result = boost::json::parse(wait_for(control, begun->job).result).as_object();
    EXPECT_EQ(result.at("objects"), 1);
    EXPECT_EQ(result.at("added"), 0);
    EXPECT_EQ(result.at("without_tag"), 1);
    EXPECT_EQ(result.at("unknown_records"), 0);
    const auto got = restore(control, object);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, plain());
    EXPECT_EQ(check_of_last_restore(control, object), "not_known");
  }
};

TEST_F(BurntRecordsTest, AStoreThatACopyCameInTheMiddleOfComesBackWithoutItsTag) {
  Schedule::run(17, {.preempt_one_in = 0}, [&] {
    Cluster cluster({.seed = 17}, direct_shape(), nullptr);
    cluster.keep_copies(std::chrono::hours(1));
    cluster.start_all();
    const ObjectId object = store_and_copy(cluster);
    burn(cluster);
    {
      Cluster::Use control(cluster, kControlSite);
      rebuild_and_restore(*control.operator->(), object);
    }
    cluster.stop_all();
  });
}

}  // namespace
}  // namespace warifu::sim
