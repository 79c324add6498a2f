// Objects, shares and the one truth about where a share is.
#include <gtest/gtest.h>

#include "catalog/catalog_test_support.h"

namespace warifu::catalog {
namespace {

class ObjectsTest : public testing::Test, protected CatalogHome {};

TEST_F(ObjectsTest, AddAndList) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  ASSERT_TRUE(catalog_->add_person(sample_person("P-2", 2)));
  Object object = sample_object();
  ASSERT_TRUE(catalog_->add_object(object));
  EXPECT_EQ(*catalog_->object(kObject), object);
  EXPECT_TRUE(is_error(catalog_->add_object(object), Code::kAlreadyExists, "already known"));
  object.object = id_of<ObjectId>(2);
  object.created.value += 1;
  object.lead_chunks = 3;
  ASSERT_TRUE(catalog_->add_object(object));
  EXPECT_EQ(*catalog_->object(object.object), object);
  object.object = id_of<ObjectId>(3);
  object.lead_chunks = 4;
  EXPECT_TRUE(is_error(catalog_->add_object(object), Code::kInvalidArgument, "behind its lead"));
  object.lead_chunks = 0;
  object.person_id = "P-2";
  ASSERT_TRUE(catalog_->add_object(object));
  EXPECT_EQ(catalog_->list_objects({}, {})->size(), 3u);
  const auto mine = *catalog_->list_objects({.person_id = "P-000123"}, {});
  ASSERT_EQ(mine.size(), 2u);
  EXPECT_EQ(mine[0].object, id_of<ObjectId>(2));  // newest first
  EXPECT_EQ(catalog_->list_objects({.person_id = "P-000123"}, {.skip = 1, .count = 5})->size(), 1u);
  EXPECT_TRUE(catalog_->list_objects({.state = ObjectState::kCommitted}, {})->empty());

