// The pages as they are embedded: whole, of known types, with names that fit their content.
#include "web/pages.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "web/assets.h"

namespace warifu::web {
namespace {

TEST(Pages, AreSortedAndThere) {
  const auto all = assets();
  if (all.empty()) GTEST_SKIP() << "built without pages";
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, &Asset::name));
  ASSERT_NE(find_asset("index.html"), nullptr);
  EXPECT_EQ(find_asset("index.htm"), nullptr);
  for (const Asset& one : all) {
    EXPECT_FALSE(one.plain.empty()) << one.name;
    EXPECT_TRUE(one.gzip.size() < one.plain.size() && one.brotli.size() < one.plain.size());
    EXPECT_TRUE(one.etag.starts_with('"') && one.etag.ends_with('"')) << one.name;
  }
}

// What the document loads is there, and nothing in it is inline or comes from elsewhere.
TEST(Pages, TheDocumentFitsItsPolicy) {
  const Asset* document = find_asset("index.html");
  if (document == nullptr) GTEST_SKIP() << "built without pages";
  const std::string text(as_text(document->plain));
  for (const char* attribute : {"src=\"", "href=\""}) {
    for (std::size_t at = text.find(attribute); at != std::string::npos;
         at = text.find(attribute, at + 1)) {
      const std::size_t begin = at + std::string_view(attribute).size();
      const std::string path = text.substr(begin, text.find('"', begin) - begin);
      EXPECT_TRUE(path.starts_with("/assets/")) << path;
      EXPECT_NE(find_asset(path.substr(1)), nullptr) << path;
    }
  }
  EXPECT_EQ(text.find("<style"), std::string::npos);
  EXPECT_EQ(text.find("style="), std::string::npos);
  EXPECT_EQ(text.find("onload"), std::string::npos);
  EXPECT_EQ(text.find("<script>"), std::string::npos);
}

}  // namespace
}  // namespace warifu::web
