#include "proxy/gateway/spool.hpp"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace tollgate::proxy {

namespace {

using boost::system::error_code;

error_code last_error() {
  return {errno, boost::system::system_category()};
}

// For file systems that cannot create files without a name.
int open_and_unlink(const std::string& directory) {
  std::string name = directory + "/tollgate-spool-XXXXXX";
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor >= 0) ::unlink(name.c_str());
  return descriptor;
}

}  // namespace

boost::system::result<unnamed_file> unnamed_file::create(const std::string& directory) {
  constexpr int only_mine = 0600;
  int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, only_mine);
  if (descriptor < 0 && errno == EOPNOTSUPP) descriptor = open_and_unlink(directory);
  if (descriptor < 0) return last_error();
  return unnamed_file{descriptor};
}

unnamed_file::unnamed_file(unnamed_file&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)}, size_{other.size_} {}

unnamed_file& unnamed_file::operator=(unnamed_file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

unnamed_file::~unnamed_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

error_code unnamed_file::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return last_error();
    if (n == 0) return {ENOSPC, boost::system::system_category()};
    size_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

boost::system::result<std::string_view> unnamed_file::read(std::uint64_t offset,
                                                           std::span<char> into) const {
  std::size_t got = 0;
  while (got < into.size()) {
    const auto n = ::pread(descriptor_, into.data() + got, into.size() - got,
                           static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return last_error();
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return std::string_view{into.data(), got};
}

spool_space& spool_space::shared() {
  static spool_space one;
  return one;
}

spool_outcome spool_space::take(const std::string& organization, std::uint64_t bytes,
                                const spool_bounds& most) {
  const auto fits = [bytes](std::uint64_t taken, std::uint64_t bound) {
    return bytes <= bound && taken <= bound - bytes;
  };
  const std::lock_guard lock{mutex_};
  const auto known = taken_by_.find(organization);
  const auto own = known == taken_by_.end() ? 0 : known->second;
  if (!fits(own, most.organization)) return spool_outcome::share_taken;
  if (!fits(taken_, most.total)) return spool_outcome::full;
  taken_ += bytes;
  if (bytes > 0) taken_by_[organization] += bytes;
  return spool_outcome::kept;
}

void spool_space::give_back(const std::string& organization, std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard lock{mutex_};
  taken_ -= bytes;
  const auto known = taken_by_.find(organization);
  known->second -= bytes;
  if (known->second == 0) taken_by_.erase(known);
}

std::uint64_t spool_space::taken() const {
  const std::lock_guard lock{mutex_};
  return taken_;
}

spool::spool(spool_bounds bounds, spool_space& space, std::string organization)
    : bounds_{std::move(bounds)},
      space_{space},
      organization_{std::move(organization)},
      file_{unnamed_file::create(bounds_.directory)},
      error_{file_.has_error() ? file_.error() : error_code{}} {}

spool::~spool() {
  space_.give_back(organization_, size_);
}

spool_outcome spool::append(std::string_view bytes) {
  if (error_) return spool_outcome::failed;
  if (bytes.size() > bounds_.upload || size_ > bounds_.upload - bytes.size())
    return spool_outcome::too_large;
  const auto room = space_.take(organization_, bytes.size(), bounds_);
  if (room != spool_outcome::kept) return room;
  size_ += bytes.size();  // includes a partial write: it is given back with the rest
  error_ = file_->append(bytes);
  return error_ ? spool_outcome::failed : spool_outcome::kept;
}

boost::system::result<std::string_view> spool::read(std::uint64_t offset,
                                                    std::span<char> into) const {
  if (error_) return error_;
  return file_->read(offset, into);
}

}  // namespace tollgate::proxy
