// cJSON and json-c.
#include "cases.h"

#include <cjson/cJSON.h>
#include <json-c/json.h>

// --- cJSON

typedef cJSON* (*getter)(const cJSON*, const char*);

static double cjson_number(const cJSON* item) { return cJSON_IsNumber(item) ? item->valuedouble : -1; }

static void with_cjson(const char* name, getter get, cJSON* root) {
  struct described out = {root != NULL, NULL, -1, -1, -1};
  if (root != NULL) {
    out.model = cJSON_GetStringValue(get(root, "model"));
    const cJSON* queries = get(root, "queries");
    if (cJSON_IsArray(queries) || cJSON_IsObject(queries)) out.queries = cJSON_GetArraySize(queries);
    out.n = cjson_number(get(root, "n"));
    out.best_of = cjson_number(get(root, "best_of"));
  }
  print(name, out, ",");
  cJSON_Delete(root);
}

// --- json-c

static double jsonc_number(json_object* root, const char* name) {
  json_object* value = NULL;
  if (!json_object_object_get_ex(root, name, &value)) return -1;
  const enum json_type type = json_object_get_type(value);
  return type == json_type_int || type == json_type_double ? json_object_get_double(value) : -1;
}

static void with_jsonc(const char* text, size_t size) {
  struct described out = {0, NULL, -1, -1, -1};
  json_tokener* tokener = json_tokener_new();
  json_object* root = json_tokener_parse_ex(tokener, text, (int)size + 1);
  if (json_object_is_type(root, json_type_object)) {
    json_object* value = NULL;
    out.read = 1;
    if (json_object_object_get_ex(root, "model", &value) &&
        json_object_is_type(value, json_type_string))
      out.model = json_object_get_string(value);
    if (json_object_object_get_ex(root, "queries", &value)) {
      if (json_object_is_type(value, json_type_array)) out.queries = (long)json_object_array_length(value);
      if (json_object_is_type(value, json_type_object)) out.queries = json_object_object_length(value);
    }
    out.n = jsonc_number(root, "n");
    out.best_of = jsonc_number(root, "best_of");
  }
  print("json-c", out, "");
  json_object_put(root);
  json_tokener_free(tokener);
}

static void answer(const char* body, size_t size) {
  with_cjson("cJSON", cJSON_GetObjectItem, cJSON_ParseWithLength(body, size));
  with_cjson("cJSON-exact", cJSON_GetObjectItemCaseSensitive, cJSON_ParseWithLength(body, size));
  with_cjson("cJSON-string", cJSON_GetObjectItem, cJSON_Parse(body));
  with_jsonc(body, size);
}
