#include "quota/redis/append_only_watch.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quota/redis/append_only_file.hpp"
#include "quota/redis/append_only_manifest.hpp"

namespace tollgate::quota::redis {

namespace {

std::string file_that_is_appended_to(const std::string& directory) {
  std::ifstream file{manifest_path(directory), std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  const auto manifest = read_manifest(text.str());
  const auto* read = std::get_if<append_only_manifest>(&manifest);
  return read != nullptr ? read->increments.back() : std::string{};
}

}  // namespace

append_only_watch::append_only_watch(std::string directory) : directory_{std::move(directory)} {
  std::error_code ignored;
  std::filesystem::create_directory(directory_ + "/checksums", ignored);
}

void append_only_watch::look() {
  const auto name = file_that_is_appended_to(directory_);
  is_gone_ = name.empty() && !name_.empty();
  if (name.empty()) return;
  if (name != name_) {
    finish();  // a rewrite has begun; the old file is read to its end
    follow(name);
  }
  const auto now = size();
  const auto until = std::min(seen_, now);
  seen_ = now;
  if (!file_ || until <= sums_->position()) return;
  if (::fdatasync(file_.get()) == 0) sum_until(until);
}

void append_only_watch::finish() {
  if (!file_) return;
  if (::fdatasync(file_.get()) == 0) sum_until(size());
}

void append_only_watch::follow(const std::string& name) {
  name_ = name;
  seen_ = 0;
  file_ = file_descriptor{
      ::open((append_only_directory(directory_) + name).c_str(), O_RDONLY | O_CLOEXEC)};
  if (file_) sums_.emplace(checksums_path(directory_, name));
  // Removes the checksums of files that are gone.
  std::error_code ignored;
  for (const auto& each : std::filesystem::directory_iterator{directory_ + "/checksums", ignored}) {
    const auto of = append_only_directory(directory_) + each.path().filename().string();
    if (!std::filesystem::exists(of, ignored)) std::filesystem::remove(each.path(), ignored);
  }
}

void append_only_watch::sum_until(std::uint64_t end) {
  std::string piece(64 * 1024, '\0');
  while (sums_->position() < end) {
    const auto wanted = std::min<std::uint64_t>(piece.size(), end - sums_->position());
    const auto n =
        ::pread(file_.get(), piece.data(), wanted, static_cast<off_t>(sums_->position()));
    if (n <= 0) return;
    sums_->add({piece.data(), static_cast<std::size_t>(n)});
  }
  sums_->write();
}

std::uint64_t append_only_watch::size() const {
  struct stat about {};
  if (!file_ || ::fstat(file_.get(), &about) != 0) return 0;
  return static_cast<std::uint64_t>(about.st_size);
}

}  // namespace tollgate::quota::redis
