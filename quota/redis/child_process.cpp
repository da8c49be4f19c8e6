#include "quota/redis/child_process.hpp"

#include <csignal>

#include <boost/system/system_error.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tollgate::quota::redis {

namespace {

// Everything that the child needs, prepared before the fork: between fork and exec only calls that
// are safe in a signal handler are allowed.
struct launch {
  explicit launch(const child_options& options)
      : program{options.program}, directory{options.directory} {
    arguments.push_back(const_cast<char*>(program.c_str()));
    for (const auto& one : options.arguments) arguments.push_back(const_cast<char*>(one.c_str()));
    arguments.push_back(nullptr);
    output = file_descriptor{
        ::open(options.output.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
    input = file_descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    if (!output || !input) {
      throw boost::system::system_error{errno, boost::system::system_category(),
                                        "cannot open " + options.output};
    }
  }

  const std::string& program;
  const std::string& directory;
  std::vector<char*> arguments;
  file_descriptor output, input;
  pid_t parent = ::getpid();
};

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The first descriptor after 0, 1 and 2 is the inherited one; all others are closed.
bool arrange_descriptors(const launch& launch, int inherited) {
  constexpr int kept = 3;
  if (::dup2(launch.input.get(), 0) < 0 || ::dup2(launch.output.get(), 1) < 0 ||
      ::dup2(launch.output.get(), 2) < 0) {
    return false;
  }
  // dup2 onto itself would leave close-on-exec set.
  const bool moved =
      inherited == kept ? ::fcntl(kept, F_SETFD, 0) == 0 : ::dup2(inherited, kept) >= 0;
  ::close_range(kept + 1, ~0U, 0);
  return moved;
}

[[noreturn]] void become(const launch& launch, int inherited) {
  reset_signals();
  ::setsid();
  ::umask(0077);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const bool orphaned = ::getppid() != launch.parent;  // the parent died before prctl took effect
  if (!orphaned && ::chdir(launch.directory.c_str()) == 0 &&
      arrange_descriptors(launch, inherited)) {
    ::execv(launch.program.c_str(), launch.arguments.data());
  }
  ::_exit(127);
}

}  // namespace

child_process::child_process(const child_options& options, const file_descriptor& inherited) {
  const launch launch{options};
  pid_ = ::fork();
  if (pid_ == 0) become(launch, inherited.get());
  if (pid_ > 0) pidfd_ = file_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
  if (pid_ > 0 && pidfd_) return;
  const auto error = errno;
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  throw boost::system::system_error{error, boost::system::system_category(),
                                    "cannot start " + options.program};
}

child_process::~child_process() {
  if (status_) return;
  signal(SIGKILL);
  wait(milliseconds::max());
}

void child_process::signal(int number) const {
  if (!status_) ::kill(pid_, number);  // not reaped yet, so the id still belongs to it
}

bool child_process::wait(milliseconds patience) {
  using clock = std::chrono::steady_clock;
  const bool for_ever = patience == milliseconds::max();
  const auto until = clock::now() + (for_ever ? milliseconds{} : patience);
  while (!status_) {
    const auto left = std::chrono::ceil<milliseconds>(until - clock::now()).count();
    pollfd ended{.fd = descriptor(), .events = POLLIN, .revents = 0};
    const int found = ::poll(&ended, 1, for_ever ? -1 : static_cast<int>(std::max<long>(left, 0)));
    if (found == 0) return false;
    if (found < 0) continue;  // interrupted
    int status = 0;
    if (::waitpid(pid_, &status, 0) == pid_)
      status_ = status;
    else if (errno == ECHILD)
      status_ = 0;  // reaped elsewhere (SIGCHLD ignored): it has ended
  }
  return true;
}

std::string child_process::how_it_ended() const {
  const int status = status_.value_or(0);
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace tollgate::quota::redis
