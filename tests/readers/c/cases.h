// Cases in, answers out, for readers of JSON written in C. See ../README.md for the protocol.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct described {
  int read;
  const char* model;
  long queries;
  double n, best_of;  // below zero: no number
};

static void print_number(const char* name, double value) {
  if (value < 0) printf(",\"%s\":null", name);
  else printf(",\"%s\":%.17g", name, value > 1e9 ? 1e9 : value);
}

static void print(const char* name, struct described what, const char* end) {
  printf("\"%s\":", name);
  if (!what.read) {
    printf("null%s", end);
    return;
  }
  printf("{\"model\":");
  if (what.model == NULL) {
    printf("null");
  } else {
    printf("\"");
    for (const char* c = what.model; *c; ++c) printf("%02x", (unsigned char)*c);
    printf("\"");
  }
  printf(",\"queries\":%ld", what.queries);
  print_number("n", what.n);
  print_number("best_of", what.best_of);
  printf("}%s", end);
}

static char* read_block(size_t* size) {
  unsigned char length[4];
  if (fread(length, 1, 4, stdin) != 4) return NULL;
  *size = (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | length[3];
  char* out = calloc(*size + 1, 1);
  if (fread(out, 1, *size, stdin) != *size) exit(1);
  return out;
}

// Prints what each reader makes of the body, which a NUL follows.
static void answer(const char* body, size_t size);

int main(void) {
  size_t size = 0;
  for (char* kind; (kind = read_block(&size)) != NULL;) {
    char* type = read_block(&size);
    char* body = read_block(&size);
    printf("{");
    if (strcmp(kind, "json") == 0) answer(body, size);
    printf("}\n");
    fflush(stdout);
    free(kind);
    free(type);
    free(body);
  }
  return 0;
}
