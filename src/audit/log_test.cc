// The chain: every changed byte, cut and swapped line is found; crashes and full disks are
// survived.
#include "audit/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "audit/actor.h"
#include "audit/line.h"
#include "testing/passing_files.h"
#include "testing/temporary_folder.h"

namespace warifu::audit {
namespace {

class FixedClock final : public os::Clock {
 public:
  os::UnixMs now() override { return {time_ms += 1000}; }
  std::chrono::nanoseconds monotonic() override { return std::chrono::milliseconds(time_ms); }
  void sleep(std::chrono::milliseconds) override {}
  std::int64_t time_ms = 1'795'000'000'000;
};

// Writes that fail after some bytes, and truncations that fail, when told to.
class WeakFile final : public sim::PassingFile {
 public:
  WeakFile(std::unique_ptr<os::File> real, int& write_budget, bool& no_truncate)
      : PassingFile(std::move(real)), write_budget_(write_budget), no_truncate_(no_truncate) {}
  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    if (write_budget_ < 0) return PassingFile::write_at(offset, bytes);
    const auto part = std::min(bytes.size(), static_cast<std::size_t>(write_budget_));
    TRY(PassingFile::write_at(offset, bytes.first(part)));
    return fail(Code::kNoSpace, "disk full");
  }
  Result<> truncate(std::uint64_t size) override {
    if (no_truncate_) return fail(Code::kIo, "disk broken");
    return PassingFile::truncate(size);
  }

 private:
  int& write_budget_;
  bool& no_truncate_;
};

class WeakFiles final : public sim::PassingFiles {
 public:
  WeakFiles() : PassingFiles(os::real_files()) {}
  int write_budget = -1;  // -1: unlimited
  bool no_truncate = false;
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    TRY_ASSIGN(auto file, PassingFiles::open(path, mode));
    return std::make_unique<WeakFile>(std::move(file), write_budget, no_truncate);
  }
};

class LogTest : public testing::Test {
 protected:
  void SetUp() override { path_ = dir_ + "/audit.log"; }

  Result<std::unique_ptr<Log>> open() {
    return Log::open({files_, clock_, os::kernel_random()}, path_, *SiteName::parse("tommo"));
  }
  // log_created and `count` more records.
  void fill(int count) {
    const auto log = *open();
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(log->append("release", {{"object", std::to_string(i)}, {"reason", "a \"b\"\n"}}));
    }
  }
  std::string content() { return std::string(as_text(*os::read_file(files_, path_, 1 << 24))); }
  void put(const std::string& text) {
    ASSERT_TRUE(os::replace_file(os::real_files(), path_, as_bytes(text)));
  }
  std::vector<std::string> lines() {
    std::vector<std::string> out;
    std::string rest = content();
    for (std::size_t feed = 0; (feed = rest.find('\n')) != std::string::npos;) {
      out.push_back(rest.substr(0, feed + 1));
      rest.erase(0, feed + 1);
    }
    return out;
  }

  sim::TemporaryFolder dir_;
  std::string path_;
  WeakFiles files_;
  FixedClock clock_;
};

TEST_F(LogTest, RecordsComeBackInOrderAfterReopening) {
  fill(3);
  const auto log = *open();
  ASSERT_TRUE(log->append("refused", {{"reason", "used up"}}));
  const auto records = *log->read(1, 100);
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[0].event, "log_created");
  EXPECT_EQ(records[0].fields, (Fields{{"site", "tommo"}}));
  EXPECT_EQ(records[2].fields, (Fields{{"object", "1"}, {"reason", "a \"b\"\n"}}));
  EXPECT_EQ(records[4].event, "refused");
  EXPECT_EQ(records[4].sequence, 5u);
  EXPECT_GT(records[4].time, records[3].time);
  EXPECT_EQ(log->read(4, 1)->size(), 1u);
  EXPECT_EQ(log->read(4, 1)->at(0).sequence, 4u);
  EXPECT_TRUE(log->read(6, 10)->empty());
  EXPECT_EQ(*verify(files_, path_), log->head());
}

