// The directory store on real files: resume, damage, full disks, listing and siblings.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/reason.h"
#include "store/store_test_support.h"
#include "testing/passing_files.h"
#include "testing/temporary_folder.h"

namespace warifu::store {
namespace {

// The real file system with a free space, and writes that fail, as told.
class TightFiles final : public sim::PassingFiles {
 public:
  TightFiles() : PassingFiles(os::real_files()) {}
  std::uint64_t free = 1ULL << 40;
  bool full = false;  // every write_at() fails

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    TRY_ASSIGN(auto file, PassingFiles::open(path, mode));
    return std::make_unique<TightFile>(std::move(file), full);
  }
  Result<std::uint64_t> free_bytes(const std::string&) override { return free; }

 private:
  // Half of the bytes are written when the disk is full.
  class TightFile final : public sim::PassingFile {
   public:
    TightFile(std::unique_ptr<os::File> real, bool& full)
        : PassingFile(std::move(real)), full_(full) {}
    Result<> write_at(std::uint64_t offset, ByteView bytes) override {
      if (!full_) return PassingFile::write_at(offset, bytes);
      TRY(PassingFile::write_at(offset, bytes.first(bytes.size() / 2)));
      return fail(Code::kNoSpace, "cannot write '" + path() + "': disk full");
    }

   private:
    bool& full_;
  };
};

class DirectoryStoreTest : public testing::Test {
 protected:
  void SetUp() override { open_store(); }
  void open_store() {
    store_.reset();
    auto opened = open_directory_store(files_, dir_ + "/shares");
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  std::string path_of(Byte number, const char* ending) {
    return dir_ + "/shares/" + id_of<ShareId>(number).text() + ending;
  }
  void store_share(const ShareHeader& header) {
    auto writer = store_->create(header);
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(append_until(**writer, header.chunk_count));
    ASSERT_TRUE((*writer)->commit());
  }
  void flip(const std::string& path, std::uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<long>(at));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<long>(at));
    file.put(static_cast<char>(byte ^ 0x40));
    ASSERT_TRUE(file.good());
  }

  TightFiles files_;
  sim::TemporaryFolder dir_;
  std::unique_ptr<ShareStore> store_;
};

