// Jansson, apart from the others: json-c has functions of the same names.
#include "cases.h"

#include <jansson.h>

// --- jansson

static double jansson_number(const json_t* value) { return json_is_number(value) ? json_number_value(value) : -1; }

static void with_jansson(const char* name, const char* text, size_t size, size_t flags, const char* end) {
  struct described out = {0, NULL, -1, -1, -1};
  json_t* root = json_loadb(text, size, flags, NULL);
  if (root != NULL) {
    const json_t* queries = json_object_get(root, "queries");
    out.read = 1;
    out.model = json_string_value(json_object_get(root, "model"));
    if (json_is_array(queries)) out.queries = (long)json_array_size(queries);
    if (json_is_object(queries)) out.queries = (long)json_object_size(queries);
    out.n = jansson_number(json_object_get(root, "n"));
    out.best_of = jansson_number(json_object_get(root, "best_of"));
  }
  print(name, out, end);
  json_decref(root);
}

static void answer(const char* body, size_t size) {
  const size_t lenient = JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY;
  with_jansson("jansson", body, size, 0, ",");
  with_jansson("jansson-lenient", body, size, lenient, "");
}
