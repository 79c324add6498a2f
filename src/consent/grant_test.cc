// The canonical grant: round trip, strictness, published vectors, the text shown.
#include "consent/grant.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "consent/evidence.h"

namespace warifu::consent {
namespace {

template <typename Id>
Id id_of(Byte number) {
  Id id;
  id.bytes.fill(number);
  return id;
}

SiteName site_name(std::string_view name) {
  return *SiteName::parse(name);
}

// Vector 1 of docs/formats/grant.md.
Grant first_vector() {
  Grant grant;
  grant.card = *CardId::parse("00112233445566778899aabbccddeeff");
  grant.object = *ObjectId::parse("0f0e0d0c0b0a09080706050403020100");
  grant.purpose = Purpose::kHealthManagement;
  grant.uses = 1;
  grant.grantee = {GranteeKind::kPerson, "Dr. Sato", {}};
  grant.destination = site_name("hospital");
  grant.not_before = {1'795'000'000'000};
  grant.expiry = {1'795'003'600'000};
  grant.index = {1};
  grant.locale = Locale::kEnglish;
  grant.terminal = "desk-3";
  grant.sites = {{site_name("tommo"), id_of<Nonce>(0xA1)}};
  grant.text_digest = text_digest(consent_text(grant, {"Hanako Sato", "whole genome 2026"}));
  return grant;
}

// Vector 2: Japanese, three sites, an organisation, data use and regions.
Grant second_vector() {
  Grant grant = first_vector();
  grant.purpose = Purpose::kResearch;
  grant.data_uses = {{DataUseCode::kDiseaseSpecific, "MONDO:0007254"},
                     {DataUseCode::kNonProfitOrganisationOnly, {}}};
  grant.scope = {"GRCh38",
                 {{"chr13", 32315086, 32400268, "BRCA2"}, {"chr17", 43044295, 43125364, "BRCA1"}},
                 {{0, 1}, {35, 1}, {2600, 3}, {41000, 2}}};
  grant.uses = 1000;
  grant.grantee = {GranteeKind::kOrganisation, "山田内科医院", "medical-licence:0123"};
  grant.destination = site_name("hospital-east-01");
  grant.index = {300};
  grant.locale = Locale::kJapanese;
  grant.terminal = "reception-east-1";
  grant.sites = {{site_name("cloud1"), id_of<Nonce>(0xA2)},
                 {site_name("lsa"), id_of<Nonce>(0xA3)},
                 {site_name("tommo"), id_of<Nonce>(0xA4)}};
  grant.text_digest = text_digest(consent_text(grant, {"佐藤花子", "全ゲノム 2026"}));
  return grant;
}

mac::Tag vector_tag(ByteView grant) {
  Bytes r(16);
  Bytes s(16);
  for (std::size_t i = 0; i < 16; ++i) {
    r[i] = static_cast<Byte>(i + 1);
    s[i] = static_cast<Byte>(0xF0 + i);
  }
  return mac::one_time_tag(mac::Key(r), grant, s);
}

TEST(GrantVectors, TheFirstIsReproduced) {
  const Bytes bytes = *encode_grant(first_vector());
  EXPECT_EQ(bytes.size(), 208u);
  EXPECT_EQ(to_hex(bytes),
            "574752340400d00000112233445566778899aabbccddeeff0f0e0d0c0b0a0908"
            "070605040302010001010100686f73706974616c0000000000000000005e56ee"
            "a1010000804c8deea1010000656e00006465736b2d3300000000000000000000"
            "0000000001000000cea7c43940afa6586cbd5b5124bbf1f65673a1251471caf7"
            "efe5526cf1683ee2000000000000000000000000000000000001000001000000"
            "746f6d6d6f0000000000000000000000a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
            "010844722e205361746f000000000000");
  EXPECT_EQ(grant_id(bytes).text(), "47eee09c22aaf5939c27760117a19f1e");
  EXPECT_EQ(to_hex(vector_tag(bytes)), "233f1606de63c72aa81661224bf141fb");
  EXPECT_EQ(*parse_grant(bytes), first_vector());
}

TEST(GrantVectors, TheSecondIsReproduced) {
  const Bytes bytes = *encode_grant(second_vector());
  EXPECT_EQ(bytes.size(), 404u);
  EXPECT_EQ(to_hex(bytes),
            "574752340400940100112233445566778899aabbccddeeff0f0e0d0c0b0a0908"
            "07060504030201000102e803686f73706974616c2d656173742d3031005e56ee"
            "a1010000804c8deea10100006a610000726563657074696f6e2d656173742d31"
            "000000002c010000279086dbcb7156730fd9889319d1139d6a505ac55d30551f"
            "483d13973b8be198000000000000000000000000000000000001000003000000"
            "636c6f75643100000000000000000000a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2"
            "6c736100000000000000000000000000a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3"
            "746f6d6d6f0000000000000000000000a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4"
            "0212e5b1b1e794b0e58685e7a791e58cbbe999a2146d65646963616c2d6c6963"
            "656e63653a303132330207000d4d4f4e444f3a303030373235342d0000020006"
            "4752436833380563687231330542524341320100ce16ed018c63ee0105636872"
            "31370542524341310100c7cd9002740a92020400000000000100000023000000"
            "01000000280a00000300000028a0000002000000");
  EXPECT_EQ(grant_id(bytes).text(), "c301777197e4a72ae1d67a521578eb74");
  EXPECT_EQ(to_hex(vector_tag(bytes)), "71c4f50953c22e75babd0fd6d1981b96");
  EXPECT_EQ(*parse_grant(bytes), second_vector());
}

TEST(Grants, OffsetsAreThoseTheCardReads) {
  namespace layout = card::grant_layout;
  const Grant grant = second_vector();
  const Bytes bytes = *encode_grant(grant);
  EXPECT_EQ(CardId::from_view(ByteView(bytes).subspan(layout::kCardAt, 16)), grant.card);
  EXPECT_EQ(bytes[layout::kIndexAt] | bytes[layout::kIndexAt + 1] << 8, 300);
  EXPECT_EQ(bytes[layout::kSiteCountAt], 3);
  EXPECT_EQ(as_text(ByteView(bytes).subspan(layout::kSitesAt, 6)), "cloud1");
}

TEST(Grants, WhatHasNoCanonicalEncodingIsRefused) {
  const std::pair<const char*, std::function<void(Grant&)>> cases[] = {
      {"card", [](Grant& g) { g.card = {}; }},
      {"object", [](Grant& g) { g.object = {}; }},
      {"purpose", [](Grant& g) { g.purpose = static_cast<Purpose>(4); }},
      {"purpose", [](Grant& g) { g.purpose = static_cast<Purpose>(0); }},
      {"uses", [](Grant& g) { g.uses = 0; }},
      {"uses", [](Grant& g) { g.uses = 1001; }},
      {"grantee", [](Grant& g) { g.grantee.name = ""; }},
      {"grantee", [](Grant& g) { g.grantee.name = std::string(65, 'a'); }},
      {"grantee", [](Grant& g) { g.grantee.name = "a\nb"; }},
      {"grantee", [](Grant& g) { g.grantee.name = " a"; }},
      {"grantee", [](Grant& g) { g.grantee.name = "a\xff"; }},
      {"grantee", [](Grant& g) { g.grantee.kind = static_cast<GranteeKind>(4); }},
      {"grantee", [](Grant& g) { g.grantee.identifier = "a b"; }},
      {"sorted", [](Grant& g) { g.scope = {"g", {{"c", 5, 6, {}}, {"c", 1, 2, {}}}, {{0, 1}}}; }},
      {"merged", [](Grant& g) { g.scope = {"g", {{"c", 1, 2, {}}, {"c", 3, 4, {}}}, {{0, 1}}}; }},
      {"chunks", [](Grant& g) { g.scope = {"g", {{"c", 1, 2, {}}}}; }},
      {"chunks", [](Grant& g) { g.scope.chunks = {{5, 1}, {4, 1}}; }},
      {"chunks", [](Grant& g) { g.scope.chunks = {{4, 1}, {5, 1}}; }},
      {"chunks", [](Grant& g) { g.scope.chunks = {{4, 0}}; }},
      {"chunks", [](Grant& g) { g.scope.chunks = {{UINT32_MAX, 1}}; }},
      {"in one consent",
       [](Grant& g) {
         for (std::uint32_t i = 0; i <= kMaxChunkRanges; ++i) g.scope.chunks.push_back({2 * i, 1});
       }},
      {"assembly", [](Grant& g) { g.scope = {"", {{"c", 1, 2, {}}}, {{0, 1}}}; }},
      {"region", [](Grant& g) { g.scope = {"g", {{"c", 2, 1, {}}}, {{0, 1}}}; }},
      {"region", [](Grant& g) { g.scope.assembly = "g"; }},
      {"research only", [](Grant& g) { g.data_uses = {{DataUseCode::kGeneralResearch, {}}}; }},
      {"sorted",
       [](Grant& g) {
         g.data_uses = {{DataUseCode::kNonCommercialOnly, {}},
                        {DataUseCode::kPublicationRequired, {}}};
       }},
      {"fits on a card",
       [](Grant& g) {
         g.scope.assembly = "g";
         g.scope.chunks = {{0, 1}};
         for (std::uint32_t i = 0; i < kMaxRegions; ++i) {
           const std::string label = std::to_string(i) + std::string(40, 'x');  // a run for each
           g.scope.regions.push_back({"c", i * 10 + 1, i * 10 + 2, label});
         }
       }},
      {"grantee",
       [](Grant& g) {
         g.grantee.name =
             "\xe2\x80\xae"
             "evil";
       }},                                                         // right to left
      {"grantee", [](Grant& g) { g.grantee.name = "\xc0\xaf"; }},  // overlong
      {"destination", [](Grant& g) { g.destination = {}; }},
      {"expiry", [](Grant& g) { g.expiry = g.not_before; }},
      {"expiry", [](Grant& g) { g.not_before = {-1}; }},
      {"index", [](Grant& g) { g.index = {0}; }},
      {"locale", [](Grant& g) { g.locale = static_cast<Locale>(2); }},
      {"terminal", [](Grant& g) { g.terminal = ""; }},
      {"terminal", [](Grant& g) { g.terminal = "desk 3"; }},
      {"terminal", [](Grant& g) { g.terminal = std::string(17, 'a'); }},
      {"sites", [](Grant& g) { g.sites.clear(); }},
      {"sites", [](Grant& g) { g.sites.push_back(g.sites[0]); }},
      {"sites", [](Grant& g) { g.sites = {g.sites[0], {*SiteName::parse("a"), {}}}; }},
      {"sites", [](Grant& g) {
         for (char c = 'u'; c < 'u' + 6; ++c) g.sites.push_back({site_name(std::string(1, c)), {}});
         g.sites.push_back({site_name("zz"), {}});
       }}};
  for (const auto& [field, change] : cases) {
    Grant grant = first_vector();
    change(grant);
    const auto bytes = encode_grant(grant);
    ASSERT_FALSE(bytes) << field;
    EXPECT_EQ(bytes.error().code, Code::kInvalidArgument);
    EXPECT_NE(bytes.error().message.find(field), std::string::npos) << bytes.error().message;
  }
}

// Whatever parses is what its fields encode to: there is only one encoding.
TEST(Grants, EveryFlippedBitIsRefusedOrAnotherGrantWithItsOwnEncoding) {
  const Bytes good = *encode_grant(second_vector());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
    const auto grant = parse_grant(bad);
    if (!grant) {
      EXPECT_EQ(grant.error().code, Code::kProtocol);
      continue;
    }
    EXPECT_NE(*grant, second_vector());
    EXPECT_EQ(*encode_grant(*grant), bad);
  }
}

TEST(Grants, ReservedBytesLengthsAndTruncations) {
  const Bytes good = *encode_grant(first_vector());
  for (const std::size_t at :
       {0u, 4u, 6u, 40u, 79u, 96u, 99u, 136u, 154u, 155u, 157u, 158u, 159u}) {
    Bytes bad = good;
    bad[at] ^= 1;
    EXPECT_FALSE(parse_grant(bad)) << at;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_grant(ByteView(good).first(size)));
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(parse_grant(longer));
}

TEST(Grants, RandomBytesNeverCrash) {
  std::mt19937_64 generator(3);
  const Bytes good = *encode_grant(second_vector());
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = good;
    for (auto n = generator() % 6; n > 0; --n) {
      bytes[generator() % bytes.size()] = static_cast<Byte>(generator());
    }
    const auto grant = parse_grant(bytes);
    if (grant) {
      ASSERT_EQ(*encode_grant(*grant), bytes);
    }
  }
}

