// What share control keeps of regions, and the window over chunks that a reader of bytes has.
#include <gtest/gtest.h>

#include <random>

#include "control/chunk_window.h"
#include "control/region_quotes.h"
#include "control/sealed_secret.h"
#include "os/system.h"

namespace warifu::control {
namespace {

constexpr std::uint64_t kChunk = limits::kChunkBytes;

genome::Lead lead_of_cram() {
  genome::Lead lead;
  lead.kind = genome::FileKind::kCram;
  lead.index_kind = genome::IndexKind::kCrai;
  lead.file = {5'000'000, 38};
  lead.assembly = "GRCh37";
  lead.references = {{"19", 59'128'983, ""}, {"20", 63'025'520, ""}};
  // Reference 1, ten containers of 400,000 bytes from byte 1,000 on, 100,000 bases each.
  std::string crai;
  for (int i = 0; i < 10; ++i) {
    crai += "1\t" + std::to_string(1 + i * 100'000) + "\t100000\t" +
            std::to_string(1000 + i * 400'000) + "\t100\t399000\n";
  }
  lead.index.assign(crai.begin(), crai.end());
  lead.chunks = 2;
  return lead;
}

consent::Scope scope_of(const std::vector<std::string>& texts) {
  return *consent::parse_scope(texts);
}

TEST(RegionCuts, AreTheChunksOfTheContainersAndOfTheHeader) {
  const auto cuts = find_cuts(lead_of_cram(), scope_of({"GRCh37:20:250000-260000"}));
  ASSERT_TRUE(cuts) << cuts.error().message;
  ASSERT_EQ(cuts->cuts.size(), 1u);
  // Header [0, 1000): chunk 2. The third container, [801,000, 1,201,000): chunks 3 to 4 behind 2.
  EXPECT_EQ(consent::chunks_text(cuts->cuts[0].scope.chunks), "2, 5-6");
  EXPECT_EQ(cuts->cuts[0].scope.regions.size(), 1u);
}

TEST(RegionCuts, WhatTheLeadHasIsNotReadAgain) {
  genome::Lead lead = lead_of_cram();
  lead.head.resize(1000);
  const RegionCuts cuts = *find_cuts(lead, scope_of({"GRCh37:20:250000-260000"}));
  EXPECT_EQ(consent::chunks_text(cuts.cuts[0].scope.chunks), "5-6");
  EXPECT_EQ(cuts.head, lead.head);
  // Nothing lies there: one chunk has to be named all the same.
  const RegionCuts empty = *find_cuts(lead, scope_of({"GRCh37:20:5000000-5000010"}));
  EXPECT_EQ(consent::chunks_text(empty.cuts[0].scope.chunks), "2");
  lead.head.resize(999);  // not all of the header
  EXPECT_EQ(consent::chunks_text(
                find_cuts(lead, scope_of({"GRCh37:20:250000-260000"}))->cuts[0].scope.chunks),
            "2, 5-6");
}

TEST(RegionCuts, OfSeveralRegionsEachIsKeptAlone) {
  const consent::Scope both = scope_of({"GRCh37:20:1-10", "GRCh37:20:900001-900010"});
  const RegionCuts cuts = *find_cuts(lead_of_cram(), both);
  ASSERT_EQ(cuts.cuts.size(), 3u);
  EXPECT_EQ(cuts.find(both), &cuts.cuts[0]);
  EXPECT_EQ(cuts.find(scope_of({"GRCh37:20:2-3"})), &cuts.cuts[1]);
  EXPECT_EQ(cuts.find(scope_of({"GRCh37:20:900002-900003"})), &cuts.cuts[2]);
  EXPECT_EQ(cuts.find(scope_of({"GRCh37:20:5-11"})), nullptr);
  for (const RegionCut& one : cuts.cuts) {
    EXPECT_TRUE(consent::covers_chunks(cuts.cuts[0].scope, one.scope));
  }
}

TEST(RegionCuts, WhatTheGenomeDoesNotHaveIsSaid) {
  const genome::Lead lead = lead_of_cram();
  EXPECT_EQ(find_cuts(lead, scope_of({"GRCh38:20:1-10"})).error().code, Code::kInvalidArgument);
  EXPECT_EQ(find_cuts(lead, scope_of({"GRCh37:chr7:1-10"})).error().code, Code::kNotFound);
  genome::Lead other = lead;
  other.file.bytes = 1'000'000;  // the index tells of more
  EXPECT_EQ(find_cuts(other, scope_of({"GRCh37:20:950000-960000"})).error().code, Code::kCorrupt);
}

TEST(RegionCuts, AreKeptWithTheSecretsOfAGrant) {
  const RegionCuts cuts =
      *find_cuts(lead_of_cram(), scope_of({"GRCh37:20:1-10", "GRCh37:20:900001-900010"}));
  const Bytes root(32, 7);
  ObjectSecrets secrets{.hash_key = secret::Buffer(16), .cuts = encode_cuts(cuts)};
  const auto system = os::real_system();
  const Bytes sealed = seal_object_secrets(root, system.random, secrets);
  const auto opened = open_object_secrets(root, sealed);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(opened->staging_key.empty());
  const auto again = decode_cuts(opened->cuts);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(encode_cuts(*again), secrets.cuts);
  EXPECT_EQ(again->cuts[2].cut.body, cuts.cuts[2].cut.body);
  EXPECT_EQ(again->cuts[2].scope, cuts.cuts[2].scope);
  for (std::size_t size = 0; size < secrets.cuts.size(); ++size) {
    EXPECT_FALSE(decode_cuts(ByteView(secrets.cuts).first(size))) << size;
  }
}

// Whoever has such a record asks it for its first cut and for its veil.
TEST(RegionCuts, WithoutACutOrWithHalfASaltAreRefused) {
  RegionCuts cuts = *find_cuts(lead_of_cram(), scope_of({"GRCh37:20:1-10"}));
  for (const std::size_t size : {1U, 31U, 32U}) {
    cuts.salt = Bytes(size, 1);
    EXPECT_EQ(decode_cuts(encode_cuts(cuts)).has_value(), size == consent::kSaltBytes) << size;
  }
  cuts.cuts.clear();
  EXPECT_EQ(decode_cuts(encode_cuts(cuts)).error().code, Code::kCorrupt);
}

TEST(RegionQuotes, AreFoundForAnHour) {
  RegionQuotes quotes;
  RegionQuote quote;
  quote.index.bytes.fill(1);
  quote.object.bytes.fill(2);
  quote.cuts = *find_cuts(lead_of_cram(), scope_of({"GRCh37:20:1-10=A"}));
  quotes.add(quote, {1000});
  const consent::Scope wanted = scope_of({"GRCh37:20:1-10=A"});
  EXPECT_TRUE(quotes.find(quote.index, wanted, 0, {1000}));
  EXPECT_FALSE(quotes.find(quote.index, wanted, 3, {1000}));  // with decoys it is another
  EXPECT_FALSE(quotes.find(quote.index, scope_of({"GRCh37:20:1-11=A"}), 0, {1000}));
  EXPECT_TRUE(quotes.find(quote.object, quote.scope(), {1000}));
  EXPECT_FALSE(quotes.find(quote.object, wanted, {1000}));  // without its chunks
  EXPECT_FALSE(quotes.find(quote.index, wanted, 0, {1000 + RegionQuotes::kLifeMs}));
}

// A made-up file of chunks 3 to 12 but 7; byte i is of value i / 1000.
Byte byte_at(std::uint64_t at) {
  return static_cast<Byte>(at / 1000);
}
Result<> give(const ChunkSink& sink) {
  for (std::uint64_t chunk = 3; chunk < 13; ++chunk) {
    if (chunk == 7) continue;
    Bytes plain(chunk == 12 ? 100 : kChunk);
    for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = byte_at((chunk - 3) * kChunk + i);
    TRY(sink(chunk, plain));
  }
  return {};
}
void expect_bytes(ChunkWindow& window, std::uint64_t at, std::size_t size) {
  Bytes out(size);
  const auto read = window.read(at, out);
  ASSERT_TRUE(read) << read.error().message;
  for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(out[i], byte_at(at + i)) << at + i;
}

TEST(ChunkWindows, GiveBytesAtAscendingPlaces) {
  ChunkWindow window(give, 3, {});
  expect_bytes(window, 0, 10);
  expect_bytes(window, kChunk - 5, 10);
  expect_bytes(window, kChunk - 5, 10);  // a little back
  expect_bytes(window, 2 * kChunk - 1, 2 * kChunk - 3);
  expect_bytes(window, 5 * kChunk, 3 * kChunk);
  expect_bytes(window, 9 * kChunk, 100);
  EXPECT_TRUE(window.finish());
}

TEST(ChunkWindows, WhatIsKnownIsNotWaitedFor) {
  const Bytes head(1500, Byte{9});
  ChunkWindow window(give, 3, head);
  Bytes out(2000);
  ASSERT_TRUE(window.read(0, MutableBytes(out).first(1500)));
  EXPECT_EQ(out[1499], 9);
  ASSERT_TRUE(window.read(1000, out));
  EXPECT_EQ(out[499], 9);
  EXPECT_EQ(out[500], byte_at(1500));
}

TEST(ChunkWindows, WhatIsNotThereIsDamage) {
  for (const auto& [at, size] : {std::pair<std::uint64_t, std::size_t>{4 * kChunk, 1},
                                 {3 * kChunk + 10, kChunk},
                                 {9 * kChunk + 50, 51},
                                 {20 * kChunk, 1}}) {
    ChunkWindow window(give, 3, {});
    Bytes out(size);
    EXPECT_EQ(window.read(at, out).error().code, Code::kCorrupt) << at;
  }
}

TEST(ChunkWindows, TheFetchersErrorIsTheReaders) {
  ChunkWindow window(
      [](const ChunkSink& sink) -> Result<> {
        TRY(sink(0, Bytes(kChunk)));
        return fail(Code::kRefused, "a gate said no");
      },
      0, {});
  Bytes out(kChunk + 1);
  EXPECT_EQ(window.read(0, out).error().code, Code::kRefused);
  EXPECT_EQ(window.finish().error().code, Code::kRefused);
}

TEST(ChunkWindows, AReaderMayGoAwayAtAnyTime) {
  for (int round = 0; round < 20; ++round) {
    ChunkWindow window(give, 3, {});
    if (round % 2 == 0) expect_bytes(window, 0, 10);
  }
}

}  // namespace
}  // namespace warifu::control
