/* Loaded before a program's own libraries: getaddrinfo() of "several.test" returns the addresses in
   SEVERAL_ADDRESSES, numeric and separated by commas, in this order. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
  const char *addresses = getenv("SEVERAL_ADDRESSES");
  if (!name || !addresses || strcmp(name, "several.test")) return real(name, service, hints, found);
  char *list = strdup(addresses), *rest = list, *each;
  struct addrinfo **end = found;
  struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
  int failed = 0;
  *found = NULL;
  while (!failed && (each = strsep(&rest, ","))) {
    failed = real(each, service, &numeric, end);
    while (*end) end = &(*end)->ai_next;  /* glibc frees a list element by element */
  }
  free(list);
  return failed;
}
