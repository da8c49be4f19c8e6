// CSV that every reader takes, whatever callers have named their agents.
#include "proxy/text/csv.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::admin {
namespace {

std::string cell(std::string_view text) {
  csv_writer out;
  out.text(text).end_row();
  return out.take();
}

TEST(csv_cells, is_utf_8_without_zero_bytes) {
  EXPECT_EQ(cell("caf\xE9"), "caf\xEF\xBF\xBD\r\n");
  EXPECT_EQ(cell("caf\xC3\xA9"), "caf\xC3\xA9\r\n");
  EXPECT_EQ(cell(std::string_view{"a\0b", 3}),
            "a\xEF\xBF\xBD"
            "b\r\n");
}

TEST(csv_cells, is_no_formula) {
  for (const std::string text : {"=1", "+1", "-1", "@x", "\t=1", "\r=1"}) {
    EXPECT_EQ(cell(text), "\"'" + text + "\"\r\n");
  }
}

}  // namespace
}  // namespace tollgate::proxy::admin
