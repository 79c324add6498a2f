// Bodies of upkeep: they come back as they were; whatever is cut, changed or made up is refused or
// encodes to just those bytes again; and what makes no sense together is refused.
#include "upkeep/orders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "upkeep/upkeep_test_support.h"
#include "wire/wire_test_support.h"

namespace warifu::upkeep {
namespace {

template <typename Id>
Id random_id(std::mt19937_64& generator) {
  Id id;
  for (Byte& byte : id.bytes) byte = static_cast<Byte>(generator());
  return id;
}

sharing::SharePath random_place(std::mt19937_64& generator) {
  sharing::SharePath place;
  for (auto steps = generator() % sharing::SharePath::kMaxSteps + 1; steps > 0; --steps) {
    place = place.part(generator() % sharing::kMaxShares);
  }
  return place;
}

Making random_making(std::mt19937_64& generator) {
  Making making{.session = random_id<JobId>(generator),
                .made = random_place(generator),
                .to = site("cloud9"),
                .first_chunk = generator(),
                .chain = {}};
  for (auto left = generator() % 8 + 1; left > 0; --left) {
    making.chain.push_back({site("s" + std::to_string(left)), random_place(generator)});
  }
  return making;
}

PartOrder random_order(std::mt19937_64& generator) {
  PartOrder order{.share = random_id<ShareId>(generator), .making = random_making(generator)};
  order.own = static_cast<std::uint8_t>(generator() % order.making.chain.size());
  return order;
}

TakeRequest random_take(std::mt19937_64& generator, std::size_t sources) {
  TakeRequest request{.session = random_id<JobId>(generator),
                      .share = random_id<ShareId>(generator),
                      .first_chunk = generator(),
                      .sources = {}};
  for (std::size_t i = 0; i < sources; ++i) {
    const SiteName from = site("s" + std::to_string(i));
    request.sources.push_back({from, {from}});
    for (auto hops = generator() % 4; hops > 0; --hops) {
      request.sources.back().route.push_back(site("relay" + std::to_string(hops)));
    }
  }
  return request;
}

SiblingNews random_news(std::mt19937_64& generator) {
  return {random_id<ShareId>(generator),
          {static_cast<sharing::ShareIndex>(generator() % sharing::kMaxShares),
           random_id<ShareId>(generator), site("cloud1")}};
}

const auto kEncode = [](const auto& message) { return encode(message); };
const auto kDecodeOrder = [](const Bytes& body) { return decode_order(body); };
const auto kDecodeTake = [](const Bytes& body) { return decode_take(body); };
const auto kDecodeNews = [](const Bytes& body) { return decode_news(body); };
const auto kDecodeSession = [](const Bytes& body) { return decode_session(body); };

TEST(Orders, EveryFieldComesBack) {
  std::mt19937_64 generator(11);
  for (int round = 0; round < 500; ++round) {
    const PartOrder order = random_order(generator);
    const auto back = decode_order(encode(order));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->share, order.share);
    EXPECT_EQ(back->own, order.own);
    EXPECT_EQ(back->making, order.making);
    const auto making = decode_making(encode(order.making));
    ASSERT_TRUE(making) << making.error().message;
    EXPECT_EQ(*making, order.making);
    const MayRequest may{random_id<ObjectId>(generator), random_place(generator), site("lsa")};
    const auto asked = decode_may(encode(may));
    ASSERT_TRUE(asked) << asked.error().message;
    EXPECT_EQ(asked->object, may.object);
    EXPECT_EQ(asked->place, may.place);
    EXPECT_EQ(asked->to, may.to);
  }
}

TEST(Orders, NeighboursInTheChain) {
  std::mt19937_64 generator(16);
  PartOrder order = random_order(generator);
  order.making.chain = {
      {site("x"), path_of("A")}, {site("y"), path_of("B")}, {site("z"), path_of("C")}};
  order.own = 0;
  EXPECT_EQ(order.before(), nullptr);
  EXPECT_EQ(*order.after(), site("y"));
  order.own = 1;
  EXPECT_EQ(*order.before(), site("x"));
  EXPECT_EQ(*order.after(), site("z"));
  order.own = 2;
  EXPECT_EQ(*order.before(), site("y"));
  EXPECT_EQ(order.after(), nullptr);
}

TEST(Orders, TakesNewsAndSessionsComeBack) {
  std::mt19937_64 generator(12);
  for (std::size_t sources = 1; sources <= kMaxHelpers; ++sources) {
    const TakeRequest request = random_take(generator, sources);
    const auto back = decode_take(encode(request));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->session, request.session);
    EXPECT_EQ(back->share, request.share);
    EXPECT_EQ(back->first_chunk, request.first_chunk);
    ASSERT_EQ(back->sources.size(), sources);
    for (std::size_t i = 0; i < sources; ++i) {
      EXPECT_EQ(back->sources[i].site, request.sources[i].site);
      EXPECT_EQ(back->sources[i].route, request.sources[i].route);
    }
    const SiblingNews news = random_news(generator);
    const auto heard = decode_news(encode(news));
    ASSERT_TRUE(heard) << heard.error().message;
    EXPECT_EQ(heard->share, news.share);
    EXPECT_EQ(heard->sibling.index, news.sibling.index);
    EXPECT_EQ(heard->sibling.share, news.sibling.share);
    EXPECT_EQ(heard->sibling.site, news.sibling.site);
    const auto session = random_id<JobId>(generator);
    EXPECT_EQ(*decode_session(encode_session(session)), session);
  }
}

