// What a share site checks for itself before it cuts a share again; records cut and joined.
#include "control/reshare.h"

#include <gtest/gtest.h>

namespace warifu::control {
namespace {

SiteName site(const std::string& name) {
  return *SiteName::parse(name);
}

template <typename Id>
Id id_of(Byte first) {
  Id id;
  id.bytes.fill(first);
  return id;
}

class CheckTargets : public testing::Test {
 protected:
  void SetUp() override {
    config_.name = site("tuh");
    config_.controller = site("tommo");
    for (const auto& [a, b] : {std::pair{"tommo", "lsa"},
                               {"tommo", "tuh"},
                               {"tuh", "cloud1"},
                               {"tuh", "cloud2"},
                               {"tuh", "cloud3"},
                               {"cloud1", "cloud4"},
                               {"tuh", "lsa"},
                               {"lsa", "cloud5"}}) {
      config_.links.push_back({site(a), site(b), kme::LinkClass::kPreshared});
    }
    top({"tommo", "lsa", "tuh"}, sharing::Scheme{});
  }

  // The share that is held is the last one.
  void top(const std::vector<std::string>& sites, const sharing::Scheme& scheme) {
    const auto records = sharing::RecordLayout(sharing::Chunking{{1'000'000}}).below(scheme);
    header_ = {};
    header_.share = id_of<ShareId>(static_cast<Byte>(sites.size()));
    header_.object = id_of<ObjectId>(0xaa);
    header_.scheme = scheme;
    header_.path = sharing::SharePath().part(sites.size() - 1);
    header_.chunk_count = 4;
    header_.object_length = 1'000'000;
    header_.full_record_bytes = records.full_bytes();
    header_.last_record_bytes = records.last_bytes();
    for (std::size_t i = 0; i < sites.size(); ++i) {
      header_.siblings.push_back(
          {static_cast<std::uint8_t>(i), id_of<ShareId>(static_cast<Byte>(i + 1)), site(sites[i])});
    }
  }

  ReshareRequest parts(const std::vector<std::string>& sites, unsigned threshold) {
    const auto scheme =
        *sharing::Scheme::threshold_of(threshold, static_cast<unsigned>(sites.size()));
    ReshareRequest request{.share = header_.share, .targets = {}, .travelled = {}};
    header_.policy = policy_text(header_.scheme, scheme);
    for (std::size_t i = 0; i < sites.size(); ++i) {
      ShareSpec spec;
      spec.share = id_of<ShareId>(static_cast<Byte>(0x80 + i));
      spec.object = header_.object;
      spec.parent = header_.share;
      spec.scheme = scheme;
      spec.path = header_.path.part(i);
      spec.object_length = header_.object_length;
      spec.records = store::records_of(header_).below(scheme);
      request.targets.push_back(
          {site(sites[i]), spec,
           config::travel_route(config_.links, config_.name, site(sites[i]))});
    }
    return request;
  }

  // The last share of the first cut is cut again.
  static std::string policy_text(const sharing::Scheme& top, const sharing::Scheme& cut) {
    const auto shares = [](const sharing::Scheme& scheme, const std::string& last) {
      std::string text = std::to_string(scheme.threshold) + " of (";
      for (int i = 1; i < scheme.shares; ++i) text += "a, ";
      return text + last + ")";
    };
    return shares(top, shares(cut, "a") + " via a");
  }

  std::string refusal(const ReshareRequest& request) {
    const auto checked = check_targets(config_, header_, request);
    return checked ? "" : checked.error().message;
  }
  bool refuses(const std::vector<std::string>& sites, unsigned threshold, const std::string& why) {
    return refusal(parts(sites, threshold)).find(why) != std::string::npos;
  }

