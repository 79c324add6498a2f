// Indexes written by hand: what is read of them, what is cut by them, and what is refused.
#include "genome/index.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/gzip.h"
#include "genome/bgzf.h"
#include "genome/header.h"
#include "wire/wire.h"

namespace warifu::genome {
namespace {

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

Result<Index> crai(std::string_view text) {
  return parse_index(as_bytes(text), "x.crai");
}

constexpr WholeFile kCram{10'000, 38};

TEST(CraiTest, ReadsLinesAndTurnsPositionsToZeroBased) {
  const auto index = crai("0\t101\t50\t1000\t20\t300\n-1\t0\t1\t1320\t20\t9\n");
  ASSERT_TRUE(index) << index.error().message;
  EXPECT_EQ(index->kind, IndexKind::kCrai);
  ASSERT_EQ(index->slices.size(), 2U);
  EXPECT_EQ(index->slices[0], (SliceEntry{0, 100, 150, 1000, 20, 300}));
  EXPECT_EQ(index->slices[1].reference, kUnplaced);
}

TEST(CraiTest, RefusesABadLineByItsNumber) {
  for (const std::string_view bad :
       {"0\t1\t1\t1\t1\n", "0\t1\t1\t1\t1\t1\t1\n", "a\t1\t1\t1\t1\t1\n", "-2\t1\t1\t1\t1\t1\n",
        "0\t1\t-1\t1\t1\t1\n", "0\t1\t1\t281474976710656\t1\t1\n", "0 1 1 1 1 1\n", "\n",
        "0\t99999999999999\t1\t1\t1\t1\n", "0\t1\t1\t1\t1\t1 \n"}) {
    const auto index = crai("0\t1\t1\t1\t1\t1\n" + std::string(bad));
    ASSERT_FALSE(index) << bad;
    EXPECT_EQ(index.error().code, Code::kCorrupt);
    EXPECT_NE(index.error().message.find("x.crai, line 2"), std::string::npos)
        << index.error().message;
  }
}

TEST(CraiTest, TheLinearFilterFindsNestedAndSharedContainers) {
  // A long slice around short ones; two slices in one container; two references in one slice.
  const auto index = crai(
      "0\t1\t5000\t100\t9\t9\n0\t101\t50\t200\t9\t9\n0\t201\t50\t200\t60\t9\n"
      "0\t901\t50\t400\t9\t9\n1\t1\t10\t400\t9\t9\n-1\t0\t0\t700\t9\t9\n");
  ASSERT_TRUE(index);
  const auto at = [&](std::int32_t reference, std::int64_t start, std::int64_t end) {
    return cut(*index, {{reference, start, end}}, kCram)->body;
  };
  using Ranges = std::vector<ByteRange>;
  EXPECT_EQ(at(0, 120, 121), (Ranges{{100, 400}}));
  EXPECT_EQ(at(0, 150, 151), (Ranges{{100, 200}}));  // [100, 150) ends before it
  EXPECT_EQ(at(0, 99, 100), (Ranges{{100, 200}}));
  EXPECT_EQ(at(0, 920, 930), (Ranges{{100, 200}, {400, 700}}));
  EXPECT_EQ(at(0, 6000, 7000), Ranges{});
  EXPECT_EQ(at(1, 0, 1), (Ranges{{400, 700}}));
  EXPECT_EQ(at(2, 0, kEndOfReference), Ranges{});
  EXPECT_EQ(at(kUnplaced, 0, 0), (Ranges{{700, 10'000 - 38}}));
  const auto both = cut(*index, {{1, 0, 5}, {0, 120, 121}, {1, 0, 9}}, kCram);
  EXPECT_EQ(both->body, (Ranges{{100, 700}}));
  EXPECT_EQ(both->header, (ByteRange{0, 100}));
  EXPECT_EQ(both->trailer.size(), 38U);
}

TEST(CraiTest, AnIndexOfALongerFileAndARegionThatIsNoneAreRefused) {
  const auto index = crai("0\t1\t5\t100\t9\t9\n0\t7\t5\t9990\t9\t9\n");
  EXPECT_EQ(cut(*index, {{0, 0, 1}}, kCram).error().code, Code::kCorrupt);
  const auto good = crai("0\t1\t5\t100\t9\t9\n");
  EXPECT_EQ(cut(*good, {{0, 5, 5}}, kCram).error().code, Code::kInvalidArgument);
  EXPECT_EQ(cut(*good, {{-2, 5, 6}}, kCram).error().code, Code::kInvalidArgument);
  EXPECT_EQ(cut(*good, {{0, -1, 6}}, kCram).error().code, Code::kInvalidArgument);
}

TEST(DescribeFileTest, KnowsTheEndsOfEachKindAndWhenTheyAreMissing) {
  Bytes cram = bytes_of("CRAM");
  cram.resize(64);
  cram[4] = 3;
  const Bytes end = cut(*crai("0\t1\t5\t100\t9\t9\n"), {}, kCram)->trailer;
  EXPECT_EQ(describe_file(cram, end, 1000, "x")->trailer_bytes, 38U);
  EXPECT_EQ(describe_file(cram, cram, 1000, "x").error().code, Code::kCorrupt);
  cram[4] = 2;
  EXPECT_FALSE(describe_file(cram, end, 1000, "x"));  // 2.0
  cram[5] = 1;
  const Bytes end21 = cut(*crai("0\t1\t5\t100\t9\t9\n"), {}, {10'000, 30})->trailer;
  // As samtools writes it.
  EXPECT_EQ(to_hex(end21), "0b000000ffffffff0fe0454f460000000001000001000606010001000100");
  EXPECT_EQ(describe_file(cram, end21, 1000, "x")->trailer_bytes, 30U);
  EXPECT_EQ(describe_file(kBgzfEnd, kBgzfEnd, 28, "x")->trailer_bytes, 28U);
  EXPECT_FALSE(describe_file(as_bytes("##fileformat=VCFv4.2\n"), {}, 21, "x"));
}

// A BAI of one reference with records in three blocks, of which the second starts in the middle of
// a record, as htsjdk writes them.
struct SmallBam {
  Bytes file;
  Bytes index;
  std::vector<std::size_t> blocks;  // starts; then the end block
};

SmallBam small_bam() {
  const std::vector<std::string> plain = {"HHHHHaaaaabb", "bbbccccc", "ddddd"};
  SmallBam bam;
  for (const std::string& text : plain) {
    bam.blocks.push_back(bam.file.size());
    const secret::Buffer block = deflate_block(as_bytes(text));
    bam.file.insert(bam.file.end(), block.bytes().begin(), block.bytes().end());
  }
  bam.blocks.push_back(bam.file.size());
  bam.file.insert(bam.file.end(), kBgzfEnd.begin(), kBgzfEnd.end());
  const auto at = [&](std::size_t block, std::uint64_t within) {
    return std::uint64_t{bam.blocks[block]} << 16U | within;
  };
  wire::Writer out;
  out.raw(as_bytes(std::string_view("BAI\1", 4)));
  out.u32(1);
  out.u32(3);
  const auto bin = [&](std::uint32_t number, std::uint64_t begin, std::uint64_t end) {
    out.u32(number);
    out.u32(1);
    out.u64(begin);
    out.u64(end);
  };
  bin(4681, at(0, 5), at(0, 10));  // a: [0, 16384)
  bin(4682, at(0, 10), at(1, 3));  // b: [16384, 32768)
  bin(4690, at(1, 3), at(3, 0));   // c, d
  out.u32(10);
  for (int i = 0; i < 10; ++i)
    out.u64(i == 0 ? at(0, 5) : i == 1 ? at(0, 10) : i < 9 ? 0 : at(1, 3));
  bam.index = out.take();
  return bam;
}

std::string joined(const SmallBam& bam, const Cut& cut) {
  const auto read = [&](std::uint64_t offset, MutableBytes out) -> Result<> {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t place = offset + i;
      const auto ranges = cut.ranges();
      EXPECT_TRUE(std::ranges::any_of(ranges, [&](const ByteRange& range) {
        return range.begin <= place && place < range.end;
      }));
      out[i] = bam.file.at(place);
    }
    return {};
  };
  Bytes made;
  const auto sink = [&](ByteView bytes) -> Result<> {
    made.insert(made.end(), bytes.begin(), bytes.end());
    return {};
  };
  const auto done = join(cut, read, sink, "x.bam");
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_TRUE(std::ranges::equal(ByteView(made).last(28), kBgzfEnd));
  return std::string(as_text(*gunzip(made, 1 << 20, "made")));
}

TEST(BaiTest, RecordsThatLieAcrossBlocksComeWhole) {
  const SmallBam bam = small_bam();
  const auto index = parse_index(bam.index, "x.bai");
  ASSERT_TRUE(index) << index.error().message;
  const WholeFile file{bam.file.size(), 28};
  const auto text = [&](std::int64_t start, std::int64_t end) {
    return joined(bam, *cut(*index, {{0, start, end}}, file));
  };
  EXPECT_EQ(text(0, 10), "HHHHHaaaaa");
  EXPECT_EQ(text(20'000, 20'001), "HHHHHaaaaabbbbb");  // one block with a
  EXPECT_EQ(text(9 * 16'384, 9 * 16'384 + 1), "HHHHHcccccddddd");
  EXPECT_EQ(text(0, kEndOfReference), "HHHHHaaaaabbbbbcccccddddd");
  EXPECT_EQ(text(5 * 16'384, 6 * 16'384), "HHHHH");
  EXPECT_EQ(joined(bam, *cut_header(*index, file)), "HHHHH");
  EXPECT_EQ(cut(*index, {{1, 0, 10}}, file)->body.size(), 0U);
}

TEST(BaiTest, EveryCutShortAndEveryChangedByteIsReadOrRefused) {
  const SmallBam bam = small_bam();
  const WholeFile file{bam.file.size(), 28};
  const auto try_one = [&](ByteView bytes) {
    const auto index = parse_index(bytes, "x.bai");
    if (!index) return;
    const auto made = cut(*index, {{0, 100, 200'000}}, file);
    if (!made) return;
    for (const ByteRange& range : made->ranges()) {
      EXPECT_LE(range.begin, range.end);
      EXPECT_LE(range.end, file.bytes);
    }
    const auto read = [&](std::uint64_t offset, MutableBytes out) -> Result<> {
      WARIFU_CHECK(offset + out.size() <= bam.file.size());
      copy_bytes(out, ByteView(bam.file).subspan(offset, out.size()));
      return {};
    };
    (void)join(*made, read, [](ByteView) -> Result<> { return {}; }, "x.bam");
  };
  for (std::size_t size = 0; size < bam.index.size(); ++size) {
    const ByteView part = ByteView(bam.index).first(size);
    EXPECT_FALSE(size > 4 && parse_index(part, "x.bai")) << size;
  }
  for (std::size_t at = 0; at < bam.index.size(); ++at) {
    for (const int change : {1, 0x80, 0xff}) {
      Bytes changed = bam.index;
      changed[at] = static_cast<Byte>(changed[at] ^ change);
      try_one(changed);
    }
  }
}

// Found by fuzzing: the number of bins of so deep an index was counted in 32 bits.
TEST(CsiTest, TheDepthThatStillFitsIsRead) {
  const auto csi = [](std::uint32_t depth, std::uint32_t bin) {
    wire::Writer out;
    out.raw(as_bytes("CSI\x01"));
    out.u32(14);
    out.u32(depth);
    out.u32(0);  // extra bytes
    out.u32(1);  // references
    out.u32(1);  // bins
    out.u32(bin);
    out.u64(0);
    out.u32(1);  // chunks
    out.u64(100 << 16);
    out.u64(200 << 16);
    return out.take();
  };
  constexpr std::uint32_t kBins = 1'227'133'513;  // (8^11 - 1) / 7
  EXPECT_TRUE(parse_index(csi(10, kBins - 1), "x.csi"));
  EXPECT_FALSE(parse_index(csi(10, kBins), "x.csi"));
  EXPECT_FALSE(parse_index(csi(11, 0), "x.csi"));
}

TEST(BgzfTest, BlocksKeepTheirBytesAndNoticeDamage) {
  Bytes plain(kBgzfFillBytes);
  std::uint32_t state = 1;
  for (Byte& byte : plain) byte = static_cast<Byte>((state = state * 1664525 + 1013904223) >> 24U);
  const secret::Buffer block = deflate_block(plain);  // incompressible
  EXPECT_TRUE(is_bgzf(block.bytes()));
  EXPECT_EQ(*bgzf_block_bytes(block.bytes(), "x"), block.size());
  EXPECT_TRUE(std::ranges::equal(inflate_block(block.bytes(), "x")->bytes(), plain));
  for (std::size_t at = 0; at < block.size(); at += 251) {
    Bytes bad(block.bytes().begin(), block.bytes().end());
    bad[at] = static_cast<Byte>(bad[at] ^ 0x10);
    const auto inflated = inflate_block(bad, "x");
    EXPECT_TRUE(!inflated || std::ranges::equal(inflated->bytes(), plain));
  }
}

TEST(BgzfTest, ABombIsRefusedAtItsLimit) {
  const Bytes zeros(kBgzfFillBytes);
  const secret::Buffer block = deflate_block(zeros);
  Bytes bomb;
  for (int i = 0; i < 100; ++i) bomb.insert(bomb.end(), block.bytes().begin(), block.bytes().end());
  EXPECT_EQ(gunzip(bomb, 100 * kBgzfFillBytes, "x")->size(), 100 * kBgzfFillBytes);
  const auto refused = gunzip(bomb, 100 * kBgzfFillBytes - 1, "x");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("more than"), std::string::npos);
}

TEST(HeaderTest, BcfContigsGoByTheirNumbers) {
  const std::string text =
      "##fileformat=VCFv4.2\n##contig=<ID=b,length=7,IDX=1>\n"
      "##contig=<ID=\"a,x\",IDX=0,md5=00>\n#CHROM\tPOS\n";
  wire::Writer out;
  out.raw(as_bytes("BCF\2\2"));
  out.u32(static_cast<std::uint32_t>(text.size()));
  out.raw(as_bytes(text));
  const auto header = parse_header(deflate_block(out.bytes()).bytes(), "x.bcf");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->kind, FileKind::kBcf);
  EXPECT_EQ(header->id_of("b"), 1);
  EXPECT_EQ(header->id_of("a,x"), 0);
  EXPECT_EQ(header->references[1].length, 7);
  EXPECT_EQ(header->id_of("c"), std::nullopt);
}

TEST(HeaderTest, VcfEndsWithTheLastMarkedLine) {
  const std::string text = "##fileformat=VCFv4.2\n##contig=<ID=20>\n#CHROM\tPOS\n20\t5\n";
  const auto header = parse_header(deflate_block(as_bytes(text)).bytes(), "x.vcf.gz");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->text.size(), text.size() - 5);
  EXPECT_EQ(header->id_of("20"), 0);
  EXPECT_EQ(header->id_of("chr20"), 0);
  EXPECT_EQ(other_name("chrM"), "MT");
  EXPECT_EQ(other_name("MT"), "chrM");
  EXPECT_EQ(other_name("X"), "chrX");
}

}  // namespace
}  // namespace warifu::genome
