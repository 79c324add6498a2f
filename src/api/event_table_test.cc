// Differences of tables, as clients take them in; and searching the log.
#include "api/event_table.h"

#include <gtest/gtest.h>

namespace warifu::api {
namespace {

TEST(EventTable, TellsWhatChangedAndNothingElse) {
  EventTable table;
  EXPECT_EQ(table.take({{"a", "1"}, {"b", "2"}}), R"({"set":[1,2],"gone":[]})");
  EXPECT_EQ(table.take({{"a", "1"}, {"b", "2"}}), "");
  EXPECT_EQ(table.take({{"b", "3"}, {"c", "4"}}), R"({"set":[3,4],"gone":["a"]})");
  EXPECT_EQ(table.whole(), R"({"full":true,"set":[3,4]})");
  EXPECT_EQ(table.take({}), R"({"set":[],"gone":["b","c"]})");
  EXPECT_EQ(table.whole(), R"({"full":true,"set":[]})");
}

TEST(EventTable, KeysAreWrittenAsJson) {
  EventTable table;
  (void)table.take({{"a \"b\"", "1"}});
  EXPECT_EQ(table.take({}), R"({"set":[],"gone":["a \"b\""]})");
}

}  // namespace
}  // namespace warifu::api
