// What a store knows of its shares without reading their headers again, and when it reads them.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "store/share_book.h"
#include "store/store_test_support.h"
#include "testing/passing_files.h"
#include "testing/temporary_folder.h"

namespace warifu::store {
namespace {

// Counts the share files that are opened, and the looks at the folder.
class CountingFiles final : public sim::PassingFiles {
 public:
  CountingFiles() : PassingFiles(os::real_files()) {}
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (path.ends_with(".share")) ++opened;
    return PassingFiles::open(path, mode);
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    ++listed;
    return PassingFiles::list(path);
  }
  std::size_t opened = 0;
  std::size_t listed = 0;
};

class InventoryTest : public ::testing::Test {
 protected:
  void SetUp() override { open_store(); }
  void open_store() {
    store_.reset();
    store_ = *open_directory_store(files_, dir_);
  }
  void store_share(Byte number, std::uint64_t length = 200) {
    const ShareHeader header = small_header(number, length);
    auto writer = *store_->create(header);
    ASSERT_TRUE(append_until(*writer, header.chunk_count));
    ASSERT_TRUE(writer->commit());
  }
  std::string path_of(Byte number) { return dir_ + "/" + id_of<ShareId>(number).text() + ".share"; }
  void flip(Byte number, std::uint64_t at) {
    std::fstream file(path_of(number), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<long>(at));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<long>(at));
    file.put(static_cast<char>(byte ^ 0x40));
  }
  // Ids of the inventory; its numbers must be those of the totals and of the full list.
  std::vector<ShareId> shares() {
    const auto inventory = store_->inventory();
    std::vector<ShareId> ids;
    std::uint64_t bytes = 0;
    for (const ShareSummary& share : inventory->shares) {
      ids.push_back(share.share);
      bytes += share.file_bytes;
    }
    EXPECT_EQ(store_->totals()->shares, ids.size());
    EXPECT_EQ(store_->totals()->bytes, bytes);
    return ids;
  }

  CountingFiles files_;
  sim::TemporaryFolder dir_{sim::TemporaryFolder::in_memory()};
  std::unique_ptr<ShareStore> store_;
};

TEST_F(InventoryTest, HeadersAreReadOnceAndSummariesAreTheirs) {
  for (const Byte number : {3, 1, 2}) store_share(number);
  open_store();
  files_.opened = 0;
  const auto inventory = *store_->inventory();
  EXPECT_EQ(files_.opened, 3u);
  const auto listing = *store_->list();
  ASSERT_EQ(inventory.shares.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(inventory.shares[i], summary_of(listing.shares[i]));
    EXPECT_EQ(inventory.shares[i].file_bytes, std::filesystem::file_size(path_of(Byte(i + 1))));
  }
  files_.opened = 0;
  for (int i = 0; i < 10; ++i) (void)shares();
  EXPECT_EQ(files_.opened, 0u);
}

TEST_F(InventoryTest, WhatIsCommittedAndRemovedCountsAtOnce) {
  EXPECT_EQ(store_->totals()->shares, 0u);
  store_share(1);
  store_share(2);
  EXPECT_EQ(store_->totals()->shares, 2u);
  ASSERT_TRUE(store_->remove(id_of<ShareId>(1)));
  EXPECT_EQ(store_->totals()->shares, 1u);
  EXPECT_EQ(shares(), std::vector{id_of<ShareId>(2)});
  // Removed before anybody looked.
  store_share(3);
  ASSERT_TRUE(store_->remove(id_of<ShareId>(3)));
  EXPECT_EQ(shares(), std::vector{id_of<ShareId>(2)});
  // What is still written is no share yet.
  auto writer = *store_->create(small_header(4, 200));
  EXPECT_EQ(shares(), std::vector{id_of<ShareId>(2)});
}

TEST_F(InventoryTest, FilesThatComeAndGoByHandAreSeen) {
  store_share(1);
  store_share(2);
  EXPECT_EQ(shares().size(), 2u);
  std::filesystem::rename(path_of(1), dir_ + "/away");
  EXPECT_EQ(shares(), std::vector{id_of<ShareId>(2)});
  std::filesystem::rename(dir_ + "/away", path_of(1));
  EXPECT_EQ(shares().size(), 2u);
}

TEST_F(InventoryTest, WhatOpenFindsDamagedIsReadAgain) {
  store_share(1);
  store_share(2);
  EXPECT_EQ(shares().size(), 2u);
  std::filesystem::resize_file(path_of(1), 5000);
  EXPECT_EQ(store_->open(id_of<ShareId>(1)).error().code, Code::kCorrupt);
  EXPECT_EQ(shares(), std::vector{id_of<ShareId>(2)});
  const auto inventory = *store_->inventory();
  ASSERT_EQ(inventory.problems.size(), 1u);
  EXPECT_EQ(inventory.problems[0].path, path_of(1));
  EXPECT_FALSE(inventory.problems[0].usable);
}

