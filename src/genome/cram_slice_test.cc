// Heads of CRAM slices, byte by byte. That htslib writes them so is tested end to end.
#include "genome/cram_slice.h"

#include <gtest/gtest.h>

#include "genome/cram_test_support.h"

namespace warifu::genome {
namespace {

Result<SliceReference> parsed(const made::Container& head) {
  return parse_slice_reference(made::container(head), head.major, "x.cram");
}

TEST(CramSlice, TellsReferencePlaceAndDigest) {
  for (const bool is_packed : {false, true}) {
    for (const unsigned major : {2U, 3U}) {
      const auto found = parsed({.major = major, .is_packed = is_packed});
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_TRUE(found->is_needed);
      EXPECT_EQ(found->reference, 3);
      EXPECT_EQ(found->start, 1000);
      EXPECT_EQ(found->end, 1500);
      EXPECT_EQ(found->md5[15], 15);
    }
  }
}

TEST(CramSlice, NeedsNoReferenceWhereItSaysSoOrHoldsIt) {
  EXPECT_FALSE(parsed({.required = false})->is_needed);
  EXPECT_FALSE(parsed({.embedded = 11})->is_needed);
  EXPECT_TRUE(parsed({.tells = false})->is_needed);  // the specification's default
  EXPECT_EQ(parsed({.reference = -2})->reference, -2);
}

TEST(CramSlice, WhatIsCutShortIsRefused) {
  const Bytes whole = made::container({});
  // The checksum behind the last block is not looked at.
  for (std::size_t size = 0; size + 4 < whole.size(); ++size) {
    const auto found = parse_slice_reference(ByteView(whole).first(size), 3, "x.cram");
    ASSERT_FALSE(found) << size;
    EXPECT_EQ(found.error().code, Code::kCorrupt);
  }
}

TEST(CramSlice, AnyChangedByteIsRefusedOrHarmless) {
  const Bytes whole = made::container({.is_packed = true});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const Byte flip : {Byte{1}, Byte{0x80}, Byte{0xff}}) {
      Bytes changed = whole;
      changed[at] ^= flip;
      const auto found = parse_slice_reference(changed, 3, "x.cram");
      EXPECT_TRUE(found || found.error().code == Code::kCorrupt) << at;
    }
  }
}

TEST(CramSlice, FirstSlicesOfEachReference) {
  Index index;
  index.slices = {{.reference = 1, .container = 900},
                  {.reference = 0, .container = 200},
                  {.reference = 0, .container = 100},
                  {.reference = kUnplaced, .container = 50}};
  const auto found = first_slices(index);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].container, 100u);
  EXPECT_EQ(found[1].reference, 1);
}

}  // namespace
}  // namespace warifu::genome
