#include "proxy/archive/file_archive.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy/archive/agreement.hpp"
#include "proxy/archive/cloud_event.hpp"

namespace tollgate::proxy::archive {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class file_archives : public testing::Test {
 protected:
  file_archives() { fs::create_directories(directory_); }
  ~file_archives() override { fs::remove_all(directory_); }

  file_archive open(std::uint64_t rotate_bytes = 1'000'000) {
    return file_archive{directory_, rotate_bytes, 24h};
  }
  std::string read(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream{directory_ + '/' + name}.rdbuf();
    return text.str();
  }
  void append(const std::string& name, std::string_view text) {
    std::ofstream{directory_ + '/' + name, std::ios::app} << text;
  }

  // Entries FROM+1 to TO, in milliseconds.
  static batch entries(const quota::org_id& org, int from, int to) {
    batch out;
    out.org = org;
    if (from > 0) out.from.entry = std::to_string(from) + "-0";
    out.to.entry = std::to_string(to) + "-0";
    for (int i = from + 1; i <= to; ++i) {
      quota::ledger_entry entry;
      entry.id = std::to_string(i) + "-0";
      entry.at = quota::time_point{quota::milliseconds{i}};
      out.entries.push_back(std::move(entry));
    }
    return out;
  }
  static std::string lines(const batch& batch) {
    std::string out;
    for (const auto& entry : batch.entries) out += cloud_event(batch.org, entry);
    return out;
  }