TEST_F(LogTest, RecordsNameTheOperatorOfTheThread) {
  auto log = *open();
  {
    const ActingOperator sato("sato");
    ASSERT_TRUE(log->append("switched", {{"value", "off"}}));
    {
      const ActingOperator both("sato+mori");
      ASSERT_TRUE(log->append("object_deleted", {}));
    }
    ASSERT_TRUE(log->append("operator_refused", {{"operator", "unknown"}}));
    ASSERT_TRUE(note_job(*log, "1", "2"));
    std::thread([&] { ASSERT_TRUE(log->append("share_stored", {})); }).join();
  }
  ASSERT_TRUE(log->append("switched", {}));
  ASSERT_TRUE(note_job(*log, "1", "2"));  // nobody's: nothing is noted
  const auto records = log->read(2, 10).value();
  const std::vector<Fields> expected = {{{"value", "off"}, {"operator", "sato"}},
                                        {{"operator", "sato+mori"}},
                                        {{"operator", "unknown"}},
                                        {{"job", "1"}, {"object", "2"}, {"operator", "sato"}},
                                        {},
                                        {}};
  ASSERT_EQ(records.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(records[i].fields, expected[i]) << i;
}

TEST_F(LogTest, ReadingFromTheMiddleOfALongLog) {
  fill(1000);
  const auto log = *open();
  for (const std::uint64_t from : {1u, 256u, 257u, 258u, 700u, 1001u}) {
    const auto records = *log->read(from, 3);
    ASSERT_FALSE(records.empty());
    EXPECT_EQ(records[0].sequence, from);
  }
}

TEST_F(LogTest, EveryFlippedByteIsFoundAndItsLineNamed) {
  fill(3);
  const std::string good = content();
  for (std::size_t i = 0; i < good.size(); ++i) {
    const auto line = static_cast<std::size_t>(
        1 + std::count(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i), '\n'));
    for (const int mask : {1, 0x20, 0x80}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ mask);
      put(bad);
      const auto verdict = verify(files_, path_);
      ASSERT_FALSE(verdict) << i;
      EXPECT_EQ(verdict.error().code, Code::kCorrupt);
      EXPECT_NE(verdict.error().message.find("line " + std::to_string(line) + ":"),
                std::string::npos)
          << verdict.error().message << " expected line " << line;
      if (i + 1 < good.size()) {
        EXPECT_EQ(open().error().code, Code::kCorrupt) << i;
      }
    }
  }
}

TEST_F(LogTest, RemovedSwappedRepeatedAndForeignLinesAreFound) {
  fill(4);
  const auto all = lines();
  const auto joined = [&](std::initializer_list<int> order) {
    std::string text;
    for (const int i : order) text += all[static_cast<std::size_t>(i)];
    return text;
  };
  const std::pair<std::string, const char*> cases[] = {
      {joined({1, 2, 3, 4}), "line 1:"},
      {joined({0, 1, 3, 4}), "line 3:"},
      {joined({0, 2, 1, 3, 4}), "line 2:"},
      {joined({0, 1, 2, 2, 3, 4}), "line 4:"},
      {joined({0, 1, 2, 4, 3}), "line 4:"},
      {"\n" + joined({0, 1}), "line 1:"},
      {joined({0, 1}) + "{}\n", "line 3:"},
      {std::string(20000, 'x'), "line 1:"},
      {joined({0}) + std::string(40000, 'x') + "\n", "line 2:"}};
  for (const auto& [text, where] : cases) {
    put(text);
    const auto verdict = verify(files_, path_);
    ASSERT_FALSE(verdict) << where;
    EXPECT_NE(verdict.error().message.find(where), std::string::npos) << verdict.error().message;
    EXPECT_EQ(open().error().code, Code::kCorrupt);
  }
}

TEST_F(LogTest, ALineWrittenAnewWithAGoodHashIsFoundByTheNextOne) {
  fill(4);
  const auto all = lines();
  Head before;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto record = *parse_line(all[i].substr(0, all[i].size() - 1), before);
    before = {record.sequence, record.hash};
  }
  const std::string forged =
      *make_line(before, Salt{}, clock_.now(), "release", {{"object", "other"}});
  put(all[0] + all[1] + forged + all[3] + all[4]);
  const auto verdict = verify(files_, path_);
  ASSERT_FALSE(verdict);
  EXPECT_NE(verdict.error().message.find("line 4: it does not follow"), std::string::npos);
}

TEST_F(LogTest, CutLinesAreFoundByAWitness) {
  fill(4);
  const Head seen = *verify(files_, path_);
  const auto all = lines();
  put(all[0] + all[1]);
  EXPECT_TRUE(verify(files_, path_));  // the chain alone cannot know
  const auto verdict = verify(files_, path_, &seen);
  ASSERT_FALSE(verdict);
  EXPECT_NE(verdict.error().message.find("line 3: it is missing"), std::string::npos);
  // Rewritten from line 2 on by somebody who can compute hashes.
  std::filesystem::remove(path_);
  fill(6);
  const auto rewritten = verify(files_, path_, &seen);
  ASSERT_FALSE(rewritten);
  EXPECT_NE(rewritten.error().message.find("witness"), std::string::npos);
}

