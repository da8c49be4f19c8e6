#include "proxy/metrics/process_info.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace tollgate::proxy::metrics {

namespace {

std::int64_t boot_time_seconds() {
  std::ifstream file{"/proc/stat"};
  for (std::string word; file >> word;) {
    std::int64_t value = 0;
    if (word == "btime" && file >> value) return value;
  }
  return 0;
}

// Fields of /proc/self/stat by their number in proc(5), starting at 3: the second may contain any
// characters.
void read_stat(process_info& info) {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == line.npos) return;
  std::istringstream fields{line.substr(name_end + 1)};
  const auto ticks = sysconf(_SC_CLK_TCK);
  std::string field;
  for (int number = 3; fields >> field && number <= 24; ++number) {
    const auto value = std::strtoll(field.c_str(), nullptr, 10);
    if (number == 14 || number == 15) info.cpu_ms += value * 1000 / ticks;
    if (number == 20) info.threads = value;
    if (number == 22) info.start_time_ms = boot_time_seconds() * 1000 + value * 1000 / ticks;
    if (number == 24) info.resident_bytes = value * sysconf(_SC_PAGESIZE);
  }
}

std::int64_t count_open_fds() {
  std::error_code ec;
  std::int64_t count = 0;
  for (std::filesystem::directory_iterator entry{"/proc/self/fd", ec}, end; !ec && entry != end;
       entry.increment(ec)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // the directory itself was open during the read
}

}  // namespace

process_info read_process_info() {
  process_info info;
  read_stat(info);
  info.open_fds = count_open_fds();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    info.max_fds = static_cast<std::int64_t>(limit.rlim_cur);
  return info;
}

}  // namespace tollgate::proxy::metrics
