// The reference text of a view: bases within the consent and lengths, nothing else.
#include "viewing/reference.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/temporary_folder.h"

namespace warifu::viewing {
namespace {

class Reference : public testing::Test {
 protected:
  Reference() {
    std::ofstream(dir_ + "/ref.fa") << ">chr1\nACGTACGTAC\n";
    std::ofstream(dir_ + "/ref.fa.fai") << "chr1\t10\t6\t10\t11\n";
    consented_.references = {{"1", 10, ""}, {"2", 500, ""}};
    consented_.regions = {{"1", 2, 6}, {"2", 99, 200}};
  }
  sim::TemporaryFolder dir_;
  htsget::Consented consented_;
};

TEST_F(Reference, HasTheConsentedBasesAndAllLengths) {
  const auto text = reference_text(os::real_files(), dir_ + "/ref.fa", consented_);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, ">1:3-6 @len=10\nGTAC\n>2:100-100 @len=500\nN\n");
}

TEST_F(Reference, WithoutAFastaLengthsAlone) {
  const auto text = reference_text(os::real_files(), "", consented_);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, ">1:3-3 @len=10\nN\n>2:100-100 @len=500\nN\n");
}

TEST_F(Reference, AnotherAssemblyIsRefused) {
  consented_.references[0].length = 11;
  EXPECT_FALSE(reference_text(os::real_files(), dir_ + "/ref.fa", consented_));
  EXPECT_FALSE(reference_text(os::real_files(), dir_ + "/none.fa", consented_));
}

}  // namespace
}  // namespace warifu::viewing
