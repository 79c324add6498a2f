// The second factor: right and wrong passphrases, confirmations that serve once, and the pause.
#include "operators/passphrases.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::operators {
namespace {

constexpr std::string_view kRight = "correct horse battery";

class PassphrasesTest : public testing::Test {
 protected:
  PassphrasesTest() { EXPECT_TRUE(set_passphrase(system_, "operators", "sato", as_bytes(kRight))); }
  Result<std::string> confirm(std::string_view passphrase, const std::string& name = "sato") {
    return passphrases_.confirm(name, as_bytes(passphrase));
  }

  sim::SimDisk disk_;
  sim::SimClock clock_;
  sim::SimRandom random_{7};
  os::System system_{disk_, clock_, random_};
  Passphrases passphrases_{system_, "operators"};
};

TEST_F(PassphrasesTest, ARightOneConfirmsOneActOfItsOperator) {
  const std::string confirmation = confirm(kRight).value();
  EXPECT_FALSE(passphrases_.spend("mori", confirmation));
  EXPECT_FALSE(passphrases_.spend("sato", std::string(32, '0')));
  EXPECT_FALSE(passphrases_.spend("sato", "none"));
  EXPECT_TRUE(passphrases_.spend("sato", confirmation));
  EXPECT_FALSE(passphrases_.spend("sato", confirmation));
}

TEST_F(PassphrasesTest, AConfirmationIsShortLived) {
  const std::string confirmation = confirm(kRight).value();
  clock_.advance(kConfirmationLife);
  EXPECT_FALSE(passphrases_.spend("sato", confirmation));
}

TEST_F(PassphrasesTest, WrongOnesAreRefusedAndThenNothingIsTried) {
  for (unsigned i = 0; i < kTriesInARow; ++i) {
    EXPECT_EQ(confirm("correct horse batterY").error().message, "wrong passphrase");
  }
  EXPECT_NE(confirm(kRight).error().message.find("nothing is tried"), std::string::npos);
  clock_.advance(kPause);
  EXPECT_TRUE(confirm(kRight));
}

TEST_F(PassphrasesTest, ARightOneForgivesWrongOnes) {
  for (unsigned i = 0; i < 2 * kTriesInARow; ++i) {
    EXPECT_EQ(confirm(i % 2 == 0 ? "wrong passphrase" : kRight).has_value(), i % 2 == 1);
  }
}

TEST_F(PassphrasesTest, WithoutOneNothingIsConfirmed) {
  EXPECT_EQ(confirm(kRight, "mori").error().code, Code::kRefused);
}

TEST_F(PassphrasesTest, TheFileHasTheFormOfTheReferenceProgram) {
  const Bytes text = os::read_file(disk_, "operators/sato", 1024).value();
  EXPECT_TRUE(as_text(text).starts_with("$argon2id$v=19$m=65536,t=3,p=1$"));
  // RFC 9106's algorithm, by the reference program: echo -n password | argon2 somesalt -id -t 2 -m
  // 16 -p 1 -l 32 (test vector of the reference implementation, test.c).
  ASSERT_TRUE(os::replace_file(disk_, "operators/vector",
                               as_bytes("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
                                        "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc\n")));
  EXPECT_TRUE(confirm("password", "vector"));
  EXPECT_FALSE(confirm("Password", "vector"));
}

TEST_F(PassphrasesTest, ADamagedFileIsToldAndShortOnesAreNotTaken) {
  ASSERT_TRUE(os::replace_file(disk_, "operators/mori", as_bytes("$argon2id$v=19$m=6")));
  EXPECT_EQ(confirm(kRight, "mori").error().code, Code::kCorrupt);
  EXPECT_EQ(set_passphrase(system_, "operators", "mori", as_bytes("short")).error().code,
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace warifu::operators
