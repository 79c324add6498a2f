// Bodies between sites: they come back as they were; cut short, longer, or with a changed byte they
// are refused or decode to something that encodes to just those bytes.
#include "control/messages.h"

#include <gtest/gtest.h>

#include "control/share_facts.h"
#include "wire/wire_test_support.h"

namespace warifu::control {
namespace {

template <typename Id>
Id id_of(Byte first) {
  Id id;
  id.bytes.fill(first);
  return id;
}

ShareSpec spec_of(const sharing::Scheme& scheme, std::size_t index) {
  ShareSpec spec;
  spec.share = id_of<ShareId>(static_cast<Byte>(index + 1));
  spec.object = id_of<ObjectId>(0x22);
  spec.parent = id_of<ShareId>(0xf0);
  spec.scheme = scheme;
  spec.path = sharing::SharePath(sharing::ShareIndex::kC).part(index);
  spec.owner = id_of<Pseudonym>(static_cast<Byte>(index + 64));
  spec.object_length = 700'001;
  spec.records = sharing::RecordLayout(spec.chunking()).below(sharing::Scheme{}).below(scheme);
  spec.drawn = index == 1;
  spec.entropy_origins = 0x12;
  spec.lead_chunks = 2;
  spec.policy = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";
  return spec;
}

ReshareRequest reshare_of(const sharing::Scheme& scheme) {
  ReshareRequest request{.share = id_of<ShareId>(0xf0), .targets = {}};
  for (std::size_t i = 0; i < scheme.shares; ++i) {
    const SiteName to = *SiteName::parse("cloud" + std::to_string(i));
    request.targets.push_back({to, spec_of(scheme, i), {*SiteName::parse("tuh"), to}});
  }
  request.travelled[sharing::SharePath(sharing::ShareIndex::kC)] = {*SiteName::parse("tommo"),
                                                                    *SiteName::parse("tuh")};
  return request;
}

CombineRequest combine_of(std::size_t others) {
  CombineRequest request;
  request.own = {
      .grant = {1, 2, 3},
      .evidence = {*SiteName::parse("cloud1"), card::CardKind::kOneTimeMac, {}},
      .object = id_of<ObjectId>(0x22),
      .share = id_of<ShareId>(0x33),
      .destination = *SiteName::parse("tommo"),
      .purpose = consent::Purpose::kResearch,
      .session = id_of<JobId>(0x44),
      .use = 3,
      .first_chunk = 5,
      .chunk_count = 7,
      .grantee = {consent::GranteeKind::kOrganisation, "ToMMo", "ror:1"},
      .stated = {{consent::StatementKind::kDisease, "MONDO:1"}},
      .scope = {"GRCh38", {{"chr17", 1, 9, "BRCA1"}}, {{0, 1}, {5, 7}}},
      .together = {{{4, 5}, {*SiteName::parse("cloud1"), card::CardKind::kOneTimeMac, {}}}}};
  request.path = *sharing::SharePath::parse("C1");
  std::vector<Gathered>& parts = request.gathering.emplace_back();
  for (std::size_t i = 0; i < others; ++i) {
    parts.push_back({.site = *SiteName::parse("cloud" + std::to_string(i + 2)),
                     .share = id_of<ShareId>(static_cast<Byte>(i + 1)),
                     .path = sharing::SharePath(sharing::ShareIndex::kC).part((i + 1) % 32),
                     .evidence = {*SiteName::parse("cloud2"), card::CardKind::kOneTimeMac, {}},
                     .together = {{*SiteName::parse("cloud2"), card::CardKind::kOneTimeMac, {}}},
                     .route = {},
                     .gathering = {}});
  }
  return request;
}

template <typename Decode, typename Encode>
void corrupt_everywhere(const Bytes& good, const Decode& decode, const Encode& encode_again) {
  ASSERT_EQ(wire::check_corruptions(good, decode, encode_again), "");
}

const auto kEncode = [](const auto& message) { return encode(message); };

TEST(Messages, SpecsOfEveryScheme) {
  for (const sharing::Scheme& scheme :
       {sharing::Scheme{}, sharing::Scheme::ramp(), *sharing::Scheme::threshold_of(16, 32)}) {
    corrupt_everywhere(
        encode(spec_of(scheme, 1)), [](const Bytes& body) { return decode_share_spec(body); },
        kEncode);
    const ShareSpec spec = *decode_share_spec(encode(spec_of(scheme, 1)));
    EXPECT_EQ(spec.scheme, scheme);
    EXPECT_EQ(spec.records, spec_of(scheme, 1).records);
    EXPECT_TRUE(spec.drawn);
    EXPECT_EQ(spec.entropy_origins, 0x12);
    EXPECT_EQ(spec.path.text(), "C2");
  }
}

TEST(Messages, SpecsThatMakeNoSenseAreRefused) {
  const auto refused = [](const std::function<void(ShareSpec&)>& change) {
    ShareSpec spec = spec_of(sharing::Scheme{}, 1);
    change(spec);
    return !decode_share_spec(encode(spec)).has_value();
  };
  EXPECT_FALSE(refused([](ShareSpec&) {}));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.path = *sharing::SharePath::parse("C4"); }));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.path = *sharing::SharePath::parse("C"); }));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.scheme.threshold = 1; }));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.scheme.kind = sharing::SchemeKind::kRamp; }));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.scheme.shares = 33; }));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.object_length = 0; }));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.chunk_bytes = 1024; }));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.records = {}; }));
  EXPECT_TRUE(refused([](ShareSpec& s) { s.parent.reset(); }));  // but a path below one
  EXPECT_TRUE(
      refused([](ShareSpec& s) { s.policy = std::string(planner::kMaxPolicyBytes + 1, 'x'); }));
}