TEST(Orders, CutLongerAndChangedBodies) {
  std::mt19937_64 generator(13);
  for (int round = 0; round < 40; ++round) {
    const PartOrder order = random_order(generator);
    EXPECT_EQ(wire::check_corruptions(encode(order), kDecodeOrder, kEncode), "");
    const TakeRequest request = random_take(generator, generator() % 5 + 1);
    EXPECT_EQ(wire::check_corruptions(encode(request), kDecodeTake, kEncode), "");
  }
  EXPECT_EQ(wire::check_corruptions(encode(random_news(generator)), kDecodeNews, kEncode), "");
  EXPECT_EQ(wire::check_corruptions(encode_session(random_id<JobId>(generator)), kDecodeSession,
                                    encode_session),
            "");
}

TEST(Orders, ThousandsOfMadeUpBodies) {
  std::mt19937_64 generator(14);
  for (int round = 0; round < 100; ++round) {
    const Bytes order = encode(random_order(generator));
    EXPECT_EQ(wire::check_mutations(order, kDecodeOrder, kEncode, generator, 100), "");
    const Bytes request = encode(random_take(generator, generator() % 5 + 1));
    EXPECT_EQ(wire::check_mutations(request, kDecodeTake, kEncode, generator, 100), "");
    const Bytes news = encode(random_news(generator));
    EXPECT_EQ(wire::check_mutations(news, kDecodeNews, kEncode, generator, 20), "");
  }
}

TEST(Orders, NumbersOutOfRangeAreRefused) {
  std::mt19937_64 generator(17);
  const auto takes = [&](const std::function<void(PartOrder&)>& change) {
    PartOrder order = random_order(generator);
    change(order);
    const auto decoded = decode_order(encode(order));
    EXPECT_TRUE(decoded || decoded.error().code == Code::kProtocol);
    return decoded.has_value();
  };
  EXPECT_TRUE(takes([](PartOrder&) {}));
  EXPECT_FALSE(
      takes([](PartOrder& o) { o.own = static_cast<std::uint8_t>(o.making.chain.size()); }));
  EXPECT_FALSE(takes([](PartOrder& o) { o.making.chain.clear(); }));
  EXPECT_FALSE(takes([](PartOrder& o) { o.making.chain.resize(65, o.making.chain.front()); }));
  EXPECT_TRUE(takes([](PartOrder& o) { o.making.chain.resize(64, o.making.chain.front()); }));
  EXPECT_FALSE(takes([](PartOrder& o) { o.making.to = {}; }));
}

// Under "2 of (origin, v, 2 of (c, c, c) via g)": what is a chain, and what is not.
TEST(Orders, OnlyChainsThatMakeWhatTheySay) {
  const planner::PolicyNode policy =
      *planner::parse_policy("2 of (origin, v, 2 of (c, c, c) via g)");
  const auto part = [](std::size_t n) { return path_of("C").part(n); };
  const sharing::SharePath a = path_of("A"), b = path_of("B"), c = path_of("C");
  const auto makes = [&](const sharing::SharePath& made,
                         const std::vector<sharing::SharePath>& places) {
    Making making{.session = {}, .made = made, .to = site("new"), .first_chunk = 0, .chain = {}};
    for (std::size_t i = 0; i < places.size(); ++i) {
      making.chain.push_back({site("s" + std::to_string(i)), places[i]});
    }
    return check_making(policy, making).has_value();
  };
  EXPECT_TRUE(makes(a, {b, part(0), part(2)}));
  EXPECT_TRUE(makes(b, {part(1), a, part(0)}));
  EXPECT_TRUE(makes(part(1), {part(0), part(2)}));
  EXPECT_TRUE(makes(b, {b}));
  EXPECT_TRUE(makes(part(0), {part(0)}));
  EXPECT_FALSE(makes(b, {a}));                             // a move of something else
  EXPECT_FALSE(makes(a, {part(0), part(1)}));              // C alone, gathered
  EXPECT_FALSE(makes(a, {b, part(0)}));                    // too few parts of C
  EXPECT_FALSE(makes(a, {b, part(0), part(1), part(2)}));  // one too many
  EXPECT_FALSE(makes(a, {b, part(0), part(0)}));
  EXPECT_FALSE(makes(a, {a, part(0), part(1)}));  // out of itself
  EXPECT_TRUE(makes(a, {b, c}));                  // C while it is still to be cut
  EXPECT_TRUE(makes(c, {a, b}));
  EXPECT_FALSE(makes(c, {c}));  // but it is moved nowhere
  EXPECT_FALSE(makes(c, {part(0), part(1)}));
  EXPECT_FALSE(makes(a, {c, part(0), part(1)}));
  EXPECT_FALSE(makes(a, {b, c, part(0)}));
  EXPECT_FALSE(makes(part(1), {part(0), part(1)}));
  EXPECT_FALSE(makes(part(1), {a, b}));
  EXPECT_FALSE(makes(part(1), {part(0), a}));
  EXPECT_FALSE(makes(path_of("D"), {a, b}));
  EXPECT_FALSE(makes(a, {b, path_of("D")}));
  EXPECT_FALSE(makes(part(3), {part(0), part(1)}));
  Making twice{.session = {}, .made = a, .to = site("new"), .first_chunk = 0, .chain = {}};
  twice.chain = {{site("x"), b}, {site("y"), part(0)}, {site("y"), part(1)}};
  EXPECT_FALSE(check_making(policy, twice));
  twice.chain[2].site = site("new");
  EXPECT_FALSE(check_making(policy, twice));
  twice.chain[2].site = site("z");
  EXPECT_TRUE(check_making(policy, twice));
}

