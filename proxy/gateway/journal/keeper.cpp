#include "proxy/gateway/journal/keeper.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace tollgate::proxy::journal {

namespace {

namespace fs = std::filesystem;

constexpr auto complain_every = std::chrono::minutes{1};

std::string lock_path(const std::string& directory) {
  return directory + "/lock";
}

// The sequence after all existing segments, including those kept because they are damaged.
std::uint64_t first_free_sequence(const std::string& directory) {
  std::uint64_t highest = 0;
  std::error_code ec;
  for (const auto& each : fs::directory_iterator{directory, ec}) {
    const auto name = each.path().filename().string();
    std::uint64_t sequence = 0;
    std::from_chars(name.data(), name.data() + name.size(), sequence);
    highest = std::max(highest, sequence);
  }
  return highest + 1;
}

// A worker has at least two needed segments, one more that is written while the oldest is removed,
// and a spare.
constexpr std::size_t fewest_segments = 4;
constexpr std::size_t largest_segment = 4 << 20;

std::size_t size_of_segments(const config::journal_settings& settings, std::size_t workers) {
  constexpr std::size_t page = 4096;
  if (settings.max_bytes / workers < config::journal_settings::least_for_a_thread) {
    const auto least = workers * config::journal_settings::least_for_a_thread / 1024;
    throw std::runtime_error{fmt::format(
        "journal {}: `max` is too small for {} threads: it takes {}KiB for each, {}KiB in all",
        settings.directory, workers, config::journal_settings::least_for_a_thread / 1024, least)};
  }
  return std::min(largest_segment, settings.max_bytes / workers / fewest_segments / page * page);
}

keeper::sizes sizes_for(const config::journal_settings& settings, std::size_t workers) {
  const auto segment = size_of_segments(settings, workers);
  return {segment, settings.max_bytes / workers / segment - 2};
}

}  // namespace

quota::file_descriptor lock_directory(const std::string& directory, bool make) {
  std::error_code ec;
  const bool existed = fs::is_directory(directory, ec);
  if (!existed && make) {
    fs::create_directories(directory, ec);
    if (ec)
      throw std::runtime_error{"journal " + directory +
                               ": cannot make the directory: " + ec.message()};
    fs::permissions(directory, fs::perms::owner_all, ec);
  } else if (!existed) {
    throw std::runtime_error{"journal " + directory + ": there is no such directory"};
  }
  try {
    if (auto taken = quota::try_lock(lock_path(directory))) {
      quota::write_pid(*taken);
      return std::move(*taken);
    }
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error{"journal " + directory + ": " + error.what()};
  }
  throw std::runtime_error{"journal " + directory + ": another Tollgate (pid " +
                           quota::read_pid(lock_path(directory)) +
                           ") uses it; stop that one first, or give each its own directory"};
}

std::vector<std::string> segments_in(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code ec;
  for (const auto& each : fs::directory_iterator{directory, ec}) {
    if (each.path().extension() == ".journal") found.push_back(each.path().string());
  }
  std::ranges::sort(found);
  return found;
}

keeper::keeper(const config::journal_settings& settings, int workers)
    : settings_{settings},
      sizes_{sizes_for(settings, static_cast<std::size_t>(workers))},
      lock_{lock_directory(settings.directory, true)},
      shelves_(static_cast<std::size_t>(workers)) {
  left_behind_ = segments_in(settings_.directory);
  next_sequence_ = first_free_sequence(settings_.directory);
  for (int worker = 0; worker < workers; ++worker) {
    auto& shelf = shelves_[static_cast<std::size_t>(worker)];
    auto made = segment::make(settings_.directory, next_sequence_++, worker, sizes_.segment);
    if (const auto* why = std::get_if<std::string>(&made)) {
      for (auto& each : shelves_) {
        if (each.spare) each.spare->remove();
      }
      throw std::runtime_error{"journal " + settings_.directory + ": cannot write there: " + *why};
    }
    shelf.spare = std::move(std::get<std::unique_ptr<segment>>(made));
  }
  thread_ = std::thread{[this] { run(); }};
}

