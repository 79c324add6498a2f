// Who, how much and for which use: text and byte forms, canonical order, what covers what.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "consent/data_use.h"
#include "consent/grantee.h"
#include "consent/scope.h"
#include "wire/wire_test_support.h"

namespace warifu::consent {
namespace {

using Texts = std::vector<std::string>;

constexpr os::UnixMs kNow{1'795'000'000'000};  // 2026-11-18

template <typename Value, typename Write>
Bytes bytes_of(const Value& value, Write write) {
  wire::Writer writer;
  write(writer, value);
  return writer.take();
}

template <typename Value>
Result<Value> read_all(ByteView bytes, Value (*read)(wire::Reader&)) {
  wire::Reader reader(bytes, "terms");
  Value value = read(reader);
  TRY(reader.finish());
  return value;
}

TEST(GranteeTest, TextsNameAKind) {
  EXPECT_EQ(*parse_grantee("Dr. Sato", ""), (Grantee{GranteeKind::kPerson, "Dr. Sato", {}}));
  EXPECT_EQ(*parse_grantee("person:Dr. Sato", "orcid:1"),
            (Grantee{GranteeKind::kPerson, "Dr. Sato", "orcid:1"}));
  EXPECT_EQ(parse_grantee("organisation:ToMMo", "")->kind, GranteeKind::kOrganisation);
  EXPECT_EQ(parse_grantee("role:主治医", "")->name, "主治医");
  EXPECT_EQ(parse_grantee("Team: blue", "")->name, "Team: blue");
  EXPECT_EQ(grantee_words(*parse_grantee("role:nurse", "n-1"), Locale::kEnglish),
            "nurse (anyone in the role, n-1)");
  for (const char* bad : {"", "person:", " a", "a ", "a\nb",
                          "\xe2\x80\xae"
                          "a"}) {
    EXPECT_FALSE(parse_grantee(bad, "")) << bad;
  }
  EXPECT_FALSE(parse_grantee(std::string(65, 'a'), ""));
  EXPECT_FALSE(parse_grantee("a", "two words"));
  EXPECT_FALSE(parse_grantee("a", std::string(65, 'i')));
}

TEST(GranteeTest, BytesGoRoundAndNothingElseParses) {
  const Grantee grantee{GranteeKind::kRole, "主治医", "licence-7"};
  const Bytes bytes = bytes_of(grantee, write_grantee);
  EXPECT_EQ(*read_all(bytes, read_grantee), grantee);
  EXPECT_EQ(wire::check_corruptions(
                bytes, [](ByteView b) { return read_all<Grantee>(b, read_grantee); },
                [](const Grantee& g) { return bytes_of(g, write_grantee); }),
            "");
}

TEST(ScopeTest, RegionsAreSortedAndMerged) {
  const auto scope =
      parse_scope(Texts{"GRCh38:chr2:50-60", "GRCh38:chr17:43044295-43125364=BRCA1",
                        "GRCh38:chr2:10-20=A", "GRCh38:chr2:21-30=B", "GRCh38:chr2:15-25=A"});
  ASSERT_TRUE(scope) << scope.error().message;
  EXPECT_EQ(scope_text(*scope),
            "GRCh38:chr17:43044295-43125364=BRCA1, GRCh38:chr2:10-30=A, B, GRCh38:chr2:50-60");
  EXPECT_TRUE(parse_scope(Texts{})->is_whole());
  EXPECT_EQ(scope_text({}), "whole");
  const auto hla = parse_scope(Texts{"GRCh38:HLA-A*01:01:01:01:5-9"});
  EXPECT_EQ(hla->regions[0].reference, "HLA-A*01:01:01:01");
  EXPECT_EQ(hla->regions[0].start, 5u);
}

TEST(ScopeTest, WhatIsNoRegionIsRefused) {
  for (const char* bad :
       {"", "chr17", "GRCh38:chr17", "GRCh38:chr17:1", "GRCh38:chr17:0-5", "GRCh38:chr17:5-4",
        "GRCh38:chr17:1-2147483648", "GRCh38:chr17:-1-5", "GRCh38:chr17:1-99999999999", ":chr1:1-2",
        "GRCh38::1-2", "GRCh38:chr 1:1-2", "GRCh38:chr1:1-2= ", "GRCh38:*:1-2", "a b:chr1:1-2"}) {
    const auto scope = parse_scope(Texts{bad});
    ASSERT_FALSE(scope) << bad;
    EXPECT_EQ(scope.error().code, Code::kInvalidArgument) << bad;
  }
  EXPECT_FALSE(parse_scope(Texts{"GRCh38:chr1:1-2", "GRCh37:chr1:1-2"}));
  Texts many;
  for (std::size_t i = 0; i <= kMaxRegions; ++i)
    many.push_back("a:c:" + std::to_string(i * 10 + 1) + "-" + std::to_string(i * 10 + 2));
  EXPECT_FALSE(parse_scope(many));
  many.pop_back();
  EXPECT_TRUE(parse_scope(many));
}

TEST(ScopeTest, PlacesInARowCostEightBytesEach) {
  std::vector<Region> places;
  for (std::uint32_t i = 0; i < 300; ++i) {
    places.push_back({"20", i * 1000 + 7, i * 1000 + 7, "PGS000001"});
  }
  Scope scope = *make_scope("GRCh37", places);
  scope.chunks = {{3, 4}};
  EXPECT_EQ(runs_of(scope.regions).size(), 1U);
  wire::Writer writer;
  write_scope(writer, scope);
  EXPECT_EQ(writer.bytes().size(), 2U + 7 + 3 + 10 + 2 + 300 * 8 + 2 + 8);
  wire::Reader reader(writer.bytes(), "scope");
  EXPECT_EQ(read_scope(reader), scope);
  EXPECT_TRUE(reader.finish());
  EXPECT_EQ(scope_text(scope), "300 regions of GRCh37 (PGS000001) [chunks 3-6]");
  scope.regions[150].label = "other";
  EXPECT_EQ(runs_of(scope.regions).size(), 3U);
  EXPECT_EQ(scope_text(scope), "300 regions of GRCh37 (PGS000001, other, PGS000001) [chunks 3-6]");
}

TEST(ScopeTest, ARunThatIsCutInTwoOrEmptyIsRefused) {
  const auto read = [](std::initializer_list<std::uint16_t> runs) {
    wire::Writer writer;
    writer.u16(static_cast<std::uint16_t>(runs.size()));
    writer.u8(1);
    writer.raw(as_bytes("g"));
    std::uint32_t at = 1;
    for (const std::uint16_t places : runs) {
      writer.u8(1);
      writer.raw(as_bytes("c"));
      writer.u8(0);
      writer.u16(places);
      for (std::uint16_t i = 0; i < places; ++i, at += 10) {
        writer.u32(at);
        writer.u32(at + 1);
      }
    }
    writer.u16(1);
    writer.u32(0);
    writer.u32(1);
    wire::Reader reader(writer.bytes(), "scope");
    static_cast<void>(read_scope(reader));
    return reader.finish();
  };
  EXPECT_TRUE(read({3}));
  EXPECT_FALSE(read({1, 2}));
  EXPECT_FALSE(read({0}));
  EXPECT_TRUE(read({kMaxRegions}));
  EXPECT_FALSE(read({kMaxRegions + 1}));
}

TEST(ScopeTest, TheWholeIsNeverWithinRegions) {
  const Scope some = *parse_scope(Texts{"g:c:10-20", "g:c:30-40", "g:d:1-5"});
  EXPECT_TRUE(covers({}, {}));
  EXPECT_TRUE(covers({}, some));
  EXPECT_FALSE(covers(some, {}));
  EXPECT_TRUE(covers(some, some));
  EXPECT_TRUE(covers(some, *parse_scope(Texts{"g:c:10-10", "g:d:5-5"})));
  for (const char* wider :
       {"g:c:9-20", "g:c:10-21", "g:c:10-40", "g:c:25-26", "g:e:1-2", "h:c:10-20"}) {
    EXPECT_FALSE(covers(some, *parse_scope(Texts{wider}))) << wider;
  }
}

// Against every position, for scopes of a small genome.
TEST(ScopeTest, CoversIsWhatPositionsSay) {
  std::mt19937 dice(5);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(dice() % n); };
  const auto any_scope = [&] {
    std::vector<Region> regions;
    for (std::uint32_t n = 1 + below(4); n > 0; --n) {
      const std::uint32_t start = 1 + below(12);
      regions.push_back({below(2) == 0 ? "c" : "d", start, start + below(4), {}});
    }
    return *make_scope("g", std::move(regions));
  };
  const auto has = [](const Scope& scope, const std::string& reference, std::uint32_t at) {
    return std::ranges::any_of(scope.regions, [&](const Region& region) {
      return region.reference == reference && region.start <= at && at <= region.end;
    });
  };
  std::size_t covered = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Scope allowed = any_scope(), asked = any_scope();
    bool all = true;
    for (const char* reference : {"c", "d"}) {
      for (std::uint32_t at = 1; at < 20; ++at) {
        all = all && (!has(asked, reference, at) || has(allowed, reference, at));
      }
    }
    ASSERT_EQ(covers(allowed, asked), all) << scope_text(allowed) << " / " << scope_text(asked);
    covered += all ? 1 : 0;
  }
  EXPECT_GT(covered, 500u);
}

