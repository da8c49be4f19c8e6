#include "routes/json_members.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "routes/classify.hpp"
#include "routes/member_name.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// A parser keeps about fourteen bytes for every byte of the largest body it has parsed. If it has
// grown beyond this capacity, it is dropped afterwards.
constexpr std::size_t kept_capacity = 64 * 1024;

simdjson::dom::parser make_parser() {
  simdjson::dom::parser parser;
  // If memory is short, parse() fails again and reports it.
  [[maybe_unused]] const auto failure = parser.allocate(kept_capacity);
  return parser;
}

simdjson::dom::parser& this_threads_parser() {
  thread_local simdjson::dom::parser parser = make_parser();
  return parser;
}

std::string error_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::UTF8_ERROR:
      return "it is not valid UTF-8";
    case simdjson::DEPTH_ERROR:
      return "it is nested too deeply";
    case simdjson::NUMBER_ERROR:
      return "it contains a number that is malformed or out of range";
    case simdjson::STRING_ERROR:
      return "it contains a malformed string";
    case simdjson::UNCLOSED_STRING:
      return "it contains an unclosed string";
    case simdjson::UNESCAPED_CHARS:
      return "it contains an unescaped control character";
    case simdjson::CAPACITY:
      return "it is too large";
    default:
      return "it is malformed";
  }
}

std::string number_text(double value) {
  // 2 and 2.0 are the same number to every reader, so they get the same text. Integers beyond 2^53
  // do not get here: simdjson keeps them as integers.
  constexpr double exact = 9007199254740992.0;
  std::array<char, 32> buffer;
  const bool whole = value == std::trunc(value) && std::abs(value) <= exact;
  const auto end =
      whole ? std::to_chars(buffer.begin(), buffer.end(), static_cast<std::int64_t>(value)).ptr
            : std::to_chars(buffer.begin(), buffer.end(), value).ptr;
  return {buffer.begin(), end};
}

reading number(std::string text) {
  auto out = reading::of(std::move(text));
  out.is_number = true;
  return out;
}

reading container() {
  reading out;
  out.is = reading::state::present;
  out.scalar = false;
  return out;
}

// simdjson's own size() stops counting at 2^24 - 1; each element may be a query that is charged.
std::size_t size_of(const simdjson::dom::array& array) {
  constexpr std::size_t saturated = 0xFFFFFF;
  if (array.size() < saturated) return array.size();
  std::size_t count = 0;
  for (auto it = array.begin(); it != array.end(); ++it) ++count;
  return count;
}

reading null_value() {
  auto out = container();
  out.null = true;
  return out;
}

reading array_of(std::size_t elements) {
  auto out = container();
  out.is_array = true;
  out.elements = elements;
  return out;
}

reading read_value(const element& value) {
  switch (value.type()) {
    case element_type::STRING:
      return reading::of(std::string{value.get_string().value_unsafe()});
    case element_type::BOOL:
      return reading::of(value.get_bool().value_unsafe() ? "true" : "false");
    case element_type::INT64:
      return number(std::to_string(value.get_int64().value_unsafe()));
    case element_type::UINT64:
      return number(std::to_string(value.get_uint64().value_unsafe()));
    case element_type::DOUBLE:
      return number(number_text(value.get_double().value_unsafe()));
    case element_type::ARRAY:
      return array_of(size_of(value.get_array().value_unsafe()));
    case element_type::OBJECT:
      return container();
    case element_type::NULL_VALUE:
      break;
  }
  return null_value();
}

struct step {
  element to;
  bool found = false;
  std::string ambiguous;
};

step into_object(const simdjson::dom::object& object, const json_pointer::token& token) {
  step out;
  for (const auto member : object) {
    if (!may_be_taken_for(member.key, token.skeleton)) continue;
    if (member.key != token.text) {
      out.ambiguous =
          "some readers take its member " + shown(member.key) + " for " + shown(token.text);
      return out;
    }
    if (out.found) out.ambiguous = "the member " + shown(token.text) + " is duplicated";
    out.found = true;
    out.to = member.value;
  }
  return out;
}

step into_array(const simdjson::dom::array& array, std::string_view index) {
  step out;
  std::size_t at = 0;
  const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), at);
  const bool leading_zero = index.size() > 1 && index.front() == '0';
  if (error != std::errc{} || end != index.data() + index.size() || leading_zero) return out;
  if (array.at(at).get(out.to) == simdjson::SUCCESS) out.found = true;
  return out;
}

}  // namespace

std::variant<json_pointer, std::string> json_pointer::parse(std::string_view text) {
  json_pointer out;
  out.text_ = text;
  if (!text.empty() && text.front() != '/')
    return "is not a JSON pointer: it must begin with a slash";
  if (text.size() > 256) return "is longer than 256 bytes";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E)
      return "contains characters beyond ASCII, whose letter case upstreams treat differently";
    if (c == '/') {
      out.tokens_.emplace_back();
    } else if (c == '~') {
      const char next = i + 1 < text.size() ? text[++i] : '\0';
      if (next != '0' && next != '1') return "has a `~` that is not `~0` or `~1`";
      out.tokens_.back().text += next == '0' ? '~' : '/';
    } else {
      out.tokens_.back().text += c;
    }
  }
  for (auto& token : out.tokens_) token.skeleton = skeleton(token.text);
  return out;
}

std::string_view json_pointer::shown() const {
  return tokens_.size() == 1 ? std::string_view{text_}.substr(1) : std::string_view{text_};
}

std::size_t memory_to_parse(const std::string& text) {
  // The parser notes the position of each of these characters and of each value between them (four
  // bytes each), and up to two words for each value. Those inside strings are counted, too.
  constexpr std::size_t each = 2 * 4 + 2 * 8, beside = 64 * 1024;
  std::size_t structural = 0;
  for (const char c : text) {
    structural +=
        (c == ',') + (c == ':') + (c == '"') + (c == '[') + (c == '{') + (c == ']') + (c == '}');
  }
  const bool is_copied = text.capacity() - text.size() < room_behind_body;
  const auto strings = text.size() * (is_copied ? 2 : 1);
  return strings + std::min(structural * each, text.size() * 13) + beside;
}

json_body::json_body(const std::string& text) {
  // Some readers skip a byte order mark, others stop at it.
  if (text.starts_with("\xEF\xBB\xBF")) {
    error_ = "it begins with a byte order mark";
    return;
  }
  const auto code = this_threads_parser().parse(text).error();
  if (code != simdjson::SUCCESS) error_ = error_of(code);
  is_out_of_memory_ = code == simdjson::MEMALLOC;
}

json_body::~json_body() {
  auto& parser = this_threads_parser();
  if (parser.capacity() > kept_capacity) parser = make_parser();
}

reading json_body::read(const json_pointer& where) const {
  element at = this_threads_parser().doc.root();
  for (const auto& token : where.tokens()) {
    step next;
    if (at.is_object())
      next = into_object(at.get_object().value_unsafe(), token);
    else if (at.is_array())
      next = into_array(at.get_array().value_unsafe(), token.text);
    if (!next.ambiguous.empty()) return reading::uncertain(std::move(next.ambiguous));
    if (!next.found) return {};
    at = next.to;
  }
  return read_value(at);
}

}  // namespace tollgate::routes
