// Targets, parameters and error bodies; certificates on disk.
#include "http/message.h"

#include <gtest/gtest.h>

#include "http/http_test_support.h"

namespace warifu::http {
namespace {

TEST(PemFiles, NothingIsReplacedAndTheKeyIsPrivate) {
  const TestIdentities identities;
  const auto again = write_pem_files(os::real_files(), identities.dir() + "/ca.pem",
                                     identities.dir() + "/new.key", identities.ca());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(identities.dir() + "/ca.key").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  const auto read =
      read_pem_files(os::real_files(), identities.dir() + "/ca.pem", identities.dir() + "/ca.key");
  ASSERT_TRUE(read);
  EXPECT_TRUE(crypto::issue_certificate(*read, {.common_name = "x"}));
}

TEST(Messages, QueriesAndEncoding) {
  const auto query = *Query::parse("a=1&b=x%20y+z&a=2&flag&=v");
  EXPECT_EQ(*query.find("a"), "1");
  EXPECT_TRUE(query.repeated("a"));
  EXPECT_FALSE(query.repeated("b"));
  EXPECT_EQ(*query.find("b"), "x y z");
  EXPECT_EQ(*query.find("flag"), "");
  EXPECT_FALSE(query.find("c"));
  EXPECT_FALSE(Query::parse("a=%"));
  EXPECT_EQ(error_json("a\"b\\c\nü"), "{\"message\":\"a\\\"b\\\\c???\"}");
}

}  // namespace
}  // namespace warifu::http