TEST(ScopeTest, BytesGoRoundAndOnlyCanonicalOnesParse) {
  const Scope scope = *parse_scope(Texts{"GRCh38:chr17:1-9=BRCA1", "GRCh38:chr2:10-30"});
  const Bytes bytes = bytes_of(scope, write_scope);
  EXPECT_EQ(*read_all(bytes, read_scope), scope);
  EXPECT_EQ(wire::check_corruptions(
                bytes, [](ByteView b) { return read_all(b, read_scope); },
                [](const Scope& s) { return bytes_of(s, write_scope); }),
            "");
  Scope touching = scope;
  touching.regions = {{"c", 1, 5, {}}, {"c", 6, 9, {}}};
  EXPECT_FALSE(read_all(bytes_of(touching, write_scope), read_scope));
  touching.regions = {{"d", 1, 5, {}}, {"c", 1, 5, {}}};
  EXPECT_FALSE(read_all(bytes_of(touching, write_scope), read_scope));
}

TEST(DataUseTest, CodesHaveNamesNumbersAndWordsInBothLanguages) {
  const auto uses =
      parse_data_uses(Texts{"NPU", "DS=MONDO:0005148", "DUO:0000021"}, Purpose::kResearch);
  ASSERT_TRUE(uses) << uses.error().message;
  EXPECT_EQ(data_uses_text(*uses), "DS=MONDO:0005148, IRB, NPU");
  EXPECT_EQ(duo_id((*uses)[0].code), "DUO:0000007");
  EXPECT_EQ(data_use_words((*uses)[0], Locale::kEnglish),
            "research into this disease only: MONDO:0005148 (DS)");
  EXPECT_EQ(data_use_words((*uses)[2], Locale::kJapanese), "非営利組織による利用のみ(NPU)");
  EXPECT_EQ(parse_data_uses(Texts{"DS=A", "DS=B"}, Purpose::kResearch)->size(), 2u);
}