  const std::string directory_ =
      (fs::temp_directory_path() / ("tollgate-files-" + std::to_string(::getpid()))).string();
};

TEST_F(file_archives, are_written_by_one_at_a_time_and_go_on_where_they_were) {
  const auto first = entries("a", 0, 2), second = entries("a", 2, 3), other = entries("b", 0, 1);
  {
    auto archive = open();
    ASSERT_TRUE(archive.lead());
    auto beside = open();
    EXPECT_FALSE(beside.lead());
    EXPECT_EQ(archive.position_of("a"), position{});
    EXPECT_TRUE(archive.add({first, other}));
  }
  auto archive = open();
  ASSERT_TRUE(archive.lead());
  EXPECT_EQ(archive.position_of("a"), first.to);
  EXPECT_EQ(archive.position_of("b"), other.to);
  EXPECT_FALSE(archive.add({first}));  // it already exists
  EXPECT_FALSE(archive.add({second, other})) << "all of it or nothing";
  EXPECT_TRUE(archive.add({second}));
  EXPECT_EQ(read("current.jsonl"), lines(first) + lines(other) + lines(second));
}

TEST_F(file_archives, cut_off_what_was_written_and_not_added) {
  const auto first = entries("a", 0, 2), second = entries("a", 2, 3);
  {
    auto archive = open();
    ASSERT_TRUE(archive.lead() && archive.add({first}));
  }
  append("current.jsonl", lines(second).substr(0, 30));  // killed at this point
  auto archive = open();
  ASSERT_TRUE(archive.lead());
  EXPECT_EQ(archive.position_of("a"), first.to);
  ASSERT_TRUE(archive.add({second}));
  EXPECT_EQ(read("current.jsonl"), lines(first) + lines(second));
}

TEST_F(file_archives, may_be_killed_in_their_very_first_step) {
  const auto first = entries("a", 0, 2);
  ASSERT_TRUE(open().lead());
  append("current.jsonl", lines(first).substr(0, 30));  // killed at this point
  auto archive = open();
  ASSERT_TRUE(archive.lead());
  ASSERT_TRUE(archive.add({first}));
  EXPECT_EQ(read("current.jsonl"), lines(first));
}

// A limit on file sizes causes the same failure as a full disk.
class growth_limit {
 public:
  explicit growth_limit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~growth_limit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  growth_limit(const growth_limit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(file_archives, go_on_when_there_is_space_again) {
  const auto first = entries("a", 0, 2), second = entries("a", 2, 3);
  auto archive = open();
  {
    const growth_limit full{0};
    EXPECT_THROW(archive.lead(), std::system_error) << "no space for the positions";
  }
  {
    const growth_limit full{200};
    ASSERT_TRUE(archive.lead());
    EXPECT_THROW(archive.add({first}), std::system_error);
    EXPECT_EQ(read("current.jsonl").size(), 200u);
    ASSERT_TRUE(archive.lead());
    EXPECT_THROW(archive.add({first}), std::system_error);
  }
  ASSERT_TRUE(archive.lead());
  ASSERT_TRUE(archive.add({first}));
  {
    const growth_limit full{lines(first).size() + 20};
    EXPECT_THROW(archive.add({second}), std::system_error);
  }
  auto another = open();
  ASSERT_TRUE(another.lead());
  EXPECT_EQ(another.position_of("a"), first.to);
  ASSERT_TRUE(another.add({second}));
  EXPECT_EQ(read("current.jsonl"), lines(first) + lines(second));
}

TEST_F(file_archives, know_whose_they_are_and_what_the_last_entry_says) {
  auto first = entries("a", 0, 2);
  first.to.seal = seal_of(first.entries.back());
  {
    auto archive = open();
    ASSERT_TRUE(archive.lead());
    EXPECT_EQ(archive.store(), "");
    ASSERT_TRUE(archive.add({first, entries("b", 0, 1)}));
    archive.belong_to("store-1");
    archive.belong_to("store-2");
    EXPECT_EQ(archive.store(), "store-1");
    archive.leave();
    EXPECT_TRUE(open().lead()) << "somebody else may";
  }
  auto archive = open();
  ASSERT_TRUE(archive.lead());
  EXPECT_EQ(archive.store(), "store-1");
  EXPECT_EQ(archive.position_of("a").seal, first.to.seal);
  EXPECT_EQ(archive.position_of("b").seal, "");
}

TEST_F(file_archives, of_before_there_were_stores_are_gone_on_with) {
  const auto first = entries("a", 0, 2);
  append("positions", "1 1 " + std::to_string(lines(first).size()) + " 5\na 2-0 7 1\n");
  append("current.jsonl", lines(first));
  auto archive = open();
  ASSERT_TRUE(archive.lead());
  EXPECT_EQ(archive.store(), "");
  EXPECT_EQ(archive.position_of("a"), (position{"2-0", 7, 1, ""}));
}

TEST_F(file_archives, end_when_they_are_long_enough) {
  const auto first = entries("a", 0, 2), second = entries("a", 2, 3), third = entries("a", 3, 4);
  {
    auto archive = open(lines(first).size());
    ASSERT_TRUE(archive.lead() && archive.add({first}) && archive.add({second}));
    EXPECT_EQ(read("ledger-00000001.jsonl"), lines(first));
    EXPECT_EQ(read("current.jsonl"), lines(second));
  }
  // The process was killed between ending a file and recording that.
  fs::rename(directory_ + "/current.jsonl", directory_ + "/ledger-00000002.jsonl");
  auto archive = open();
  ASSERT_TRUE(archive.lead() && archive.add({third}));
  EXPECT_EQ(read("ledger-00000002.jsonl"), lines(second));
  EXPECT_EQ(read("current.jsonl"), lines(third));
}

TEST_F(file_archives, do_not_begin_anew_over_what_is_there) {
  {
    auto archive = open();
    ASSERT_TRUE(archive.lead() && archive.add({entries("a", 0, 2)}));
  }
  fs::remove(directory_ + "/positions");
  auto archive = open();
  EXPECT_THROW(archive.lead(), std::runtime_error);
  append("positions", "1 1 999999 0\n");
  EXPECT_THROW(archive.lead(), std::runtime_error) << "current.jsonl is shorter than that";
}

TEST(cloud_event, has_the_entry_as_the_api_shows_it) {
  quota::ledger_entry entry;
  entry.id = "1700000000000-7";
  entry.at = quota::time_point{quota::milliseconds{1'700'000'000'000}};
  entry.type = quota::entry_type::settle;
  entry.subject = "HOLD";
  entry.amount = quota::credits::from_micro(2'500'000);
  entry.who.agent = "an \"agent\"";
  const auto line = cloud_event("acme", entry);
  EXPECT_EQ(line.find(R"({"specversion":"1.0","id":"1700000000000-7",)"
                      R"("source":"tollgate/orgs/acme","type":"tollgate.ledger.settle",)"
                      R"("subject":"HOLD","time":"2023-11-14T22:13:20.000Z",)"
                      R"("datacontenttype":"application/json","data":{"id":"1700000000000-7",)"),
            0u)
      << line;
  EXPECT_NE(line.find(R"("credits":2.5)"), line.npos);
  EXPECT_NE(line.find(R"("agent":"an \"agent\"")"), line.npos);
  EXPECT_TRUE(line.ends_with("}}\n"));
}

}  // namespace
}  // namespace tollgate::proxy::archive
