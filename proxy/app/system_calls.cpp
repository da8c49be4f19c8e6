#include "proxy/app/system_calls.hpp"

#ifdef TOLLGATE_HAS_SECCOMP

#include <cerrno>
#include <memory>
#include <system_error>

#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

namespace tollgate::proxy {

namespace {

// Some are for the embedded redis-server, or for the libraries of libpq and of name lookups. A name
// that this machine does not have is skipped.
constexpr const char* allowed[] = {
    // files
    "access", "chdir", "chmod", "close", "close_range", "copy_file_range", "creat", "dup", "dup2",
    "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat",
    "fcntl", "fcntl64", "fdatasync", "flock", "fstat", "fstat64", "fstatat64", "fstatfs",
    "fstatfs64", "fsync", "ftruncate", "ftruncate64", "getcwd", "getdents", "getdents64", "link",
    "linkat", "lseek", "_llseek", "lstat", "lstat64", "mkdir", "mkdirat", "newfstatat", "open",
    "openat", "pipe", "pipe2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2",
    "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir",
    "sendfile", "sendfile64", "splice", "stat", "stat64", "statfs", "statfs64", "statx", "symlink",
    "sync_file_range", "truncate", "truncate64", "umask", "unlink", "unlinkat", "utimensat",
    "write", "writev",
    // waiting
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
    "eventfd", "eventfd2", "poll", "ppoll", "pselect6", "select", "_newselect", "timerfd_create",
    "timerfd_gettime", "timerfd_settime", "futex", "futex_waitv", "nanosleep", "clock_nanosleep",
    "restart_syscall", "sched_yield",
    // connections; socket and socketpair are below
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recv", "recvfrom", "recvmmsg", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto",
    "setsockopt", "shutdown",
    // memory; mmap and mprotect are below
    "brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mremap", "msync", "munlock",
    "munmap",
    // processes and threads; clone and prctl are below
    "arch_prctl", "execve", "exit", "exit_group", "fork", "vfork", "get_robust_list",
    "set_robust_list", "set_tid_address", "rseq", "getpid", "getppid", "gettid", "getpgid",
    "getpgrp", "getsid", "setsid", "setpgid", "kill", "tgkill", "tkill", "pidfd_open",
    "pidfd_send_signal", "wait4", "waitid", "waitpid", "getuid", "getuid32", "geteuid", "geteuid32",
    "getgid", "getgid32", "getegid", "getegid32", "getresuid", "getresgid", "getgroups",
    "getgroups32", "capget", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo",
    "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sigaltstack", "sigreturn", "signalfd4",
    "setitimer", "getitimer", "getcpu", "getpriority", "setpriority", "getrlimit", "getrusage",
    "prlimit64", "setrlimit", "ugetrlimit", "sched_getaffinity", "sched_getparam",
    "sched_getscheduler", "sched_setaffinity", "sched_get_priority_max", "sched_get_priority_min",
    "sysinfo", "times", "uname",
    // time and randomness
    "clock_getres", "clock_gettime", "gettimeofday", "getrandom", "time"};

constexpr int allowed_prctl[] = {PR_GET_DUMPABLE,     PR_SET_DUMPABLE,     PR_GET_NAME,
                                 PR_SET_NAME,         PR_SET_PDEATHSIG,    PR_GET_PDEATHSIG,
                                 PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP,
                                 PR_CAPBSET_READ,     PR_SET_THP_DISABLE,  PR_SET_VMA};

constexpr std::uint64_t new_namespaces = 0x7e020080;  // CLONE_NEW*

class filter {
 public:
  filter() : context_{seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release} {}

  // The first error decides; the others are skipped.
  template <class... Conditions>
  void add(std::uint32_t action, const char* name, Conditions... conditions) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0 || !context_) return;
    const int result =
        seccomp_rule_add(context_.get(), action, number, sizeof...(conditions), conditions...);
    if (result < 0 && error_ == 0) error_ = -result;
  }
  template <class... Conditions>
  void allow(const char* name, Conditions... conditions) {
    add(SCMP_ACT_ALLOW, name, conditions...);
  }

  // 0, or an errno.
  int install() {
    if (!context_) return ENOMEM;
    if (error_ != 0) return error_;
    seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE,
                     2);  // a search tree: calls are cheap
    const int result = seccomp_load(context_.get());
    return result < 0 ? -result : 0;
  }

 private:
  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  int error_ = 0;
};

void allow_sockets(filter& to) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
    to.allow("socket", SCMP_A0_32(SCMP_CMP_EQ, static_cast<std::uint32_t>(family)));
  }
  // getaddrinfo asks it for the machine's addresses.
  to.allow("socket", SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2_32(SCMP_CMP_EQ, 0));
  to.allow("socketpair", SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX));
}

// No memory is writable and executable, neither at once nor one after the other. Libraries are
// mapped executable from their files.
void allow_memory(filter& to) {
  constexpr std::uint64_t write = PROT_WRITE, execute = PROT_EXEC, both = write | execute;
  for (const char* name : {"mmap", "mmap2"}) {
    for (const std::uint64_t each : {std::uint64_t{0}, write, execute}) {
      to.allow(name, SCMP_A2_64(SCMP_CMP_MASKED_EQ, both, each));
    }
  }
  to.allow("mprotect", SCMP_A2_64(SCMP_CMP_MASKED_EQ, execute, 0));
}

void allow_processes(filter& to) {
  to.allow("clone", SCMP_A0_64(SCMP_CMP_MASKED_EQ, new_namespaces, 0));
  to.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");  // its flags cannot be seen; glibc then uses clone
  for (const int each : allowed_prctl) {
    to.allow("prctl", SCMP_A0_32(SCMP_CMP_EQ, static_cast<std::uint32_t>(each)));
  }
  to.allow("ioctl", SCMP_A1_32(SCMP_CMP_NE, TIOCSTI));  // it types into the terminal
}

}  // namespace

std::string filter_system_calls() {
  filter rules;
  for (const char* name : allowed) rules.allow(name);
  allow_sockets(rules);
  allow_memory(rules);
  allow_processes(rules);
  const int error = rules.install();
  return error == 0 ? "" : "libseccomp: " + std::generic_category().message(error);
}

}  // namespace tollgate::proxy

#else

namespace tollgate::proxy {

std::string filter_system_calls() {
  return "this program was built without libseccomp";
}

}  // namespace tollgate::proxy

#endif
