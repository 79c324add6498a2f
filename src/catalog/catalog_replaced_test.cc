// What takes a share's place, and the places of the parts that were still to be cut from it.
#include <gtest/gtest.h>

#include <functional>

#include "catalog/catalog_test_support.h"

namespace warifu::catalog {
namespace {

class ReplacedTest : public testing::Test, protected CatalogHome {};

TEST_F(ReplacedTest, AShareIsReplacedAtOnce) {
  store_and_cut();
  make_durable(kNested);
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  const Share old = *catalog_->share(kNested[1]);
  const Share fresh = replacement(old, 0xd2, "cloud4");
  ASSERT_TRUE(catalog_->replace_share(old.share, fresh, {}));
  EXPECT_EQ(held(), (std::vector{kA, kB, kNested[0], fresh.share, kNested[2]}));
  EXPECT_EQ(*catalog_->share(fresh.share), fresh);
  Share gone = old;
  gone.state = ShareState::kDeletePending;
  gone.site.reset();
  EXPECT_EQ(*catalog_->share(old.share), gone);
  // Again, before and after the old one is deleted: as it is.
  const auto shares = *catalog_->list_shares(kObject);
  ASSERT_TRUE(catalog_->replace_share(old.share, fresh, {}));
  EXPECT_EQ(*catalog_->list_shares(kObject), shares);
  ASSERT_TRUE(catalog_->mark_deleted(old.share));
  ASSERT_TRUE(catalog_->replace_share(old.share, fresh, {}));
  EXPECT_EQ(catalog_->share(old.share)->state, ShareState::kDeleted);
  // It can be replaced in its turn, also where the first one was.
  ASSERT_TRUE(catalog_->replace_share(fresh.share, replacement(fresh, 0xd3, "cloud2"), {}));
  EXPECT_EQ(catalog_->share(fresh.share)->state, ShareState::kDeletePending);
  // And a top share.
  const Share top = *catalog_->share(kB);
  ASSERT_TRUE(catalog_->replace_share(kB, replacement(top, 0xb1, "lsb"), {}));
  EXPECT_EQ(held().size(), 5u);
  const auto checked = catalog_->integrity_check();
  EXPECT_TRUE(checked) << checked.error().message;
  // Also once the object is deleted, share by share.
  ASSERT_TRUE(catalog_->delete_object(kObject));
  EXPECT_TRUE(catalog_->integrity_check());
  const auto pending = *catalog_->pending_deletions();
  for (const Share& share : pending) {
    ASSERT_TRUE(catalog_->mark_deleted(share.share));
    EXPECT_TRUE(catalog_->integrity_check()) << share.share.text();
  }
}

TEST_F(ReplacedTest, OnlyTheSameShareAnewReplacesOne) {
  store_and_cut();
  make_durable(kNested);
  ASSERT_TRUE(catalog_->move_location(kC, kNested));
  const auto shares = *catalog_->list_shares(kObject);
  const Share old = *catalog_->share(kNested[1]);
  const auto refused = [&](Code code, std::string_view why,
                           const std::function<void(Share&)>& change) {
    Share fresh = replacement(old, 0xd2, "cloud4");
    change(fresh);
    return is_error(catalog_->replace_share(old.share, fresh, {}), code, why);
  };
  const auto unfit = [&](const std::function<void(Share&)>& change) {
    return refused(Code::kInvalidArgument, "cannot take its place", change);
  };
  EXPECT_TRUE(unfit([](Share& s) { s.path = path_of("C1"); }));
  EXPECT_TRUE(unfit([](Share& s) { s.generation = 2; }));
  EXPECT_TRUE(unfit([](Share& s) { s.bytes += 32; }));
  EXPECT_TRUE(unfit([](Share& s) { s.object = id_of<ObjectId>(9); }));
  EXPECT_TRUE(unfit([](Share& s) { s.parent = kB; }));
  EXPECT_TRUE(unfit([](Share& s) { s.state = ShareState::kWriting; }));
  EXPECT_TRUE(unfit([](Share& s) {
    s.parent.reset();
    s.path = path_of("B");
  }));
  EXPECT_TRUE(
      refused(Code::kInvalidArgument, "is not of the cut", [](Share& s) { s.cut_shares = 4; }));
  EXPECT_TRUE(refused(Code::kInvalidArgument, "no site", [](Share& s) { s.site.reset(); }));
  EXPECT_TRUE(
      refused(Code::kAlreadyExists, "already known", [](Share& s) { s.share = kNested[1]; }));
  EXPECT_TRUE(refused(Code::kInvalidArgument, "not JSON", [](Share& s) { s.protections = "{"; }));
  EXPECT_TRUE(
      is_error(catalog_->replace_share(id_of<ShareId>(1), replacement(old, 0xd2, "cloud4"), {}),
               Code::kNotFound, "not known"));
  // The share that was cut has lost its site too; but a part of it is not what replaced it.
  EXPECT_TRUE(is_error(catalog_->replace_share(kC, *catalog_->share(kNested[0]), {}),
                       Code::kInvalidArgument, "is delete_pending"));
  EXPECT_EQ(*catalog_->list_shares(kObject), shares);
  // Of a deleted object nothing comes back.
  ASSERT_TRUE(catalog_->delete_object(kObject));
  EXPECT_TRUE(refused(Code::kInvalidArgument, "is delete_pending", [](Share&) {}));
}

TEST_F(ReplacedTest, AShareThatIsStillToBeCutIsReplacedWithItsParts) {
  start_store();
  make_durable({kA, kB, kC});
  ASSERT_TRUE(catalog_->commit_object(kObject, {5}));
  std::vector<Share> parts = nested_shares();
  for (Share& part : parts) part.state = ShareState::kPlanned;
  ASSERT_TRUE(catalog_->add_shares(parts));
  ASSERT_TRUE(catalog_->set_share_state(kNested[0], ShareState::kWriting));
  const Share fresh = replacement(*catalog_->share(kC), 0xd1, "tuh");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].share = id_of<ShareId>(static_cast<Byte>(0xe0 + i));
    parts[i].parent = fresh.share;
  }
  const auto before = *catalog_->list_shares(kObject);
  const auto refused = [&](std::vector<Share> others) {
    return is_error(catalog_->replace_share(kC, fresh, others), Code::kInvalidArgument,
                    "planned anew");
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({parts[0], parts[1]}));
  EXPECT_TRUE(refused({parts[0], parts[1], parts[1]}));
  std::vector<Share> begun = parts;
  begun[2].state = ShareState::kWriting;
  EXPECT_TRUE(refused(begun));
  begun = parts;
  begun[2].parent = kC;  // of the share that goes
  EXPECT_FALSE(catalog_->replace_share(kC, fresh, begun));
  EXPECT_EQ(*catalog_->list_shares(kObject), before);