TEST_F(DirectoryStoreTest, WriteCommitRead) {
  const ShareHeader header = small_header(1, 200);  // 64 + 64 + 64 + 8 bytes
  auto writer = *store_->create(header);
  EXPECT_FALSE(store_->open(header.share));
  ASSERT_TRUE(append_until(*writer, 4));
  EXPECT_EQ(writer->durable_chunks(), 0u);
  EXPECT_EQ(writer->append(Bytes(96)).error().code, Code::kInvalidArgument);
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(writer->durable_chunks(), 4u);
  EXPECT_EQ(writer->commit().error().code, Code::kInvalidArgument);
  EXPECT_EQ(writer->append(Bytes(96)).error().code, Code::kInvalidArgument);

  const auto reader = *store_->open(header.share);
  EXPECT_EQ(reader->header(), header);
  for (std::uint64_t i = 0; i < 4; ++i) {
    Bytes record(reader->layout().record_length({i}));
    ASSERT_TRUE(reader->read({i}, 1, record));
    EXPECT_EQ(record, record_of(reader->layout(), i));
  }
  Bytes two(96 + 64);
  ASSERT_TRUE(reader->read({2}, 2, two));
  EXPECT_EQ(Bytes(two.begin() + 96, two.end()), record_of(reader->layout(), 3));
  EXPECT_EQ(reader->read({2}, 1, two).error().code, Code::kInvalidArgument);
  EXPECT_EQ(reader->read({3}, 2, two).error().code, Code::kInvalidArgument);
  EXPECT_EQ(reader->read({UINT64_MAX}, 2, two).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(reader->read({4}, 0, {}));
}

TEST_F(DirectoryStoreTest, WrongRecordLengthsAreRefused) {
  auto writer = *store_->create(small_header(1, 100));
  for (const std::size_t size : {0u, 95u, 97u, 192u}) {
    EXPECT_EQ(writer->append(Bytes(size)).error().code, Code::kInvalidArgument);
  }
  ASSERT_TRUE(append_until(*writer, 1));
  EXPECT_EQ(writer->append(Bytes(95)).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(writer->append(Bytes(96)));  // 36 bytes padded to 64, and the tag
}

TEST_F(DirectoryStoreTest, UnsyncedRecordsAreDroppedOnReopen) {
  const ShareHeader header = small_header(1, 640);
  {
    auto writer = *store_->create(header);
    ASSERT_TRUE(append_until(*writer, 3));
    ASSERT_TRUE(writer->sync());
    ASSERT_TRUE(append_until(*writer, 7));
  }
  const auto listed = *store_->list_partial();
  ASSERT_EQ(listed.shares.size(), 1u);
  EXPECT_EQ(listed.shares[0].durable_chunks, 3u);
  auto writer = *store_->reopen(header.share);
  EXPECT_EQ(writer->header(), header);
  EXPECT_EQ(writer->next_chunk().value, 3u);
  EXPECT_EQ(writer->durable_chunks(), 3u);
  ASSERT_TRUE(append_until(*writer, 10));
  ASSERT_TRUE(writer->commit());
  Bytes all(10 * 96);
  ASSERT_TRUE((*store_->open(header.share))->read({0}, 10, all));
  EXPECT_EQ(Bytes(all.end() - 96, all.end()), record_of(writer->layout(), 9));
}

TEST_F(DirectoryStoreTest, ResumeAfterAPartOfARecord) {
  const ShareHeader header = small_header(1, 640);
  {
    auto writer = *store_->create(header);
    ASSERT_TRUE(append_until(*writer, 5));
    ASSERT_TRUE(writer->sync());
  }
  // The disk lost the end of what was promised, in the middle of record 3.
  std::filesystem::resize_file(path_of(1, ".part"), kRecordsStart + 3 * 4096 + 40);
  auto writer = *store_->reopen(header.share);
  EXPECT_EQ(writer->next_chunk().value, 3u);
  EXPECT_EQ(std::filesystem::file_size(path_of(1, ".part")), kRecordsStart + 3 * 4096);
  ASSERT_TRUE(append_until(*writer, 10));
  EXPECT_TRUE(writer->commit());
}

TEST_F(DirectoryStoreTest, TruncateTo) {
  const ShareHeader header = small_header(1, 640);
  auto writer = *store_->create(header);
  ASSERT_TRUE(append_until(*writer, 8));
  ASSERT_TRUE(writer->sync());
  EXPECT_EQ(writer->truncate_to({9}).error().code, Code::kInvalidArgument);
  ASSERT_TRUE(writer->truncate_to({2}));
  EXPECT_EQ(writer->durable_chunks(), 2u);
  EXPECT_EQ(std::filesystem::file_size(path_of(1, ".part")), writer->layout().record_offset({2}));
  ASSERT_TRUE(append_until(*writer, 4, 99));
  writer.reset();
  writer = *store_->reopen(header.share);
  EXPECT_EQ(writer->next_chunk().value, 2u);  // 2 and 3 were never synced
  ASSERT_TRUE(append_until(*writer, 10, 99));
  ASSERT_TRUE(writer->commit());
  Bytes record(96);
  const auto reader = *store_->open(header.share);
  ASSERT_TRUE(reader->read({1}, 1, record));
  EXPECT_EQ(record, record_of(reader->layout(), 1));
  ASSERT_TRUE(reader->read({2}, 1, record));
  EXPECT_EQ(record, record_of(reader->layout(), 2, 99));
}

TEST_F(DirectoryStoreTest, OneWriterAndNoSecondShare) {
  const ShareHeader header = small_header(1, 100);
  auto writer = *store_->create(header);
  EXPECT_EQ(store_->create(header).error().code, Code::kAlreadyExists);
  EXPECT_EQ(store_->reopen(header.share).error().code, Code::kBusy);
  EXPECT_EQ(store_->remove(header.share).error().code, Code::kBusy);
  ASSERT_TRUE(append_until(*writer, 2));
  EXPECT_EQ(writer->truncate_to({3}).error().code, Code::kInvalidArgument);
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(store_->create(header).error().code, Code::kAlreadyExists);
  EXPECT_EQ(store_->reopen(header.share).error().code, Code::kAlreadyExists);
  EXPECT_EQ(store_->reopen(id_of<ShareId>(9)).error().code, Code::kNotFound);
  EXPECT_EQ(open_directory_store(files_, dir_ + "/shares").error().code, Code::kBusy);
}

TEST_F(DirectoryStoreTest, CommitWantsEveryChunk) {
  auto writer = *store_->create(small_header(1, 100));
  ASSERT_TRUE(append_until(*writer, 1));
  const auto committed = writer->commit();
  EXPECT_EQ(committed.error().code, Code::kInvalidArgument);
  EXPECT_NE(committed.error().message.find("1 of 2 chunks"), std::string::npos);
}

TEST_F(DirectoryStoreTest, AbandonAndRemove) {
  auto writer = *store_->create(small_header(1, 100));
  ASSERT_TRUE(writer->abandon());
  EXPECT_FALSE(std::filesystem::exists(path_of(1, ".part")));
  EXPECT_EQ(writer->sync().error().code, Code::kInvalidArgument);
  store_share(small_header(2, 100));
  ASSERT_TRUE(store_->create(small_header(3, 100)));
  ASSERT_TRUE(store_->remove(id_of<ShareId>(2)));
  ASSERT_TRUE(store_->remove(id_of<ShareId>(3)));
  ASSERT_TRUE(store_->remove(id_of<ShareId>(3)));
  EXPECT_TRUE(store_->list()->shares.empty());
  EXPECT_TRUE(store_->list_partial()->shares.empty());
  EXPECT_EQ(store_->open(id_of<ShareId>(2)).error().code, Code::kNotFound);
}

TEST_F(DirectoryStoreTest, ACutFileIsCorruptAndNamed) {
  store_share(small_header(1, 640));
  store_share(small_header(2, 640));
  const std::string path = path_of(1, ".share");
  const std::uint64_t whole = std::filesystem::file_size(path);
  for (const std::uint64_t size : {whole + 1, whole - 1, kRecordsStart, std::uint64_t{4096},
                                   std::uint64_t{100}, std::uint64_t{0}}) {
    std::filesystem::resize_file(path, size);
    const auto opened = store_->open(id_of<ShareId>(1));
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().code, Code::kCorrupt) << size;
    EXPECT_NE(opened.error().message.find(path), std::string::npos);
    const auto listing = *store_->list();
    ASSERT_EQ(listing.shares.size(), 1u);  // the other one
    ASSERT_EQ(listing.problems.size(), 1u);
    EXPECT_EQ(listing.problems[0].path, path);
    EXPECT_FALSE(listing.problems[0].usable);
    const Reason reason = error_of_text(Code::kCorrupt, listing.problems[0].reason).reason;
    EXPECT_TRUE(reason == Reason::kShareLength || reason == Reason::kShareHead || size == 0)
        << size;
  }
}

TEST_F(DirectoryStoreTest, DamageOfOneHeaderCopyIsToldAndSurvived) {
  const ShareHeader header = small_header(1, 100);
  store_share(header);
  for (const std::uint64_t at : {std::uint64_t{100}, kHeaderBytes + 100}) {
    flip(path_of(1, ".share"), at);
    ASSERT_TRUE(store_->open(header.share));
    const auto listing = *store_->list();
    ASSERT_EQ(listing.shares.size(), 1u);
    EXPECT_EQ(listing.shares[0], header);
    ASSERT_EQ(listing.problems.size(), 1u);
    EXPECT_TRUE(listing.problems[0].usable);
    flip(path_of(1, ".share"), at);
  }
  flip(path_of(1, ".share"), 100);
  flip(path_of(1, ".share"), kHeaderBytes + 4000);
  EXPECT_EQ(store_->open(header.share).error().code, Code::kCorrupt);
  EXPECT_EQ(store_->list()->problems.size(), 1u);
}

TEST_F(DirectoryStoreTest, ForeignAndMisnamedFilesAreProblems) {
  store_share(small_header(1, 100));
  std::filesystem::copy_file(path_of(1, ".share"), path_of(2, ".share"));
  std::ofstream(dir_ + "/shares/notes.txt") << "hello";
  const auto listing = *store_->list();
  EXPECT_EQ(listing.shares.size(), 1u);
  ASSERT_EQ(listing.problems.size(), 2u);
  EXPECT_NE(listing.problems[0].reason.find("named after"), std::string::npos);
  EXPECT_EQ(listing.problems[1].path, dir_ + "/shares/notes.txt");
}

TEST_F(DirectoryStoreTest, Siblings) {
  ShareHeader header = small_header(1, 100);
  store_share(header);
  header.siblings = {{1, id_of<ShareId>(7), *SiteName::parse("lsa")}};
  ASSERT_TRUE(store_->complete(header.share, {.siblings = header.siblings}));
  header.siblings.push_back({2, id_of<ShareId>(8), *SiteName::parse("tuh")});
  header.entropy_origins = 0x42;
  header.computational = true;
  ASSERT_TRUE(store_->complete(header.share, {header.siblings, 0x42, true}));
  EXPECT_EQ((*store_->open(header.share))->header(), header);
  // Either copy alone has the new list.
  for (const std::uint64_t at : {std::uint64_t{9}, kHeaderBytes + 9}) {
    flip(path_of(1, ".share"), at);
    EXPECT_EQ((*store_->open(header.share))->header(), header);
    flip(path_of(1, ".share"), at);
  }
  std::vector<Sibling> many(kMaxSiblings + 1, header.siblings[0]);
  EXPECT_EQ(store_->complete(header.share, {.siblings = many}).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(store_->complete(id_of<ShareId>(9), {.siblings = {}}).error().code, Code::kNotFound);
  files_.full = true;
  EXPECT_EQ(store_->complete(header.share, {.siblings = {}}).error().code, Code::kNoSpace);
  files_.full = false;
  EXPECT_EQ((*store_->open(header.share))->header(), header);
}

TEST_F(DirectoryStoreTest, ListsBesideWritersSeeNoDamage) {
  std::atomic<bool> done = false;
  std::thread writers([&] {
    for (Byte number = 1; number <= 8; ++number) {
      auto writer = *store_->create(small_header(number, 640));
      for (std::uint64_t end = 1; end <= 10; ++end) {
        EXPECT_TRUE(append_until(*writer, end));
        EXPECT_TRUE(writer->sync());
      }
      EXPECT_TRUE(writer->commit());
      EXPECT_TRUE(
          store_->complete(writer->header().share,
                           {.siblings = {{1, id_of<ShareId>(0xaa), *SiteName::parse("lsa")}}}));
    }
    done = true;
  });
  while (!done) {
    EXPECT_TRUE(store_->list()->problems.empty());
    EXPECT_TRUE(store_->list_partial()->problems.empty());
    EXPECT_TRUE(store_->free_bytes());
  }
  writers.join();
  EXPECT_EQ(store_->list()->shares.size(), 8u);
}

TEST_F(DirectoryStoreTest, ASharesRotIsNamedAndNotGiven) {
  const ShareHeader header = small_header(1, 200);
  store_share(header);
  std::vector<std::string> told;
  store_->watch_damage([&](const ShareId& share, const std::string& why) {
    EXPECT_EQ(share, header.share);
    told.push_back(why);
  });
  flip(path_of(1, ".share"), kRecordsStart + 2 * 4096 + 50);
  const auto reader = *store_->open(header.share);
  Bytes record(96);
  EXPECT_TRUE(reader->read({1}, 1, record));
  EXPECT_TRUE(told.empty());
  const auto read = reader->read({2}, 1, record);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kCorrupt);
  EXPECT_NE(read.error().message.find("record 2 of share " + header.share.text()),
            std::string::npos);
  EXPECT_EQ(told, std::vector{error_text(read.error())});
  EXPECT_TRUE(told.front().ends_with(" (share_rotten)")) << told.front();
  Bytes all(96 + 96);
  EXPECT_FALSE(reader->read({1}, 2, all));
}

TEST_F(DirectoryStoreTest, FilesWithoutChecksAreReadAsBefore) {
  ShareHeader header = small_header(1, 200);
  header.check_key = {};
  store_share(header);
  EXPECT_EQ(std::filesystem::file_size(path_of(1, ".share")), kRecordsStart + 3 * 4096 + 64);
  flip(path_of(1, ".share"), kRecordsStart + 50);
  const auto reader = *store_->open(header.share);
  EXPECT_EQ(reader->header(), header);
  Bytes record(96);
  EXPECT_TRUE(reader->read({0}, 1, record));  // nothing says that it is wrong
  EXPECT_TRUE(reader->verify({3}, record));
}

// What a scrub looks at: the store's opening, both header copies, every record with its gap.
bool finds_damage(ShareStore& store, const ShareId& share) {
  const auto reader = store.open(share);
  if (!reader || !(*reader)->header_damage().empty()) return true;
  const ShareLayout& layout = (*reader)->layout();
  Bytes record(layout.record_length({0}));
  for (std::uint64_t i = 0; i < layout.chunk_count(); ++i) {
    if (!(*reader)->verify({i}, record)) return true;
  }
  return false;
}

// No byte of a file is unchecked: header copies, records, checks, gaps.
TEST_F(DirectoryStoreTest, EveryFlippedByteOfTheWholeFileIsFound) {
  const ShareHeader header = small_header(1, 100);
  store_share(header);
  const std::string path = path_of(1, ".share");
  ASSERT_FALSE(finds_damage(*store_, header.share));
  std::vector<std::uint64_t> unchecked;
  for (std::uint64_t at = 0; at < std::filesystem::file_size(path); ++at) {
    flip(path, at);
    if (!finds_damage(*store_, header.share)) unchecked.push_back(at);
    flip(path, at);
  }
  EXPECT_EQ(unchecked, std::vector<std::uint64_t>());
  EXPECT_FALSE(finds_damage(*store_, header.share));
}

TEST_F(DirectoryStoreTest, RecordsThatChangedPlacesAreFound) {
  const ShareHeader header = small_header(1, 200);
  store_share(header);
  std::fstream file(path_of(1, ".share"), std::ios::in | std::ios::out | std::ios::binary);
  std::array<char, 4096> first{}, second{};
  file.seekg(kRecordsStart);
  file.read(first.data(), 4096).read(second.data(), 4096);
  file.seekp(kRecordsStart);
  file.write(second.data(), 4096).write(first.data(), 4096);
  file.close();
  EXPECT_TRUE(finds_damage(*store_, header.share));
}

TEST_F(DirectoryStoreTest, SpaceIsCheckedBeforehand) {
  const ShareHeader header = small_header(1, 640);
  const std::uint64_t whole = kRecordsStart + 9 * 4096 + 96 + kCheckBytes;
  files_.free = whole - 1;
  const auto refused = store_->create(header);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kNoSpace);
  EXPECT_NE(refused.error().message.find("needs " + std::to_string(whole) + " bytes"),
            std::string::npos);
  EXPECT_NE(refused.error().message.find(std::to_string(whole - 1) + " bytes"), std::string::npos);
  files_.free = whole;
  auto writer = *store_->create(header);
  EXPECT_EQ(*store_->free_bytes(), kRecordsStart);  // its header is written, the rest promised
  files_.free = 2 * whole - kRecordsStart - 1;
  EXPECT_EQ(store_->create(small_header(2, 640)).error().code, Code::kNoSpace);
  ASSERT_TRUE(append_until(*writer, 4));
  ASSERT_TRUE(writer->sync());
  writer.reset();
  const std::uint64_t rest = whole - kRecordsStart - 4 * 4096;
  files_.free = rest - 1;
  EXPECT_EQ(store_->reopen(header.share).error().code, Code::kNoSpace);
  files_.free = rest;
  EXPECT_TRUE(store_->reopen(header.share));
}

