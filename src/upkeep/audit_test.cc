// Rounds at a holder, chains and ways, and what outcomes say.
#include <gtest/gtest.h>

#include <random>

#include "upkeep/audit_book.h"
#include "upkeep/audit_plan.h"
#include "upkeep/share_auditor.h"
#include "upkeep/upkeep_test_support.h"

namespace warifu::upkeep {
namespace {

using std::chrono::seconds;
constexpr std::string_view kReference =
    "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";

std::vector<config::LinkEntry> links_of(
    const std::vector<std::pair<const char*, const char*>>& ends) {
  std::vector<config::LinkEntry> links;
  for (const auto& [a, b] : ends) links.push_back({site(a), site(b)});
  return links;
}

std::vector<config::LinkEntry> reference_links() {
  return links_of({{"tommo", "lsa"},
                   {"tommo", "tuh"},
                   {"tuh", "cloud1"},
                   {"tuh", "cloud2"},
                   {"tuh", "cloud3"},
                   {"cloud1", "cloud2"},
                   {"cloud1", "cloud3"},
                   {"cloud2", "cloud3"}});
}

const std::vector<planner::ShareLocation> kReferenceShares = {
    share_at("A", "tommo"), share_at("B", "lsa"), share_at("C1", "cloud1"),
    share_at("C2", "cloud2"), share_at("C3", "cloud3")};

HashKey key_of(Byte first) {
  HashKey key{};
  key[0] = first;
  return key;
}

AuditOrder order_of(Byte number, Byte share = 1) {
  AuditOrder order;
  order.share.bytes.fill(share);
  order.round.session.bytes.fill(number);
  order.round.key = key_of(number);
  order.round.sums = {
      {{{site("a"), path_of("A")}, {site("b"), path_of("B")}, {site("c"), path_of("C")}}}};
  return order;
}

AuditMask mask_of(const AuditRound& round, Byte value) {
  AuditMask mask{.session = round.session, .sum = 0, .round_key = key_of(value)};
  mask.mask.fill(value);
  mask.round_hash = hash_of(round, mask.round_key);
  return mask;
}

TEST(AuditBook, ASessionOrAKeyIsHeardOnceAndAShareIsInOneAuditAtATime) {
  AuditBook book(site("b"));
  ASSERT_TRUE(book.accept(order_of(7), seconds(0)));
  ASSERT_TRUE(book.accept(order_of(1), seconds(0)));  // the other one was not asked for
  EXPECT_EQ(book.start(order_of(7).round.session).error().code, Code::kNotFound);
  ASSERT_TRUE(book.start(order_of(1).round.session));
  EXPECT_EQ(book.accept(order_of(2), seconds(0)).error().code, Code::kBusy);
  EXPECT_TRUE(book.accept(order_of(3, 9), seconds(0)));  // another share
  EXPECT_EQ(book.start(order_of(1).round.session).error().code, Code::kNotFound);
  book.finish(order_of(1).round.session);
  EXPECT_EQ(book.accept(order_of(1), seconds(1)).error().code, Code::kRefused);
  AuditOrder same_key = order_of(4);
  same_key.round.key = key_of(1);
  EXPECT_EQ(book.accept(same_key, seconds(1)).error().code, Code::kRefused);
  EXPECT_TRUE(book.accept(order_of(2), seconds(1)));
  // What nobody asks for is forgotten.
  EXPECT_TRUE(book.accept(order_of(5, 8), AuditBook::kOrderLife + seconds(2)));
  EXPECT_EQ(book.start(order_of(2).round.session).error().code, Code::kNotFound);
}

TEST(AuditBook, AuditsOfAShareAreFew) {
  AuditBook book(site("b"));
  std::size_t taken = 0;
  for (Byte i = 0; i < 200; ++i) {
    const auto accepted = book.accept(order_of(i), seconds(i));
    if (!accepted) {
      EXPECT_EQ(accepted.error().code, Code::kBusy);
      continue;
    }
    ++taken;
    ASSERT_TRUE(book.start(order_of(i).round.session));
    book.finish(order_of(i).round.session);
  }
  EXPECT_EQ(taken, AuditBook::kMostPerHour);
  EXPECT_TRUE(book.accept(order_of(250), std::chrono::hours(2)));
}

TEST(AuditBook, AMaskIsTakenOnceFromTheNeighbourAndUnderTheSameRound) {
  AuditBook book(site("b"));
  const AuditRound round = order_of(1).round;
  EXPECT_EQ(book.put_mask(site("a"), mask_of(round, 7)).error().code, Code::kNotFound);
  ASSERT_TRUE(book.accept(order_of(1), seconds(0)));
  EXPECT_EQ(book.put_mask(site("c"), mask_of(round, 7)).error().code, Code::kRefused);
  AuditMask of_no_sum = mask_of(round, 7);
  of_no_sum.sum = 1;
  EXPECT_EQ(book.put_mask(site("a"), of_no_sum).error().code, Code::kRefused);
  ASSERT_TRUE(book.put_mask(site("a"), mask_of(round, 7)));
  EXPECT_EQ(book.put_mask(site("a"), mask_of(round, 7)).error().code, Code::kRefused);
  EXPECT_EQ(book.put_mask(site("a"), mask_of(round, 8)).error().code, Code::kRefused);
  const auto never = [] { return false; };
  const auto mask = book.take_mask(round.session, 0, std::chrono::milliseconds(1), never);
  ASSERT_TRUE(mask);
  EXPECT_EQ((*mask)[3], 7);
  // Taken is taken, and it is not replaced either.
  EXPECT_EQ(book.put_mask(site("a"), mask_of(round, 8)).error().code, Code::kRefused);
  EXPECT_EQ(book.take_mask(round.session, 0, std::chrono::milliseconds(1), never).error().code,
            Code::kCancelled);
}

TEST(AuditBook, ANeighbourThatWasToldSomethingElseEndsTheRound) {
  const std::vector<std::function<void(AuditRound&)>> changes = {
      [](AuditRound& round) { round.key[5] ^= 1; },
      [](AuditRound& round) { round.sums[0].chain[2].site = site("d"); },
      [](AuditRound& round) { round.sums[0].chain[2].place = path_of("D"); },
      [](AuditRound& round) { round.sums.push_back(round.sums[0]); }};
  for (const auto& change : changes) {
    AuditBook book(site("b"));
    ASSERT_TRUE(book.accept(order_of(1), seconds(0)));
    AuditRound other = order_of(1).round;
    change(other);
    EXPECT_EQ(book.put_mask(site("a"), mask_of(other, 7)).error().code, Code::kRefused);
    EXPECT_EQ(book.take_mask(other.session, 0, std::chrono::milliseconds(1), [] { return true; })
                  .error()
                  .code,
              Code::kRefused);
  }
}

TEST(AuditOrders, BodiesComeBackAndNothingElseIsTaken) {
  const AuditOrder order = order_of(1);
  const Bytes body = encode(order);
  const auto decoded = decode_audit_order(body);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->share, order.share);
  EXPECT_EQ(decoded->round, order.round);
  const Bytes mask = encode(mask_of(order.round, 7));
  EXPECT_EQ(decode_audit_mask(mask)->round_hash, mask_of(order.round, 7).round_hash);
  const std::vector<mac::Tag> tags(3, mac::Tag{1, 2, 3});
  EXPECT_EQ(*decode_answers(encode(tags)), tags);
  const std::vector<ShareId> shares = {order.share};
  EXPECT_EQ(*decode_shares(encode(shares)), shares);
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_audit_order(ByteView(body).first(size)));
  }
  for (std::size_t size = 0; size < mask.size(); ++size) {
    EXPECT_FALSE(decode_audit_mask(ByteView(mask).first(size)));
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_FALSE(decode_audit_order(longer));
}

