#include "routes/readers/json_scanner.hpp"

#include <algorithm>

#include "routes/member_name.hpp"
#include "routes/text.hpp"

namespace tollgate::routes::readers {
namespace {

bool is_json_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

constexpr auto ends_plain_text = [] {
  std::array<bool, 256> out{};
  for (unsigned c = 0; c < 0x20; ++c) out[c] = true;
  for (unsigned c = 0x80; c < 0x100; ++c) out[c] = true;
  out['"'] = out['\\'] = true;
  return out;
}();

}  // namespace

json_scanner::json_scanner(std::vector<json_pointer> pointers, listener& heard_by)
    : listener_{heard_by} {
  for (auto& pointer : pointers) searches_.push_back({std::move(pointer)});
  name_.reserve(longest_name);
}

void json_scanner::restart() {
  for (auto& each : searches_) {
    each.along = 0;
    each.follows = false;
    each.seen = 0;
  }
  state_ = state::value;
  fault_ = fault::none;
  rest_of_character_ = 0;
  depth_ = 0;
  wanted_ = none;
}

void json_scanner::write(std::string_view piece) {
  while (!piece.empty() && fault_ == fault::none) {
    if (state_ == state::in_text && rest_of_character_ == 0) piece = take_plain(piece);
    if (piece.empty()) break;
    take(piece.front());
    piece.remove_prefix(1);
  }
}

void json_scanner::finish() {
  const bool number_ends = state_ == state::zero || state_ == state::integer ||
                           state_ == state::fraction || state_ == state::exponent_digits;
  if (state_ != state::end && !(number_ends && depth_ == 0)) fail(fault::truncated);
}

void json_scanner::take(char c) {
  switch (state_) {
    case state::in_text:
      if (rest_of_character_ > 0 || (c & 0x80) != 0) return take_beyond_ascii(c);
      if (c == '"') return end_text();
      return c == '\\' ? void(state_ = state::escape) : fail(fault::malformed);
    case state::escape:
      return take_escape(c);
    case state::hex:
      return take_hex(c);
    case state::literal:
      if (c != literal_rest_.front()) return fail(fault::malformed);
      literal_rest_.remove_prefix(1);
      return literal_rest_.empty() ? end_value() : void();
    case state::minus:
    case state::zero:
    case state::integer:
    case state::point:
    case state::fraction:
    case state::exponent:
    case state::exponent_sign:
    case state::exponent_digits:
      return take_in_number(c);
    default:
      if (!is_json_blank(c)) take_between(c);
  }
}

void json_scanner::take_between(char c) {
  switch (state_) {
    case state::first_value:
      return c == ']' ? close(false) : begin_value(c);
    case state::value:
      return begin_value(c);
    case state::first_name:
      if (c == '}') return close(true);
      [[fallthrough]];
    case state::name:
      return c == '"' ? begin_text(text_kind::name) : fail(fault::malformed);
    case state::colon:
      return c == ':' ? void(state_ = state::value) : fail(fault::malformed);
    case state::after_value:
      if (c == ',') return void(state_ = is_object_[depth_] ? state::name : state::value);
      return c == '}' || c == ']' ? close(c == '}') : fail(fault::malformed);
    default:
      return fail(fault::malformed);
  }
}

// --- Values

void json_scanner::begin_value(char c) {
  if (c == '"') return begin_text(text_kind::value);
  if (wanted_ != none) listener_.on_other(wanted_);
  wanted_ = none;
  if (c == '{' || c == '[') return open(c == '{');
  for (auto& each : searches_) each.follows = false;
  if (c == '-') return void(state_ = state::minus);
  if (c == '0') return void(state_ = state::zero);
  if (is_digit(c)) return void(state_ = state::integer);
  if (c == 't') return begin_literal("rue");
  if (c == 'f') return begin_literal("alse");
  if (c == 'n') return begin_literal("ull");
  fail(fault::malformed);
}

void json_scanner::begin_literal(std::string_view rest) {
  literal_rest_ = rest;
  state_ = state::literal;
}

void json_scanner::take_in_number(char c) {
  const bool digit = is_digit(c), exponent = c == 'e' || c == 'E';
  const auto go_to = [this](state next, bool allowed) {
    if (!allowed) return fail(fault::malformed);
    state_ = next;
  };
  switch (state_) {
    case state::minus:
      return go_to(c == '0' ? state::zero : state::integer, digit);
    case state::zero:
    case state::integer:
      if (digit && state_ == state::integer) return;
      if (c == '.') return go_to(state::point, true);
      return exponent ? go_to(state::exponent, true) : end_number(c);
    case state::point:
      return go_to(state::fraction, digit);
    case state::fraction:
      if (exponent) return go_to(state::exponent, true);
      return digit ? void() : end_number(c);
    case state::exponent:
      if (c == '+' || c == '-') return go_to(state::exponent_sign, true);
      [[fallthrough]];
    case state::exponent_sign:
      return go_to(state::exponent_digits, digit);
    default:
      return digit ? void() : end_number(c);
  }
}

void json_scanner::end_number(char next) {
  end_value();
  take(next);
}

void json_scanner::end_value() {
  state_ = depth_ == 0 ? state::end : state::after_value;
}

// --- Objects and arrays

void json_scanner::open(bool object) {
  if (depth_ == deepest) return fail(fault::malformed);
  is_object_[++depth_] = object;
  for (auto& each : searches_) {
    if (each.follows && object) each.along = depth_ - 1;
    each.follows = false;
  }
  state_ = object ? state::first_name : state::first_value;
}

void json_scanner::close(bool object) {
  if (is_object_[depth_] != object) return fail(fault::malformed);
  --depth_;
  for (auto& each : searches_)
    if (each.along > 0 && each.along == depth_) --each.along;
  end_value();
}

void json_scanner::find_member() {
  wanted_ = none;
  for (auto& each : searches_) {
    each.follows = false;
    const auto& tokens = each.pointer.tokens();
    if (each.along != depth_ - 1 || each.along >= tokens.size()) continue;
    const auto& token = tokens[each.along];
    if (!may_be_taken_for(name_, token.skeleton, name_.size() == longest_name)) continue;
    const auto bit = std::uint64_t{1} << each.along;
    if (name_ != token.text || (each.seen & bit) != 0) return fail(fault::ambiguous);
    each.seen |= bit;
    each.follows = each.along + 1 < tokens.size();
    if (!each.follows) wanted_ = static_cast<std::size_t>(&each - searches_.data());
  }
}

// --- Text

void json_scanner::begin_text(text_kind kind) {
  text_ = kind;
  name_.clear();
  if (kind == text_kind::value)
    for (auto& each : searches_) each.follows = false;
  state_ = state::in_text;
}

std::string_view json_scanner::take_plain(std::string_view piece) {
  const auto* end = std::find_if(piece.begin(), piece.end(), [](char c) {
    return ends_plain_text[static_cast<unsigned char>(c)];
  });
  const auto plain = static_cast<std::size_t>(end - piece.begin());
  if (plain > 0) put(piece.substr(0, plain));
  return piece.substr(plain);
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
void json_scanner::take_beyond_ascii(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  if (rest_of_character_ > 0) {
    if (byte < next_at_least_ || byte > next_at_most_) return fail(fault::malformed);
    --rest_of_character_;
    next_at_least_ = 0x80, next_at_most_ = 0xBF;
  } else {
    if (byte < 0xC2 || byte > 0xF4) return fail(fault::malformed);
    rest_of_character_ = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
    next_at_least_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    next_at_most_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
  }
  put({&c, 1});
}

void json_scanner::put(std::string_view piece) {
  if (text_ == text_kind::name)
    name_.append(piece.substr(0, longest_name - name_.size()));
  else if (wanted_ != none)
    listener_.on_text(wanted_, piece);
}

void json_scanner::take_escape(char c) {
  constexpr std::string_view written = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
  if (c == 'u') {
    state_ = state::hex;
    hex_digits_ = code_unit_ = 0;
    return;
  }
  const auto which = written.find(c);
  if (which == written.npos) return fail(fault::malformed);
  put(meant.substr(which, 1));
  state_ = state::in_text;
}

void json_scanner::take_hex(char c) {
  const auto value = hex_value(c);
  if (value < 0) return fail(fault::malformed);
  code_unit_ = code_unit_ << 4 | static_cast<std::uint32_t>(value);
  if (++hex_digits_ < 4) return;
  put_code_unit();
  state_ = state::in_text;
}

// Surrogates are not paired: no wanted name and no base64 digit is beyond U+FFFF.
void json_scanner::put_code_unit() {
  const auto unit = code_unit_;
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  const std::array<char, 3> three{byte(0xE0 | unit >> 12), byte(0x80 | (unit >> 6 & 0x3F)),
                                  byte(0x80 | (unit & 0x3F))};
  const std::array<char, 2> two{byte(0xC0 | unit >> 6), three[2]};
  const std::array<char, 1> one{byte(unit)};
  if (unit < 0x80) return put({one.data(), one.size()});
  if (unit < 0x800) return put({two.data(), two.size()});
  put({three.data(), three.size()});
}

void json_scanner::end_text() {
  if (text_ == text_kind::name) {
    state_ = state::colon;
    return find_member();
  }
  if (wanted_ != none) listener_.on_text_end(wanted_);
  wanted_ = none;
  end_value();
}

}  // namespace tollgate::routes::readers