TEST(ConsentTexts, SayWhatWhoWhyWhenWhereAndHowOften) {
  const std::string english = consent_text(first_vector(), {"Hanako Sato", "whole genome 2026"});
  for (const char* part :
       {"Hanako Sato", "whole genome 2026", "Dr. Sato (person)", "health management",
        "the whole of it", "hospital", "2026-11-18 11:06 UTC", "2026-11-18 12:06 UTC", "once",
        "tommo", "desk-3", "0f0e0d0c0b0a09080706050403020100"}) {
    EXPECT_NE(english.find(part), std::string::npos) << part << "\n" << english;
  }
  EXPECT_NE(consent_text(first_vector(), {"Hanako Sato", "x", false}).find("Your card has no PIN"),
            std::string::npos);
  const std::string japanese = consent_text(second_vector(), {"佐藤花子", "全ゲノム 2026"});
  for (const char* part :
       {"佐藤花子", "全ゲノム 2026", "山田内科医院 (組織、medical-licence:0123)", "研究",
        "読み出す保存データ: 256 KiB の断片 7 個",
        "領域(GRCh38): chr13:32315086-32400268 (BRCA2)、chr17:43044295-43125364 (BRCA1)",
        "次の疾患の研究のみ: MONDO:0007254(DS)", "非営利組織による利用のみ(NPU)",
        "hospital-east-01", "2026-11-18 20:06(日本時間)", "1000 回", "cloud1、lsa、tommo",
        "reception-east-1"}) {
    EXPECT_NE(japanese.find(part), std::string::npos) << part << "\n" << japanese;
  }
}

