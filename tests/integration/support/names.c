/* Preloaded: the name store.test resolves to 127.0.0.1 as long as the file NAMES_FILE exists. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
  if (node && strcmp(node, "store.test") == 0) {
    const char *file = getenv("NAMES_FILE");
    if (!file || access(file, F_OK) != 0) return EAI_NONAME;
    node = "127.0.0.1";
  }
  return real(node, service, hints, found);
}