  ASSERT_TRUE(catalog_->replace_share(kC, fresh, parts));
  EXPECT_EQ(held(), (std::vector{kA, kB, fresh.share}));
  EXPECT_EQ(catalog_->share(kNested[0])->state, ShareState::kDeletePending);  // it was begun
  EXPECT_EQ(catalog_->share(kNested[1])->state, ShareState::kDeleted);
  EXPECT_EQ(catalog_->share(kNested[2])->state, ShareState::kDeleted);
  for (const Share& part : parts) EXPECT_EQ(*catalog_->share(part.share), part);
  ASSERT_TRUE(catalog_->replace_share(kC, fresh, parts));
  // And it is cut as the first one would have been.
  EXPECT_FALSE(catalog_->move_location(kC, kNested));
  std::vector<ShareId> cut;
  for (const Share& part : parts) cut.push_back(part.share);
  make_durable(cut);
  ASSERT_TRUE(catalog_->move_location(fresh.share, cut));
  EXPECT_EQ(held().size(), 5u);
  const auto checked = catalog_->integrity_check();
  EXPECT_TRUE(checked) << checked.error().message;
}

TEST_F(ReplacedTest, PartsAreGivenUpForOthers) {
  store_and_cut();
  std::vector<Share> parts = nested_shares();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].share = id_of<ShareId>(static_cast<Byte>(0xe0 + i));
    parts[i].state = ShareState::kPlanned;
  }
  const auto before = *catalog_->list_shares(kObject);
  EXPECT_TRUE(is_error(catalog_->replace_parts(kC, std::span(parts).first(2)),
                       Code::kInvalidArgument, "planned anew"));
  EXPECT_TRUE(is_error(catalog_->replace_parts(kB, parts), Code::kInvalidArgument,
                       "not of what takes its place"));
  EXPECT_TRUE(is_error(catalog_->replace_parts(id_of<ShareId>(1), parts), Code::kNotFound, ""));
  EXPECT_EQ(*catalog_->list_shares(kObject), before);
  ASSERT_TRUE(catalog_->replace_parts(kC, parts));
  EXPECT_EQ(catalog_->share(kNested[0])->state, ShareState::kDeletePending);
  EXPECT_EQ(*catalog_->share(parts[0].share), parts[0]);
  const std::vector cut = {parts[0].share, parts[1].share, parts[2].share};
  make_durable(cut);
  ASSERT_TRUE(catalog_->move_location(kC, cut));
  EXPECT_TRUE(catalog_->integrity_check());
  EXPECT_TRUE(is_error(catalog_->replace_parts(kC, {}), Code::kInvalidArgument, "not cut anew"));
}

