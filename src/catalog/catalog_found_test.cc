// Copies of the whole catalog, and objects as their shares tell them.
#include <gtest/gtest.h>

#include "catalog/catalog_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::catalog {
namespace {

class CatalogFound : public testing::Test {
 protected:
  void SetUp() override { catalog_ = *open_sqlite(dir_ + "/catalog.db"); }
  void add_rebuild() {
    ASSERT_TRUE(catalog_->start_job({.job = {.job = kJob,
                                             .kind = JobKind::kRebuild,
                                             .step = "settle",
                                             .created = {1'795'000'002'000},
                                             .updated = {1'795'000'002'000}}}));
  }
  // A and B whole, C cut again for the clouds.
  static FoundObject found() {
    FoundObject object{.object = sample_object()};
    object.object.state = ObjectState::kCommitted;
    object.object.committed_at = os::UnixMs{1'795'000'001'000};
    object.shares = top_shares();
    for (Share& share : object.shares) share.state = ShareState::kDurable;
    object.shares[2].state = ShareState::kDeletePending;
    object.shares[2].site.reset();
    for (Share share : nested_shares()) {
      share.state = ShareState::kDurable;
      object.shares.push_back(share);
    }
    object.sightings = {{site_of("tuh"), path_of("C")}, {site_of("cloud1"), path_of("C1")}};
    return object;
  }
  std::map<ShareId, std::string> places() {
    std::map<ShareId, std::string> all;
    const auto shares = *catalog_->list_shares(kObject);
    for (const Share& share : shares) {
      const bool is_there = share.state == ShareState::kDurable && share.site;
      all[share.share] = is_there ? share.site->text() : std::string(state_name(share.state));
    }
    return all;
  }
  sim::TemporaryFolder dir_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(CatalogFound, AnUnknownObjectIsSettledOnceAndAgain) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  add_rebuild();
  for (int i = 0; i < 2; ++i) {
    const auto settled = catalog_->settle_found(found(), kJob);
    ASSERT_TRUE(settled) << settled.error().message;
    EXPECT_EQ(catalog_->object(kObject)->state, ObjectState::kCommitted);
    const auto at = places();
    EXPECT_EQ(at.size(), 6u);
    EXPECT_EQ(at.at(kA), "tommo");
    EXPECT_EQ(at.at(kC), "delete_pending");
    EXPECT_EQ(at.at(kNested[1]), "cloud2");
    EXPECT_EQ(catalog_->sightings(kObject)->size(), 2u);
    const auto sound = catalog_->integrity_check();
    EXPECT_TRUE(sound) << sound.error().message;
  }
}

TEST_F(CatalogFound, WhatTheCardHasIsUnknownUnlessItsRecordIsKeptHere) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  add_rebuild();
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  EXPECT_EQ(catalog_->object(kObject)->card_record, CardRecordState::kUnknown);
  // Once somebody has looked, another rebuild changes nothing of it.
  ASSERT_TRUE(catalog_->set_card_record(kObject, CardRecordState::kOnCard));
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  EXPECT_EQ(catalog_->object(kObject)->card_record, CardRecordState::kOnCard);
  // The copy of the catalog came in the middle of a store: with the record for the card, or not.
  for (const bool is_kept : {true, false}) {
    catalog_.reset();
    std::filesystem::remove(dir_ + "/catalog.db");
    catalog_ = *open_sqlite(dir_ + "/catalog.db");
    ASSERT_TRUE(catalog_->add_person(sample_person()));
    add_rebuild();
    Job store = sample_job();
    store.job = id_of<JobId>(0x71);
    store.state = JobState::kFailed;
    if (!is_kept) store.sealed_secret.clear();
    ASSERT_TRUE(catalog_->start_job({store, sample_object(), top_shares()}));
    ASSERT_TRUE(catalog_->settle_found(found(), kJob));
    EXPECT_EQ(catalog_->object(kObject)->state, ObjectState::kCommitted);
    EXPECT_EQ(catalog_->object(kObject)->card_record,
              is_kept ? CardRecordState::kPending : CardRecordState::kUnknown);
  }
}

TEST_F(CatalogFound, WhatStoodAtAPlaceBeforeGoes) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  add_rebuild();
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  FoundObject later = found();
  later.shares[1] = replacement(later.shares[1], 0xbb, "kyoto");
  // C came back whole: its parts are of no use.
  later.shares[2].state = ShareState::kDurable;
  later.shares[2].site = site_of("tuh");
  later.shares.resize(3);
  ASSERT_TRUE(catalog_->settle_found(later, kJob));
  const auto at = places();
  EXPECT_EQ(at.at(id_of<ShareId>(0xbb)), "kyoto");
  EXPECT_EQ(at.at(kB), "delete_pending");
  EXPECT_EQ(at.at(kC), "tuh");
  EXPECT_EQ(at.at(kNested[0]), "delete_pending");
  const auto sound = catalog_->integrity_check();
  EXPECT_TRUE(sound) << sound.error().message;
}

