#include "proxy/archive/file_archive.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "proxy/archive/cloud_event.hpp"
#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

namespace {

namespace fs = std::filesystem;
using quota::file_descriptor;

constexpr const char *current_name = "current.jsonl", *positions_name = "positions";
constexpr const char* unknown = "-";

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), what};
}

file_descriptor open_or_throw(const std::string& path, int flags) {
  file_descriptor file{::open(path.c_str(), flags | O_CLOEXEC, 0600)};
  if (!file) fail("cannot open " + path);
  return file;
}

void write_all(const file_descriptor& file, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) fail("cannot write");
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void flush(const file_descriptor& file) {
  if (::fdatasync(file.get()) != 0) fail("cannot write to disk");
}

// A new name is on disk only once its directory is flushed.
void flush_directory(const std::string& path) {
  flush(open_or_throw(path, O_RDONLY | O_DIRECTORY));
}

std::string finished_name(std::uint64_t number) {
  return fmt::format("ledger-{:08}.jsonl", number);
}

std::string lines_of(const std::vector<batch>& batches) {
  std::string out;
  for (const auto& batch : batches) {
    for (const auto& entry : batch.entries) out += cloud_event(batch.org, entry);
    for (const auto& statement : batch.statements) out += cloud_event(batch.org, statement);
  }
  return out;
}

}  // namespace

file_archive::file_archive(std::string directory, std::uint64_t rotate_bytes,
                           std::chrono::milliseconds rotate_every)
    : directory_{std::move(directory)}, rotate_bytes_{rotate_bytes}, rotate_every_{rotate_every} {
  std::error_code ec;
  fs::create_directories(directory_, ec);
  if (ec) throw std::runtime_error{directory_ + ": cannot make the directory: " + ec.message()};
  if (::access(directory_.c_str(), W_OK | X_OK) != 0) {
    throw std::runtime_error{directory_ + ": " + std::generic_category().message(errno)};
  }
}

bool file_archive::lead() {
  if (lock_) return true;
  lock_ = quota::try_lock(path_of("lock"));
  if (!lock_) return false;
  try {
    recover();
  } catch (...) {
    give_up();
    throw;
  }
  return true;
}

void file_archive::give_up() {
  current_.reset();
  lock_.reset();
}

void file_archive::recover() {
  read_positions();
  // The file was finished, but the process ended before it recorded that.
  if (fs::exists(path_of(finished_name(number_)))) {
    ++number_;
    length_ = 0;
  }
  open_current();
  // Also before the first step: if a process is killed in it, its lines must not look like those of
  // a directory that has lost its positions.
  if (!fs::exists(path_of(positions_name))) keep_positions();
}

// "2 NUMBER LENGTH BEGUN_MS STORE", then lines "ORG ENTRY HOUR STATEMENT SEAL". Version 1 had
// neither stores nor seals.
void file_archive::read_positions() {
  positions_.clear();
  store_.clear();
  number_ = 1;
  length_ = 0;
  std::ifstream in{path_of(positions_name)};
  if (!in) {
    std::error_code absent;
    const auto begun = fs::file_size(path_of(current_name), absent);
    if ((!absent && begun > 0) || fs::exists(path_of(finished_name(1)))) {
      throw std::runtime_error{
          path_of(positions_name) +
          " is missing: how far the files beside it go is unknown; move them away to start again"};
    }
    return;
  }
  int version = 0;
  std::int64_t begun = 0;
  in >> version >> number_ >> length_ >> begun;
  if (version == 2) in >> store_;
  if (!in || version < 1 || version > 2) {
    throw std::runtime_error{path_of(positions_name) + " cannot be read"};
  }
  if (store_ == unknown) store_.clear();
  begun_ = quota::time_point{quota::milliseconds{begun}};
  std::string org;
  position at;
  while (in >> org >> at.entry >> at.hour >> at.statement) {
    if (version == 2) in >> at.seal;
    if (at.seal == unknown) at.seal.clear();
    positions_[org] = at;
  }
  if (!in.eof()) throw std::runtime_error{path_of(positions_name) + " cannot be read to its end"};
}

void file_archive::open_current() {
  current_ = open_or_throw(path_of(current_name), O_WRONLY | O_CREAT | O_APPEND);
  const auto found = fs::file_size(path_of(current_name));
  if (found < length_) {
    throw std::runtime_error{path_of(current_name) + " is shorter than what was written to it"};
  }
  if (::ftruncate(current_.get(), static_cast<off_t>(length_)) != 0) fail("cannot truncate");
  flush_directory(directory_);
}

void file_archive::belong_to(const std::string& store) {
  if (!store_.empty()) return;
  try {
    store_ = store;
    keep_positions();
  } catch (...) {
    give_up();
    throw;
  }
}

position file_archive::position_of(const quota::org_id& org) {
  const auto found = positions_.find(org);
  return found == positions_.end() ? position{} : found->second;
}

bool file_archive::add(const std::vector<batch>& batches) {
  for (const auto& batch : batches) {
    if (position_of(batch.org) != batch.from) return false;
  }
  try {
    const auto now = quota::system_clock{}.now();
    rotate_if_due(now);
    const auto lines = lines_of(batches);
    if (length_ == 0) begun_ = now;
    write_all(current_, lines);
    flush(current_);
    length_ += lines.size();
    for (const auto& batch : batches) positions_[batch.org] = batch.to;
    keep_positions();
  } catch (...) {
    give_up();
    throw;
  }
  return true;
}

void file_archive::rotate_if_due(quota::time_point now) {
  if (length_ == 0 || (length_ < rotate_bytes_ && now - begun_ < rotate_every_)) return;
  fs::rename(path_of(current_name), path_of(finished_name(number_)));
  flush_directory(directory_);
  ++number_;
  length_ = 0;
  open_current();
  keep_positions();
}

// Atomic: the old file or the new one.
void file_archive::keep_positions() {
  std::string text =
      fmt::format("2 {} {} {} {}\n", number_, length_, begun_.time_since_epoch().count(),
                  store_.empty() ? unknown : store_);
  for (const auto& [org, at] : positions_) {
    text += fmt::format("{} {} {} {} {}\n", org, at.entry, at.hour, at.statement,
                        at.seal.empty() ? unknown : at.seal);
  }
  const auto path = path_of(positions_name), fresh = path + ".new";
  const auto file = open_or_throw(fresh, O_WRONLY | O_CREAT | O_TRUNC);
  write_all(file, text);
  flush(file);
  fs::rename(fresh, path);
  flush_directory(directory_);
}

}  // namespace tollgate::proxy::archive
