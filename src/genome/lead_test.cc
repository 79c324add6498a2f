// The lead of a genome object: round trip, strictness, what the assembly is.
#include "genome/lead.h"

#include <gtest/gtest.h>

#include "wire/wire_test_support.h"

namespace warifu::genome {
namespace {

Lead sample() {
  Lead lead;
  lead.kind = FileKind::kBam;
  lead.index_kind = IndexKind::kBai;
  lead.file = {1'000'000, 28};
  lead.records_digest.fill(7);
  lead.assembly = "GRCh37";
  lead.references = {{"19", 59'128'983, ""}, {"20", 63'025'520, "0dec9660ec1efaaf33281c0d5ea2560f"}};
  lead.head = {'h', 'e', 'a', 'd'};
  for (int i = 0; i < 5000; ++i) lead.index.push_back(static_cast<Byte>(i * i >> 5));
  return lead;
}

TEST(GenomeLeads, RoundTripInWholeChunks) {
  const Bytes bytes = *encode_lead(sample(), 1024);
  ASSERT_EQ(bytes.size() % 1024, 0u);
  const auto lead = parse_lead(bytes);
  ASSERT_TRUE(lead) << lead.error().message;
  EXPECT_EQ(lead->chunks, bytes.size() / 1024);
  EXPECT_EQ(lead->index, sample().index);
  EXPECT_EQ(lead->head, sample().head);
  EXPECT_EQ(lead->references.at(1).name, "20");
  EXPECT_EQ(lead->references.at(1).md5, sample().references[1].md5);
  EXPECT_EQ(lead->header().id_of("20"), 1);
  EXPECT_EQ(lead->file.trailer_bytes, 28u);
  EXPECT_EQ(encode_lead(*lead, 1024).value(), bytes);
  EXPECT_EQ(encode_lead(sample())->size(), limits::kChunkBytes);
}

TEST(GenomeLeads, DamageIsNamed) {
  const Bytes good = *encode_lead(sample(), 1024);
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 0x40;
    const auto lead = parse_lead(bad);
    ASSERT_FALSE(lead) << at;
    EXPECT_EQ(lead.error().code, Code::kCorrupt) << lead.error().message;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{79}, std::size_t{80},
                                 good.size() - 1, good.size() - 1024}) {
    EXPECT_FALSE(parse_lead(ByteView(good).first(size))) << size;
  }
  const Bytes plain(1024, 'x');
  EXPECT_NE(parse_lead(plain).error().message.find("WGO1"), std::string::npos);
}

TEST(GenomeLeads, WhatDoesNotFitIsRefused) {
  Lead lead = sample();
  lead.assembly.clear();
  EXPECT_FALSE(encode_lead(lead));
  lead = sample();
  lead.references[0].name.assign(1025, 'x');
  EXPECT_FALSE(encode_lead(lead));
  lead = sample();
  lead.head.resize(kMaxHead + 1);
  EXPECT_FALSE(encode_lead(lead));
}

TEST(GenomeLeads, AssembliesByTheirLengths) {
  EXPECT_EQ(guess_assembly(sample().references), "GRCh37");
  EXPECT_EQ(guess_assembly({{"chr20", 64'444'167, ""}}), "GRCh38");
  EXPECT_EQ(guess_assembly({{"chr1", 248'387'328, ""}, {"chr20", 66'210'255, ""}}), "T2T-CHM13v2");
  EXPECT_FALSE(guess_assembly({{"chr1", 248'956'422, ""}, {"chr20", 63'025'520, ""}}));
  EXPECT_FALSE(guess_assembly({{"chrM", 16'569, ""}}));
}

}  // namespace
}  // namespace warifu::genome
