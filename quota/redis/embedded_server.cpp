#include "quota/redis/embedded_server.hpp"

#include <csignal>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "quota/redis/append_only_file.hpp"
#include "quota/redis/append_only_watch.hpp"
#include "quota/redis/child_process.hpp"
#include "quota/redis/embedded_files.hpp"

namespace tollgate::quota::redis {

namespace {

using steady_clock = std::chrono::steady_clock;

constexpr auto look_every = milliseconds{20};
constexpr auto checksums_every = milliseconds{250};
// A server that lived this long did not fail because of the way it was started.
constexpr auto long_life = std::chrono::seconds{10};

constexpr auto ping_every = std::chrono::seconds{2}, usual_end = std::chrono::seconds{2};
constexpr int silent_times = 3;  // in a row, until it is said

// What is known of a server that does not answer.
struct silence {
  steady_clock::time_point look_at{};
  bool has_answered = false, is_told = false;
  int times = 0;
};

std::string socket_in(const std::string& directory) {
  return directory + "/redis.sock";
}

std::string text_of_gone(const std::string& directory) {
  return "the files of the embedded redis-server are gone from " + directory +
         ": what is charged from now on is lost when it ends";
}

std::vector<std::string> server_arguments() {
  return {"--port", "0",  // no TCP
          "--unixsocket", "redis.sock", "--unixsocketperm", "700", "--dir", ".", "--logfile",
          "redis.log", "--daemonize", "no", "--databases", "1", "--appendonly", "yes",
          "--appendfsync", "always", "--save",
          "",  // the append-only file is the only record
          // It is repaired before each start; anything incomplete after that is damage.
          "--aof-load-truncated", "no",
          // Money is never evicted: when memory is full, writes fail and calls are refused.
          "--maxmemory-policy", "noeviction"};
}

}  // namespace

struct embedded_server::impl {
  impl(std::string dir, embedded_options given)
      : directory{std::move(dir)}, options{std::move(given)} {}

  std::optional<embedded_error> prepare();
  std::optional<embedded_error> stop_leftover();
  bool lock_server(milliseconds patience, const std::function<bool()>& gives_up);
  std::optional<embedded_error> await_ready();
  void supervise();
  void mend();
  void run_once();
  void look_whether_it_answers(silence& silent) const;
  void end(child_process& server) const;
  bool stopping(milliseconds within);
  embedded_error failed(const std::string& what) const;

  const std::string directory;
  const embedded_options options;
  file_descriptor lock;         // this Tollgate's lock on the directory
  file_descriptor server_lock;  // passed to the server, which holds it as long as it lives
  file_descriptor stop_event{::eventfd(0, EFD_CLOEXEC)};
  std::thread supervisor;
  std::mutex mutex;
  std::string death;     // how the server ended; guarded by the mutex
  bool damaged = false;  // its files were damaged, so it was not started; also guarded
};

embedded_error embedded_server::impl::failed(const std::string& what) const {
  return {.message = "embedded store " + directory + ": " + what};
}

// Prepares the directory, finds the program, and takes the lock of the directory.
std::optional<embedded_error> embedded_server::impl::prepare() {
  std::error_code ec;
  const bool existed = std::filesystem::is_directory(directory, ec);
  std::filesystem::create_directories(directory, ec);
  if (ec) return failed("cannot make the directory: " + ec.message());
  if (!existed) std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ec);
  if (!fits_socket_path(socket_in(directory))) {
    return failed(
        "the path is too long for a unix socket; choose one of at most 96 bytes, or a "
        "relative one");
  }
  auto taken = try_lock(directory + "/lock");
  if (!taken) {
    auto error = failed("another Tollgate (pid " + read_pid(directory + "/lock") +
                        ") uses it; stop that one first, or give each its own directory");
    error.in_use = true;
    return error;
  }
  lock = std::move(*taken);
  write_pid(lock);
  return stop_leftover();
}

bool embedded_server::impl::lock_server(milliseconds patience,
                                        const std::function<bool()>& gives_up) {
  for (const auto until = steady_clock::now() + patience;;) {
    if (auto taken = try_lock(directory + "/server.lock")) {
      server_lock = std::move(*taken);
      return true;
    }
    if (steady_clock::now() >= until || gives_up()) return false;
    std::this_thread::sleep_for(look_every);
  }
}

// A server outlives a killed Tollgate while it flushes its file. A server that did not get the
// kernel's signal is asked to stop.
std::optional<embedded_error> embedded_server::impl::stop_leftover() {
  if (lock_server(milliseconds{}, options.gives_up)) return {};
  request_shutdown(socket_in(directory));
  if (lock_server(options.stop_timeout, options.gives_up)) return {};
  return failed(
      "an older redis-server still writes there and has not stopped; "
      "`fuser " +
      directory + "/server.lock` shows its pid");
}

// Waits up to `within` for stop(); true if it was called.
bool embedded_server::impl::stopping(milliseconds within) {
  pollfd stop{.fd = stop_event.get(), .events = POLLIN, .revents = 0};
  return ::poll(&stop, 1, static_cast<int>(within.count())) > 0;
}

void embedded_server::impl::mend() {
  const auto found = mend_append_only_file(directory);
  if (const auto* cut = std::get_if<append_only_cut>(&found)) {
    options.on_event("the embedded redis-server was killed while writing: the last " +
                     std::to_string(cut->bytes) + " bytes of " + cut->file +
                     ", an operation without its end, were cut off and are kept in " +
                     cut->kept_in);
  }
  const auto* wrong = std::get_if<append_only_damage>(&found);
  {
    const std::lock_guard guard{mutex};
    damaged = wrong != nullptr;
  }
  if (wrong != nullptr) throw std::runtime_error{to_string(*wrong)};
}