TEST(ConsentTexts, TheIndexIsSaidToBeTheIndex) {
  Grant grant = first_vector();
  grant.scope.chunks = {{0, 1}};
  const std::string english = consent_text(grant, {"Hanako Sato", "whole genome 2026"});
  EXPECT_NE(english.find("its index only"), std::string::npos) << english;
  EXPECT_NE(english.find("Stored data that is read: 1 piece of 256 KiB"), std::string::npos);
  grant.locale = Locale::kJapanese;
  const std::string japanese = consent_text(grant, {"佐藤花子", "全ゲノム 2026"});
  EXPECT_NE(japanese.find("索引のみ"), std::string::npos) << japanese;
}

TEST(ConsentTexts, ALabelCannotAddALine) {
  const std::string text = consent_text(first_vector(), {"A\nWho may use it: nobody", "x"});
  EXPECT_EQ(text.find("\nWho may use it: nobody"), std::string::npos);
}

TEST(EvidenceCodec, RoundTripAndStrictness) {
  const Evidence evidence{site_name("tommo"), card::CardKind::kOneTimeMacEmulated, {1, 2, 3}};
  const Bytes bytes = encode_evidence(evidence);
  ASSERT_EQ(bytes.size(), kEvidenceBytes);
  EXPECT_EQ(*parse_evidence(bytes), evidence);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes bad = bytes;
    bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
    const auto other = parse_evidence(bad);
    EXPECT_TRUE(!other || (*other != evidence && encode_evidence(*other) == bad));
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_evidence(ByteView(bytes).first(size)));
  }
}

TEST(Purposes, Names) {
  for (const Purpose purpose :
       {Purpose::kHealthManagement, Purpose::kResearch, Purpose::kMedicine}) {
    EXPECT_EQ(*parse_purpose(purpose_name(purpose)), purpose);
  }
  EXPECT_FALSE(parse_purpose("marketing"));
}

}  // namespace
}  // namespace warifu::consent
