// A witness takes what follows, refuses what was bent, and survives the loss of power.
#include "audit/witness.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::audit {
namespace {

const SiteName kLsa = *SiteName::parse("lsa");
const SiteName kTuh = *SiteName::parse("tuh");

class WitnessTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_directories("/site"));
    disk_.sync_dir("/");
    reopen();
  }
  void reopen() {
    witness_.reset();
    auto opened = Witness::open({disk_, clock_, random_}, "/site/seen", kTuh, own_);
    ASSERT_TRUE(opened) << opened.error().message;
    witness_ = std::move(*opened);
  }
  // The log of lsa with leaves of these texts.
  static LogOffer offer(const std::vector<std::string>& texts, std::uint64_t after,
                        const crypto::SigningKey& key) {
    Tree tree;
    std::vector<Digest> leaves;
    for (const std::string& text : texts) {
      leaves.push_back(leaf_hash(as_bytes(text)));
      tree.append(leaves.back());
    }
    const auto read = [&](std::uint64_t first, std::uint64_t count) -> Result<std::vector<Digest>> {
      const auto from = leaves.begin() + static_cast<std::ptrdiff_t>(first);
      return std::vector<Digest>(from, from + static_cast<std::ptrdiff_t>(count));
    };
    Note note{{origin_of(kLsa), tree.size(), *tree.root(tree.size(), read)}, {}};
    note.lines.push_back(sign_line(note.checkpoint, "lsa", key));
    return {note.text(),
            key.public_key(),
            after,
            {leaves.begin() + static_cast<std::ptrdiff_t>(after), leaves.end()}};
  }

  sim::SimDisk disk_;
  sim::SimClock clock_;
  sim::SimRandom random_{3};
  crypto::SigningKey own_{secret::Buffer::copy_of(Bytes(32, 9))};
  crypto::SigningKey lsa_{secret::Buffer::copy_of(Bytes(32, 1))};
  std::unique_ptr<Witness> witness_;
};

TEST_F(WitnessTest, WhatFollowsIsKeptAndCosigned) {
  const LogOffer first = offer({"a", "b"}, 0, lsa_), second = offer({"a", "b", "c"}, 2, lsa_);
  ASSERT_TRUE(witness_->take(kLsa, first));
  reopen();
  const auto line = witness_->take(kLsa, second);
  ASSERT_TRUE(line) << line.error().message;
  Note note = *parse_note(second.note);
  note.lines.push_back(*line);
  EXPECT_TRUE(signed_by(note, "tuh", SignatureKind::kWitness, own_.public_key()));
  EXPECT_EQ(witness_->seen(kLsa).size, 3u);
  EXPECT_EQ(witness_->leaves(kLsa, 1)->size(), 2u);
  EXPECT_EQ(witness_->seen(kTuh).size, 0u);
}

TEST_F(WitnessTest, AnotherPastAnotherKeyAndWrongRootsAreRefused) {
  ASSERT_TRUE(witness_->take(kLsa, offer({"a", "b", "c"}, 0, lsa_)));
  const auto refused = [&](const LogOffer& bad) { return witness_->take(kLsa, bad).error().code; };
  EXPECT_EQ(refused(offer({"a", "B", "c", "d"}, 3, lsa_)), Code::kRefused);  // a fork
  EXPECT_EQ(refused(offer({"a", "c", "b", "d"}, 3, lsa_)), Code::kRefused);  // swapped
  EXPECT_EQ(refused(offer({"a", "b"}, 0, lsa_)), Code::kInvalidArgument);    // cut
  EXPECT_EQ(refused(offer({"a", "b", "c", "d"}, 2, lsa_)), Code::kInvalidArgument);
  const crypto::SigningKey other(secret::Buffer::copy_of(Bytes(32, 4)));
  EXPECT_EQ(refused(offer({"a", "b", "c", "d"}, 3, other)), Code::kRefused);
  LogOffer unsigned_one = offer({"a", "b", "c", "d"}, 3, lsa_);
  unsigned_one.note = parse_note(unsigned_one.note)->checkpoint.body() + "\n";
  EXPECT_EQ(refused(unsigned_one), Code::kRefused);
  LogOffer bent = offer({"a", "b", "c", "d"}, 3, lsa_);
  bent.leaves[0][0] ^= 1;
  EXPECT_EQ(refused(bent), Code::kRefused);
  EXPECT_EQ(witness_->seen(kLsa).size, 3u);
  EXPECT_TRUE(witness_->take(kLsa, offer({"a", "b", "c", "d"}, 3, lsa_)));
}

TEST_F(WitnessTest, PowerThatGoesAnywhereLosesNothingThatWasCosigned) {
  std::vector<std::string> texts;
  for (int i = 0; i < 600; ++i) texts.push_back(std::to_string(i));
  std::uint64_t states = 0;
  for (std::uint64_t crash = 1;; ++crash) {
    sim::SimDisk disk;
    ASSERT_TRUE(disk.make_directories("/site"));
    disk.sync_dir("/");
    disk.crash_at(crash);
    std::uint64_t cosigned = 0;
    bool died = false;
    try {
      auto witness = Witness::open({disk, clock_, random_}, "/site/seen", kTuh, own_);
      for (std::uint64_t end = 100; witness && end <= texts.size(); end += 100) {
        const std::vector<std::string> part(texts.begin(),
                                            texts.begin() + static_cast<std::ptrdiff_t>(end));
        if ((*witness)->take(kLsa, offer(part, end - 100, lsa_))) cosigned = end;
      }
    } catch (const sim::SimCrash&) {
      died = true;
    }
    for (std::uint64_t image = 0; image < 10; ++image) {
      const auto left = disk.crash_image(crash * 100 + image);
      const auto witness = Witness::open({*left, clock_, random_}, "/site/seen", kTuh, own_);
      ASSERT_TRUE(witness) << witness.error().message;
      EXPECT_GE((*witness)->seen(kLsa).size, cosigned);
      EXPECT_EQ((*witness)->leaves(kLsa, 0)->size(), (*witness)->seen(kLsa).size);
      ++states;
    }
    if (!died) break;
  }
  EXPECT_GT(states, 100u);
}

}  // namespace
}  // namespace warifu::audit
