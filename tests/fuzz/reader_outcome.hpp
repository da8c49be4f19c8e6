// What comes out of a reader, for the whole body and for pieces of it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "routes/readers/reader.hpp"
#include "tests/fuzz/input.hpp"

namespace tollgate::fuzz {

struct collected final : routes::readers::sink {
  std::string bytes;
  int ends = 0;
  void write(std::string_view piece) override { bytes += piece; }
  void finish() override { ++ends; }
};

struct outcome {
  routes::readers::fault problem = routes::readers::fault::none;
  std::string bytes;
  bool operator==(const outcome&) const = default;
};

// Pieces of 1 to `longest` bytes, in an order that `longest` decides.
template <class Make>
outcome read_in_pieces(Make make, std::string_view body, std::size_t longest) {
  collected out;
  auto reader = make(out);
  for (std::size_t n = 1; !body.empty(); n = n * 5 % longest + 1) {
    const auto piece = body.substr(0, n);
    reader->write(piece);
    body.remove_prefix(piece.size());
  }
  reader->finish();
  require(out.ends == 1, "the end is passed on once");
  return {reader->problem(), out.bytes};
}

template <class Make>
outcome read_body(Make make, std::string_view body) {
  collected out;
  auto reader = make(out);
  reader->write(body);
  reader->finish();
  outcome whole{reader->problem(), out.bytes};
  for (const std::size_t longest : {1, 3, 16, 117})
    require(read_in_pieces(make, body, longest) == whole, "pieces are read as the whole");
  return whole;
}

// Base64 as slow as it likes. False: malformed.
inline bool decode_base64(std::string_view text, std::string& out) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits, padding;
  for (char c : text) {
    if (std::string_view{" \t\r\n\f\v"}.find(c) != std::string_view::npos) continue;
    c = c == '-' ? '+' : c == '_' ? '/' : c;
    const auto value = c == '\0' ? digits.npos : digits.find(c);
    if (c == '=')
      padding += c;
    else if (value == digits.npos || !padding.empty())
      return false;
    else
      for (int i = 5; i >= 0; --i) bits += static_cast<char>(value >> i & 1);
  }
  const auto characters = bits.size() / 6;
  if (characters % 4 == 1) return false;
  if (!padding.empty() &&
      (characters % 4 < 2 || (characters + padding.size()) % 4 != 0 || padding.size() > 2))
    return false;
  for (std::size_t i = 0; i + 8 <= bits.size(); i += 8) {
    int byte = 0;
    for (std::size_t k = 0; k < 8; ++k) byte = byte << 1 | bits[i + k];
    out += static_cast<char>(byte);
  }
  return true;
}

}  // namespace tollgate::fuzz
