#include "quota/redis/append_only_file.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

#include "quota/redis/append_only_manifest.hpp"
#include "quota/redis/append_only_parser.hpp"
#include "quota/redis/append_only_watch.hpp"
#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {
namespace {

namespace fs = std::filesystem;

std::string command(std::initializer_list<std::string_view> arguments) {
  std::string encoded;
  append_command(encoded, arguments);
  return encoded;
}

const std::string set = command({"SET", "key", "value with\r\n*3\r\n in it"});
const std::string transaction =
    command({"MULTI"}) + command({"XADD", "l", "1-0", "a", "1"}) + set + command({"EXEC"});

append_only_parser parse(std::string_view content) {
  append_only_parser parser;
  parser.feed(content);
  parser.finish();
  return parser;
}

// The length of the complete part; nothing: damaged.
std::optional<std::uint64_t> whole(std::string_view content) {
  const auto parser = parse(content);
  if (parser.damaged()) return std::nullopt;
  return parser.whole();
}

std::optional<std::uint64_t> damaged_at(std::string_view content) {
  const auto parser = parse(content);
  if (!parser.damaged()) return std::nullopt;
  return parser.damaged()->offset;
}

TEST(append_only_parser, a_complete_file_is_whole) {
  EXPECT_EQ(whole(""), 0u);
  EXPECT_EQ(whole(set), set.size());
  const auto content = command({"SELECT", "0"}) + set + transaction + set;
  EXPECT_EQ(whole(content), content.size());
}

TEST(append_only_parser, ends_before_what_was_cut_short) {
  const auto content = set + transaction;
  for (std::size_t length = 0; length < content.size(); ++length) {
    const auto expected = length < set.size() ? 0 : set.size();
    EXPECT_EQ(whole(content.substr(0, length)), expected) << length;
  }
}

TEST(append_only_parser, later_commands_do_not_hide_that_a_transaction_is_open) {
  EXPECT_EQ(whole(set + command({"MULTI"}) + set + set), set.size());
}

TEST(append_only_parser, reads_annotations) {
  const auto content = "#TS:1700000000\r\n" + set;
  EXPECT_EQ(whole(content), content.size());
}

TEST(append_only_parser, names_the_place_where_something_else_begins) {
  EXPECT_EQ(damaged_at("REDIS0010\n"), 0u);
  EXPECT_EQ(damaged_at(set + "hello\r\n"), set.size());
  EXPECT_EQ(damaged_at(set + std::string(4096, '\0')), set.size());
  EXPECT_EQ(damaged_at("*x\r\n"), 1u);
  EXPECT_EQ(damaged_at("*1\r\n+OK\r\n"), 4u);
  EXPECT_EQ(damaged_at("*1\r\n$5\r\nHELLOX\n"), 13u);
  EXPECT_EQ(damaged_at("*0\r\n"), 3u);
  EXPECT_EQ(damaged_at("*1\r\n$99999999999\r\n"), 15u);
}

TEST(append_only_parser, a_length_that_takes_in_what_follows_is_no_incomplete_command) {
  auto content = command({"SET", "k", "12345"}) + set + set;
  content.replace(content.find("$5"), 2, "$5000");
  EXPECT_EQ(damaged_at(content), 0u);
}

TEST(append_only_parser, transactions_have_one_beginning_and_one_end) {
  EXPECT_EQ(damaged_at(command({"MULTI"}) + set + transaction),
            command({"MULTI"}).size() + set.size());
  EXPECT_EQ(damaged_at(set + command({"EXEC"})), set.size());
  EXPECT_EQ(damaged_at(command({"MULTI"}) + set + command({"EXEB"})),
            command({"MULTI"}).size() + set.size());
}

TEST(append_only_parser, reads_the_same_in_any_slices) {
  std::mt19937 random{7};
  for (int round = 0; round < 2'000; ++round) {
    auto content = "#TS:17\r\n" + set + transaction + set + transaction;
    if (round % 2 == 1) content[random() % content.size()] ^= static_cast<char>(1u << random() % 8);
    content.resize(random() % (content.size() + 1));
    append_only_parser split;
    for (std::string_view rest = content; !rest.empty();) {
      const auto n = std::min<std::size_t>(1 + random() % 9, rest.size());
      split.feed(rest.substr(0, n));
      rest.remove_prefix(n);
    }
    split.finish();
    const auto once = parse(content);
    ASSERT_EQ(split.damaged().has_value(), once.damaged().has_value()) << content;
    if (once.damaged()) {
      ASSERT_EQ(split.damaged()->offset, once.damaged()->offset) << content;
    }
    ASSERT_EQ(split.whole(), once.whole()) << content;
  }
}

TEST(append_only_manifest, reads_what_servers_write) {
  const auto read = read_manifest(
      "file appendonly.aof.2.base.rdb seq 2 type b\n"
      "file appendonly.aof.1.base.rdb seq 1 type h\n"
      "file appendonly.aof.1.incr.aof seq 1 type h\n"
      "file appendonly.aof.2.incr.aof seq 2 type i\n"
      "file appendonly.aof.3.incr.aof seq 3 type i startoffset 0\n");
  const auto& manifest = std::get<append_only_manifest>(read);
  EXPECT_EQ(manifest.base, "appendonly.aof.2.base.rdb");
  EXPECT_EQ(manifest.increments.size(), 2u);
  EXPECT_EQ(manifest.increments.back(), "appendonly.aof.3.incr.aof");
}

TEST(append_only_manifest, one_wrong_bit_is_seen) {
  const std::string good =
      "file appendonly.aof.1.base.rdb seq 1 type b\n"
      "file appendonly.aof.1.incr.aof seq 1 type i\n"
      "file appendonly.aof.2.incr.aof seq 2 type i\n";
  ASSERT_TRUE(std::holds_alternative<append_only_manifest>(read_manifest(good)));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<char>(1u << bit % 8);
    EXPECT_TRUE(std::holds_alternative<manifest_error>(read_manifest(bad))) << bad;
  }
}

