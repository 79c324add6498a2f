// Sums over the shares of random objects under random policies are zero; one flipped bit anywhere
// in any share makes every sum that it stands in something else. Seeded bugs are caught.
#include "upkeep/share_hash.h"

#include <gtest/gtest.h>

#include "upkeep/audit_plan.h"
#include "upkeep/cut_object_test_support.h"
#include "upkeep/share_auditor.h"

namespace warifu::upkeep {
namespace {

// What a holder does wrong.
enum class Bug : std::uint8_t { kNone, kTagsLeftOut, kLastRecordLeftOut };

std::vector<config::LinkEntry> full_mesh(const std::vector<planner::ShareLocation>& shares) {
  std::vector<config::LinkEntry> links;
  std::vector<SiteName> sites = {site("ctl")};
  for (const auto& share : shares) sites.push_back(share.site);
  for (std::size_t i = 0; i < sites.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) links.push_back({sites[i], sites[j]});
  }
  return links;
}

AuditPlanner plan_for(const CutObject& object) {
  static std::vector<config::LinkEntry> links;
  links = full_mesh(object.shares());
  AuditPlanner planner({.policy = object.policy(),
                        .shares = object.shares(),
                        .links = links,
                        .collector = site("ctl")});
  planner.cover();
  return planner;
}

AuditRound round_of(const AuditPlanner& planner, std::mt19937_64& generator) {
  AuditRound round;
  for (const PlannedSum& planned : planner.sums()) round.sums.push_back(planned.sum);
  for (Byte& byte : round.key) byte = static_cast<Byte>(generator());
  return round;
}

using Records = std::map<std::string, std::vector<Bytes>>;

Records records_of(const CutObject& object) {
  Records records;
  for (const auto& share : object.shares())
    records[share.letter()] = object.held(share.letter()).records;
  return records;
}

// The answers of one holder, not masked.
std::vector<mac::Tag> answers_of(const CutObject& object, const AuditRound& round,
                                 const planner::ShareLocation& share, std::vector<Bytes> records,
                                 Bug bug) {
  auto hash = ShareHash::make(object.held(share.letter()).header, round, share.site);
  EXPECT_TRUE(hash) << hash.error().message;
  if (bug == Bug::kLastRecordLeftOut) std::ranges::fill(records.back(), Byte{0});
  for (std::uint64_t i = 0; i < records.size(); ++i) {
    Bytes& record = records[i];
    if (bug == Bug::kTagsLeftOut) std::fill(record.end() - 32, record.end(), Byte{0});
    hash->add({i}, record);
  }
  return hash->finish();
}

// Which sums are not zero.
std::set<std::size_t> spoilt(const CutObject& object, const AuditRound& round,
                             const Records& records, Bug bug = Bug::kNone) {
  std::vector<mac::Tag> sums(round.sums.size());
  for (const auto& share : object.shares()) {
    std::vector<std::size_t> own;
    for (std::size_t i = 0; i < round.sums.size(); ++i) {
      if (round.sums[i].place_of(share.site)) own.push_back(i);
    }
    if (own.empty()) continue;
    const auto answers = answers_of(object, round, share, records.at(share.letter()), bug);
    EXPECT_EQ(answers.size(), own.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      for (std::size_t b = 0; b < 16; ++b) sums[own[i]][b] ^= answers[i][b];
    }
  }
  std::set<std::size_t> found;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] != mac::Tag{}) found.insert(i);
  }
  return found;
}

// Flips every `step`-th bit of every share, one after the other. How many flips were seen by other
// than just the sums that the share stands in.
std::size_t missed_flips(const CutObject& object, std::mt19937_64& generator, std::size_t step,
                         Bug bug = Bug::kNone) {
  const AuditPlanner planner = plan_for(object);
  Records records = records_of(object);
  std::size_t missed = 0;
  for (const auto& share : object.shares()) {
    std::set<std::size_t> own;
    for (std::size_t i = 0; i < planner.sums().size(); ++i) {
      if (planner.sums()[i].letters.contains(share.letter())) own.insert(i);
    }
    for (Bytes& record : records[share.letter()]) {
      for (std::size_t bit = generator() % step; bit < record.size() * 8; bit += step) {
        const auto flip = static_cast<Byte>(1U << (bit % 8));
        record[bit / 8] ^= flip;
        missed += spoilt(object, round_of(planner, generator), records, bug) != own ? 1U : 0U;
        record[bit / 8] ^= flip;
      }
    }
  }
  return missed;
}

const std::vector<std::string> kPolicies = {
    "2 of (origin, v, v)",
    "2 of (origin, v, 2 of (c, c, c) via g)",
    "3 of (origin, v, v, v, v)",
    "2 of (origin, v, v, v)",
    "3 of (origin, v, 3 of (c, c, c, c) via g, v)",
    "2 of (2 of (c, c, c) via g, 3 of (d, d, d, d) via g, origin)",
    "ramp 3 of (origin, v, v, v)",
    "ramp 3 of (origin, v, v, ramp 3 of (c, c, c, c) via g)",
    "2 of (origin, v, ramp 3 of (c, c, c, c) via g)",
    "ramp 3 of (origin, 2 of (c, c, c) via g, 2 of (d, d) via g, v)",
    "2 of (2 of (c, c, c) via g, 2 of (d, d, d) via g, 2 of (e, e, e) via g)",
    "2 of (origin, v, 2 of (c, c, 2 of (x, x, x) via h) via g)",
    "2 of (origin, v, ramp 3 of (c, c, ramp 3 of (x, x, x, 2 of (y, y, y) via i) via h, c) via g)"};

