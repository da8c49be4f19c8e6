// Feeds readers in pieces, for the tests in this directory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

inline std::ostream& operator<<(std::ostream& out, fault which) {
  return out << to_string(which);
}

struct collected final : sink {
  std::string bytes;
  int ends = 0;
  void write(std::string_view piece) override { bytes += piece; }
  void finish() override { ++ends; }
};

// The output of a reader, and how it ended.
struct outcome {
  fault problem = fault::none;
  std::string bytes;
  bool operator==(const outcome&) const = default;
};
inline std::ostream& operator<<(std::ostream& out, const outcome& shown) {
  return out << shown.problem << " after " << shown.bytes.size()
             << " bytes: " << testing::PrintToString(shown.bytes.substr(0, 100));
}

// `make` is given a sink and returns a reader (by unique_ptr). `next_piece` returns the length of
// the next piece.
template <class Make, class NextPiece>
outcome read_in_pieces(Make make, std::string_view body, NextPiece next_piece) {
  collected out;
  auto reader = make(out);
  while (!body.empty()) {
    const auto piece = body.substr(0, next_piece());
    reader->write(piece);
    body.remove_prefix(piece.size());
  }
  reader->finish();
  EXPECT_EQ(out.ends, 1);
  return {reader->problem(), out.bytes};
}

// The answer to the whole body, after checking that it is the same for any pieces.
template <class Make>
outcome read_body(Make make, std::string_view body) {
  const auto whole = read_in_pieces(make, body, [&] { return body.size(); });
  EXPECT_EQ(read_in_pieces(make, body, [] { return 1; }), whole);
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::mt19937 random{seed};
    std::uniform_int_distribution<std::size_t> length{1, seed * seed * seed * 5};
    EXPECT_EQ(read_in_pieces(make, body, [&] { return length(random); }), whole) << "seed " << seed;
  }
  return whole;
}

inline std::string random_bytes(std::size_t n, unsigned seed = 1) {
  std::mt19937 random{seed};
  std::string out;
  for (; n > 0; --n) out += static_cast<char>(random() & 0xFF);
  return out;
}

// A second implementation, from the text of RFC 4648, written for clarity and not for speed.
inline std::string to_base64(std::string_view bytes, bool url = false, bool padding = true) {
  const std::string_view digits =
      url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
          : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      if (i <= bytes.size())
        out += digits[group >> (18 - 6 * i) & 0x3F];
      else if (padding)
        out += '=';
  }
  return out;
}

}  // namespace tollgate::routes::readers