TEST_F(ReplacedTest, PartsAreGivenUpForNone) {
  start_store();
  make_durable({kA, kB, kC});
  ASSERT_TRUE(catalog_->commit_object(kObject, {5}));
  std::vector<Share> parts = nested_shares();
  for (Share& part : parts) part.state = ShareState::kPlanned;
  const std::vector<Sighting> seen = {{site_of("cloud1"), path_of("C1")}};
  ASSERT_TRUE(catalog_->plan_shares(kObject, kJob, parts, seen, {}));
  ASSERT_TRUE(catalog_->set_share_state(kNested[0], ShareState::kWriting));
  ASSERT_TRUE(catalog_->give_up_parts(kC));
  EXPECT_EQ(held(), (std::vector{kA, kB, kC}));
  EXPECT_EQ(catalog_->share(kNested[0])->state, ShareState::kDeletePending);  // it was begun
  EXPECT_EQ(catalog_->share(kNested[1])->state, ShareState::kDeleted);
  const auto before = *catalog_->list_shares(kObject);
  ASSERT_TRUE(catalog_->give_up_parts(kC));
  ASSERT_TRUE(catalog_->give_up_parts(kB));  // it never had any
  EXPECT_EQ(*catalog_->list_shares(kObject), before);
  EXPECT_TRUE(is_error(catalog_->give_up_parts(id_of<ShareId>(1)), Code::kNotFound, ""));
  // Planned anew: with all that was seen before in mind, or not at all.
  for (Share& part : parts) part.share.bytes[1] ^= 0xff;
  EXPECT_TRUE(is_error(catalog_->plan_shares(kObject, kJob, parts, {}, {}), Code::kBusy, "C1"));
  EXPECT_EQ(*catalog_->list_shares(kObject), before);
  ASSERT_TRUE(catalog_->plan_shares(kObject, kJob, parts, {}, seen));
  std::vector<ShareId> cut;
  for (const Share& part : parts) cut.push_back(part.share);
  make_durable(cut);
  ASSERT_TRUE(catalog_->move_location(kC, cut));
  EXPECT_TRUE(is_error(catalog_->give_up_parts(kC), Code::kInvalidArgument, "stay whole"));
  EXPECT_EQ(held().size(), 5u);
  EXPECT_TRUE(catalog_->integrity_check());
}

}  // namespace
}  // namespace warifu::catalog
