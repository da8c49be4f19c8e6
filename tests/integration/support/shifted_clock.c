/* Loaded before a program's own libraries: its clock is ahead by SHIFTED_CLOCK_MS, and also by the
   value in the first eight bytes of the file SHIFTED_CLOCK_FILE, which a test may change while the program
   runs. So a test can wait for cycles that end at midnight. libfaketime does not work with jemalloc, which
   reads the time before anything is set up; this library asks the system directly. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long long *moved;

__attribute__((constructor)) static void look_at_file(void) {
  const char *name = getenv("SHIFTED_CLOCK_FILE");
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *bytes = mmap(NULL, sizeof *moved, PROT_READ, MAP_SHARED, file, 0);
  if (bytes != MAP_FAILED) moved = bytes;
  close(file);
}

static long long shift_ms(void) {
  const char *text = getenv("SHIFTED_CLOCK_MS");
  return (text ? atoll(text) : 0) + (moved ? *moved : 0);
}

int clock_gettime(clockid_t which, struct timespec *out) {
  int failed = (int)syscall(SYS_clock_gettime, which, out);
  if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
    long long ms = shift_ms();
    out->tv_sec += ms / 1000;
    out->tv_nsec += (ms % 1000) * 1000000;
    if (out->tv_nsec >= 1000000000) out->tv_nsec -= 1000000000, out->tv_sec++;
    if (out->tv_nsec < 0) out->tv_nsec += 1000000000, out->tv_sec--;
  }
  return failed;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
