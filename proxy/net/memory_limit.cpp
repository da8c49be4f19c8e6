#include "proxy/net/memory_limit.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

#include <sys/resource.h>
#include <unistd.h>

namespace tollgate::proxy {

namespace {

constexpr std::string_view mounted_at = "/sys/fs/cgroup";

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in{path};
  if (!in) return {};
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

// "max" is no number, so no limit.
std::optional<std::uint64_t> number_in(const file_reader& read, const std::string& path) {
  const auto text = read(path);
  if (!text) return {};
  std::uint64_t number = 0;
  const auto* end = text->data() + text->size();
  const auto [stop, failed] = std::from_chars(text->data(), end, number);
  if (failed != std::errc{}) return {};
  return number;
}

struct group {
  std::string mount, path, file;
};

// A line of /proc/self/cgroup is "0::/PATH" in version 2, "4:memory:/PATH" in version 1.
std::optional<group> group_of(std::string_view line) {
  const auto first = line.find(':'), second = line.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return {};
  const std::string mount{mounted_at}, path{line.substr(second + 1)};
  const auto controllers = "," + std::string{line.substr(first + 1, second - first - 1)} + ",";
  if (controllers == ",,") return group{mount, path, "/memory.max"};
  if (controllers.find(",memory,") == std::string::npos) return {};
  return group{mount + "/memory", path, "/memory.limit_in_bytes"};
}

// The least limit of the group and of those above it. In a container the path may be the host's,
// and the mount the container's: then only the root exists.
std::optional<std::uint64_t> limit_of(const file_reader& read, group of) {
  std::optional<std::uint64_t> least;
  for (;;) {
    while (of.path.ends_with('/')) of.path.pop_back();
    if (const auto limit = number_in(read, of.mount + of.path + of.file)) {
      least = std::min(least.value_or(*limit), *limit);
    }
    if (of.path.empty()) return least;
    of.path.erase(of.path.rfind('/') == std::string::npos ? 0 : of.path.rfind('/'));
  }
}

std::optional<std::uint64_t> process_limit() {
  std::optional<std::uint64_t> least;
  for (const auto which : {RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit{};
    if (::getrlimit(which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) continue;
    least = std::min<std::uint64_t>(least.value_or(limit.rlim_cur), limit.rlim_cur);
  }
  return least;
}

}  // namespace

memory_limit find_memory_limit(const file_reader& read, std::uint64_t machine,
                               std::optional<std::uint64_t> process) {
  memory_limit least{machine, "the memory of the machine"};
  if (process && *process < least.bytes) least = {*process, "the limit of the process"};
  std::istringstream groups{read("/proc/self/cgroup").value_or("")};
  for (std::string line; std::getline(groups, line);) {
    const auto group = group_of(line);
    const auto limit = group ? limit_of(read, *group) : std::nullopt;
    if (limit && *limit < least.bytes) least = {*limit, "the limit of the control group"};
  }
  return least;
}

memory_limit find_memory_limit() {
  const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return find_memory_limit(read_file, machine, process_limit());
}

std::uint64_t default_buffered(const memory_limit& limit) {
  constexpr std::uint64_t most = std::uint64_t{1} << 30;
  return std::min(limit.bytes / 4, most);
}

}  // namespace tollgate::proxy
