// Members of a JSON body, read with certainty: the whole body is validated, and a deciding member
// must be unique. Only this file uses simdjson.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "routes/reading.hpp"

namespace tollgate::routes {

// RFC 6901: "/model", "/input/0/type"; "~1" is a slash, "~0" a tilde. "" is the whole body.
class json_pointer {
 public:
  static std::variant<json_pointer, std::string> parse(std::string_view text);

  const std::string& text() const { return text_; }
  struct token {
    std::string text, skeleton;  // see member_name.hpp
  };
  const std::vector<token>& tokens() const { return tokens_; }
  // How users write it: "model" for "/model"; the pointer itself if it has several names.
  std::string_view shown() const;

 private:
  std::string text_;
  std::vector<token> tokens_;
};

// How much memory parsing a large body touches at most, besides the body itself. A text of which
// most is one long string, such as an image, needs little more than itself; a list of small numbers
// fourteen times as much.
std::size_t memory_to_parse(const std::string& text);
// A body, parsed by this thread's parser: a thread can have at most one json_body at a time. Memory
// that the parser allocates for a large body is freed with the json_body.
class json_body {
 public:
  explicit json_body(const std::string& text);
  ~json_body();
  json_body(const json_body&) = delete;
  json_body& operator=(const json_body&) = delete;

  // Empty if the body is valid JSON in UTF-8, and read() may be called.
  const std::string& error() const { return error_; }
  // There was not enough memory to parse it, so there is nothing to say about it.
  bool is_out_of_memory() const { return is_out_of_memory_; }

  // Ambiguous if a member on the path is duplicated, or if another member exists that some reader
  // could take for it (see member_name.hpp).
  reading read(const json_pointer& where) const;

 private:
  std::string error_;
  bool is_out_of_memory_ = false;
};

}  // namespace tollgate::routes
