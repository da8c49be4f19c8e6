#include "quota/redis/append_only_file.hpp"

#include <string_view>

#include <gtest/gtest.h>

#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {
namespace {

std::optional<std::uint64_t> whole(std::string content) {
  content.reserve(content.size() + 1);
  std::FILE* file = fmemopen(content.data(), std::max<std::size_t>(content.size(), 1), "r");
  if (content.empty()) std::fgetc(file);
  const auto length = whole_length(file);
  std::fclose(file);
  return length;
}

std::string command(std::initializer_list<std::string_view> arguments) {
  std::string encoded;
  append_command(encoded, arguments);
  return encoded;
}

const std::string set = command({"SET", "key", "value with\r\n*3\r\n in it"});
const std::string transaction =
    command({"MULTI"}) + command({"XADD", "l", "1-0", "a", "1"}) + set + command({"EXEC"});

TEST(append_only_file, a_complete_file_is_whole) {
  EXPECT_EQ(whole(""), 0u);
  EXPECT_EQ(whole(set), set.size());
  const auto content = command({"SELECT", "0"}) + set + transaction + set;
  EXPECT_EQ(whole(content), content.size());
}

TEST(append_only_file, ends_before_what_was_cut_short) {
  const auto content = set + transaction;
  for (std::size_t length = 0; length < content.size(); ++length) {
    const auto expected = length < set.size() ? 0 : set.size();
    EXPECT_EQ(whole(content.substr(0, length)), expected) << length;
  }
}

TEST(append_only_file, later_transactions_do_not_hide_that_one_is_open) {
  const auto content = set + command({"MULTI"}) + set;
  EXPECT_EQ(whole(content + command({"GET"})), set.size());
}

TEST(append_only_file, reads_annotations) {
  const auto content = "#TS:1700000000\r\n" + set;
  EXPECT_EQ(whole(content), content.size());
}

TEST(append_only_file, leaves_alone_what_is_something_else) {
  EXPECT_FALSE(whole("REDIS0010\n"));
  EXPECT_FALSE(whole(set + "hello\r\n"));
  EXPECT_FALSE(whole("*x\r\n"));
  EXPECT_FALSE(whole("*1\r\n+OK\r\n"));
}

TEST(append_only_file, a_directory_without_one_needs_no_mending) {
  EXPECT_EQ(mend_append_only_file("/nowhere"), 0u);
}

}  // namespace
}  // namespace tollgate::quota::redis