// A server creates a base before its first increment, and names both.
TEST(append_only_manifest, increments_after_the_first_need_a_base) {
  const auto read = read_manifest("file appendonly.aof.2.incr.aof seq 2 type i\n");
  ASSERT_TRUE(std::holds_alternative<manifest_error>(read));
  EXPECT_EQ(std::get<manifest_error>(read).what, "no base");
}

class append_only_log : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tollgate-aof-XXXXXX";
    directory_ = mkdtemp(name);
    fs::create_directory(directory_ + "/appendonlydir");
    write(manifest_path(directory_), "file appendonly.aof.1.incr.aof seq 1 type i\n");
  }
  void TearDown() override { fs::remove_all(directory_); }

  static void write(const std::string& path, const std::string& content) {
    std::ofstream{path, std::ios::binary} << content;
  }
  static std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream{path, std::ios::binary}.rdbuf();
    return text.str();
  }
  std::string log() const {
    return append_only_directory(directory_) + "appendonly.aof.1.incr.aof";
  }
  // Writes a file as a server that has ended would leave it.
  void written(const std::string& content) {
    write(log(), content);
    append_only_watch watch{directory_};
    watch.look();
    watch.finish();
  }
  std::optional<append_only_damage> damage() const {
    const auto found = mend_append_only_file(directory_);
    const auto* wrong = std::get_if<append_only_damage>(&found);
    return wrong != nullptr ? std::optional{*wrong} : std::nullopt;
  }

  std::string directory_;
};

TEST_F(append_only_log, a_directory_without_one_needs_no_mending) {
  EXPECT_TRUE(std::holds_alternative<nothing_to_mend>(mend_append_only_file("/nowhere")));
}