TEST_F(CatalogFound, AStoreThatHadFailedHereAndADeletedObject) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  ASSERT_TRUE(catalog_->add_object(sample_object()));
  ASSERT_TRUE(catalog_->fail_object(kObject));
  add_rebuild();
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  EXPECT_EQ(catalog_->object(kObject)->state, ObjectState::kCommitted);
  ASSERT_TRUE(catalog_->delete_object(kObject));
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  EXPECT_EQ(catalog_->object(kObject)->state, ObjectState::kDeleted);
  EXPECT_EQ(catalog_->pending_deletions()->size(), 6u);
  EXPECT_TRUE(catalog_->integrity_check());
}

TEST_F(CatalogFound, ObjectsAreListedByAPlaceThatStands) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  EXPECT_TRUE(catalog_->policies()->empty());
  add_rebuild();
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  const std::string policy = sample_object().policy;
  EXPECT_EQ(*catalog_->policies(), std::vector{policy});
  const auto with = [&](const std::vector<std::string>& names, const ObjectId& after) {
    std::vector<sharing::SharePath> places;
    for (const std::string& name : names) places.push_back(path_of(name));
    return *catalog_->objects_with_share_at(policy, places, after, 10);
  };
  EXPECT_EQ(with({"D", "C2"}, {}), std::vector{kObject});
  EXPECT_TRUE(with({"C2"}, kObject).empty());
  EXPECT_TRUE(with({"C", "D"}, {}).empty());  // C was cut
  EXPECT_TRUE(with({}, {}).empty());
  const std::array<sharing::SharePath, 1> b = {path_of("B")};
  EXPECT_TRUE(catalog_->objects_with_share_at("2 of (a, b)", b, {}, 10)->empty());
  EXPECT_TRUE(catalog_->objects_with_share_at(policy, b, {}, 0)->empty());
  ASSERT_TRUE(catalog_->delete_object(kObject));
  EXPECT_TRUE(with({"C2"}, {}).empty());
  EXPECT_TRUE(catalog_->policies()->empty());
}

TEST_F(CatalogFound, ObjectsAreListedByTheSiteOfTheirShares) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  add_rebuild();
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  EXPECT_EQ(*catalog_->objects_at(site_of("cloud2"), {}, 10), std::vector{kObject});
  EXPECT_TRUE(catalog_->objects_at(site_of("cloud2"), kObject, 10)->empty());
  EXPECT_TRUE(catalog_->objects_at(site_of("tuh"), {}, 10)->empty());  // C was cut there
  EXPECT_EQ(*catalog_->count_objects_at(site_of("tommo")), 1u);
  ASSERT_TRUE(catalog_->delete_object(kObject));
  EXPECT_EQ(*catalog_->count_objects_at(site_of("tommo")), 0u);
}

// What a job is about to do stands on the shares as they are.
TEST_F(CatalogFound, AnObjectThatAJobWorksOnIsNotSettled) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  add_rebuild();
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  ASSERT_TRUE(catalog_->start_job({.job = {.job = id_of<JobId>(0x71),
                                           .kind = JobKind::kSiteDrain,
                                           .step = "plan",
                                           .created = {1'795'000'002'000},
                                           .updated = {1'795'000'002'000}}}));
  EXPECT_TRUE(catalog_->settle_found(found(), kJob));
  ASSERT_TRUE(catalog_->start_job({.job = {.job = id_of<JobId>(0x72),
                                           .kind = JobKind::kMove,
                                           .step = "plan",
                                           .object = kObject,
                                           .created = {1'795'000'002'000},
                                           .updated = {1'795'000'002'000}}}));
  EXPECT_EQ(catalog_->settle_found(found(), kJob).error().code, Code::kBusy);
}

TEST_F(CatalogFound, WithoutPersonOrJobNothingIsSettled) {
  EXPECT_EQ(catalog_->settle_found(found(), kJob).error().code, Code::kNotFound);
  add_rebuild();
  EXPECT_EQ(catalog_->settle_found(found(), kJob).error().code, Code::kNotFound);
  EXPECT_EQ(catalog_->object(kObject).error().code, Code::kNotFound);
}

TEST_F(CatalogFound, ACopyIsTakenOverByAnEmptyCatalogOnly) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  add_rebuild();
  ASSERT_TRUE(catalog_->settle_found(found(), kJob));
  ASSERT_TRUE(catalog_->set_job_secret(kJob, Bytes{1, 2, 3}));
  const std::string copy = dir_ + "/copy.db";
  ASSERT_TRUE(catalog_->back_up(copy));
  EXPECT_EQ(catalog_->back_up(copy).error().code, Code::kAlreadyExists);
  EXPECT_EQ(catalog_->take_over(copy).error().code, Code::kRefused);
  auto other = *open_sqlite(dir_ + "/other.db");
  const auto taken = other->take_over(copy);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(other->person("P-000123")->name, sample_person().name);
  EXPECT_EQ(other->list_shares(kObject)->size(), 6u);
  ASSERT_TRUE(other->reseal([](ByteView sealed) -> Result<Bytes> {
    Bytes turned(sealed.rbegin(), sealed.rend());
    return turned;
  }));
  EXPECT_EQ(other->job(kJob)->sealed_secret, (Bytes{3, 2, 1}));
  EXPECT_TRUE(other->integrity_check());
  // It stays after a restart.
  other.reset();
  other = *open_sqlite(dir_ + "/other.db");
  EXPECT_EQ(other->object(kObject)->label, "hanako.cram");
  EXPECT_FALSE(other->take_over(dir_ + "/none.db"));
}

}  // namespace
}  // namespace warifu::catalog