  object.object = id_of<ObjectId>(4);
  object.person_id = "P-9";
  EXPECT_TRUE(is_error(catalog_->add_object(object), Code::kNotFound, "'P-9' is not enrolled"));
  EXPECT_TRUE(is_error(catalog_->object(id_of<ObjectId>(4)), Code::kNotFound, "not known"));
  object = sample_object();
  object.length = 0;
  EXPECT_FALSE(catalog_->add_object(object));
  object = sample_object();
  object.object = id_of<ObjectId>(5);
  object.length = 1ULL << 63;
  EXPECT_TRUE(is_error(catalog_->add_object(object), Code::kInvalidArgument, "too large"));
  object = sample_object();
  object.state = ObjectState::kCommitted;
  EXPECT_FALSE(catalog_->add_object(object));
}

TEST_F(ObjectsTest, CommitWantsEveryTopShare) {
  start_store();
  make_durable({kA, kB});
  EXPECT_TRUE(is_error(catalog_->commit_object(kObject, {5}), Code::kInvalidArgument,
                       "share C is planned"));
  EXPECT_EQ(catalog_->object(kObject)->state, ObjectState::kStoring);
  make_durable({kC});
  ASSERT_TRUE(catalog_->commit_object(kObject, {5}));
  ASSERT_TRUE(catalog_->commit_object(kObject, {6}));
  EXPECT_EQ(catalog_->object(kObject)->state, ObjectState::kCommitted);
  EXPECT_EQ(catalog_->object(kObject)->committed_at->value, 5);
  ASSERT_TRUE(catalog_->set_card_record(kObject, CardRecordState::kOnCard));
  EXPECT_EQ(catalog_->object(kObject)->card_record, CardRecordState::kOnCard);
  EXPECT_TRUE(is_error(catalog_->fail_object(kObject), Code::kInvalidArgument, "is committed"));
  EXPECT_TRUE(is_error(catalog_->commit_object(id_of<ObjectId>(9), {5}), Code::kNotFound, "known"));
}

TEST_F(ObjectsTest, CommitTakesANestedSetForAShare) {
  start_store();
  make_durable({kA, kB, kC});
  ASSERT_TRUE(catalog_->add_shares(nested_shares()));
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  ASSERT_TRUE(catalog_->set_share_state(kNested[1], ShareState::kDeletePending));
  EXPECT_TRUE(is_error(catalog_->commit_object(kObject, {5}), Code::kInvalidArgument,
                       "share C is delete_pending"));
  // A new C2 stands in for the lost one.
  Share again = nested_shares()[1];
  again.share = id_of<ShareId>(0xc9);
  again.state = ShareState::kDurable;
  ASSERT_TRUE(catalog_->add_shares(std::vector{again}));
  EXPECT_TRUE(catalog_->commit_object(kObject, {5}));
}

TEST_F(ObjectsTest, CommitLooksOnlyAtItsGeneration) {
  start_store();
  std::vector<Share> others = top_shares();
  for (Share& share : others) {
    share.share.bytes[0] ^= 1;
    share.generation = 2;
    share.state = ShareState::kDurable;
  }
  ASSERT_TRUE(catalog_->add_shares(others));
  EXPECT_TRUE(is_error(catalog_->commit_object(kObject, {5}), Code::kInvalidArgument, "share A"));
}

TEST_F(ObjectsTest, TheLocationMovesAtOnce) {
  store_and_cut();
  EXPECT_EQ(held(), (std::vector{kA, kB, kC}));
  make_durable({kNested[0], kNested[1]});
  EXPECT_EQ(held(), (std::vector{kA, kB, kC}));  // nested shares do not count yet
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  EXPECT_EQ(held(), (std::vector{kA, kB, kNested[0], kNested[1], kNested[2]}));
  const Share cut = *catalog_->share(kC);
  EXPECT_EQ(cut.state, ShareState::kDeletePending);
  EXPECT_FALSE(cut.site);
  EXPECT_EQ(cut.last_site, site_of("tuh"));
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  ASSERT_EQ(catalog_->pending_deletions()->size(), 1u);
  EXPECT_EQ(catalog_->pending_deletions()->at(0).share, kC);
  ASSERT_TRUE(catalog_->mark_deleted(kC));
  ASSERT_TRUE(catalog_->mark_deleted(kC));
  EXPECT_TRUE(catalog_->pending_deletions()->empty());
  EXPECT_EQ(catalog_->share(kC)->state, ShareState::kDeleted);
  EXPECT_EQ(held().size(), 5u);
  EXPECT_TRUE(catalog_->move_location(kC, kNested));
  EXPECT_TRUE(catalog_->integrity_check());
}

TEST_F(ObjectsTest, TheLocationMovesOnlyToAWholeNestedSet) {
  store_and_cut();
  const auto refused = [&](const std::vector<ShareId>& nested, std::string_view why) {
    return is_error(catalog_->move_location(kC, nested), Code::kInvalidArgument, why);
  };
  EXPECT_TRUE(refused({}, "all nested shares"));
  EXPECT_TRUE(refused({kNested[0], kNested[1]}, "all nested shares"));
  EXPECT_TRUE(refused({kNested[0], kNested[1], kNested[1]}, "must stand once"));
  EXPECT_TRUE(refused({kNested[0], kNested[1], kB}, "is not cut from it"));
  EXPECT_TRUE(is_error(catalog_->move_location(kC, std::vector{id_of<ShareId>(1)}), Code::kNotFound,
                       "not known"));
  EXPECT_TRUE(is_error(catalog_->move_location(kB, kNested), Code::kInvalidArgument, "not cut"));
  ASSERT_TRUE(catalog_->set_share_state(kNested[2], ShareState::kDeleted));
  EXPECT_TRUE(refused(kNested, "is deleted"));
  Share near = nested_shares()[2];  // C3 at the site of C2
  near.share = id_of<ShareId>(0xc8);
  near.site = site_of("cloud2");
  ASSERT_TRUE(catalog_->add_shares(std::vector{near}));
  EXPECT_TRUE(refused({kNested[0], kNested[1], near.share}, "at one site"));
  EXPECT_EQ(held(), (std::vector{kA, kB, kC}));
}

TEST_F(ObjectsTest, AGenerationFollowsAnotherAtOnce) {
  store_and_cut();
  make_durable(kNested);
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  const std::vector<Sighting> before = {{site_of("tuh"), path_of("C")},
                                        {site_of("lsa"), path_of("B")}};
  ASSERT_TRUE(catalog_->add_sightings(kObject, kJob, before, {}));
  const auto old = *catalog_->list_shares(kObject);
  const auto fresh = next_generation(old);
  const std::vector<Sighting> seen = {{site_of("lsa"), path_of("B")}};
  const auto commit = [&] { return catalog_->commit_generation(kObject, 2, kJob, seen, before); };
  // Nothing without all of them; what is being written is no truth.
  EXPECT_TRUE(is_error(commit(), Code::kInvalidArgument, "do not all have one"));
  ASSERT_TRUE(catalog_->add_shares(std::span(fresh).first(fresh.size() - 1)));
  EXPECT_TRUE(is_error(commit(), Code::kInvalidArgument, "do not all have one"));
  EXPECT_EQ(held(), (std::vector{kA, kB, kNested[0], kNested[1], kNested[2]}));
  ASSERT_TRUE(catalog_->add_shares(std::span(fresh).last(1)));
  EXPECT_TRUE(catalog_->integrity_check());
  EXPECT_TRUE(is_error(catalog_->commit_generation(kObject, 0, kJob, seen, before),
                       Code::kInvalidArgument, "cannot become generation 0"));
  // What a restore has shown to somebody since the job looked would be forgotten.
  EXPECT_TRUE(is_error(catalog_->commit_generation(kObject, 2, kJob, seen, seen), Code::kBusy,
                       "tuh has come to see share C"));
  EXPECT_EQ(catalog_->object(kObject)->generation, 1u);
  ASSERT_TRUE(commit());
  EXPECT_EQ(catalog_->object(kObject)->generation, 2u);
  EXPECT_EQ(*catalog_->sightings(kObject), seen);
  EXPECT_TRUE(held().empty());  // of generation 1
  std::size_t durable = 0;
  const auto now = *catalog_->list_shares(kObject);
  for (const Share& share : now) {
    EXPECT_EQ(share.state == ShareState::kDurable, share.generation == 2 && share.site);
    durable += share.state == ShareState::kDurable ? 1U : 0U;
  }
  EXPECT_EQ(durable, 5u);
  // Again: as it is.
  ASSERT_TRUE(commit());
  EXPECT_EQ(*catalog_->list_shares(kObject), now);
  EXPECT_TRUE(catalog_->integrity_check());
  const auto pending = *catalog_->pending_deletions();
  for (const Share& share : pending) {
    EXPECT_EQ(share.generation, 1u);
    ASSERT_TRUE(catalog_->mark_deleted(share.share));
    EXPECT_TRUE(catalog_->integrity_check()) << share.share.text();
  }
  // Of a deleted object nothing is renewed.
  ASSERT_TRUE(catalog_->delete_object(kObject));
  EXPECT_FALSE(catalog_->commit_generation(kObject, 3, kJob, seen, seen));
}

// 2 of 2 at the top, the second share cut into four.
TEST_F(ObjectsTest, CutsIntoOtherNumbersOfShares) {
  ASSERT_TRUE(catalog_->add_person(sample_person()));
  ASSERT_TRUE(catalog_->add_object(sample_object()));
  std::vector<Share> top = {top_share(kA, 0, "tommo"), top_share(kB, 1, "tuh")};
  for (Share& share : top) share.cut_shares = 2;
  ASSERT_TRUE(catalog_->add_shares(top));
  Share odd = top_share(kC, 2, "lsa");
  EXPECT_TRUE(is_error(catalog_->add_shares(std::vector{odd}), Code::kInvalidArgument,
                       "is not of the cut"));
  odd.cut_shares = 2;
  EXPECT_TRUE(is_error(catalog_->add_shares(std::vector{odd}), Code::kInvalidArgument, "index"));
  odd.cut_shares = 33;
  EXPECT_TRUE(is_error(catalog_->add_shares(std::vector{odd}), Code::kInvalidArgument, "32"));
  std::vector<Share> nested;
  std::vector<ShareId> ids;
  for (std::uint8_t i = 0; i < 4; ++i) {
    Share share =
        top_share(id_of<ShareId>(static_cast<Byte>(0x70 + i)), i, "cloud" + std::to_string(i + 1));
    share.path = path_of("B").part(i);
    share.cut_shares = 4;
    share.parent = kB;
    share.state = ShareState::kWriting;
    nested.push_back(share);
    ids.push_back(share.share);
  }
  ASSERT_TRUE(catalog_->add_shares(nested));
  make_durable({kA});
  EXPECT_TRUE(is_error(catalog_->commit_object(kObject, {5}), Code::kInvalidArgument, "share B"));
  make_durable({kB});
  EXPECT_TRUE(is_error(catalog_->move_location(kB, std::vector{ids[0], ids[1], ids[2]}),
                       Code::kInvalidArgument, "all nested shares"));
  ASSERT_TRUE(catalog_->move_location(kB, ids));
  EXPECT_TRUE(catalog_->commit_object(kObject, {5}));
  EXPECT_TRUE(catalog_->integrity_check());
}

TEST_F(ObjectsTest, SharesOfOneCallAreAllThereOrNone) {
  start_store();
  std::vector<Share> nested = nested_shares();
  nested[2].share = kA;  // taken
  EXPECT_TRUE(is_error(catalog_->add_shares(nested), Code::kAlreadyExists, "already known"));
  EXPECT_EQ(catalog_->list_shares(kObject)->size(), 3u);
  nested = nested_shares();
  nested[1].generation = 2;
  EXPECT_TRUE(is_error(catalog_->add_shares(nested), Code::kInvalidArgument, "another object"));
  nested = nested_shares();
  nested[0].parent = id_of<ShareId>(1);
  EXPECT_TRUE(is_error(catalog_->add_shares(nested), Code::kNotFound, "not known"));
  EXPECT_EQ(catalog_->list_shares(kObject)->size(), 3u);
  // Two live shares for one place.
  EXPECT_TRUE(is_error(catalog_->add_shares(std::vector{top_share(id_of<ShareId>(1), 0, "lsa")}),
                       Code::kAlreadyExists, "stands where"));
  Share bad = top_share(id_of<ShareId>(1), 0, "lsa");
  bad.site.reset();
  EXPECT_TRUE(is_error(catalog_->add_shares(std::vector{bad}), Code::kInvalidArgument, "no site"));
  bad = top_share(id_of<ShareId>(1), 3, "lsa");
  EXPECT_FALSE(catalog_->add_shares(std::vector{bad}));
}

TEST_F(ObjectsTest, ShareStatesGoForward) {
  start_store();
  ASSERT_TRUE(catalog_->set_share_state(kA, ShareState::kWriting));
  ASSERT_TRUE(catalog_->set_share_state(kA, ShareState::kDurable));
  ASSERT_TRUE(catalog_->set_share_state(kA, ShareState::kDurable));
  EXPECT_TRUE(is_error(catalog_->set_share_state(kA, ShareState::kWriting), Code::kInvalidArgument,
                       "is durable"));
  EXPECT_TRUE(is_error(catalog_->mark_deleted(kA), Code::kInvalidArgument, "nobody asked"));
  ASSERT_TRUE(catalog_->set_share_travel(kA, "tommo>tuh", R"(["qkd"])"));
  EXPECT_EQ(catalog_->share(kA)->route, "tommo>tuh");
  EXPECT_TRUE(
      is_error(catalog_->set_share_travel(kA, "", "{"), Code::kInvalidArgument, "not JSON"));
  EXPECT_EQ(catalog_->share(kA)->protections, R"(["qkd"])");
  ASSERT_TRUE(catalog_->set_share_state(kA, ShareState::kDeletePending));
  EXPECT_EQ(catalog_->share(kA)->site, site_of("tommo"));
  ASSERT_TRUE(catalog_->set_share_state(kA, ShareState::kDeleted));
  EXPECT_FALSE(catalog_->share(kA)->site);
  EXPECT_EQ(catalog_->share(kA)->last_site, site_of("tommo"));
  // The place is free again.
  EXPECT_TRUE(catalog_->add_shares(std::vector{top_share(id_of<ShareId>(1), 0, "lsa")}));
}

TEST_F(ObjectsTest, DeleteTakesSharesAndGrantsAlong) {
  store_and_cut();
  Grant grant;
  grant.grant = id_of<GrantId>(1);
  grant.object = kObject;
  grant.person_id = "P-000123";
  grant.grant_bytes = {1};
  grant.sealed_secret = {9};
  ASSERT_TRUE(catalog_->add_grant(grant));
  ASSERT_TRUE(catalog_->delete_object(kObject));
  ASSERT_TRUE(catalog_->delete_object(kObject));
  EXPECT_EQ(catalog_->object(kObject)->state, ObjectState::kDeleted);
  EXPECT_EQ(catalog_->pending_deletions()->size(), 6u);
  EXPECT_TRUE(held().empty());
  EXPECT_EQ(catalog_->grant(grant.grant)->state, GrantState::kWithdrawn);
  EXPECT_TRUE(catalog_->grant(grant.grant)->sealed_secret.empty());
  EXPECT_TRUE(
      is_error(catalog_->commit_object(kObject, {5}), Code::kInvalidArgument, "is deleted"));
  EXPECT_TRUE(catalog_->integrity_check());
}

TEST_F(ObjectsTest, AStoreThatFailed) {
  start_store();
  ASSERT_TRUE(catalog_->fail_object(kObject));
  ASSERT_TRUE(catalog_->fail_object(kObject));
  EXPECT_TRUE(is_error(catalog_->commit_object(kObject, {5}), Code::kInvalidArgument, "is failed"));
  EXPECT_EQ(catalog_->pending_deletions()->size(), 3u);  // planned, but sites may have begun
  ASSERT_TRUE(catalog_->mark_deleted(kA));
  ASSERT_TRUE(catalog_->delete_object(kObject));
  EXPECT_EQ(catalog_->pending_deletions()->size(), 2u);
  EXPECT_TRUE(catalog_->integrity_check());
}

// C cut for three clouds, and C3 cut again there.
TEST_F(ObjectsTest, ACutInsideACutMovesItsLocationToo) {
  store_and_cut();
  make_durable(kNested);
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  ASSERT_TRUE(catalog_->mark_deleted(kC));
  std::vector<Share> parts;
  std::vector<ShareId> ids;
  for (std::uint8_t i = 0; i < 2; ++i) {
    Share part =
        top_share(id_of<ShareId>(static_cast<Byte>(0xe0 + i)), 0, "edge" + std::to_string(i + 1));
    part.path = path_of("C3").part(i);
    part.parent = kNested[2];
    part.cut_shares = 2;
    part.state = ShareState::kWriting;
    parts.push_back(part);
    ids.push_back(part.share);
  }
  Share astray = parts[0];
  astray.path = path_of("C2a");
  EXPECT_TRUE(is_error(catalog_->add_shares(std::vector{astray}), Code::kInvalidArgument,
                       "stands elsewhere"));
  ASSERT_TRUE(catalog_->add_shares(parts));
  EXPECT_EQ(held().size(), 5u);  // what is being written does not count yet
  ASSERT_TRUE(catalog_->move_location(kNested[2], ids));
  EXPECT_EQ(held(), (std::vector{kA, kB, kNested[0], kNested[1], ids[0], ids[1]}));
  EXPECT_TRUE(catalog_->integrity_check());
  ASSERT_TRUE(catalog_->mark_deleted(kNested[2]));
  ASSERT_TRUE(catalog_->replace_share(ids[1], replacement(parts[1], 0xe7, "edge3"), {}));
  EXPECT_TRUE(catalog_->integrity_check());
  // A place of a share that was cut is taken by nobody else.
  Share whole = replacement(nested_shares()[2], 0xe8, "cloud9");
  ASSERT_TRUE(catalog_->add_shares(std::vector{whole}));
  EXPECT_TRUE(is_error(catalog_->integrity_check(), Code::kCorrupt, "two locations"));
}

// An object may be committed with shares on every level.
TEST_F(ObjectsTest, CommitTakesCutsInsideCuts) {
  start_store();
  make_durable({kA, kB, kC});
  ASSERT_TRUE(catalog_->add_shares(nested_shares()));
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  std::vector<Share> parts = nested_shares();
  std::vector<ShareId> ids;
  for (std::uint8_t i = 0; i < 3; ++i) {
    parts[i].share = id_of<ShareId>(static_cast<Byte>(0xe0 + i));
    parts[i].parent = kNested[1];
    parts[i].path = path_of("C2").part(i);
    ids.push_back(parts[i].share);
  }
  ASSERT_TRUE(catalog_->add_shares(parts));
  ASSERT_TRUE(catalog_->move_location(kNested[1], ids));
  ASSERT_TRUE(catalog_->set_share_state(ids[2], ShareState::kDeletePending));
  EXPECT_TRUE(is_error(catalog_->commit_object(kObject, {5}), Code::kInvalidArgument, "share C"));
  ASSERT_TRUE(catalog_->add_shares(std::vector{replacement(parts[2], 0xe7, "edge9")}));
  EXPECT_TRUE(catalog_->commit_object(kObject, {5}));
}

}  // namespace
}  // namespace warifu::catalog
