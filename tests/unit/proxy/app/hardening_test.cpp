// The filter of system calls, in child processes: a process cannot remove it.
#include "proxy/app/hardening.hpp"

#include <cerrno>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tollgate::proxy {
namespace {

constexpr int unavailable = 77;

// The exit status of a child that gives up its privileges and then does this.
int status_of(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!give_up_privileges({}).empty()) ::_exit(unavailable);
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The error of a call that must fail; 0 if it succeeds.
int error_of(long result) {
  return result == -1 ? errno : 0;
}

struct call {
  const char* name;
  std::function<int()> make;
};

class filtered : public testing::Test {
 protected:
  void SetUp() override {
    if (status_of([] { return 0; }) == unavailable) {
      GTEST_SKIP() << "this kernel or this build has no filter";
    }
  }
};

TEST_F(filtered, calls_that_tollgate_does_not_need_are_denied) {
  const call denied[] = {
      {"ptrace", [] { return error_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }},
      {"mount", [] { return error_of(::syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, "")); }},
      {"chroot", [] { return error_of(::chroot("/")); }},
      {"setuid", [] { return error_of(::setuid(::getuid())); }},
      {"chown", [] { return error_of(::chown("/", 0, 0)); }},
      {"unshare", [] { return error_of(::unshare(CLONE_NEWUSER)); }},
      {"setns", [] { return error_of(::syscall(SYS_setns, 0, 0)); }},
      {"bpf", [] { return error_of(::syscall(SYS_bpf, 0, nullptr, 0)); }},
      {"perf_event_open", [] { return error_of(::syscall(SYS_perf_event_open, 0, 0, 0, 0, 0)); }},
      {"io_uring_setup", [] { return error_of(::syscall(SYS_io_uring_setup, 1, nullptr)); }},
      {"userfaultfd", [] { return error_of(::syscall(SYS_userfaultfd, 0)); }},
      {"keyctl", [] { return error_of(::syscall(SYS_keyctl, 0, 0, 0, 0, 0)); }},
      {"process_vm_readv",
       [] { return error_of(::syscall(SYS_process_vm_readv, ::getpid(), 0, 0, 0, 0, 0)); }},
      {"kexec_load", [] { return error_of(::syscall(SYS_kexec_load, 0, 0, 0, 0)); }},
      {"a raw socket", [] { return error_of(::socket(AF_PACKET, SOCK_RAW, 0)); }},
      {"netlink of the firewall", [] { return error_of(::socket(AF_NETLINK, SOCK_RAW, 12)); }},
      {"writable code",
       [] {
         void* const at =
             ::mmap(nullptr, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return at == MAP_FAILED ? errno : 0;
       }},
      {"memory that becomes code",
       [] {
         void* const at =
             ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return error_of(::mprotect(at, 4096, PROT_READ | PROT_EXEC));
       }},
      {"a call that does not exist", [] { return error_of(::syscall(9999)); }},
  };
  for (const auto& each : denied) EXPECT_EQ(status_of(each.make), EPERM) << each.name;
}

TEST_F(filtered, the_rest_works) {
  const call allowed[] = {
      {"a thread", [] { return std::thread{[] {}}.join(), 0; }},
      {"a child that runs a program",
       [] { return ::system("exec /bin/sh -c 'test -r /proc/self/status'"); }},
      {"a file",
       [] {
         const int file = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
         return file < 0 || ::ftruncate(file, 4096) != 0 || ::fdatasync(file) != 0 ? errno : 0;
       }},
      {"a name",
       [] {
         addrinfo* found = nullptr;
         return ::getaddrinfo("localhost", "80", nullptr, &found);
       }},
      {"sockets",
       [] {
         for (const int family : {AF_UNIX, AF_INET}) {
           if (::socket(family, SOCK_STREAM, 0) < 0) return errno;
         }
         return 0;
       }},
  };
  for (const auto& each : allowed) EXPECT_EQ(status_of(each.make), 0) << each.name;
}

TEST_F(filtered, it_cannot_get_new_privileges_nor_be_looked_into) {
  EXPECT_EQ(status_of([] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }), 1);
  EXPECT_EQ(status_of([] { return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }), 0);
}

}  // namespace
}  // namespace tollgate::proxy
