// Every choice of shares of every scheme restores; every change is refused and named; after a
// failure nothing of the output is left.
#include "localshare/localshare.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <random>

#include "localshare/record.h"
#include "store/share_header.h"
#include "testing/temporary_folder.h"

namespace warifu::localshare {
namespace {

namespace fs = std::filesystem;

Bytes read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

void write(const std::string& path, ByteView bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

class LocalShare : public testing::Test {
 protected:
  Bytes make_file(std::size_t size) {
    Bytes bytes(size);
    for (Byte& b : bytes) b = static_cast<Byte>(generator_());
    write(file_(), bytes);
    return bytes;
  }
  std::string file_() const { return dir_ + "/genome"; }
  std::string out_() const { return dir_ + "/shares"; }

  Result<SplitReport> split(const sharing::Scheme& scheme = {}, unsigned workers = 2) {
    return split_file(os::real_system(),
                      {.file = file_(), .out_dir = out_(), .scheme = scheme, .workers = workers},
                      {});
  }
  Result<CombineReport> combine(const std::vector<std::string>& shares, const std::string& record) {
    back_ = dir_ + "/back" + std::to_string(++count_);
    return combine_files(os::real_system(),
                         {.shares = shares, .record = record, .out = back_, .workers = 2}, {});
  }
  // The failed output, and its draft, are not there.
  void expect_nothing_left() const {
    EXPECT_FALSE(fs::exists(back_));
    EXPECT_FALSE(fs::exists(back_ + ".part"));
  }
  void expect_no_shares() const { EXPECT_TRUE(!fs::exists(out_()) || fs::is_empty(out_())); }

  std::mt19937_64 generator_{3};
  sim::TemporaryFolder dir_;
  std::string back_;
  int count_ = 0;
};

const sharing::Scheme kTwoOfThree;

TEST_F(LocalShare, EveryChoiceOfEverySchemeRestores) {
  const std::vector<sharing::Scheme> schemes = {
      kTwoOfThree, *sharing::Scheme::threshold_of(3, 5), *sharing::Scheme::threshold_of(2, 2),
      *sharing::Scheme::threshold_of(4, 4), sharing::Scheme::ramp()};
  for (const auto& scheme : schemes) {
    for (const std::size_t size : {1U, 33U, 262144U, 262145U, 1300001U}) {
      const Bytes bytes = make_file(size);
      const auto made = split(scheme);
      ASSERT_TRUE(made) << made.error().message;
      ASSERT_EQ(made->shares.size(), scheme.shares);
      std::vector<bool> chosen(scheme.shares);
      std::fill_n(chosen.begin(), scheme.threshold, true);
      do {
        std::vector<std::string> given;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
          if (chosen[i]) given.push_back(made->shares[i]);
        }
        std::ranges::reverse(given);
        const auto back = combine(given, made->record);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(read(back_), bytes) << scheme.text() << " " << size;
      } while (std::prev_permutation(chosen.begin(), chosen.end()));
      fs::remove_all(out_());
    }
  }
}

TEST_F(LocalShare, ThirtyTwoShares) {
  const Bytes bytes = make_file(5000);
  const auto made = split(*sharing::Scheme::threshold_of(17, 32));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->shares[31].ends_with("genome.32.share"));
  const std::vector<std::string> last(made->shares.end() - 17, made->shares.end());
  ASSERT_TRUE(combine(last, made->record));
  EXPECT_EQ(read(back_), bytes);
}

TEST_F(LocalShare, OneShareOfAFileOfZerosLooksUniform) {
  write(file_(), Bytes(4 << 20));
  const auto made = split();
  ASSERT_TRUE(made);
  for (const std::string& path : made->shares) {
    const Bytes share = read(path);
    std::array<double, 256> counts{};
    double total = 0;
    const store::ShareLayout layout(store::parse_slot(ByteView(share).first(4096), path)->header);
    for (std::uint64_t i = 0; i < layout.chunk_count(); ++i) {
      for (const Byte b :
           ByteView(share).subspan(layout.record_offset({i}), layout.record_length({i}))) {
        counts[b] += 1;
        total += 1;
      }
    }
    double chi = 0;
    for (const double n : counts) chi += (n - total / 256) * (n - total / 256) / (total / 256);
    EXPECT_LT(chi, 255 + 8 * 22.6) << path;
  }
}

TEST_F(LocalShare, AFlippedBitIsRefusedAndWithOneMoreShareNamed) {
  const Bytes bytes = make_file(600'000);
  const auto made = split();
  ASSERT_TRUE(made);
  const Bytes good = read(made->shares[1]);
  const store::ShareLayout layout(store::parse_slot(ByteView(good).first(4096), "")->header);
  for (const std::uint64_t chunk : {0U, 2U}) {
    for (const std::uint64_t at : {0U, 70'000U}) {
      Bytes bad = good;
      bad[layout.record_offset({chunk}) + at] ^= 0x10;
      write(made->shares[1], bad);
      for (const std::size_t other : {0U, 2U}) {
        const auto refused = combine({made->shares[1], made->shares[other]}, made->record);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::kCorrupt);
        EXPECT_TRUE(refused.error().message.contains(made->shares[1]));
        expect_nothing_left();
      }
      auto all = made->shares;
      for (int turn = 0; turn < 3; ++turn) {
        std::ranges::rotate(all, all.begin() + 1);
        const auto back = combine(all, made->record);
        ASSERT_TRUE(back) << back.error().message;
        ASSERT_EQ(back->wrong.size(), 1U);
        EXPECT_EQ(back->wrong[0].path, made->shares[1]);
        EXPECT_EQ(back->wrong[0].share, "B");
        EXPECT_EQ(back->wrong[0].chunk.value, chunk);
        EXPECT_EQ(read(back_), bytes);
      }
    }
  }
}

TEST_F(LocalShare, EveryByteOfASmallShareIsChecked) {
  const Bytes bytes = make_file(40);
  const auto made = split();
  ASSERT_TRUE(made);
  const Bytes good = read(made->shares[0]);
  for (std::size_t at = 2 * store::kHeaderBytes; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 1;
    write(made->shares[0], bad);
    EXPECT_FALSE(combine({made->shares[0], made->shares[2]}, made->record)) << at;
    expect_nothing_left();
  }
  // One header may be lost, both may not.
  Bytes bad = good;
  bad[20] ^= 1;
  write(made->shares[0], bad);
  EXPECT_TRUE(combine({made->shares[0], made->shares[2]}, made->record));
  bad[store::kHeaderBytes + 20] ^= 1;
  write(made->shares[0], bad);
  const auto refused = combine({made->shares[0], made->shares[2]}, made->record);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_TRUE(refused.error().message.contains(made->shares[0]));
  expect_nothing_left();
}

TEST_F(LocalShare, EveryByteOfTheRecordIsChecked) {
  (void)make_file(40);
  const auto made = split();
  ASSERT_TRUE(made);
  EXPECT_EQ(fs::status(made->record).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const Bytes good = read(made->record);
  ASSERT_EQ(good.size(), kLocalRecordBytes);
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 1;
    write(made->record, bad);
    const auto refused = combine({made->shares[0], made->shares[1]}, made->record);
    ASSERT_FALSE(refused) << at;
    EXPECT_EQ(refused.error().code, Code::kCorrupt);
    expect_nothing_left();
  }
}

TEST_F(LocalShare, TheTagOverAllChunksCounts) {
  (void)make_file(600'000);
  const auto made = split();
  ASSERT_TRUE(made);
  auto record = parse_record(read(made->record), "");
  ASSERT_TRUE(record);
  record->tag[3] ^= 1;
  write(made->record, encode_record(*record).bytes());
  const auto refused = combine({made->shares[0], made->shares[1]}, made->record);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.contains("tag over all chunks"));
  expect_nothing_left();
}

TEST_F(LocalShare, SharesThatDoNotBelongTogetherAreRefused) {
  (void)make_file(300'000);
  const auto made = split();
  ASSERT_TRUE(made);
  const auto refused = [&](const std::vector<std::string>& shares, Code code,
                           const std::string& word) {
    const auto back = combine(shares, made->record);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, code) << back.error().message;
    EXPECT_TRUE(back.error().message.contains(word)) << back.error().message;
    expect_nothing_left();
  };
  refused({made->shares[0]}, Code::kInvalidArgument, "2 are needed, 1 given");
  refused({made->shares[0], made->shares[0]}, Code::kInvalidArgument, "both share A");
  refused({made->shares[0], dir_ + "/none"}, Code::kNotFound, "none");
  fs::rename(out_(), dir_ + "/first");
  const auto second = split();
  ASSERT_TRUE(second);
  const auto mixed = combine({dir_ + "/first/genome.A.share", second->shares[1]}, second->record);
  ASSERT_FALSE(mixed);
  EXPECT_TRUE(mixed.error().message.contains("is a share of object"));
  fs::resize_file(second->shares[0], fs::file_size(second->shares[0]) - 1);
  const auto cut_short = combine(second->shares, second->record);
  ASSERT_FALSE(cut_short);
  EXPECT_EQ(cut_short.error().code, Code::kCorrupt);
  EXPECT_TRUE(cut_short.error().message.contains("genome.A.share' is cut short"));
  expect_nothing_left();
}

TEST_F(LocalShare, OutputsThatAreThereStay) {
  const Bytes bytes = make_file(1000);
  const auto made = split();
  ASSERT_TRUE(made);
  const Bytes share = read(made->shares[2]);
  const auto again = split();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  EXPECT_EQ(read(made->shares[2]), share);
  const auto onto = combine_files(
      os::real_system(), {.shares = made->shares, .record = made->record, .out = file_()}, {});
  ASSERT_FALSE(onto);
  EXPECT_EQ(onto.error().code, Code::kAlreadyExists);
  EXPECT_EQ(read(file_()), bytes);
  // A later output that is there takes the earlier ones back.
  fs::remove(made->shares[0]);
  fs::remove(made->shares[1]);
  fs::remove(made->record);
  ASSERT_FALSE(split());
  EXPECT_EQ(std::distance(fs::directory_iterator(out_()), fs::directory_iterator()), 1);
}

TEST_F(LocalShare, BadInputsAreRefused) {
  write(file_(), {});
  const auto empty = split();
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Code::kInvalidArgument);
  expect_no_shares();
  fs::remove(file_());
  const auto none = split();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  expect_no_shares();
}

TEST_F(LocalShare, ARandomFileIsTheGivenShares) {
  (void)make_file(300'000);
  const std::string random = dir_ + "/random";
  // 16 bytes of hash key, a full record, and 37,856 bytes of data with their tag.
  constexpr std::size_t kNeeded = 16 + 262'176 + 37'856 + 32;
  Bytes bytes(kNeeded - 5);
  for (Byte& b : bytes) b = static_cast<Byte>(generator_());
  write(random, bytes);
  SplitOptions options{.file = file_(),
                       .out_dir = out_(),
                       .random_file = random,
                       .random_origin = keypool::Origin::kHardware};
  const auto refused = split_file(os::real_system(), options, {});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.contains(", 5 are missing")) << refused.error().message;
  expect_no_shares();
  bytes.resize(kNeeded, 7);
  write(random, bytes);
  const auto made = split_file(os::real_system(), options, {});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(made->computational);
  const Bytes share = read(made->shares[0]);
  EXPECT_TRUE(std::ranges::equal(ByteView(share).subspan(8192, 262'176),
                                 ByteView(bytes).subspan(16, 262'176)));
  const auto slot = store::parse_slot(ByteView(share).first(4096), "");
  ASSERT_TRUE(slot);
  EXPECT_FALSE(slot->header.computational);
  EXPECT_EQ(slot->header.entropy_origins, 1U << 1);
  ASSERT_TRUE(combine({made->shares[1], made->shares[2]}, made->record));
  EXPECT_EQ(read(back_), read(file_()));
}

TEST_F(LocalShare, TheGeneratorIsLabelled) {
  (void)make_file(10);
  const auto made = split();
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->computational);
  EXPECT_EQ(made->random, "computational: kernel-seeded AES-256-CTR generator");
  const Bytes share = read(made->shares[0]);
  EXPECT_TRUE(store::parse_slot(ByteView(share).first(4096), "")->header.computational);
}

TEST_F(LocalShare, AFullDiskLeavesNothing) {
  (void)make_file(600'000);
  (void)std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{400'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto made = split();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kIo) << made.error().message;
  expect_no_shares();
}

TEST_F(LocalShare, StoppingLeavesNothing) {
  (void)make_file(3'000'000);
  const std::atomic<bool> stop = true;
  const Watch watch{.progress = {}, .stop = &stop};
  const auto made = split_file(
      os::real_system(), {.file = file_(), .out_dir = out_(), .scheme = {}, .workers = 1}, watch);
  // The work may end before the stop is seen; then it is whole.
  if (made) return;
  EXPECT_EQ(made.error().code, Code::kCancelled);
  expect_no_shares();
}

}  // namespace
}  // namespace warifu::localshare
