// Bundles come back as they were, and no change of a share passes.
#include "recovery/bundle.h"

#include <gtest/gtest.h>

#include "sharing/scheme.h"
#include "testing/sim_random.h"

namespace warifu::recovery {
namespace {

Bundle some_bundle(os::Random& random, std::size_t pages) {
  Bundle bundle{.place = {os::random_id<CatalogId>(random), 3, 7},
                .ends = true,
                .made = {1'700'000'000'000},
                .page_bytes = 512,
                .total_pages = 40};
  bundle.root_key = secret::Buffer(kRootKeyBytes);
  random.fill(bundle.root_key.bytes());
  for (std::size_t i = 0; i < pages; ++i) {
    Bytes page(512);
    random.fill(page);
    bundle.pages.push_back({i * 3, page});
  }
  return bundle;
}

TEST(BundleTest, ComesBackAsItWas) {
  sim::SimRandom random(1);
  for (const std::size_t pages : {0U, 1U, 2U, 5U, 128U}) {
    const Bundle bundle = some_bundle(random, pages);
    const secret::Buffer guarded = guard(bundle, random);
    EXPECT_EQ(guarded.size() % sharing::kWordBytes, 0u);
    const auto opened = open_guarded(guarded.bytes());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->place, bundle.place);
    EXPECT_EQ(opened->ends, bundle.ends);
    EXPECT_EQ(opened->made, bundle.made);
    EXPECT_EQ(opened->total_pages, bundle.total_pages);
    EXPECT_TRUE(std::ranges::equal(opened->root_key.bytes(), bundle.root_key.bytes()));
    ASSERT_EQ(opened->pages.size(), pages);
    for (std::size_t i = 0; i < pages; ++i) {
      EXPECT_EQ(opened->pages[i].number, bundle.pages[i].number);
      EXPECT_EQ(opened->pages[i].bytes, bundle.pages[i].bytes);
    }
  }
}

TEST(BundleTest, EveryFlippedBitIsSeen) {
  sim::SimRandom random(2);
  secret::Buffer guarded = guard(some_bundle(random, 1), random);
  for (std::size_t i = 0; i < guarded.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      guarded.bytes()[i] ^= static_cast<Byte>(1U << bit);
      EXPECT_FALSE(open_guarded(guarded.bytes())) << i;
      guarded.bytes()[i] ^= static_cast<Byte>(1U << bit);
    }
  }
  EXPECT_TRUE(open_guarded(guarded.bytes()));
}

// Whoever changes a share shifts what is joined by a difference of its choice; knowing the catalog
// does not help, because the key is drawn anew. A plain polynomial hash, without its top term,
// would let a shift of key and data together pass.
TEST(BundleTest, ShiftsOfDataKeyAndCheckTogetherDoNotPass) {
  sim::SimRandom random(3);
  const Bundle bundle = some_bundle(random, 1);
  for (std::size_t i = 0; i < 2000; ++i) {
    secret::Buffer guarded = guard(bundle, random);
    Bytes shift(guarded.size());
    random.fill(MutableBytes(shift).subspan(shift.size() - 48, 32));  // key and check
    random.fill(MutableBytes(shift).subspan(shift.size() - 48 - 16 * (1 + i % 4), 16));
    for (std::size_t at = 0; at < shift.size(); ++at) guarded.bytes()[at] ^= shift[at];
    ASSERT_FALSE(open_guarded(guarded.bytes()));
  }
}

TEST(BundleTest, OtherLengthsAreRefused) {
  sim::SimRandom random(4);
  const secret::Buffer guarded = guard(some_bundle(random, 2), random);
  for (std::size_t size = 0; size < guarded.size(); size += 7) {
    EXPECT_FALSE(open_guarded(ByteView(guarded.bytes()).first(size)));
  }
}

}  // namespace
}  // namespace warifu::recovery
