// An embedded store with random damage of one kind in its files: it starts with every acknowledged
// entry, or it refuses to start and names the file.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

#include "quota/redis/append_only_file.hpp"
#include "quota/redis/embedded_server.hpp"
#include "tests/support/redis_client.hpp"

namespace tollgate::quota::redis {
namespace {

namespace fs = std::filesystem;

constexpr int places = 500;

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << content;
}

class append_only_damage_test : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tollgate-XXXXXX";
    root_ = mkdtemp(name);
    original_ = root_ / "original";
    write_store();
  }
  void TearDown() override { fs::remove_all(root_); }

  // A snapshot and two increments of transactions as the ledger writes them.
  void write_store() {
    embedded_server server{original_.string()};
    ASSERT_TRUE(server.start());
    tests::redis_client client{(original_ / "redis.sock").string()};
    for (int i = 0; i < 400; ++i) {
      if (i == 200) rewrite(client);
      const auto text = std::to_string(i);
      const auto reply = client.call(
          {"EVAL",
           "redis.call('HSET', KEYS[1], 'f' .. ARGV[1], ARGV[1]) "
           "redis.call('XADD', KEYS[2], (ARGV[1] + 1) .. '-0', 'settle', ARGV[2]) return 1",
           "2", "{a}:account", "{a}:ledger", text, text + std::string(60, 'x')});
      ASSERT_EQ(reply->type, REDIS_REPLY_INTEGER);
    }
    acknowledged_ = dump(client);
    ASSERT_GT(acknowledged_.size(), 400u * 60);
    // Checksums are written a few times per second.
    const auto checksums = original_ / "checksums";
    const auto there = [&] { return fs::exists(checksums) && !fs::is_empty(checksums); };
    for (int i = 0; i < 1'000 && !there(); ++i) usleep(10'000);
    server.stop();
  }

  static void rewrite(tests::redis_client& client) {
    client.call({"BGREWRITEAOF"});
    for (int i = 0; i < 1'000; ++i) {
      const auto info = client.call({"INFO", "persistence"});
      const std::string_view text{info->str, info->len};
      const bool busy = text.find("aof_rewrite_in_progress:1") != text.npos ||
                        text.find("aof_rewrite_scheduled:1") != text.npos;
      if (!busy) return;
      usleep(10'000);
    }
    FAIL() << "the rewrite did not end";
  }

  static std::string dump(tests::redis_client& client) {
    const auto reply = client.call(
        {"EVAL",
         "local all = redis.call('HGETALL', KEYS[1]) local entries = redis.call('XRANGE', KEYS[2], "
         "'-', '+') "
         "local out = {} for i = 1, #all, 2 do out[#out + 1] = all[i] .. '=' .. all[i + 1] end "
         "table.sort(out) for _, e in ipairs(entries) do out[#out + 1] = e[1] .. e[2][1] .. "
         "e[2][2] end "
         "return table.concat(out, ' ')",
         "2", "{a}:account", "{a}:ledger"});
    return reply->type == REDIS_REPLY_STRING ? std::string{reply->str, reply->len} : std::string{};
  }

  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto* part : {"appendonlydir", "checksums"}) {
      for (const auto& each : fs::directory_iterator{original_ / part}) {
        found.push_back(fs::relative(each.path(), original_));
      }
    }
    std::ranges::sort(found);
    return found;
  }

  std::string damage(std::string& content) {
    const auto at = random_() % content.size();
    const auto length = std::min<std::size_t>(1 + random_() % 4096, content.size() - at);
    switch (random_() % 5) {
      case 0:
        content[at] ^= static_cast<char>(1u << random_() % 8);
        return "bit flip at " + std::to_string(at);
      case 1:
        std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at), length, '\0');
        return std::to_string(length) + " zeros at " + std::to_string(at);
      case 2:
        content.resize(at);
        return "cut at " + std::to_string(at);
      case 3:
        content.insert(at, content.substr(at, length));
        return std::to_string(length) + " bytes twice at " + std::to_string(at);
      default:
        content.erase(at, length);
        return std::to_string(length) + " bytes missing at " + std::to_string(at);
    }
  }

  fs::path root_, original_;
  std::string acknowledged_;
  std::mt19937 random_{20261129};
};

TEST_F(append_only_damage_test, is_refused_by_name_or_harmless) {
  const auto candidates = files();
  ASSERT_GE(candidates.size(), 4u);  // manifest, snapshot, increment, and the increment's checksums
  const auto log = *std::ranges::find_if(
      candidates, [](const fs::path& each) { return each.string().ends_with(".incr.aof"); });
  std::map<std::string, int> refused, started;
  for (int i = 0; i < places; ++i) {
    const auto copy = root_ / "copy";
    fs::remove_all(copy);
    fs::create_directories(copy);
    fs::copy(original_ / "appendonlydir", copy / "appendonlydir");
    fs::copy(original_ / "checksums", copy / "checksums");
    auto file = candidates[random_() % candidates.size()];
    if (file.begin()->string() == "checksums" && random_() % 4 > 0)
      file = log;  // less often: the store starts then, which takes time
    auto content = read_file(copy / file);
    const auto before = content;
    const auto what = file.string() + ": " + damage(content);
    write_file(copy / file, content);

    embedded_server server{copy.string()};
    if (const auto result = server.start(); !result) {
      ++refused[file.string()];
      EXPECT_NE(result.error().message.find(file.filename().string()), std::string::npos)
          << what << ": " << result.error().message;
      EXPECT_NE(result.error().message.find("redis-check-aof"), std::string::npos) << what;
      EXPECT_NE(content, before) << what;
      EXPECT_EQ(read_file(copy / file), content) << what << ": a refused file was changed";
      continue;
    }
    ++started[file.string()];
    tests::redis_client client{(copy / "redis.sock").string()};
    EXPECT_EQ(dump(client), acknowledged_) << what;
  }
  for (const auto& file : candidates) {
    std::printf("%s: %d refused, %d started with everything\n", file.c_str(),
                refused[file.string()], started[file.string()]);
  }
}

}  // namespace
}  // namespace tollgate::quota::redis
