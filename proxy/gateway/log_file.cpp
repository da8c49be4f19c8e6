#include "proxy/gateway/log_file.hpp"

#include <cerrno>
#include <map>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tollgate::proxy {

namespace {

struct open_files {
  std::mutex mutex;
  std::map<std::pair<dev_t, ino_t>, std::weak_ptr<log_file>> by_inode;
};

open_files& all_open() {
  static open_files all;
  return all;
}

}  // namespace

std::shared_ptr<log_file> log_file::open(const std::string& where) {
  const int fresh = where == "-"
                        ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                        : ::open(where.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat status {};
  if (fresh < 0 || ::fstat(fresh, &status) != 0) {
    const int why = errno;
    if (fresh >= 0) ::close(fresh);
    throw std::runtime_error{"log.access: " + where + ": " + std::generic_category().message(why)};
  }
  auto& all = all_open();
  const std::lock_guard lock{all.mutex};
  std::erase_if(all.by_inode, [](const auto& each) { return each.second.expired(); });
  auto& known = all.by_inode[{status.st_dev, status.st_ino}];
  if (auto same = known.lock()) {
    ::close(fresh);
    return same;
  }
  auto made = std::make_shared<log_file>(fresh);
  known = made;
  return made;
}

log_file::~log_file() {
  ::close(descriptor_);
}

int log_file::write(std::string& lines) {
  const std::lock_guard lock{writing_};
  if (const int why = write_some(rest_of_line_); why != 0) return why;
  const int why = write_some(lines);
  if (why != 0 && cut_) {
    const auto end = lines.find('\n') + 1;
    rest_of_line_ = lines.substr(0, end);
    lines.erase(0, end);
  }
  return why;
}

int log_file::write_some(std::string& text) {
  std::size_t done = 0;
  int why = 0;
  while (done < text.size() && why == 0) {
    const auto written = ::write(descriptor_, text.data() + done, text.size() - done);
    if (written > 0) done += static_cast<std::size_t>(written);
    if (written < 0 && errno != EINTR) why = errno;
    if (written == 0) why = EIO;
  }
  cut_ = done > 0 && text[done - 1] != '\n';
  text.erase(0, done);
  return why;
}

}  // namespace tollgate::proxy