// Answers of everybody but one are uniform and independent of the shares and of earlier answers;
// a holder that reuses a mask is caught by the same test.
TEST(AuditMasks, AnswersTellNothing) {
  std::mt19937_64 generator(51);
  const auto fresh = [&] {
    mac::Tag tag;
    for (Byte& byte : tag) byte = static_cast<Byte>(generator());
    return tag;
  };
  constexpr std::size_t kRounds = 4096;
  constexpr std::size_t kHolders = 4;
  for (const bool reused : {false, true}) {
    // The hashes under one key that never changes: the worst that many audits could ask for.
    std::array<mac::Tag, kHolders> hashes;
    for (std::size_t i = 0; i + 1 < kHolders; ++i) {
      hashes[i] = fresh();
      for (std::size_t b = 0; b < 16; ++b) hashes[kHolders - 1][b] ^= hashes[i][b];
    }
    std::array<mac::Tag, kHolders - 1> kept;
    for (mac::Tag& mask : kept) mask = fresh();
    std::size_t repeats = 0, ones = 0;
    std::set<mac::Tag> seen;
    for (std::size_t round = 0; round < kRounds; ++round) {
      std::array<mac::Tag, kHolders> answers = hashes;
      for (std::size_t edge = 0; edge + 1 < kHolders; ++edge) {
        const mac::Tag mask = reused ? kept[edge] : fresh();
        for (std::size_t b = 0; b < 16; ++b) {
          answers[edge][b] ^= mask[b];
          answers[edge + 1][b] ^= mask[b];
        }
      }
      mac::Tag sum{};
      for (const mac::Tag& answer : answers) {
        for (std::size_t b = 0; b < 16; ++b) sum[b] ^= answer[b];
      }
      ASSERT_EQ(sum, mac::Tag{});
      repeats += seen.insert(answers[0]).second ? 0U : 1U;
      for (const Byte byte : answers[1]) ones += static_cast<std::size_t>(std::popcount(byte));
    }
    const double bits = kRounds * 128.0;
    const double sigmas = (static_cast<double>(ones) - bits / 2) / (std::sqrt(bits) / 2);
    EXPECT_EQ(repeats == 0 && std::abs(sigmas) < 5, !reused);
  }
}