TEST(Orders, ChainsOnEveryLevel) {
  const planner::PolicyNode policy = *planner::parse_policy(
      "2 of (origin, v, 2 of (c, 2 of (x, y, z) via d, ramp 3 of (p, q, r, s) via e) via g)");
  const auto makes = [&](const std::string& made, const std::vector<std::string>& places) {
    Making making{
        .session = {}, .made = path_of(made), .to = site("new"), .first_chunk = 0, .chain = {}};
    for (const std::string& place : places) {
      making.chain.push_back({site("s" + std::to_string(making.chain.size())), path_of(place)});
    }
    return check_making(policy, making).has_value();
  };
  EXPECT_TRUE(makes("C2b", {"C2a", "C2c"}));
  EXPECT_TRUE(makes("C1", {"C2a", "C2c", "C3a", "C3b", "C3d"}));
  EXPECT_TRUE(makes("B", {"A", "C1", "C2a", "C2b"}));
  EXPECT_TRUE(makes("A", {"B", "C2a", "C2b", "C3b", "C3c", "C3d"}));
  EXPECT_FALSE(makes("C1", {"C2a", "C2b", "C2c", "C3a", "C3b", "C3d"}));
  EXPECT_FALSE(makes("C1", {"A", "B"}));
  EXPECT_FALSE(makes("C2b", {"C1", "C3a", "C3b", "C3c"}));  // that makes C2, not its part
  EXPECT_FALSE(makes("B", {"A", "C1", "C2a"}));
  EXPECT_TRUE(makes("B", {"A", "C1", "C2"}));  // C2 while it is still to be cut
  EXPECT_TRUE(makes("C2", {"C1", "C3a", "C3b", "C3c"}));
  EXPECT_FALSE(makes("C2", {"C1", "C2a", "C2b"}));
  EXPECT_EQ(shares_made(policy, path_of("C"), {path_of("C1"), path_of("C2a"), path_of("C2b")}), 2u);
  EXPECT_EQ(shares_made(policy, path_of("C2"), {path_of("C1"), path_of("C2a")}), 0u);
}

TEST(Orders, TakesHaveSourcesWithRoutesOfTheirOwn) {
  std::mt19937_64 generator(15);
  const auto refused = [&](const std::function<void(TakeRequest&)>& change) {
    TakeRequest request = random_take(generator, 2);
    change(request);
    return !decode_take(encode(request)).has_value();
  };
  EXPECT_FALSE(refused([](TakeRequest&) {}));
  EXPECT_TRUE(refused([](TakeRequest& r) { r.sources.clear(); }));
  EXPECT_TRUE(refused([&](TakeRequest& r) { r = random_take(generator, kMaxHelpers + 1); }));
  EXPECT_TRUE(refused([](TakeRequest& r) { r.sources[1].route.clear(); }));
  EXPECT_TRUE(refused([](TakeRequest& r) { r.sources[1].route.front() = site("other"); }));
  EXPECT_FALSE(refused([](TakeRequest& r) { r.sources[1].route.resize(64, site("relay")); }));
  EXPECT_TRUE(refused([](TakeRequest& r) { r.sources[1].route.resize(65, site("relay")); }));
  const auto news = [](std::size_t index) {
    SiblingNews told{.share = {},
                     .sibling = {static_cast<sharing::ShareIndex>(index), {}, site("lsa")}};
    return decode_news(encode(told)).has_value();
  };
  EXPECT_TRUE(news(31));
  EXPECT_FALSE(news(32));
}

}  // namespace
}  // namespace warifu::upkeep