TEST_F(LogTest, EveryUnfinishedLastLineIsCutOffAndTold) {
  fill(2);
  const std::string good = content();
  const std::size_t last = good.rfind('\n', good.size() - 2) + 1;
  for (std::size_t size = last; size <= good.size(); ++size) {
    put(good.substr(0, size));
    EXPECT_EQ(verify(files_, path_).has_value(), size == last || size == good.size());
    const auto log = open();
    ASSERT_TRUE(log) << log.error().message;
    const auto records = *(*log)->read(1, 10);
    const bool is_kept = size + 1 >= good.size();  // only the line feed is missing
    const bool is_whole = is_kept || size == last;
    ASSERT_EQ(records.size(), is_kept || !is_whole ? 3u : 2u) << size;
    EXPECT_EQ(records.back().event, is_whole ? "release" : "log_recovered");
    EXPECT_TRUE((*log)->append("release", {}));
  }
  // Blocks of the last line that never reached the disk read as zeros.
  put(good.substr(0, last) + std::string(100, '\0') + good.substr(last + 100));
  EXPECT_TRUE(open());
  EXPECT_TRUE(verify(files_, path_));
  put(good.substr(0, last) + std::string(300, '\0'));
  EXPECT_TRUE(open());
  EXPECT_TRUE(verify(files_, path_));
}

// What is longer than a line are the lines before.
TEST_F(LogTest, ALongLogWhoseLastLineLacksABlockOpens) {
  {
    const auto log = *open();
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(log->append("release", {{"object", std::string(200, 'x')}}));
    }
  }
  std::string good = content();
  ASSERT_GT(good.size(), kMaxLineBytes);
  const std::size_t last = good.rfind('\n', good.size() - 2) + 1;
  std::fill_n(good.begin() + static_cast<std::ptrdiff_t>(last), 300, '\0');
  put(good);
  const auto log = open();
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ((*log)->read((*log)->head().sequence, 1)->front().event, "log_recovered");
}