  config::SiteConfig config_;
  store::ShareHeader header_;
};

TEST_F(CheckTargets, TheReferenceAndOtherThresholdsPass) {
  EXPECT_EQ(refusal(parts({"cloud1", "cloud2", "cloud3"}, 2)), "");
  EXPECT_EQ(refusal(parts({"cloud1", "cloud2", "cloud3"}, 3)), "");
  EXPECT_EQ(refusal(parts({"cloud1", "cloud2"}, 2)), "");
  EXPECT_EQ(refusal(parts({"cloud1", "cloud2", "cloud4"}, 3)), "");  // cloud1 sees two of three
}

TEST_F(CheckTargets, NobodySeesMoreThanTheSchemesAllow) {
  EXPECT_TRUE(refuses({"cloud1", "cloud2", "cloud4"}, 2, "cloud1 would hold or relay 2 shares"));
  EXPECT_TRUE(refuses({"cloud1", "cloud2", "lsa"}, 2, "lsa would hold two shares"));
  EXPECT_TRUE(refuses({"cloud1", "cloud2", "cloud2"}, 2, "cloud2 would hold two shares"));
  EXPECT_TRUE(refuses({"cloud1", "cloud2", "tommo"}, 2, "tommo would hold two shares"));
  EXPECT_TRUE(refuses({"cloud1", "cloud2", "tuh"}, 2, "tuh would hold two shares"));
  // lsa holds B; it would relay a part of C, and C itself when that is gathered at cloud5.
  EXPECT_TRUE(refuses({"cloud1", "cloud2", "cloud5"}, 2, "lsa would hold or relay 2 shares"));
  top({"lsa", "cloud1", "tuh"}, sharing::Scheme{});  // tuh relayed B
  EXPECT_TRUE(refuses({"cloud2", "cloud3"}, 2, "tuh would hold or relay 2 shares"));
  top({"lsa", "cloud1", "tuh"}, *sharing::Scheme::threshold_of(3, 3));
  EXPECT_EQ(refusal(parts({"cloud2", "cloud3"}, 2)), "");
  EXPECT_TRUE(refuses({"cloud1", "cloud3"}, 2, "cloud1 would hold two shares"));
  top({"lsa", "tuh"}, *sharing::Scheme::threshold_of(2, 2));  // the origin keeps nothing
  EXPECT_TRUE(refuses({"cloud1", "tommo"}, 2, "tommo cut the object"));
}

TEST_F(CheckTargets, RelaysOfASinglePathCount) {
  config_.links.push_back(
      {site("tuh"), site("cloud9"), kme::LinkClass::kRelayed, 1, {site("lsa")}});
  EXPECT_TRUE(refuses({"cloud1", "cloud9"}, 2, "lsa would hold or relay 2 shares"));
  config_.links.back().via = {site("cloud1")};
  EXPECT_TRUE(refuses({"cloud1", "cloud9"}, 2, "cloud1 would hold or relay 2 shares"));
  config_.links.back().via = {site("cloud3")};
  EXPECT_EQ(refusal(parts({"cloud1", "cloud9"}, 2)), "");
  config_.links.back() = {
      site("tuh"), site("cloud9"), kme::LinkClass::kRelayed, 2, {site("lsa"), site("cloud1")}};
  EXPECT_EQ(refusal(parts({"cloud1", "cloud9"}, 2)), "");
}

TEST_F(CheckTargets, SpecsOfAnotherShareAreRefused) {
  const auto changed = [&](const std::function<void(ShareSpec&)>& change) {
    ReshareRequest request = parts({"cloud1", "cloud2", "cloud3"}, 2);
    change(request.targets[1].spec);
    return refusal(request).find("do not describe this share") != std::string::npos;
  };
  EXPECT_FALSE(changed([](ShareSpec&) {}));
  EXPECT_TRUE(changed([](ShareSpec& s) { s.object = id_of<ObjectId>(1); }));
  EXPECT_TRUE(changed([](ShareSpec& s) { s.parent = id_of<ShareId>(1); }));
  EXPECT_TRUE(changed([](ShareSpec& s) { s.path = *sharing::SharePath::parse("A2"); }));
  EXPECT_TRUE(changed([](ShareSpec& s) { s.object_length += 1; }));
  EXPECT_TRUE(changed([](ShareSpec& s) { s.scheme = *sharing::Scheme::threshold_of(3, 3); }));
  EXPECT_TRUE(changed([](ShareSpec& s) { s.records = s.records.below(sharing::Scheme::ramp()); }));
}

// All shares of a record; the first ones are given.
std::vector<secret::Buffer> shares_of(const sharing::Scheme& scheme, ByteView record,
                                      std::size_t length, os::Random& random) {
  std::vector<secret::Buffer> shares;
  std::vector<sharing::ShareIndex> first;
  std::vector<ByteView> given;
  std::vector<MutableBytes> made;
  for (std::size_t i = 0; i < scheme.shares; ++i) {
    secret::Buffer& share = shares.emplace_back(scheme.share_bytes(length));
    if (i < scheme.privacy()) {
      random.fill(share.bytes());
      first.push_back(static_cast<sharing::ShareIndex>(i));
      given.push_back(share.bytes());
    } else {
      made.push_back(share.bytes());
    }
  }
  sharing::Splitter::make(scheme, first)->split(record, given, made);
  return shares;
}

// What is cut twice and joined twice is the record again, for every scheme and odd lengths.
TEST(CutRecords, JoinToWhatWasCut) {
  os::System system = os::real_system();
  for (const sharing::Scheme& scheme :
       {sharing::Scheme{}, sharing::Scheme::ramp(), *sharing::Scheme::threshold_of(2, 2),
        *sharing::Scheme::threshold_of(3, 5), *sharing::Scheme::threshold_of(16, 32)}) {
    for (const std::size_t length : {64u, 96u, 4096u + 32u}) {
      secret::Buffer record(scheme.padded(length));
      system.random.fill(record.bytes().first(length));
      const auto shares = shares_of(scheme, record.bytes(), length, system.random);
      std::vector<sharing::ShareIndex> from;
      std::vector<secret::Buffer> chosen;
      for (std::size_t i = scheme.shares; i-- > scheme.shares - std::size_t{scheme.threshold};) {
        from.push_back(static_cast<sharing::ShareIndex>(i));
        chosen.push_back(secret::Buffer::copy_of(shares[i].bytes()));
      }
      const auto joiner = sharing::Joiner::make(scheme, from);
      ASSERT_TRUE(joiner);
      const secret::Buffer joined = join_records(*joiner, chosen, length);
      EXPECT_TRUE(secret::equal(joined.bytes(), record.bytes().first(length))) << scheme.text();
    }
  }
}

}  // namespace
}  // namespace warifu::control