keeper::~keeper() {
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::shared_ptr<segment> keeper::take(int worker) {
  std::unique_lock lock{mutex_};
  auto& shelf = shelves_[static_cast<std::size_t>(worker)];
  auto next = std::exchange(shelf.spare, nullptr);
  if (!next) {
    // It was not made in time, or could not be made: this is the only place where a call may wait.
    lock.unlock();
    next = make(worker);
    lock.lock();
  }
  shelf.wanted = false;
  if (next) {
    next->belongs_to(used_.store);
    used_.active.push_back(next);
  }
  return next;
}

void keeper::belongs_to(const std::string& store) {
  const std::lock_guard guard{mutex_};
  used_.store = store;
  for (const auto& each : used_.active) each->belongs_to(store);
}

void keeper::prepare(int worker) {
  const std::lock_guard guard{mutex_};
  shelves_[static_cast<std::size_t>(worker)].wanted = true;
  wake_.notify_one();
}

void keeper::retire(std::shared_ptr<segment> segment) {
  const std::lock_guard guard{mutex_};
  std::erase(used_.active, segment);
  used_.retired.push_back(std::move(segment));
}

void keeper::complain(const std::string& what) {
  const std::lock_guard guard{mutex_};
  const auto now = std::chrono::steady_clock::now();
  if (now < complain_at_) return;
  complain_at_ = now + complain_every;
  spdlog::error(
      "journal {}: {}; calls go on WITHOUT a journal: one whose Tollgate is killed before the "
      "ledger "
      "has confirmed it may not be charged",
      settings_.directory, what);
}

std::shared_ptr<segment> keeper::make(int worker) {
  remove_retired();  // the new one may need their room
  auto made = segment::make(settings_.directory, next_sequence_++, worker, sizes_.segment);
  if (const auto* why = std::get_if<std::string>(&made)) {
    complain("cannot make a segment: " + *why);
    return nullptr;
  }
  return std::move(std::get<std::unique_ptr<segment>>(made));
}

void keeper::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);  // other threads handle signals
  auto sync_at = std::chrono::steady_clock::now() + settings_.sync_every;
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    wake_.wait_until(lock, sync_at);
    make_spares(lock);
    if (std::chrono::steady_clock::now() < sync_at && !stopping_) continue;
    lock.unlock();
    remove_retired();
    sync();
    sync_at = std::chrono::steady_clock::now() + settings_.sync_every;
    lock.lock();
  }
  for (auto& each : shelves_) {
    if (each.spare) each.spare->remove();
  }
  for (const auto& each : std::exchange(used_.retired, {})) each->remove();
}

void keeper::make_spares(std::unique_lock<std::mutex>& lock) {
  for (std::size_t i = 0; i < shelves_.size(); ++i) {
    if (!shelves_[i].wanted || shelves_[i].spare) continue;
    shelves_[i].wanted = false;
    lock.unlock();
    auto made = make(static_cast<int>(i));
    lock.lock();
    if (shelves_[i].spare && made) {
      made->remove();
    } else {
      shelves_[i].spare = std::move(made);
    }
  }
}

void keeper::remove_retired() {
  const std::lock_guard one_at_a_time{removing_};
  std::vector<std::shared_ptr<segment>> gone;
  {
    const std::lock_guard guard{mutex_};
    gone = std::exchange(used_.retired, {});
  }
  for (const auto& each : gone) each->remove();
}

void keeper::sync() {
  std::vector<std::shared_ptr<segment>> all;
  {
    const std::lock_guard guard{mutex_};
    all = used_.active;
  }
  for (const auto& each : all) {
    if (!each->sync()) complain("cannot be written to disk: " + std::string{std::strerror(errno)});
  }
}

}  // namespace tollgate::proxy::journal