TEST_F(append_only_log, an_incomplete_end_is_cut_off_and_kept) {
  write(log(), set + transaction.substr(0, 40));
  const auto found = mend_append_only_file(directory_);
  const auto& cut = std::get<append_only_cut>(found);
  EXPECT_EQ(cut.offset, set.size());
  EXPECT_EQ(read(log()), set);
  EXPECT_EQ(read(cut.kept_in), transaction.substr(0, 40));
  EXPECT_TRUE(std::holds_alternative<nothing_to_mend>(mend_append_only_file(directory_)));
}

// Even if there are checksums of it: a server that was killed had written that much.
TEST_F(append_only_log, an_incomplete_end_that_has_a_checksum_is_cut_off) {
  written(set + transaction.substr(0, 40));
  EXPECT_TRUE(std::holds_alternative<append_only_cut>(mend_append_only_file(directory_)));
  EXPECT_TRUE(std::holds_alternative<nothing_to_mend>(mend_append_only_file(directory_)));
}

TEST_F(append_only_log, what_was_written_and_is_missing_is_damage) {
  written(set + transaction + set);
  write(log(), set + transaction);
  ASSERT_TRUE(damage());
  EXPECT_EQ(damage()->file, log());
  EXPECT_EQ(damage()->offset, set.size() + transaction.size());
  write(log(), set + transaction + set.substr(0, 9));
  EXPECT_TRUE(damage());
}

TEST_F(append_only_log, a_value_that_was_altered_is_damage) {
  written(set + transaction);
  auto content = set + transaction;
  content[content.find("value")] = 'V';
  write(log(), content);
  ASSERT_TRUE(damage());
  EXPECT_NE(to_string(*damage()).find("redis-check-aof"), std::string::npos);
  EXPECT_EQ(read(log()), content);
}

TEST_F(append_only_log, what_was_appended_since_the_last_checksum_is_read) {
  written(set);
  write(log(), set + transaction);
  EXPECT_FALSE(damage());
}

TEST_F(append_only_log, a_server_that_takes_back_a_write_leaves_no_checksum_of_it) {
  write(log(), set + transaction);
  append_only_watch watch{directory_};
  watch.look();  // sees all of it
  write(log(), set);
  watch.look();  // and that it is gone
  EXPECT_FALSE(damage());
}

TEST_F(append_only_log, files_must_be_those_of_the_manifest) {
  written(set);
  fs::remove(log());
  EXPECT_TRUE(damage());
  write(log(), set);
  EXPECT_FALSE(damage());
  const auto next = append_only_directory(directory_) + "appendonly.aof.2.incr.aof";
  write(next, "");  // a server creates it before it is named
  EXPECT_FALSE(damage());
  write(next, set);
  EXPECT_TRUE(damage());
  fs::remove(next);
  fs::remove(manifest_path(directory_));
  EXPECT_TRUE(damage());
}

TEST_F(append_only_log, a_base_that_the_manifest_does_not_name_is_damage) {
  write(log(), set);
  const auto base = append_only_directory(directory_) + "appendonly.aof.1.base.rdb";
  write(base, "REDIS0010");
  ASSERT_TRUE(damage());
  EXPECT_EQ(damage()->file, manifest_path(directory_));
  EXPECT_NE(damage()->what.find("appendonly.aof.1.base.rdb"), std::string::npos);
}

TEST_F(append_only_log, a_snapshot_that_was_altered_is_damage) {
  write(
      manifest_path(directory_),
      "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n");
  write(log(), "");
  const auto base = append_only_directory(directory_) + "appendonly.aof.1.base.rdb";
  // An empty log, as Redis 7 writes it.
  std::string content{"REDIS0010\xff", 10};
  content += std::string{"\x3c\x08\xb0\x11\x2d\x8e\x7e\x3c", 8};
  write(base, content);
  ASSERT_TRUE(damage());
  EXPECT_EQ(damage()->file, base);
}

}  // namespace
}  // namespace tollgate::quota::redis