TEST_F(DirectoryStoreTest, AFullDiskStopsAndGoesOn) {
  const ShareHeader header = small_header(1, 640);
  files_.full = true;
  EXPECT_EQ(store_->create(header).error().code, Code::kNoSpace);
  EXPECT_EQ(files_.list(dir_ + "/shares")->size(), 1u);  // the lock
  files_.full = false;
  auto writer = *store_->create(header);
  ASSERT_TRUE(append_until(*writer, 2));
  ASSERT_TRUE(writer->sync());
  files_.full = true;
  EXPECT_EQ(append_until(*writer, 3).error().code, Code::kNoSpace);
  EXPECT_EQ(writer->next_chunk().value, 2u);
  files_.full = false;
  ASSERT_TRUE(append_until(*writer, 4));
  files_.full = true;
  EXPECT_EQ(writer->sync().error().code, Code::kNoSpace);
  EXPECT_EQ(writer->durable_chunks(), 2u);
  files_.full = false;
  ASSERT_TRUE(writer->sync());
  EXPECT_EQ(writer->durable_chunks(), 4u);
  ASSERT_TRUE(append_until(*writer, 10));
  files_.full = true;
  EXPECT_EQ(writer->commit().error().code, Code::kNoSpace);
  files_.full = false;
  ASSERT_TRUE(writer->commit());
  EXPECT_TRUE(store_->open(header.share));
}

}  // namespace
}  // namespace warifu::store
