// The real process over small SAM files: pileups by CIGAR, mates and filters; what is blanked.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "genome/index.h"
#include "genome/tool.h"
#include "os/descriptor.h"

namespace warifu::genome_helper {
namespace {

using namespace genome;

const std::string kHeader =
    "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:20\tLN:1000\tUR:/home/lab/ref.fa\n@SQ\tSN:21\tLN:900\n"
    "@RG\tID:r\tSM:Taro Yamada\tPL:ILLUMINA\tPU:flowcell7\n@PG\tID:p\tPN:bwa\tCL:bwa mem "
    "/home/lab\n"
    "@CO\tpatient 17\n";

RunOptions options() {
  RunOptions run;
  run.program = WARIFU_GENOME_HELPER;
  return run;
}

Task task_of(Operation operation) {
  Task task;
  task.operation = operation;
  task.name = "small.sam";
  return task;
}

Input input_of(const std::string& sam) {
  return {.descriptor = -1, .memory = as_bytes(sam)};
}

std::string bases(const SitePileup& pile) {
  std::string text;
  for (const Observation& read : pile.reads) text += "ACGTN*"[read.base];
  return text;
}

std::vector<SitePileup> pileup_of(const std::string& reads,
                                  const std::vector<std::int64_t>& places) {
  Task task = task_of(Operation::kPileup);
  for (const std::int64_t place : places) task.sites.push_back({"20", place});
  const std::string sam = kHeader + reads;
  auto piles = run_pileup(task, input_of(sam), options());
  EXPECT_TRUE(piles) << piles.error().message;
  return piles ? *piles : std::vector<SitePileup>(places.size());
}

TEST(PileupTest, BasesFollowTheCigar) {
  // Reference positions from 0: 10 11 | 2 inserted | 12 13 | 14 15 deleted | 16 17; 1 clipped in
  // front.
  const auto piles = pileup_of("a\t0\t20\t11\t60\t1S2M2I2M2D2M\t*\t0\t0\tTACGGTTCA\tIIIIIIIII\n",
                               {9, 10, 11, 12, 13, 14, 16, 17, 18});
  std::string text;
  for (const SitePileup& pile : piles) text += bases(pile).empty() ? "-" : bases(pile);
  EXPECT_EQ(text, "-ACTT*CA-");
  EXPECT_EQ(piles[2].reads[0].inserted, 2);
  EXPECT_EQ(piles[4].reads[0].inserted, -2);
  EXPECT_EQ(piles[1].reads[0].base_quality, 'I' - 33);
}

TEST(PileupTest, WeakReadsAndDoublesDoNotCountAndMatesCountOnce) {
  const std::string reads =
      "ok\t0\t20\t11\t20\t3M\t*\t0\t0\tAAA\tIII\n"
      "lowmap\t0\t20\t11\t19\t3M\t*\t0\t0\tCCC\tIII\n"
      "double\t1024\t20\t11\t60\t3M\t*\t0\t0\tCCC\tIII\n"
      "second\t256\t20\t11\t60\t3M\t*\t0\t0\tCCC\tIII\n"
      "failed\t512\t20\t11\t60\t3M\t*\t0\t0\tCCC\tIII\n"
      "apart\t1\t20\t11\t60\t3M\t=\t800\t0\tCCC\tIII\n"
      "lowbase\t0\t20\t11\t60\t3M\t*\t0\t0\tCCC\tI,I\n"
      "pair\t99\t20\t11\t60\t3M\t=\t11\t3\tGGG\t555\n"
      "pair\t147\t20\t11\t60\t3M\t=\t11\t-3\tTTT\tIII\n";
  const auto piles = pileup_of(reads, {10, 11});
  EXPECT_EQ(bases(piles[0]), "ACT");
  EXPECT_EQ(bases(piles[1]), "AT");
  EXPECT_TRUE(piles[0].reads[2].reverse);
}

TEST(PileupTest, DepthIsBoundedAndToldAndUnknownReferencesAreEmpty) {
  std::string reads;
  for (int i = 0; i < 50; ++i)
    reads += "r" + std::to_string(i) + "\t0\t20\t11\t60\t1M\t*\t0\t0\tA\tI\n";
  Task task = task_of(Operation::kPileup);
  task.sites = {{"20", 10}, {"22", 10}};
  task.most_reads_per_site = 20;
  const std::string sam = kHeader + reads;
  const auto piles = run_pileup(task, input_of(sam), options());
  ASSERT_TRUE(piles) << piles.error().message;
  EXPECT_EQ((*piles)[0].reads.size(), 20U);
  EXPECT_EQ((*piles)[0].left_out, 30U);
  EXPECT_TRUE((*piles)[1].reads.empty());
}

// BAM is trimmed to BAM and read back as records by the digest of the same process.
TEST(TrimTest, RecordsAreTakenOnceAndWhatPointsOutsideGoes) {
  const std::string sam = kHeader +
                          "in\t99\t20\t11\t60\t10M\t=\t21\t20\tAAAAAAAAAA\tIIIIIIIIII\tRG:Z:r\n"
                          "in\t147\t20\t21\t60\t10M\t=\t11\t-20\tAAAAAAAAAA\tIIIIIIIIII\tMQ:i:60\n"
                          "out\t97\t20\t22\t60\t10M\t21\t500\t0\tAAAAAAAAAA\tIIIIIIIIII\tMC:Z:"
                          "10M\tSA:Z:21,500,+,10M,9,0;\n"
                          "far\t0\t20\t700\t60\t10M\t*\t0\t0\tAAAAAAAAAA\tIIIIIIIIII\n"
                          "none\t4\t*\t0\t0\t*\t*\t0\t0\tAAAAAAAAAA\tIIIIIIIIII\n";
  Task task = task_of(Operation::kTrim);
  task.regions = {{"20", 15, 25}, {"20", 10, 12}, {"20", 24, 30}};
  Bytes bam;
  const auto keep = [&](ByteView part) -> Result<> {
    bam.insert(bam.end(), part.begin(), part.end());
    return {};
  };
  const auto done = run_writing(task, input_of(sam), keep, options());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->records_read, 5U);
  EXPECT_EQ(done->records_written, 3U);
  const auto header = parse_header(bam, "made.bam");
  ASSERT_TRUE(header) << header.error().message;
  for (const char* word : {"Taro", "flowcell7", "/home/lab", "patient", "CL:"}) {
    EXPECT_EQ(header->text.find(word), std::string::npos) << word;
  }
  EXPECT_NE(header->text.find("SM:sample"), std::string::npos);
  // The same records, blanked by hand.
  const std::string expected =
      kHeader +
      "in\t99\t20\t11\t60\t10M\t=\t21\t20\tAAAAAAAAAA\tIIIIIIIIII\tRG:Z:r\n"
      "in\t147\t20\t21\t60\t10M\t=\t11\t-20\tAAAAAAAAAA\tIIIIIIIIII\tMQ:i:60\n"
      "out\t97\t20\t22\t60\t10M\t*\t0\t0\tAAAAAAAAAA\tIIIIIIIIII\n";
  const Task digest = task_of(Operation::kDigest);
  const auto got = run_digest(digest, {.descriptor = -1, .memory = bam}, options());
  const auto wanted = run_digest(digest, input_of(expected), options());
  ASSERT_TRUE(got && wanted);
  EXPECT_EQ(*got, *wanted);
}

// What a pipe gives once, htslib's own builder reads of a file that it may open: both make the
// same.
TEST(IndexTest, OfASourceIsTheOneOfTheFile) {
  std::string reads;
  std::string variants =
      "##fileformat=VCFv4.2\n##contig=<ID=20,length=1000000>\n"
      "##contig=<ID=21,length=900>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER"
      "\tINFO\n";
  for (int i = 1; i < 900; ++i) {
    const std::string at = std::to_string(i);
    reads += "r" + at + "\t0\t20\t" + at + "\t60\t4M\t*\t0\t0\tACGT\tIIII\n";
    variants += "20\t" + std::to_string(i * 1000) + "\t.\tA\tC\t.\t.\t.\n";
  }
  struct Kind {
    Output output;
    IndexKind index;
  };
  for (const Kind kind :
       {Kind{Output::kBam, IndexKind::kBai}, Kind{Output::kBam, IndexKind::kCsi},
        Kind{Output::kCram, IndexKind::kCrai}, Kind{Output::kVcfGz, IndexKind::kTbi},
        Kind{Output::kVcfGz, IndexKind::kCsi}, Kind{Output::kBcf, IndexKind::kCsi}}) {
    SCOPED_TRACE(std::string(output_name(kind.output)));
    const bool is_reads = kind.output == Output::kBam || kind.output == Output::kCram;
    Task make = task_of(Operation::kTrim);
    make.output = kind.output;
    make.regions = {{"20", 0, 1'000'000}, {"21", 0, 900}};
    Bytes file;
    const auto into = [](Bytes& bytes) {
      return [&bytes](ByteView part) -> Result<> {
        bytes.insert(bytes.end(), part.begin(), part.end());
        return {};
      };
    };
    const auto made =
        run_writing(make, input_of(is_reads ? kHeader + reads : variants), into(file), options());
    ASSERT_TRUE(made) << made.error().message;
    auto unnamed = os::unnamed_file("/tmp");
    ASSERT_TRUE(unnamed && unnamed->write(file));
    unnamed->rewind();
    Task index = task_of(Operation::kIndex);
    index.index_kind = kind.index;
    Bytes of_file;
    const auto first =
        run_writing(index, {.descriptor = unnamed->get(), .memory = {}}, into(of_file), options());
    ASSERT_TRUE(first) << first.error().message;
    Bytes of_source;
    std::size_t at = 0;
    const auto second = run_writing(
        index,
        {.descriptor = -1,
         .memory = {},
         .source = [&](MutableBytes out) -> Result<std::size_t> {
           const std::size_t part = std::min({out.size(), std::size_t{1000}, file.size() - at});
           copy_bytes(out, ByteView(file).subspan(at, part));
           at += part;
           return part;
         }},
        into(of_source), options());
    ASSERT_TRUE(second) << second.error().message;
    const auto one = parse_index(of_file, "one");
    const auto other = parse_index(of_source, "other");
    ASSERT_TRUE(one && other);
    EXPECT_EQ(of_source, of_file);
  }
}

TEST(IndexTest, WhatFailsInTheSourceFailsTheCall) {
  Task index = task_of(Operation::kIndex);
  const auto done = run_writing(
      index,
      {.descriptor = -1,
       .memory = {},
       .source = [](MutableBytes) -> Result<std::size_t> { return fail(Code::kIo, "the disk"); }},
      [](ByteView) -> Result<> { return {}; }, options());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the disk");
}

TEST(DigestTest, OneChangedFieldIsAnotherDigest) {
  const std::string line = "a\t99\t20\t11\t60\t4M\t=\t21\t20\tACGT\tIIII\tNM:i:1\tRG:Z:r\n";
  const auto digest_of = [](const std::string& reads) {
    const std::string sam = kHeader + reads;
    const auto digest = run_digest(task_of(Operation::kDigest), input_of(sam), options());
    EXPECT_TRUE(digest) << digest.error().message;
    return digest ? digest->digest : std::array<Byte, 32>{};
  };
  const auto before = digest_of(line);
  for (const char* other : {"b\t99\t20\t11\t60\t4M\t=\t21\t20\tACGT\tIIII\tNM:i:1\tRG:Z:r\n",
                            "a\t97\t20\t11\t60\t4M\t=\t21\t20\tACGT\tIIII\tNM:i:1\tRG:Z:r\n",
                            "a\t99\t20\t12\t60\t4M\t=\t21\t20\tACGT\tIIII\tNM:i:1\tRG:Z:r\n",
                            "a\t99\t20\t11\t60\t4M\t=\t22\t20\tACGT\tIIII\tNM:i:1\tRG:Z:r\n",
                            "a\t99\t20\t11\t60\t4M\t=\t21\t21\tACGT\tIIII\tNM:i:1\tRG:Z:r\n",
                            "a\t99\t20\t11\t60\t4M\t=\t21\t20\tACGA\tIIII\tNM:i:1\tRG:Z:r\n",
                            "a\t99\t20\t11\t60\t4M\t=\t21\t20\tACGT\tIIIH\tNM:i:1\tRG:Z:r\n",
                            "a\t99\t20\t11\t60\t4M\t=\t21\t20\tACGT\tIIII\tNM:i:2\tRG:Z:r\n",
                            "a\t99\t20\t11\t60\t4M\t=\t21\t20\tACGT\tIIII\tNM:i:1\n"}) {
    EXPECT_NE(digest_of(other), before) << other;
  }
  EXPECT_EQ(digest_of("a\t99\t20\t11\t60\t4M\t=\t21\t20\tACGT\tIIII\tRG:Z:r\tNM:i:1\n"), before);
}

}  // namespace
}  // namespace warifu::genome_helper
