// The account of the memory that callers can make the process use.
#include "proxy/net/memory_budget.hpp"

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "proxy/net/memory_limit.hpp"

namespace tollgate::proxy {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;

TEST(memory_budget, gives_buffers_at_most_half) {
  memory_budget budget{100};
  EXPECT_TRUE(budget.take_buffer(50));
  EXPECT_FALSE(budget.take_buffer(1));
  EXPECT_TRUE(budget.take_body(50));
  EXPECT_FALSE(budget.take_body(1));
  budget.give_back_buffer(50);
  EXPECT_TRUE(budget.take_body(50));
  EXPECT_FALSE(budget.take_buffer(1));
  EXPECT_EQ(budget.bodies(), 100U);
}

TEST(memory_budget, counts_the_heads_of_upstreams_without_refusing_them) {
  memory_budget budget{100};
  budget.take_buffer_anyway(150);
  EXPECT_FALSE(budget.take_body(1));
  budget.give_back_buffer(150);
  EXPECT_TRUE(budget.take_body(100));
}

TEST(memory_budget, gives_each_organization_a_share) {
  memory_budget budget{400};
  EXPECT_EQ(budget.take_share("a", 101, 0), memory_outcome::too_large);
  EXPECT_EQ(budget.take_share("a", 60, 0), memory_outcome::taken);
  EXPECT_EQ(budget.take_share("a", 41, 60), memory_outcome::too_large);
  EXPECT_EQ(budget.take_share("a", 41, 0), memory_outcome::share_taken);
  EXPECT_EQ(budget.take_share("a", 40, 60), memory_outcome::taken);
  for (const char* org : {"b", "c", "d"}) {
    EXPECT_EQ(budget.take_share(org, 100, 0), memory_outcome::taken);
  }
  EXPECT_EQ(budget.take_share("e", 1, 0), memory_outcome::full);
  budget.give_back_share("a", 100);
  EXPECT_EQ(budget.take_share("e", 100, 0), memory_outcome::taken);
  EXPECT_EQ(budget.take_share("a", 1, 0), memory_outcome::full);
  for (const char* org : {"b", "c", "d", "e"}) budget.give_back_share(org, 100);
  EXPECT_EQ(budget.bodies(), 0U);
}

TEST(memory_budget, takes_nothing_while_its_total_is_exceeded) {
  memory_budget budget{100};
  ASSERT_TRUE(budget.take_body(80));
  budget.set_total(50);
  EXPECT_FALSE(budget.take_buffer(1));
  EXPECT_FALSE(budget.take_body(1));
  budget.give_back_body(80);
  EXPECT_TRUE(budget.take_body(50));
}

struct played_files {
  std::map<std::string, std::string> texts;
  std::optional<std::string> operator()(const std::string& path) const {
    const auto found = texts.find(path);
    return found == texts.end() ? std::nullopt : std::optional{found->second};
  }
};

struct limit_case {
  const char* name;
  std::map<std::string, std::string> files;
  std::optional<std::uint64_t> process;
  std::uint64_t bytes;
  const char* from;
};
class memory_limits : public testing::TestWithParam<limit_case> {};

TEST_P(memory_limits, are_found) {
  const auto& [name, files, process, bytes, from] = GetParam();
  const auto limit = find_memory_limit(played_files{files}, 8192 * mib, process);
  EXPECT_EQ(limit.bytes, bytes);
  EXPECT_EQ(limit.from, from);
}

const std::string v2 = "/sys/fs/cgroup", v1 = "/sys/fs/cgroup/memory";
INSTANTIATE_TEST_SUITE_P(
    all, memory_limits,
    testing::Values(
        limit_case{"none", {}, {}, 8192 * mib, "the memory of the machine"},
        limit_case{"process", {}, 128 * mib, 128 * mib, "the limit of the process"},
        limit_case{"container",
                   {{"/proc/self/cgroup", "0::/\n"}, {v2 + "/memory.max", "268435456\n"}},
                   {},
                   256 * mib,
                   "the limit of the control group"},
        limit_case{"unlimited",
                   {{"/proc/self/cgroup", "0::/a\n"}, {v2 + "/a/memory.max", "max\n"}},
                   {},
                   8192 * mib,
                   "the memory of the machine"},
        limit_case{"of_a_parent",
                   {{"/proc/self/cgroup", "0::/system.slice/tollgate.service\n"},
                    {v2 + "/system.slice/tollgate.service/memory.max", "max\n"},
                    {v2 + "/system.slice/memory.max", "536870912\n"}},
                   {},
                   512 * mib,
                   "the limit of the control group"},
        limit_case{"version_1",
                   {{"/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/pod/x\n0::/\n"},
                    {v1 + "/pod/x/memory.limit_in_bytes", "134217728\n"},
                    {v1 + "/memory.limit_in_bytes", "9223372036854771712\n"}},
                   1024 * mib,
                   128 * mib,
                   "the limit of the control group"},
        limit_case{"the_path_of_the_host",
                   {{"/proc/self/cgroup", "4:memory:/docker/0123\n"},
                    {v1 + "/memory.limit_in_bytes", "67108864\n"}},
                   {},
                   64 * mib,
                   "the limit of the control group"}),
    [](const auto& each) { return each.param.name; });

TEST(memory_limits, leave_a_quarter_for_bodies_and_buffers) {
  EXPECT_EQ(default_buffered({256 * mib, ""}), 64 * mib);
  EXPECT_EQ(default_buffered({64'000 * mib, ""}), 1024 * mib);
}

}  // namespace
}  // namespace tollgate::proxy
