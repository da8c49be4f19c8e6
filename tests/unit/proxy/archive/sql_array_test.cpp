#include "proxy/archive/sql_array.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::archive {
namespace {

TEST(sql_array, is_postgresqls_text_form) {
  EXPECT_EQ(sql_array{}.text(), "{}");
  EXPECT_EQ(sql_array{}.add(std::int64_t{1}).add(std::int64_t{-20}).text(), "{1,-20}");
  EXPECT_EQ(sql_array{}.add("a").add("").add("NULL").text(), R"({"a","","NULL"})");
  EXPECT_EQ(sql_array{}.add(R"(a"b\c,{d})").text(), R"({"a\"b\\c,{d}"})");
}

TEST(sql_array, repairs_what_no_database_takes) {
  EXPECT_EQ(sql_array{}.add("caf\xe9").text(), "{\"caf\xEF\xBF\xBD\"}");
  EXPECT_EQ(sql_array{}.add(std::string_view{"a\0b", 3}).text(),
            "{\"a\xEF\xBF\xBD"
            "b\"}");
  EXPECT_EQ(sql_array{}.add("\xed\xa0\x80").text(), "{\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace tollgate::proxy::archive
