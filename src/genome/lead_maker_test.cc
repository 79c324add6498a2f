// Leads from an index and a file's ends: what is asked for, and what is refused. Whole ones are made
// end to end, of real files.
#include "genome/lead_maker.h"

#include <gtest/gtest.h>

namespace warifu::genome {
namespace {

constexpr std::string_view kCrai = "0\t101\t50\t1000\t20\t300\n";

Result<LeadMaker> maker(std::string_view index, std::uint64_t bytes = 10'000) {
  return LeadMaker::open({index.begin(), index.end()}, bytes, "x.cram");
}

TEST(LeadMaker, AsksForTheHeaderAndTheEnds) {
  const auto made = maker(kCrai);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->head_bytes(), 1000u);
  EXPECT_EQ(made->tail_bytes(), kEndsBytes);
  // Where the header is shorter than what tells how a file ends.
  EXPECT_EQ(maker("0\t101\t50\t30\t20\t300\n")->head_bytes(), kEndsBytes);
}

TEST(LeadMaker, AnIndexThatIsNoneOrOfAnotherFileIsRefused) {
  EXPECT_EQ(maker("hello\n").error().code, Code::kCorrupt);
  EXPECT_EQ(maker("0\t1\t1\t20000\t20\t300\n").error().code, Code::kCorrupt);
  const auto long_header = maker("0\t1\t1\t200000000\t20\t300\n", 1ULL << 34U);
  ASSERT_FALSE(long_header);
  EXPECT_NE(long_header.error().message.find("64 MiB"), std::string::npos);
}

TEST(LeadMaker, OtherBytesThanWereAskedForAreRefused) {
  const auto made = maker(kCrai);
  ASSERT_TRUE(made);
  Bytes head(1000, 'x');
  const Bytes tail(kEndsBytes);
  EXPECT_EQ(made->make(ByteView(head).first(999), tail, "").error().code, Code::kInvalidArgument);
  EXPECT_EQ(made->make(head, ByteView(tail).first(1), "").error().code, Code::kInvalidArgument);
  EXPECT_NE(made->make(head, tail, "").error().message.find("neither CRAM"), std::string::npos);
  copy_bytes(MutableBytes(head), as_bytes("CRAM\3"));
  EXPECT_EQ(made->make(head, tail, "GRCh38").error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace warifu::genome