TEST(DataUseTest, WhatMakesNoSenseIsRefused) {
  const std::pair<Texts, Purpose> cases[] = {
      {{"FUN"}, Purpose::kResearch},         {{"DS"}, Purpose::kResearch},
      {{"HMB=x"}, Purpose::kResearch},       {{"HMB", "GRU"}, Purpose::kResearch},
      {{"DS=x", "HMB"}, Purpose::kResearch}, {{"HMB"}, Purpose::kMedicine},
      {{"GRU"}, Purpose::kHealthManagement}, {{"CC"}, Purpose::kResearch},
      {{"TS=soon"}, Purpose::kResearch},     {{"TS=2027-13-01"}, Purpose::kResearch},
      {{"DUO:7"}, Purpose::kResearch},       {{"US=a\nb"}, Purpose::kMedicine}};
  for (const auto& [texts, purpose] : cases) {
    EXPECT_FALSE(parse_data_uses(texts, purpose)) << texts[0];
  }
  EXPECT_FALSE(parse_statements(Texts{"marketing"}));
  EXPECT_FALSE(parse_statements(Texts{"disease"}));
  EXPECT_FALSE(parse_statements(Texts{"general=x"}));
}

struct Use {
  Texts consent;
  Purpose purpose;
  Texts stated;
  bool allowed;
};