TEST(Messages, ReshareToTwoThreeAndThirtyTwo) {
  for (const auto& [k, n] : {std::pair{2u, 2u}, {2u, 3u}, {16u, 32u}}) {
    const ReshareRequest request = reshare_of(*sharing::Scheme::threshold_of(k, n));
    const Bytes body = encode(request);
    const auto decoded = decode_reshare(body);
    ASSERT_TRUE(decoded) << decoded.error().message;
    ASSERT_EQ(decoded->targets.size(), n);
    EXPECT_EQ(decoded->targets.back().spec.owner, request.targets.back().spec.owner);
    EXPECT_EQ(decoded->targets.back().spec.share, request.targets.back().spec.share);
    corrupt_everywhere(body, [](const Bytes& bytes) { return decode_reshare(bytes); }, kEncode);
  }
  ReshareRequest swapped = reshare_of(sharing::Scheme{});
  std::swap(swapped.targets[0], swapped.targets[1]);
  EXPECT_FALSE(decode_reshare(encode(swapped)));
}

TEST(Messages, CombineWithOneToThirtyOneOthers) {
  for (const std::size_t others : {1u, 2u, 31u}) {
    const Bytes body = encode(combine_of(others));
    EXPECT_EQ(decode_combine(body)->gathering.at(0).size(), others);
    corrupt_everywhere(body, [](const Bytes& bytes) { return decode_combine(bytes); }, kEncode);
  }
  EXPECT_FALSE(decode_combine(encode(combine_of(0))));
  EXPECT_FALSE(decode_combine(encode(combine_of(32))));
}

TEST(Messages, GatheringsInsideGatherings) {
  const auto path = [](const char* name) { return *sharing::SharePath::parse(name); };
  // C1a and C1b make C1, at the first of them; with C2, which comes of C2a and C2b, it makes C.
  CombineRequest request = combine_of(1);
  const auto part = [&](const char* name) {
    Gathered gathered = request.gathering[0][0];
    gathered.path = path(name);
    return gathered;
  };
  const auto combine = [&](const char* own, Gathering gathering) {
    CombineRequest made = request;
    made.path = path(own);
    made.gathering = std::move(gathering);
    return made;
  };
  Gathered second = part("C2a");
  second.gathering = {{part("C2b")}};
  const CombineRequest good = combine("C1a", {{part("C1b")}, {second}});
  const auto decoded = decode_combine(encode(good));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->gathering.at(1).at(0).gathering.at(0).at(0).path, path("C2b"));
  corrupt_everywhere(
      encode(good), [](const Bytes& bytes) { return decode_combine(bytes); }, kEncode);
  const auto refused = [&](const char* own, Gathering gathering) {
    return !decode_combine(encode(combine(own, std::move(gathering))));
  };
  EXPECT_TRUE(refused("C1a", {{part("C1b")}, {part("C2a")}}));  // C2a is not gathered into C2
  EXPECT_TRUE(refused("C1a", {{part("C1a")}}));                 // itself
  EXPECT_TRUE(refused("C1a", {{part("C2")}}));                  // of another cut
  EXPECT_TRUE(refused("C1a", {{part("C1b")}, {second}, {part("A")}}));  // that makes the object
  EXPECT_TRUE(refused("A", {{part("B")}}));
}