AuditPlanner planned(const planner::PolicyNode& policy,
                     const std::vector<planner::ShareLocation>& shares,
                     const std::vector<config::LinkEntry>& links) {
  AuditPlanner planner(
      {.policy = policy, .shares = shares, .links = links, .collector = site("tommo")});
  planner.cover();
  return planner;
}

// Every plan keeps what the holders check for themselves.
void expect_legal(const AuditPlanner& planner, const std::vector<config::LinkEntry>& links) {
  for (const PlannedSum& planned : planner.sums()) {
    for (const Helper& helper : planned.sum.chain) {
      const planner::Route& route = planner.routes().at(helper.site);
      std::set<SiteName> seeing(route.begin(), route.end());
      seeing.merge(config::key_relays(links, route));
      seeing.erase(helper.site);
      EXPECT_TRUE(check_seeing(links, planned.sum, site("tommo"), seeing));
      EXPECT_EQ(route.front(), helper.site);
      EXPECT_EQ(route.back(), site("tommo"));
    }
  }
}

TEST(AuditPlan, TheReferenceNetworkWithThreeMoreLinks) {
  const auto policy = *planner::parse_policy(std::string(kReference));
  auto links = reference_links();
  for (auto& link : links_of({{"lsa", "cloud3"}, {"tommo", "cloud1"}, {"lsa", "cloud1"}})) {
    links.push_back(link);
  }
  const AuditPlanner planner = planned(policy, kReferenceShares, links);
  expect_legal(planner, links);
  EXPECT_EQ(planner.sums().size(), 2u);
  EXPECT_TRUE(planner.left_out().empty());
}

// tommo is between lsa and everybody else: it would know every mask of B.
TEST(AuditPlan, AStarHasSumsBehindItsMiddleOnly) {
  const auto policy = *planner::parse_policy(std::string(kReference));
  const AuditPlanner planner = planned(policy, kReferenceShares, reference_links());
  expect_legal(planner, reference_links());
  ASSERT_EQ(planner.sums().size(), 1u);
  EXPECT_EQ(planner.sums()[0].letters, (std::set<std::string>{"C1", "C2", "C3"}));
  EXPECT_EQ(planner.left_out().size(), 2u);
}

TEST(AuditPlan, SeeingIsCheckedByTheChain) {
  const auto links = links_of({{"tommo", "a"}, {"a", "b"}, {"b", "c"}, {"tommo", "c"}});
  const AuditSum ends{
      {{site("tommo"), path_of("A")}, {site("a"), path_of("B")}, {site("b"), path_of("C")}}};
  EXPECT_TRUE(check_seeing(links, ends, site("tommo"), {site("tommo"), site("c")}));
  EXPECT_FALSE(check_seeing(links, ends, site("tommo"), {site("tommo"), site("b")}));
  const AuditSum middle{
      {{site("a"), path_of("A")}, {site("tommo"), path_of("B")}, {site("c"), path_of("C")}}};
  EXPECT_FALSE(check_seeing(links, middle, site("tommo"), {site("tommo")}));
  const AuditSum unlinked{{{site("a"), path_of("A")}, {site("c"), path_of("B")}}};
  EXPECT_FALSE(check_seeing(links, unlinked, site("tommo"), {}));
  // A relay of a link's key knows its masks, unless the key came over two paths.
  auto relayed = links;
  relayed.push_back({site("a"), site("d"), kme::LinkClass::kRelayed, 1, {site("tommo")}});
  const AuditSum known{{{site("a"), path_of("A")}, {site("d"), path_of("B")}}};
  EXPECT_FALSE(check_seeing(relayed, known, site("tommo"), {site("tommo")}));
  relayed.back().paths = 2;
  EXPECT_TRUE(check_seeing(relayed, known, site("tommo"), {site("tommo")}));
}

