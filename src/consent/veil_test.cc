// Veils: the same regions again or nothing, and no holder sees more than the veil.
#include "consent/veil.h"

#include <gtest/gtest.h>

#include "wire/wire_test_support.h"

namespace warifu::consent {
namespace {

Scope brca1() {
  Scope scope = *parse_scope(
      std::vector<std::string>{"GRCh38:chr17:43044295-43125364=BRCA1", "GRCh38:chr2:10-20"});
  scope.chunks = {{5, 3}, {90, 3}};
  return scope;
}

Bytes on_wire(const Scope& scope) {
  wire::Writer writer;
  write_scope(writer, scope);
  return writer.take();
}

Result<Scope> parsed(ByteView bytes) {
  wire::Reader reader(bytes, "scope");
  Scope scope = read_scope(reader);
  TRY(reader.finish());
  return scope;
}

const Bytes kSalt(kSaltBytes, 0x21);

TEST(Veil, OnTheWireThereIsNothingOfTheRegions) {
  const Scope hidden = veiled(brca1(), kSalt);
  const Bytes bytes = on_wire(hidden);
  EXPECT_EQ(bytes.size(), 2u + 32u + 2u + 2u * 8u);
  const Scope seen = *parsed(bytes);
  EXPECT_TRUE(seen.regions.empty());
  EXPECT_TRUE(seen.assembly.empty());
  EXPECT_EQ(seen, closed(hidden));
  EXPECT_EQ(seen.chunks, hidden.chunks);
  EXPECT_FALSE(seen.is_index());
  EXPECT_FALSE(seen.is_whole());
  EXPECT_TRUE(seen.is_of_regions());
  EXPECT_EQ(scope_text(seen), "hidden regions [chunks 5-7, 90-92]");
  EXPECT_EQ(wire::check_corruptions(bytes, parsed, on_wire), "");
}

// Computed by Python's hmac over the encoding of docs/formats/grant.md.
TEST(Veil, PublishedVector) {
  EXPECT_EQ(to_hex(*veiled(brca1(), kSalt).veil),
            "f7164341d7e6ffb95594c5c2f0bc484d338f83919abca15515744bd12322dd01");
}

TEST(Veil, OpensToTheSameRegionsAndToNoOthers) {
  const Scope hidden = veiled(brca1(), kSalt);
  const Bytes opening = opening_of(hidden, kSalt);
  const Scope seen = *parsed(on_wire(hidden));
  EXPECT_EQ(*opened(seen, opening), hidden);
  for (std::size_t bit = 0; bit < opening.size() * 8; ++bit) {
    Bytes bent = opening;
    bent[bit / 8] = static_cast<Byte>(bent[bit / 8] ^ (1U << (bit % 8)));
    const auto other = opened(seen, bent);
    ASSERT_FALSE(other) << bit;
    EXPECT_EQ(other.error().code, Code::kCorrupt);
  }
  EXPECT_FALSE(opened(seen, {}));
  EXPECT_FALSE(opened(brca1(), opening));  // hides nothing
  EXPECT_EQ(*opened(brca1(), {}), brca1());
  // Another salt is another veil: nobody without it can try out genes.
  EXPECT_NE(veiled(brca1(), Bytes(kSaltBytes, 0x22)).veil, hidden.veil);
}

TEST(Veil, AHolderAllowsTheSameVeilAndItsChunks) {
  const Scope allowed = *parsed(on_wire(veiled(brca1(), kSalt)));
  Scope asked = allowed;
  asked.chunks = {{90, 1}};
  EXPECT_TRUE(covers(allowed, asked));
  EXPECT_TRUE(covers_chunks(allowed, asked));
  asked.chunks = {{89, 2}};
  EXPECT_FALSE(covers_chunks(allowed, asked));
  asked = veiled(brca1(), Bytes(kSaltBytes, 0x22));
  EXPECT_FALSE(covers(allowed, asked));
  // Regions in clear, the whole, and the index are others.
  EXPECT_FALSE(covers(allowed, brca1()));
  EXPECT_FALSE(covers(allowed, Scope{}));
  EXPECT_FALSE(covers(allowed, Scope{{}, {}, {{5, 1}}}));
  EXPECT_FALSE(covers(brca1(), allowed));
  EXPECT_FALSE(covers(Scope{{}, {}, {{0, 100}}}, allowed));
  // Who has the opening judges regions.
  const Scope open = *opened(allowed, opening_of(brca1(), kSalt));
  EXPECT_TRUE(covers(open, *parse_scope(std::vector<std::string>{"GRCh38:chr2:12-13"})));
  EXPECT_FALSE(covers(open, *parse_scope(std::vector<std::string>{"GRCh38:chr3:12-13"})));
}

// Whoever has the grant cannot try texts with one gene after the other.
TEST(Veil, TheDigestOfTheTextIsUnderTheSalt) {
  const std::string text = "Only these regions: BRCA1";
  const Bytes opening = opening_of(brca1(), kSalt);
  EXPECT_EQ(text_digest(text), crypto::sha256(as_bytes(text)));
  EXPECT_EQ(text_digest(text, opening),
            crypto::hmac_sha256(kSalt, as_bytes("warifu text 1" + text)));
  const Bytes other = opening_of(brca1(), Bytes(kSaltBytes, 0x22));
  EXPECT_NE(text_digest(text, opening), text_digest(text, other));
}

}  // namespace
}  // namespace warifu::consent