TEST(DataUseTest, AUseIsAllowedOnlyWhereTheCodesSaySo) {
  constexpr Purpose R = Purpose::kResearch, M = Purpose::kMedicine, H = Purpose::kHealthManagement;
  const Use uses[] = {
      {{}, H, {}, true},
      {{}, R, {"biomedical"}, true},
      {{"NRES"}, R, {}, false},
      {{"NRES"}, R, {"ancestry"}, true},
      {{"GRU"}, R, {"general"}, true},
      {{"GRU"}, R, {"methods"}, true},
      {{"GRU"}, R, {"ancestry"}, true},
      {{"GRU"}, R, {"clinical-care"}, false},
      {{"GRU"}, R, {"general", "clinical-care"}, false},
      {{"GRU", "NPOA"}, R, {"ancestry"}, false},
      {{"GRU", "NPOA"}, R, {"general"}, true},
      {{"GRU", "NMDS"}, R, {"methods"}, false},
      {{"GRU", "NMDS"}, R, {"general", "methods"}, false},
      {{"HMB"}, R, {"biomedical"}, true},
      {{"HMB"}, R, {"disease=MONDO:1"}, true},
      {{"HMB"}, R, {"general"}, false},
      {{"HMB"}, R, {"ancestry"}, false},
      {{"HMB"}, R, {"biomedical", "ancestry"}, false},
      {{"HMB"}, R, {"methods"}, false},
      {{"HMB"}, R, {"biomedical", "methods"}, true},
      {{"HMB", "NMDS"}, R, {"biomedical", "methods"}, false},
      {{"DS=MONDO:1"}, R, {"disease=MONDO:1"}, true},
      {{"DS=MONDO:1"}, R, {"disease=MONDO:2"}, false},
      {{"DS=MONDO:1"}, R, {"disease=MONDO:1", "disease=MONDO:2"}, false},
      {{"DS=MONDO:1", "DS=MONDO:2"}, R, {"disease=MONDO:1", "disease=MONDO:2"}, true},
      {{"DS=MONDO:1"}, R, {"biomedical"}, false},
      {{"POA"}, R, {"ancestry"}, true},
      {{"POA"}, R, {"general"}, false},
      {{"CC"}, M, {"clinical-care"}, true},
      {{"CC"}, M, {}, false},
      {{"HMB", "NPU"}, R, {"biomedical"}, false},
      {{"HMB", "NPU"}, R, {"biomedical", "non-profit"}, true},
      {{"HMB", "NCU"}, R, {"biomedical", "non-profit"}, false},
      {{"HMB", "NPUNCU"}, R, {"biomedical", "non-profit"}, false},
      {{"HMB", "NPUNCU"}, R, {"biomedical", "non-profit", "non-commercial"}, true},
      {{"IRB"}, R, {}, false},
      {{"IRB"}, R, {"ethics-approval"}, true},
      {{"GSO"}, R, {"general"}, false},
      {{"GSO"}, R, {"genetic"}, true},
      {{"PUB"}, R, {"publication"}, true},
      {{"PUB"}, R, {}, false},
      {{"COL=ToMMo"}, R, {"collaboration=ToMMo"}, true},
      {{"COL=ToMMo"}, R, {"collaboration=LSA"}, false},
      {{"RTN"}, R, {}, false},
      {{"RTN"}, R, {"return-results"}, true},
      {{"GS=JP"}, R, {"country=JP"}, true},
      {{"GS=JP"}, R, {"country=JP", "country=US"}, false},
      {{"GS=JP"}, R, {}, false},
      {{"US=Dr. Ito"}, R, {"user=Dr. Ito"}, true},
      {{"US=Dr. Ito"}, R, {"user=Dr. Abe"}, false},
      {{"PS=p1"}, R, {"project=p1"}, true},
      {{"PS=p1"}, R, {"project=p2"}, false},
      {{"IS=i1"}, R, {"institution=i1"}, true},
      {{"IS=i1"}, R, {}, false},
      {{"RS=adults"}, R, {"restriction=adults"}, true},
      {{"RS=adults"}, R, {}, false},
      {{"MOR=2027-01-01"}, R, {"moratorium=2027-01-01"}, true},
      {{"MOR=2027-01-01"}, R, {"moratorium=2026-01-01"}, false},
      {{"TS=2026-11-18"}, R, {}, true},
      {{"TS=2026-11-17"}, R, {}, false},
  };
  for (const Use& use : uses) {
    const auto codes = parse_data_uses(use.consent, use.purpose);
    const auto stated = parse_statements(use.stated);
    ASSERT_TRUE(codes && stated);
    EXPECT_EQ(why_not_allowed(*codes, *stated, kNow).empty(), use.allowed)
        << data_uses_text(*codes) << " / " << statements_text(*stated) << ": "
        << why_not_allowed(*codes, *stated, kNow);
  }
}