TEST_F(LogTest, AFullDiskRefusesTheEventAndLeavesTheLogGood) {
  const auto log = *open();
  for (const int budget : {0, 1, 50, 200}) {
    files_.write_budget = budget;
    const auto refused = log->append("release", {{"object", "x"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kNoSpace);
    files_.write_budget = -1;
    EXPECT_EQ(*verify(files_, path_), log->head());
    EXPECT_TRUE(log->append("release", {{"object", "y"}}));
  }
  files_.write_budget = 10;
  files_.no_truncate = true;
  EXPECT_FALSE(log->append("release", {}));
  files_.write_budget = -1;
  EXPECT_EQ(log->append("release", {}).error().code, Code::kIo);  // stopped: half a line is there
}

TEST_F(LogTest, HostileTextsStayOneReadableLine) {
  const auto log = *open();
  ASSERT_TRUE(log->append("refused", {{"text", "\xff\xfe\n\"}{\x01 \xe3\x81\x82"}}));
  ASSERT_TRUE(log->append("refused", {{"text", "\xe5\x90\x8c\xe6\x84\x8f"}}));
  EXPECT_EQ(log->append("refused", {{"text", std::string(20000, 'x')}}).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(log->append("Bad Name", {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(log->append("ok", {{"a\"b", "x"}}).error().code, Code::kInvalidArgument);
  const auto records = *log->read(2, 10);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].fields[0].second.substr(0, 2), "??");
  EXPECT_EQ(records[1].fields[0].second, "\xe5\x90\x8c\xe6\x84\x8f");
  EXPECT_TRUE(verify(files_, path_));
}

// As version 1 wrote it.
const std::string kOldLog =
    R"({"seq":1,"time":"2026-11-18T11:06:41Z","time_ms":1795000001000,"event":"log_created",)"
    R"("fields":{"site":"tommo"},"prev":"@0","hash":"@1"})"
    "\n"
    R"({"seq":2,"time":"2026-11-18T11:06:42Z","time_ms":1795000002000,"event":"release",)"
    R"("fields":{"object":"x"},"prev":"@1","hash":"@2"})"
    "\n";

std::string old_log() {
  std::string text = kOldLog;
  const auto fill_in = [&](const std::string& mark, const std::string& hash) {
    for (std::size_t at = 0; (at = text.find(mark)) != std::string::npos;) {
      text.replace(at, mark.size(), hash);
    }
  };
  fill_in("@0", std::string(64, '0'));
  for (const std::string mark : {"@1", "@2"}) {
    const std::size_t end = text.find(R"(,"hash":")" + mark);
    const std::size_t begin = text.rfind('\n', end) + 1;  // npos + 1 is 0
    fill_in(mark,
            to_hex(crypto::sha256(as_bytes(std::string_view(text).substr(begin, end - begin)))));
  }
  return text;
}

TEST_F(LogTest, ALogOfTheFirstVersionIsGoneOnWith) {
  put(old_log());
  {
    const auto log = open();
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE((*log)->append("refused", {{"reason", "late"}}));
    EXPECT_EQ((*(*log)->read(2, 2))[0].event, "release");
    EXPECT_EQ((*log)->erase(2, "asked").error().code, Code::kInvalidArgument);
  }
  EXPECT_EQ(verify(files_, path_)->sequence, 3u);
  std::string bent = old_log();
  bent[bent.find("\"x\"") + 1] = 'y';
  put(bent);
  EXPECT_EQ(open().error().code, Code::kCorrupt);
}

TEST_F(LogTest, ProofsOfEveryRecordHoldAlsoAfterReopening) {
  fill(600);
  const auto log = *open();
  const std::uint64_t size = log->head().sequence;
  const Digest root = *log->root(size);
  const auto leaves = *log->leaves(0, 1000);
  ASSERT_EQ(leaves.size(), size);
  for (const std::uint64_t number : {1UL, 2UL, 256UL, 257UL, 512UL, 600UL, 601UL}) {
    EXPECT_TRUE(verify_inclusion(leaves[number - 1], number - 1, size,
                                 *log->inclusion(number, size), root));
    EXPECT_TRUE(verify_consistency(number, *log->root(number), size, root,
                                   *log->consistency(number, size)));
  }
  EXPECT_FALSE(log->inclusion(0, size));
  EXPECT_FALSE(log->inclusion(602, size));
  EXPECT_FALSE(log->root(602));
}

TEST_F(LogTest, AnErasedRecordIsGoneFromTheFileAndEveryProofStays) {
  fill(300);
  const auto log = *open();
  ASSERT_TRUE(log->append("release", {{"grantee", "Dr. Suzuki"}}));
  const std::uint64_t number = log->head().sequence;
  ASSERT_TRUE(log->append("release", {{"grantee", "Dr. Ito"}}));
  const Digest root = *log->root(number + 1);
  const auto record = log->read(number, 1)->front();
  ASSERT_TRUE(log->erase(number, "asked for by the person"));
  EXPECT_EQ(content().find("Suzuki"), std::string::npos);
  EXPECT_NE(content().find("Dr. Ito"), std::string::npos);
  EXPECT_EQ(*log->root(number + 1), root);
  const auto erased = log->read(number, 1)->front();
  EXPECT_TRUE(erased.erased);
  EXPECT_EQ(erased.leaf, record.leaf);
  EXPECT_TRUE(erased.text.empty());
  EXPECT_EQ(log->erase(number, "again").error().code, Code::kInvalidArgument);
  EXPECT_EQ(log->erase(9999, "nothing").error().code, Code::kInvalidArgument);
  ASSERT_TRUE(log->append("release", {}));
  EXPECT_EQ(*verify(files_, path_), log->head());
  EXPECT_EQ(log->read(number + 2, 1)->front().event, "record_erased");
}

TEST_F(LogTest, AFullDiskErasesNothing) {
  fill(3);
  const auto log = *open();
  const std::string before = content();
  files_.write_budget = 400;
  EXPECT_FALSE(log->erase(2, std::string(600, 'r')));
  files_.write_budget = -1;
  EXPECT_EQ(content(), before);
  EXPECT_TRUE(log->append("release", {}));
  EXPECT_EQ(*verify(files_, path_), log->head());
}

TEST_F(LogTest, OneHolderAndOneSite) {
  {
    const auto log = *open();
    EXPECT_EQ(open().error().code, Code::kBusy);
  }
  const auto other =
      Log::open({files_, clock_, os::kernel_random()}, path_, *SiteName::parse("lsa"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kRefused);
}

}  // namespace
}  // namespace warifu::audit