// A server that is stopped, or whose disk hangs. It is not killed: it may answer again.
void embedded_server::impl::look_whether_it_answers(silence& silent) const {
  const auto now = steady_clock::now();
  if (now < silent.look_at) return;
  const bool answers = ping(socket_in(directory)) != server_state::absent;
  silent.has_answered = silent.has_answered || answers;
  if (!silent.has_answered) return;  // it is starting: look again soon
  silent.look_at = steady_clock::now() + ping_every;
  silent.times = answers ? 0 : silent.times + 1;
  if (silent.times >= silent_times && !std::exchange(silent.is_told, true)) {
    options.on_event("the embedded redis-server does not answer, and it has not ended; see " +
                     directory + "/redis.log");
  } else if (answers && std::exchange(silent.is_told, false)) {
    options.on_event("the embedded redis-server answers again");
  }
}

void embedded_server::impl::end(child_process& server) const {
  server.signal(SIGTERM);
  if (server.wait(usual_end)) return;
  options.on_event("the embedded redis-server has not ended yet; it is killed after " +
                   std::to_string(options.end_timeout.count() / 1000) + " s");
  if (server.wait(options.end_timeout - usual_end)) return;
  server.signal(SIGKILL);
}

// One run of the server. Returns when it has ended, by itself or because stop() was called.
void embedded_server::impl::run_once() {
  const auto stops = [this] { return stopping(milliseconds{}); };
  if (!server_lock && !lock_server(options.stop_timeout, stops)) {
    throw std::runtime_error{"its append-only file is still being written"};
  }
  mend();
  child_process server{{.program = find_program({"redis-server", "valkey-server"}),
                        .arguments = server_arguments(),
                        .directory = directory,
                        .output = directory + "/redis.log"},
                       server_lock};
  server_lock.reset();  // the server's own copy holds it now
  pollfd events[] = {{.fd = server.descriptor(), .events = POLLIN, .revents = 0},
                     {.fd = stop_event.get(), .events = POLLIN, .revents = 0}};
  append_only_watch watch{directory};
  bool told_gone = false;
  silence silent;
  while (::poll(events, 2, static_cast<int>(checksums_every.count())) <= 0) {
    watch.look();
    if (watch.is_gone()) {
      if (!std::exchange(told_gone, true)) options.on_event(text_of_gone(directory));
    } else {
      look_whether_it_answers(silent);
    }
  }
  if (events[0].revents == 0) end(server);
  server.wait(milliseconds::max());
  watch.finish();
  const std::lock_guard guard{mutex};
  death = server.how_it_ended();
}

// Runs in a thread of its own. The kernel sends the server its parent-death signal when the thread
// that forked it ends, so this thread must live as long as the server.
void embedded_server::impl::supervise() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);  // other threads handle signals
  auto backoff = options.backoff_min;
  while (!stopping(milliseconds{})) {
    const auto born = steady_clock::now();
    try {
      run_once();
    } catch (const std::exception& error) {
      const std::lock_guard guard{mutex};
      death = error.what();
    }
    if (stopping(milliseconds{})) return;
    if (steady_clock::now() - born > long_life) backoff = options.backoff_min;
    std::string how;
    {
      const std::lock_guard guard{mutex};
      how = death;
    }
    options.on_event("the embedded redis-server ended (" + how + "); starting it again in " +
                     std::to_string(backoff.count()) + " ms; see " + directory + "/redis.log");
    if (stopping(backoff)) return;
    backoff = std::min(backoff * 2, options.backoff_max);
  }
}

std::optional<embedded_error> embedded_server::impl::await_ready() {
  const auto until = steady_clock::now() + options.start_timeout;
  while (steady_clock::now() < until) {
    if (ping(socket_in(directory)) == server_state::ready) return {};
    std::this_thread::sleep_for(look_every);
    if (options.gives_up()) return failed("it was still starting");
    const std::lock_guard guard{mutex};
    if (damaged) return failed(death);
    if (!death.empty()) {
      return failed("redis-server did not start (" + death +
                    "); the end of its log:" + last_lines(directory + "/redis.log", 5));
    }
  }
  return failed("redis-server did not answer within " +
                std::to_string(options.start_timeout.count() / 1000) + " s; see redis.log there");
}

embedded_server::embedded_server(std::string directory, embedded_options options)
    : impl_{std::make_unique<impl>(std::move(directory), std::move(options))} {}

embedded_server::~embedded_server() {
  stop();
}

boost::system::result<address, embedded_error> embedded_server::start() {
  if (find_program({"redis-server", "valkey-server"}).empty()) {
    return impl_->failed(
        "redis-server is not installed; `apt-get install redis-server` brings it, "
        "or name a running one as store: redis://HOST");
  }
  try {
    if (auto error = impl_->prepare()) return *error;
  } catch (const boost::system::system_error& error) {
    return impl_->failed(error.what());
  }
  impl_->supervisor = std::thread{[this] { impl_->supervise(); }};
  if (auto error = impl_->await_ready()) {
    stop();
    return *error;
  }
  return running_address(impl_->directory);
}

void embedded_server::stop() {
  if (impl_->supervisor.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(impl_->stop_event.get(), &one, sizeof one);
    impl_->supervisor.join();
  }
  impl_->server_lock.reset();
  impl_->lock.reset();
}

address embedded_server::running_address(const std::string& directory) {
  address where;
  where.unix_path = socket_in(directory);
  return where;
}

}  // namespace tollgate::quota::redis
