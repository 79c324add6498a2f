// Jobs, grants and the account of spent key.
#include <gtest/gtest.h>

#include "catalog/catalog_test_support.h"

namespace warifu::catalog {
namespace {

class JobsTest : public testing::Test, protected CatalogHome {};

TEST_F(JobsTest, StartIsOneStep) {
  start_store();
  reopen();
  EXPECT_EQ(*catalog_->job(kJob), sample_job());
  EXPECT_EQ(catalog_->list_shares(kObject)->size(), 3u);
  EXPECT_EQ(catalog_->share(kA)->last_site, site_of("tommo"));
  // The second object is not added when its job cannot be.
  Object object = sample_object();
  object.object = id_of<ObjectId>(2);
  EXPECT_TRUE(is_error(catalog_->start_job({sample_job(), object, {}}), Code::kAlreadyExists,
                       "already known"));
  EXPECT_FALSE(catalog_->object(object.object));
  Job job = sample_job();
  job.job = id_of<JobId>(2);
  job.object = id_of<ObjectId>(3);
  EXPECT_TRUE(is_error(catalog_->start_job({job, {}, {}}), Code::kNotFound, "object"));
  job.object.reset();
  job.person_id = "P-9";
  EXPECT_TRUE(is_error(catalog_->start_job({job, {}, {}}), Code::kNotFound, "P-9"));
  job.person_id.reset();
  job.plan = "{not json";
  EXPECT_TRUE(is_error(catalog_->start_job({job, {}, {}}), Code::kInvalidArgument, "not JSON"));
  job.plan.clear();
  EXPECT_TRUE(catalog_->start_job({job, {}, {}}));
  EXPECT_EQ(*catalog_->job(job.job), job);
}

TEST_F(JobsTest, APriorityIsKeptUntilTheEnd) {
  start_store();
  EXPECT_EQ(catalog_->job(kJob)->priority, JobPriority::kUsual);
  ASSERT_TRUE(catalog_->set_job_priority(kJob, JobPriority::kUrgent));
  EXPECT_EQ(catalog_->unfinished_jobs()->front().priority, JobPriority::kUrgent);
  ASSERT_TRUE(catalog_->update_job(kJob, {.state = JobState::kDone, .step = "done"}));
  EXPECT_EQ(catalog_->job(kJob)->priority, JobPriority::kUrgent);
  EXPECT_TRUE(is_error(catalog_->set_job_priority(kJob, JobPriority::kLow), Code::kInvalidArgument,
                       "finished"));
  EXPECT_TRUE(is_error(catalog_->set_job_priority(id_of<JobId>(9), JobPriority::kLow),
                       Code::kNotFound, "known"));
  EXPECT_EQ(value_of_name<JobPriority>("urgent"), JobPriority::kUrgent);
  EXPECT_FALSE(value_of_name<JobPriority>("vip"));
}

TEST_F(JobsTest, ProgressUntilTheEnd) {
  start_store();
  JobProgress progress;
  progress.state = JobState::kWaitingKey;
  progress.step = "waiting for key of link tommo>lsa";
  progress.progress_bytes = 1000;
  progress.total_bytes = 3'000'000;
  progress.updated = {1'795'000'002'000};
  progress.expected_end = os::UnixMs{1'795'000'900'000};
  ASSERT_TRUE(catalog_->update_job(kJob, progress));
  Job job = *catalog_->job(kJob);
  EXPECT_EQ(job.state, JobState::kWaitingKey);
  EXPECT_EQ(job.step, progress.step);
  EXPECT_EQ(job.expected_end, progress.expected_end);
  EXPECT_EQ(job.sealed_secret, sample_job().sealed_secret);
  ASSERT_TRUE(catalog_->set_job_plan(kJob, R"({"hops": 4})"));
  EXPECT_EQ(catalog_->unfinished_jobs()->size(), 1u);
  progress.state = JobState::kDone;
  progress.expected_end.reset();
  progress.result = "{}";
  ASSERT_TRUE(catalog_->update_job(kJob, progress));
  EXPECT_FALSE(catalog_->job(kJob)->expected_end);
  EXPECT_TRUE(catalog_->unfinished_jobs()->empty());
  EXPECT_TRUE(is_error(catalog_->update_job(kJob, progress), Code::kInvalidArgument, "is done"));
  EXPECT_FALSE(catalog_->set_job_plan(kJob, "{}"));
  ASSERT_TRUE(catalog_->set_job_secret(kJob, {}));
  EXPECT_TRUE(catalog_->job(kJob)->sealed_secret.empty());
  EXPECT_TRUE(is_error(catalog_->update_job(id_of<JobId>(9), progress), Code::kNotFound, "known"));
}

TEST_F(JobsTest, Lists) {
  start_store();
  for (const Byte i : {Byte{1}, Byte{2}, Byte{3}, Byte{4}, Byte{5}, Byte{6}}) {
    Job job = sample_job();
    job.job = id_of<JobId>(i);
    job.kind = i % 2 == 0 ? JobKind::kRestore : JobKind::kReshare;
    job.state = static_cast<JobState>(i - 1);
    job.created.value += i;
    ASSERT_TRUE(catalog_->start_job({job, {}, {}}));
  }
  EXPECT_EQ(catalog_->list_jobs({}, {})->size(), 7u);
  EXPECT_EQ(catalog_->list_jobs({}, {.count = 2})->at(0).job, id_of<JobId>(6));
  EXPECT_EQ(catalog_->list_jobs({.kind = JobKind::kRestore}, {})->size(), 3u);
  EXPECT_EQ(catalog_->list_jobs({.state = JobState::kFailed}, {})->at(0).job, id_of<JobId>(5));
  EXPECT_EQ(catalog_->list_jobs({.object = kObject, .person_id = "P-000123"}, {})->size(), 7u);
  EXPECT_TRUE(catalog_->list_jobs({.person_id = "P-9"}, {})->empty());
  const auto unfinished = *catalog_->unfinished_jobs();
  ASSERT_EQ(unfinished.size(), 4u);
  EXPECT_EQ(unfinished[0].job, kJob);  // oldest first
}

TEST_F(JobsTest, Grants) {
  start_store();
  Grant grant;
  grant.grant = id_of<GrantId>(1);
  grant.object = kObject;
  grant.person_id = "P-000123";
  grant.grant_bytes = Bytes(300, 0);
  grant.evidence = {0, 1, 0};
  grant.created = {100};
  grant.expiry = {200};
  grant.sealed_secret = {9, 9};
  grant.opening = {7};
  ASSERT_TRUE(catalog_->add_grant(grant));
  reopen();
  EXPECT_EQ(*catalog_->grant(grant.grant), grant);
  EXPECT_TRUE(is_error(catalog_->add_grant(grant), Code::kAlreadyExists, "already known"));
  EXPECT_EQ(catalog_->list_grants({.object = kObject, .state = GrantState::kGiven}, {})->size(),
            1u);
  ASSERT_TRUE(catalog_->set_grant_state(grant.grant, GrantState::kUsedUp));
  ASSERT_TRUE(catalog_->set_grant_state(grant.grant, GrantState::kUsedUp));
  EXPECT_TRUE(is_error(catalog_->set_grant_state(grant.grant, GrantState::kGiven),
                       Code::kInvalidArgument, "is used_up"));
  EXPECT_TRUE(catalog_->grant(grant.grant)->sealed_secret.empty());
  EXPECT_TRUE(catalog_->list_grants({.state = GrantState::kGiven}, {})->empty());
  EXPECT_EQ(catalog_->list_grants({.person_id = "P-000123"}, {})->size(), 1u);

  ASSERT_TRUE(catalog_->add_person(sample_person("P-2", 2)));
  grant.grant = id_of<GrantId>(2);
  grant.person_id = "P-2";
  EXPECT_TRUE(is_error(catalog_->add_grant(grant), Code::kInvalidArgument, "does not belong"));
  grant.person_id = "P-000123";
  grant.object = id_of<ObjectId>(9);
  EXPECT_TRUE(is_error(catalog_->add_grant(grant), Code::kNotFound, "object"));
  EXPECT_TRUE(is_error(catalog_->grant(id_of<GrantId>(2)), Code::kNotFound, "grant"));
}

TEST_F(JobsTest, SpentKeyAddsUp) {
  start_store();
  Job restore = sample_job();
  restore.job = id_of<JobId>(2);
  restore.kind = JobKind::kRestore;
  ASSERT_TRUE(catalog_->start_job({restore, {}, {}}));
  const LinkUse to_lsa{site_of("tommo"), site_of("lsa"), "qkd", "HARDWARE", 100, 16, 116};
  LinkUse from_lsa{site_of("lsa"), site_of("tommo"), "qkd", "HARDWARE", 7, 16, 23};
  LinkUse other_origin = to_lsa;
  other_origin.origin = "RATE_MODEL";
  ASSERT_TRUE(catalog_->add_link_use(kJob, std::vector{to_lsa, from_lsa, to_lsa, other_origin}));
  ASSERT_TRUE(catalog_->add_link_use(restore.job, std::vector{from_lsa}));
  const auto job = *catalog_->link_use_of_job(kJob);
  ASSERT_EQ(job.size(), 3u);
  EXPECT_EQ(job[0], from_lsa);
  EXPECT_EQ(job[1].payload_bytes, 200u);
  EXPECT_EQ(job[1].key_bytes, 232u);
  EXPECT_EQ(job[2], other_origin);
  const auto object = *catalog_->link_use_of_object(kObject);
  ASSERT_EQ(object.size(), 3u);
  EXPECT_EQ(object[0].payload_bytes, 14u);
  EXPECT_EQ(object[0].tag_bytes, 32u);
  // All or none.
  from_lsa.to = from_lsa.from;
  EXPECT_FALSE(catalog_->add_link_use(kJob, std::vector{to_lsa, from_lsa}));
  LinkUse huge = to_lsa;
  huge.key_bytes = INT64_MAX;
  EXPECT_FALSE(catalog_->add_link_use(kJob, std::vector{other_origin, huge}));
  EXPECT_EQ(*catalog_->link_use_of_job(kJob), job);
  EXPECT_TRUE(is_error(catalog_->add_link_use(id_of<JobId>(9), {}), Code::kNotFound, "job"));
}

TEST(RecordNames, EveryNameComesBack) {
  for (const auto state : {JobState::kWaitingKey, JobState::kRunning, JobState::kPaused,
                           JobState::kDone, JobState::kFailed, JobState::kCancelled}) {
    EXPECT_EQ(value_of_name<JobState>(state_name(state)), state);
  }
  EXPECT_EQ(value_of_name<ShareState>("delete_pending"), ShareState::kDeletePending);
  EXPECT_EQ(value_of_name<GrantState>("used_up"), GrantState::kUsedUp);
  EXPECT_EQ(value_of_name<CardRecordState>("on_card"), CardRecordState::kOnCard);
  EXPECT_EQ(value_of_name<CardRecordState>("unknown"), CardRecordState::kUnknown);
  EXPECT_EQ(value_of_name<ObjectState>("storing"), ObjectState::kStoring);
  EXPECT_FALSE(value_of_name<JobKind>("renew"));
}

TEST_F(JobsTest, SightingsAreAddedOnceAndReadBySiteAndShare) {
  start_store();
  const Sighting whole{site_of("tuh"), path_of("C")};
  const Sighting part{site_of("tuh"), path_of("C1")};
  const Sighting other{site_of("lsa"), path_of("B")};
  const std::vector all = {other, whole, part};
  ASSERT_TRUE(catalog_->add_sightings(kObject, kJob, std::vector{part, whole}, {}));
  ASSERT_TRUE(catalog_->add_sightings(kObject, kJob, std::vector{whole, other}, all));
  EXPECT_EQ(*catalog_->sightings(kObject), all);
  const auto refused = [&](const Sighting& bad) {
    return !catalog_->add_sightings(kObject, kJob, std::vector{bad}, all);
  };
  EXPECT_TRUE(refused({{}, path_of("B")}));
  EXPECT_TRUE(refused({site_of("lsa"), {}}));
  EXPECT_TRUE(
      is_error(catalog_->add_sightings(kObject, id_of<JobId>(9), {}, all), Code::kNotFound, "job"));
  EXPECT_TRUE(is_error(catalog_->sightings(id_of<ObjectId>(9)), Code::kNotFound, "object"));
}

// Two restores that plan at the same moment: each is legal with what was seen before, and both
// together show the hospital two shares. The second one has to look again.
TEST_F(JobsTest, NothingIsAddedByWhoDoesNotReckonWithWhatOthersAdded) {
  start_store();
  const Sighting b{site_of("tuh"), path_of("B")};
  const Sighting c{site_of("tuh"), path_of("C")};
  ASSERT_TRUE(catalog_->add_sightings(kObject, kJob, std::vector{b}, {}));
  EXPECT_TRUE(is_error(catalog_->add_sightings(kObject, kJob, std::vector{c}, {}), Code::kBusy,
                       "tuh has come to see share B"));
  EXPECT_EQ(*catalog_->sightings(kObject), std::vector{b});
  EXPECT_TRUE(catalog_->add_sightings(kObject, kJob, std::vector{b}, std::vector{b, c}));
  EXPECT_TRUE(catalog_->add_sightings(kObject, kJob, std::vector{c}, std::vector{b}));
}

TEST_F(JobsTest, UnfinishedJobsOfOneObjectAreItsOwn) {
  start_store();
  EXPECT_EQ(*catalog_->unfinished_jobs_of(kObject), *catalog_->unfinished_jobs());
  EXPECT_EQ(catalog_->unfinished_jobs_of(kObject)->size(), 1u);
  EXPECT_TRUE(catalog_->unfinished_jobs_of(id_of<ObjectId>(9))->empty());
  ASSERT_TRUE(catalog_->update_job(kJob, {.state = JobState::kFailed, .step = "plan"}));
  EXPECT_TRUE(catalog_->unfinished_jobs_of(kObject)->empty());
}

}  // namespace
}  // namespace warifu::catalog