TEST(ShareHash, SumsOfSharesThatBelongTogetherAreZeroAndEveryFlippedBitShows) {
  std::mt19937_64 generator(41);
  for (const std::string& policy : kPolicies) {
    for (const std::uint64_t length : {1u, 97u, 225u}) {
      const CutObject object(policy, length, generator);
      const AuditPlanner planner = plan_for(object);
      EXPECT_TRUE(planner.left_out().empty()) << policy;
      EXPECT_EQ(spoilt(object, round_of(planner, generator), records_of(object)),
                std::set<std::size_t>())
          << policy;
      EXPECT_EQ(missed_flips(object, generator, 37), 0u) << policy;
    }
  }
}

TEST(ShareHash, EveryBitOfTheReferencePolicy) {
  std::mt19937_64 generator(42);
  const CutObject object(kPolicies[1], 100, generator);
  EXPECT_EQ(missed_flips(object, generator, 1), 0u);
}

TEST(ShareHash, EveryThresholdUpToFive) {
  std::mt19937_64 generator(43);
  for (unsigned n = 3; n <= 5; ++n) {
    for (unsigned k = 2; k < n; ++k) {
      std::string policy = std::to_string(k) + " of (origin";
      for (unsigned i = 1; i < n; ++i) policy += ", v";
      const CutObject object(policy + ")", 150, generator);
      EXPECT_EQ(plan_for(object).sums().size(), n - k) << policy;
      EXPECT_EQ(missed_flips(object, generator, 29), 0u) << policy;
    }
  }
}

TEST(ShareHash, RandomPolicies) {
  std::mt19937_64 generator(44);
  for (int round = 0; round < 30; ++round) {
    const CutObject object(random_cut(generator, 1 + static_cast<std::size_t>(round) % 3),
                           generator() % 400 + 1, generator);
    const AuditPlanner planner = plan_for(object);
    EXPECT_EQ(spoilt(object, round_of(planner, generator), records_of(object)),
              std::set<std::size_t>());
    ASSERT_FALSE(HasFailure()) << "round " << round << ": " << object.policy().text();
  }
}

// The harness finds holders that leave something out.
TEST(ShareHash, SeededBugsAreCaught) {
  std::mt19937_64 generator(45);
  const CutObject object(kPolicies[0], 225, generator);
  EXPECT_GT(missed_flips(object, generator, 7, Bug::kTagsLeftOut), 0u);
  EXPECT_GT(missed_flips(object, generator, 7, Bug::kLastRecordLeftOut), 0u);
}

TEST(ShareHash, AShareOfAnotherGenerationOrPlaceIsFound) {
  std::mt19937_64 generator(46);
  const CutObject object(kPolicies[1], 225, generator);
  const CutObject other(kPolicies[1], 225, generator);
  const AuditPlanner planner = plan_for(object);
  Records records = records_of(object);
  records["B"] = other.held("B").records;
  EXPECT_FALSE(spoilt(object, round_of(planner, generator), records).empty());
  records = records_of(object);
  std::swap(records["C1"], records["C2"]);
  EXPECT_FALSE(spoilt(object, round_of(planner, generator), records).empty());
  records = records_of(object);
  std::swap(records["A"][0], records["A"][1]);
  EXPECT_FALSE(spoilt(object, round_of(planner, generator), records).empty());
}

TEST(ShareHash, RoundsThatDoNotFitTheShareAreRefused) {
  std::mt19937_64 generator(47);
  const CutObject object(kPolicies[1], 100, generator);
  const AuditRound good = round_of(plan_for(object), generator);
  const auto takes = [&](const std::string& letter, const std::function<void(AuditSum&)>& change) {
    AuditRound round = good;
    change(round.sums[0]);
    return ShareHash::make(
               object.held(letter).header, round,
               std::ranges::find(object.shares(), letter, &planner::ShareLocation::letter)->site)
        .has_value();
  };
  EXPECT_TRUE(takes("B", [](AuditSum&) {}));
  EXPECT_FALSE(takes("B", [](AuditSum& sum) { sum.chain.pop_back(); }));
  EXPECT_FALSE(takes("B", [](AuditSum& sum) { sum.chain[0].site = sum.chain[1].site; }));
  EXPECT_FALSE(takes("B", [](AuditSum& sum) {
    for (Helper& helper : sum.chain) {
      if (helper.site == site("b")) helper.site = site("z");
    }
  }));
  // A sum that is no parity would show the controller something.
  EXPECT_FALSE(takes("B", [](AuditSum& sum) {
    std::erase_if(sum.chain, [](const Helper& helper) { return helper.place == path_of("A"); });
  }));
  EXPECT_FALSE(takes("C1", [](AuditSum& sum) {
    for (Helper& helper : sum.chain) {
      if (helper.place == path_of("C1")) helper.place = path_of("C3");
    }
  }));
}

}  // namespace
}  // namespace warifu::upkeep