TEST_F(InventoryTest, AHeaderThatIsDamagedInPartStaysAProblemUntilItIsMended) {
  store_share(1);
  flip(1, 100);
  open_store();
  for (int i = 0; i < 3; ++i) {
    const auto inventory = *store_->inventory();
    EXPECT_EQ(inventory.shares.size(), 1u);
    ASSERT_EQ(inventory.problems.size(), 1u);
    EXPECT_TRUE(inventory.problems[0].usable);
    EXPECT_EQ(store_->totals()->shares, 1u);
  }
  ASSERT_TRUE(store_->complete(id_of<ShareId>(1), {}));
  EXPECT_TRUE(store_->inventory()->problems.empty());
}

TEST_F(InventoryTest, SharesOfAnObjectAreFoundWithoutALookAtTheFolder) {
  const ObjectId object = small_header(1, 200).object;
  EXPECT_TRUE(store_->shares_of(object)->empty());
  store_share(1);
  store_share(2);
  ShareHeader other = small_header(3, 200);
  other.object = id_of<ObjectId>(0xab);
  auto writer = *store_->create(other);
  ASSERT_TRUE(append_until(*writer, other.chunk_count));
  EXPECT_TRUE(store_->shares_of(other.object)->empty());  // it is no share yet
  ASSERT_TRUE(writer->commit());
  for (int round = 0; round < 2; ++round) {
    const auto found = *store_->shares_of(object);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0], summary_of(small_header(1, 200)));
    EXPECT_EQ(found[1], summary_of(small_header(2, 200)));
    EXPECT_EQ(*store_->shares_of(other.object), std::vector{summary_of(other)});
    EXPECT_TRUE(store_->shares_of(id_of<ObjectId>(0xac))->empty());
    open_store();
  }
  (void)store_->totals();
  files_.opened = files_.listed = 0;
  EXPECT_EQ(store_->shares_of(object)->size(), 2u);
  EXPECT_EQ(files_.opened + files_.listed, 0u);
  ASSERT_TRUE(store_->remove(id_of<ShareId>(1)));
  EXPECT_EQ(store_->shares_of(object)->size(), 1u);
  std::filesystem::remove(path_of(2));  // by hand
  EXPECT_TRUE(store_->shares_of(object)->empty());
}

// With WARIFU_INVENTORY_SHARES=20000 it prints what asking costs, in either way.
TEST_F(InventoryTest, AskingForAnObjectCostsTheSameAmongMany) {
  const char* wanted = std::getenv("WARIFU_INVENTORY_SHARES");
  const std::size_t count = wanted == nullptr ? 50 : std::strtoul(wanted, nullptr, 10);
  ShareHeader header = small_header(1, 100);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t byte = 0; byte < 4; ++byte) {
      header.share.bytes[byte] = header.object.bytes[byte] = static_cast<Byte>(i >> (8 * byte));
    }
    auto writer = *store_->create(header);
    ASSERT_TRUE(append_until(*writer, header.chunk_count));
    ASSERT_TRUE(writer->commit());
  }
  ASSERT_EQ(store_->inventory()->shares.size(), count);
  files_.listed = 0;
  const auto micros = [](int times, const auto& ask) {
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) ask();
    const std::chrono::duration<double, std::micro> spent =
        std::chrono::steady_clock::now() - begun;
    return spent.count() / times;
  };
  const double of_object =
      micros(50, [&] { EXPECT_EQ(store_->shares_of(header.object)->size(), 1u); });
  EXPECT_EQ(files_.listed, 0u);
  const double of_all = micros(5, [&] { EXPECT_EQ(store_->inventory()->shares.size(), count); });
  EXPECT_EQ(files_.listed, 5u);
  if (wanted != nullptr) {
    std::printf("%zu shares: inventory() %.0f us, shares_of() %.1f us\n", count, of_all, of_object);
  }
}

TEST(ShareBookTest, KeepsOnlyWhatIsThere) {
  ShareBook book;
  const ObjectId odd = id_of<ObjectId>(1), even = id_of<ObjectId>(2);
  for (const Byte number : {Byte{1}, Byte{2}, Byte{3}, Byte{4}, Byte{5}}) {
    book.put({.share = id_of<ShareId>(number),
              .object = (number & 1) == 1 ? odd : even,
              .file_bytes = number});
  }
  EXPECT_EQ(book.of(odd).size(), 3u);
  EXPECT_EQ(book.of(even).size(), 2u);
  book.put({.share = id_of<ShareId>(2), .object = odd, .file_bytes = 20});  // known better
  EXPECT_EQ(book.of(odd).size(), 4u);
  EXPECT_EQ(book.of(odd)[1].file_bytes, 20u);
  EXPECT_EQ(book.totals().bytes, 33u);
  book.keep_only({id_of<ShareId>(2), id_of<ShareId>(4), id_of<ShareId>(9)});
  EXPECT_EQ(book.totals().shares, 2u);
  EXPECT_EQ(book.totals().bytes, 24u);
  EXPECT_FALSE(book.has(id_of<ShareId>(3)));
  EXPECT_EQ(book.of(odd).size(), 1u);
  EXPECT_EQ(book.of(even).size(), 1u);
  book.keep_only({});
  EXPECT_TRUE(book.of(odd).empty());
  EXPECT_EQ(book.totals().bytes, 0u);
}

}  // namespace
}  // namespace warifu::store
