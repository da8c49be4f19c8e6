// The JSON functions that this server needs: reading a few members of a request, quoting strings.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::sample_upstream {

std::string json_string(std::string_view text);

// The members of a request body that handlers use. Unreadable bodies get the defaults.
struct request_fields {
  std::string model = "sample";
  bool stream = false;
  bool base64_embeddings = false;  // encoding_format
  std::size_t inputs = 1;          // elements of /input, or one
  std::size_t queries = 1;         // elements of /queries, or one
};
// Empty if the body is not a JSON object.
std::optional<request_fields> read_fields(const std::string& body);

// The parameters of a text-to-speech request, with the defaults of OpenAI's API.
struct speech_fields {
  std::string input;
  std::string response_format = "mp3";
  std::string stream_format = "audio";
  double speed = 1;
};
std::optional<speech_fields> read_speech_fields(const std::string& body);

}  // namespace tollgate::sample_upstream
