#include "deploy/sample_upstream/json.hpp"

#include <simdjson.h>

namespace tollgate::sample_upstream {

std::string json_string(std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (const auto byte = static_cast<unsigned char>(c); byte < 0x20) {
      out.append("\\u00").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

std::optional<request_fields> read_fields(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body).get(object) != simdjson::SUCCESS) return std::nullopt;
  request_fields fields;
  std::string_view text;
  simdjson::dom::array array;
  if (object["model"].get(text) == simdjson::SUCCESS) fields.model = text;
  if (object["stream"].get(fields.stream) != simdjson::SUCCESS) fields.stream = false;
  if (object["encoding_format"].get(text) == simdjson::SUCCESS) {
    fields.base64_embeddings = text == "base64";
  }
  if (object["input"].get(array) == simdjson::SUCCESS) fields.inputs = array.size();
  if (object["queries"].get(array) == simdjson::SUCCESS) fields.queries = array.size();
  return fields;
}

std::optional<speech_fields> read_speech_fields(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body).get(object) != simdjson::SUCCESS) return std::nullopt;
  speech_fields fields;
  std::string_view text;
  if (object["input"].get(text) == simdjson::SUCCESS) fields.input = text;
  if (object["response_format"].get(text) == simdjson::SUCCESS) fields.response_format = text;
  if (object["stream_format"].get(text) == simdjson::SUCCESS) fields.stream_format = text;
  if (object["speed"].get(fields.speed) != simdjson::SUCCESS) fields.speed = 1;
  return fields;
}

}  // namespace tollgate::sample_upstream
