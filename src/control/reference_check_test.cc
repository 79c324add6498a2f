// What a site lacks of a CRAM's reference: by name, length and bases, and how it is told.
#include "control/reference_check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "crypto/running_digest.h"
#include "genome/cram_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::control {
namespace {

constexpr std::string_view kOne = "ACGTACGTAC";
constexpr std::string_view kTwo = "GGGGCCCCTT";

std::array<Byte, 16> md5_of(std::string_view bases) {
  auto md5 = crypto::RunningDigest::md5();
  md5->add(as_bytes(bases));
  std::array<Byte, 16> digest{};
  copy_bytes(digest, *from_hex(md5->finish()));
  return digest;
}

// A file of two sequences with reads and one without, and where its FASTA is.
class ReferenceCheck : public testing::Test {
 protected:
  ReferenceCheck() {
    write("ref.fa", ">chr1\nACGTACGTAC\n>2\nGGGGCCCCTT\n");
    write("ref.fa.fai", "chr1\t10\t6\t10\t11\n2\t10\t20\t10\t11\n");
    lead_.assembly = "GRCh38";
    lead_.references = {{"1", 10, ""}, {"chr2", 10, ""}, {"3", 10, ""}};
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ + "/" + name) << text;
  }

  // Containers of sequences 0 and 1, one behind the other.
  Result<std::optional<LackingReference>> look(
      genome::made::Container first = {}, genome::made::Container second = {},
      const std::map<std::string, std::string>& configured = {}) {
    const auto at = [](genome::made::Container& one, std::int32_t id, std::string_view bases) {
      one.reference = id;
      one.start = 1;
      one.span = 10;
      if (one.md5[15] == 15) one.md5 = md5_of(bases);
    };
    at(first, 0, kOne);
    at(second, 1, kTwo);
    Bytes file = {'C', 'R', 'A', 'M', 3, 0};
    file.resize(100);
    std::string index;
    for (const auto& [id, made] : {std::pair(0, first), std::pair(1, second)}) {
      index += std::to_string(id) + "\t1\t10\t" + std::to_string(file.size()) + "\t20\t30\n";
      const Bytes container = genome::made::container(made);
      file.insert(file.end(), container.begin(), container.end());
    }
    lead_.index.assign(index.begin(), index.end());
    lead_.file = {.bytes = file.size() + 38, .trailer_bytes = 38};
    const auto read = [&](std::uint64_t from, MutableBytes out) -> Result<> {
      copy_bytes(out, ByteView(file).subspan(from, out.size()));
      return {};
    };
    return find_lacking_reference(lead_, read, {.name = "tommo", .reference_files = configured},
                                  os::real_files());
  }
  [[nodiscard]] std::map<std::string, std::string> named() const {
    return {{"GRCh38", dir_ + "/ref.fa"}};
  }

  sim::TemporaryFolder dir_;
  genome::Lead lead_;
};

TEST_F(ReferenceCheck, NothingLacksWhereNamesLengthsAndBasesAreThere) {
  const auto found = look({}, {}, named());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(*found);
}

TEST_F(ReferenceCheck, WithoutAConfiguredReferenceAllThatNeedItLack) {
  const auto found = look({}, {}, {{"GRCh37", dir_ + "/ref.fa"}});
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->sequences, 2u);
  EXPECT_EQ((*found)->lacking, 2u);
  EXPECT_EQ((*found)->names, (std::vector<std::string>{"1", "chr2"}));
  const std::string text = (*found)->text();
  EXPECT_NE(text.find("2 of the 2 sequences"), std::string::npos) << text;
  EXPECT_NE(text.find("references = [\"GRCh38=FILE.fa\"]"), std::string::npos) << text;
}

TEST_F(ReferenceCheck, WhatHoldsItsBasesNeedsNone) {
  const auto found = look({.required = false}, {.embedded = 11});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(*found);
}

TEST_F(ReferenceCheck, OtherBasesOrAnotherLengthAreToldApartFromNone) {
  genome::made::Container other;
  other.md5 = md5_of("TTTTTTTTTT");
  auto found = look(other, {}, named());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->lacking, 1u);
  EXPECT_EQ((*found)->differing, 1u);
  lead_.references[1].length = 11;
  found = look({}, {}, named());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->names, std::vector<std::string>{"chr2"});
  EXPECT_EQ((*found)->differing, 1u);
  lead_.references[1] = {"chrUn_7", 10, ""};
  found = look({}, {}, named());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->differing, 0u);
}

TEST_F(ReferenceCheck, AFastaThatCannotBeReadIsTold) {
  std::filesystem::remove(dir_ + "/ref.fa.fai");
  const auto found = look({}, {}, named());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->lacking, 2u);
  EXPECT_NE((*found)->text().find("cannot be read"), std::string::npos) << (*found)->text();
}

TEST_F(ReferenceCheck, AVariantFileNeedsNoneAndAWrongIndexIsAnError) {
  lead_.kind = genome::FileKind::kVcf;
  EXPECT_FALSE(*look());
  lead_.kind = genome::FileKind::kCram;
  lead_.references.resize(1);
  EXPECT_EQ(look().error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace warifu::control
