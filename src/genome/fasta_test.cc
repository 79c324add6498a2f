// Pieces of a reference against the whole of it.
#include "genome/fasta.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "testing/temporary_folder.h"

namespace warifu::genome {
namespace {

class Fasta : public testing::Test {
 protected:
  Fasta() {
    write("ref.fa", ">chr1 one\nACGTAC\nGTACGT\nAC\n>chr2\nnnnnac\ngt*\n");
    write("ref.fa.fai", "chr1\t14\t10\t6\t7\nchr2\t9\t33\t6\t7\n");
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
  }
  Result<ReferenceFile> open() { return ReferenceFile::open(os::real_files(), dir_ + "/ref.fa"); }
  sim::TemporaryFolder dir_;
};

TEST_F(Fasta, EveryPieceIsThatOfTheWhole) {
  const auto reference = open();
  ASSERT_TRUE(reference) << reference.error().message;
  const std::string whole = "ACGTACGTACGTAC";
  EXPECT_EQ(reference->length_of("chr1"), 14U);
  for (std::size_t start = 0; start < whole.size(); ++start) {
    for (std::size_t end = start; end <= whole.size() + 2; ++end) {
      const auto piece = reference->bases("1", start, end);
      ASSERT_TRUE(piece) << piece.error().message;
      EXPECT_EQ(*piece, whole.substr(start, end - start));
    }
  }
  EXPECT_EQ(reference->bases("chr2", 0, 9), "NNNNACGTN");
  EXPECT_EQ(reference->bases("chr2", 9, 12), "");
  EXPECT_EQ(reference->bases("chr3", 0, 1).error().code, Code::kNotFound);
  EXPECT_FALSE(reference->length_of("chr3"));
}

TEST_F(Fasta, BadIndexesAreNamedByTheirLine) {
  for (const char* line : {"chr1\t14\t10\t6", "chr1\t14\t10\t0\t7", "chr1\t14\t10\t6\t5",
                           "chr1\t-1\t10\t6\t7", "chr1\tx\t10\t6\t7", "\t14\t10\t6\t7",
                           // Places that wrap: 65,536 lines on, it is at its beginning again.
                           "chr1\t65537\t0\t1\t281474976710656"}) {
    write("ref.fa.fai", std::string("chr2\t9\t33\t6\t7\n") + line + "\n");
    const auto reference = open();
    ASSERT_FALSE(reference) << line;
    EXPECT_NE(reference.error().message.find("line 2"), std::string::npos);
  }
  write("ref.fa.fai", "chr1\t1400\t10\t6\t7\n");
  const auto reference = open();
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->bases("chr1", 0, 1000).error().code, Code::kCorrupt);
  std::filesystem::remove(dir_ + "/ref.fa.fai");
  EXPECT_FALSE(open());
}

}  // namespace
}  // namespace warifu::genome