// Outcomes as they are when just these are wrong; a share that was cut again counts as its own.
std::vector<SumOutcome> outcomes_of(const AuditPlanner& planner,
                                    const std::set<std::string>& wrong) {
  std::vector<SumOutcome> outcomes;
  for (const PlannedSum& planned : planner.sums()) {
    const bool spoilt = std::ranges::any_of(wrong, [&](const std::string& name) {
      const bool whole = name.size() == 1 && planned.cut.is_object() &&
                         std::ranges::any_of(planned.sum.chain, [&](const Helper& helper) {
                           return helper.place.is_within(path_of(name));
                         });
      return whole || planned.letters.contains(name);
    });
    outcomes.push_back({planned, !spoilt});
  }
  return outcomes;
}

// Sums until nothing more can be told apart.
std::set<std::string> located(const planner::PolicyNode& policy,
                              const std::vector<planner::ShareLocation>& shares,
                              const std::vector<config::LinkEntry>& links,
                              const std::set<std::string>& wrong) {
  std::vector<SumOutcome> all = outcomes_of(planned(policy, shares, links), wrong);
  while (true) {
    const auto suspects = suspects_of(shares, all);
    EXPECT_TRUE(wrong.size() > 1 || suspects.contains(*wrong.begin())) << *wrong.begin();
    if (suspects.size() < 2) return suspects;
    AuditPlanner more(
        {.policy = policy, .shares = shares, .links = links, .collector = site("tommo")});
    std::vector<PlannedSum> known;
    for (const SumOutcome& outcome : all) known.push_back(outcome.planned);
    more.tell_apart(suspects, known, 12);
    if (more.sums().empty()) return suspects;
    for (SumOutcome& outcome : outcomes_of(more, wrong)) all.push_back(std::move(outcome));
  }
}

std::vector<config::LinkEntry> mesh(const std::vector<planner::ShareLocation>& shares) {
  std::vector<config::LinkEntry> links;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) links.push_back({shares[i].site, shares[j].site});
  }
  return links;
}

TEST(AuditBlame, WithOneSpareShareNobodyIsToldApartAndWithTwoEverybody) {
  const std::vector<planner::ShareLocation> shares = {share_at("A", "tommo"), share_at("B", "b"),
                                                      share_at("C", "c"), share_at("D", "d")};
  const auto two_of_four = *planner::parse_policy("2 of (origin, v, v, v)");
  for (const auto& share : shares) {
    EXPECT_EQ(located(two_of_four, shares, mesh(shares), {share.letter()}),
              std::set{share.letter()});
  }
  const auto three_of_four = *planner::parse_policy("3 of (origin, v, v, v)");
  EXPECT_EQ(located(three_of_four, shares, mesh(shares), {"B"}),
            (std::set<std::string>{"A", "B", "C", "D"}));
}

TEST(AuditBlame, APartOfAShareIsNamedByTheSumsAboveIt) {
  const auto policy = *planner::parse_policy(std::string(kReference));
  const auto links = mesh(kReferenceShares);
  for (const char* part : {"C1", "C2", "C3"}) {
    EXPECT_EQ(located(policy, kReferenceShares, links, {part}), std::set<std::string>{part});
  }
  EXPECT_EQ(located(policy, kReferenceShares, links, {"B"}),
            (std::set<std::string>{"A", "B", "C"}));
  EXPECT_EQ(located(policy, kReferenceShares, links, {"C"}),
            (std::set<std::string>{"A", "B", "C"}));
}

TEST(AuditBlame, TwoWrongSharesAreNobodyAlone) {
  const auto policy = *planner::parse_policy(std::string(kReference));
  const auto links = mesh(kReferenceShares);
  EXPECT_TRUE(located(policy, kReferenceShares, links, {"B", "C3"}).empty());
  EXPECT_TRUE(located(policy, kReferenceShares, links, {"C1", "C3"}).empty());
}

}  // namespace
}  // namespace warifu::upkeep
