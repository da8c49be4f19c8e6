// Preloaded into a program: it is started once and run many times.
//
// ffmpeg is linked with two hundred libraries, and to load them takes longer than to read most files of a test.
// So the program stops before its main(), when they are loaded, and forks for each request that comes over the
// socket whose number is in FORK_SERVER. What runs then is the program itself, as it was started.
//
// A request is one packet: a length, and behind it in a second one the directory and the arguments, each with a
// NUL behind it; with the length come standard input, output and error. The answer is the process id, and
// another one, when it has ended, its status as waitpid() has it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*main_function)(int, char **, char **);
static main_function program_main;

enum { most_arguments = 500, streams = 3 };

static int receive_length(int from, int *opened, uint32_t *length) {
  union {
    char bytes[CMSG_SPACE(streams * sizeof(int))];
    struct cmsghdr aligned;
  } control;
  struct iovec data = {length, sizeof *length};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  if (recvmsg(from, &message, 0) != (ssize_t)sizeof *length) return 0;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header == NULL || header->cmsg_len != CMSG_LEN(streams * sizeof(int))) return 0;
  memcpy(opened, CMSG_DATA(header), streams * sizeof(int));
  return 1;
}

static void run(int from, char *words, uint32_t length, const int *opened, char **environment) {
  char *arguments[most_arguments + 1];
  int count = 0;
  for (int i = 0; i < streams; ++i) {
    dup2(opened[i], i);
    close(opened[i]);
  }
  close(from);
  if (length == 0 || words[length - 1] != '\0' || chdir(words) != 0) _exit(126);
  for (char *word = words + strlen(words) + 1; word < words + length; word += strlen(word) + 1) {
    if (count == most_arguments) _exit(126);
    arguments[count++] = word;
  }
  arguments[count] = NULL;
  exit(program_main(count, arguments, environment));
}

static int serve(int argc, char **argv, char **environment) {
  const char *number = getenv("FORK_SERVER");
  if (number == NULL) return program_main(argc, argv, environment);
  const int from = atoi(number);
  unsetenv("FORK_SERVER");
  unsetenv("LD_PRELOAD");
  int opened[streams];
  uint32_t length;
  while (receive_length(from, opened, &length)) {
    char *words = malloc(length);
    if (words == NULL || recv(from, words, length, 0) != (ssize_t)length) return 1;
    int32_t answer = fork();
    if (answer == 0) run(from, words, length, opened, environ);
    free(words);
    for (int i = 0; i < streams; ++i) close(opened[i]);
    if (answer < 0 || send(from, &answer, sizeof answer, MSG_NOSIGNAL) < 0) return 1;
    int status;
    if (waitpid(answer, &status, 0) != answer) return 1;
    answer = status;
    if (send(from, &answer, sizeof answer, MSG_NOSIGNAL) < 0) return 1;
  }
  return 0;
}

// What the C library calls, with the program's main().
int __libc_start_main(main_function program, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*loader_fini)(void), void *stack_end) {
  int (*start)(main_function, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
  *(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
  program_main = program;
  return start(serve, argc, argv, init, fini, loader_fini, stack_end);
}