TEST(Messages, CommitNamesUpToThirtyTwoSiblings) {
  std::vector<Sibling> siblings;
  for (std::size_t i = 0; i < 32; ++i) {
    siblings.push_back({static_cast<sharing::ShareIndex>(i), id_of<ShareId>(static_cast<Byte>(i)),
                        *SiteName::parse("s" + std::to_string(i))});
  }
  const keypool::Entropy entropy{{keypool::Origin::kHardware, keypool::Origin::kPreshared}};
  const Bytes body = encode(CommitRequest{id_of<ShareId>(9), siblings, entropy});
  EXPECT_EQ(decode_commit(body)->siblings.size(), 32u);
  EXPECT_EQ(decode_commit(body)->entropy, entropy);
  corrupt_everywhere(
      body, [](const Bytes& bytes) { return decode_commit(bytes); },
      [](const auto& commit) { return encode(commit); });
  siblings.push_back(siblings.front());
  EXPECT_FALSE(decode_commit(encode(CommitRequest{id_of<ShareId>(9), siblings, entropy})));
}

TEST(Messages, AStatusTellsTheRelaysOfARelayedLink) {
  SiteStatus status{.site = *SiteName::parse("lsa"), .free_bytes = 7, .share_count = 3};
  status.edges.push_back({status.site,
                          *SiteName::parse("tommo"),
                          kme::LinkClass::kQkd,
                          1,
                          2,
                          {keypool::Origin::kHardware}});
  status.edges.push_back({status.site,
                          *SiteName::parse("cloud1"),
                          kme::LinkClass::kRelayed,
                          3,
                          4,
                          {keypool::Origin::kRelayed},
                          2,
                          {*SiteName::parse("tuh"), *SiteName::parse("cloud2")}});
  status.edges[0].carries = false;
  const Bytes bytes = encode(status);
  const auto back = decode_status(bytes);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->edges.size(), 2u);
  EXPECT_EQ(back->edges[0].relay_paths, 0u);
  EXPECT_FALSE(back->edges[0].carries);
  EXPECT_TRUE(back->edges[1].carries);
  EXPECT_EQ(back->edges[1].link_class, kme::LinkClass::kRelayed);
  EXPECT_EQ(back->edges[1].relay_paths, 2u);
  EXPECT_EQ(back->edges[1].relays, status.edges[1].relays);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode_status(ByteView(bytes).first(cut))) << cut;
  }
}

TEST(ShareFacts, GoThereAndBackAndNothingElseIsTaken) {
  ShareFacts whole{.share = ShareId{{1}},
                   .presence = Presence::kWhole,
                   .object = ObjectId{{2}},
                   .path = *sharing::SharePath::parse("C2"),
                   .generation = 7,
                   .record_bytes = 1'000'128};
  const std::vector<ShareFacts> facts = {
      whole,
      {.share = ShareId{{3}}, .presence = Presence::kAbsent, .object = {}},
      {.share = ShareId{{4}}, .presence = Presence::kUnreadable, .object = {}}};
  const Bytes body = encode(facts);
  EXPECT_EQ(*decode_share_facts(body), facts);
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_share_facts(ByteView(body).first(size))) << size;
  }
  Bytes other = body;
  other[4 + 16] = 3;  // an unknown presence
  EXPECT_FALSE(decode_share_facts(other));
}

}  // namespace
}  // namespace warifu::control