// Another code never allows more, whatever is stated.
TEST(DataUseTest, AModifierNeverWidens) {
  std::mt19937 dice(9);
  const Texts modifiers = {"NMDS", "GSO", "NPUNCU", "PUB",   "IRB",          "RTN",
                           "NPOA", "NPU", "NCU",    "GS=JP", "TS=2026-01-01"};
  const Texts permissions = {"NRES", "GRU", "HMB", "POA", "DS=x"};
  const Texts said = {"general",         "biomedical",  "disease=x",      "ancestry",
                      "methods",         "genetic",     "non-profit",     "non-commercial",
                      "ethics-approval", "publication", "return-results", "country=JP",
                      "clinical-care"};
  std::size_t allowed = 0;
  for (int i = 0; i < 20'000; ++i) {
    Texts consent = {permissions[dice() % permissions.size()]}, stated;
    if (dice() % 3 == 0) consent.push_back(modifiers[dice() % modifiers.size()]);
    for (const std::string& one : said) {
      if (dice() % 3 == 0) stated.push_back(one);
    }
    const auto narrow = *parse_statements(stated);
    const bool before =
        why_not_allowed(*parse_data_uses(consent, Purpose::kResearch), narrow, kNow).empty();
    consent.push_back(modifiers[dice() % modifiers.size()]);
    const bool after =
        why_not_allowed(*parse_data_uses(consent, Purpose::kResearch), narrow, kNow).empty();
    ASSERT_TRUE(before || !after) << consent.back();
    allowed += before ? 1 : 0;
  }
  EXPECT_GT(allowed, 300u);
}

TEST(DataUseTest, BytesGoRoundAndOnlyCanonicalOnesParse) {
  const Statements stated = *parse_statements(Texts{"disease=MONDO:1", "non-profit", "country=JP"});
  const Bytes bytes = bytes_of(stated, write_statements);
  EXPECT_EQ(*read_all(bytes, read_statements), stated);
  EXPECT_EQ(wire::check_corruptions(
                bytes, [](ByteView b) { return read_all(b, read_statements); },
                [](const Statements& s) { return bytes_of(s, write_statements); }),
            "");
  EXPECT_NE(
      flaw_of(DataUses{{DataUseCode::kNonCommercialOnly, {}}, {DataUseCode::kGeneralResearch, {}}},
              Purpose::kResearch),
      "");
}

}  // namespace
}  // namespace warifu::consent
