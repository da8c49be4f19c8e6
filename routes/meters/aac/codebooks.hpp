// The Huffman codebooks of AAC. They only tell where a code word ends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tollgate::routes::meters::aac {

struct codebook {
  static constexpr unsigned longest = 19, peeked = 19, direct_bits = 9;

  struct word {
    std::uint8_t bits = 0;     // length of the code
    std::uint8_t signs = 0;    // sign bits after the code
    std::uint8_t escapes = 0;  // escape sequences after the signs
  };
  // The code word at the start of the next `peeked` bits.
  word find(std::uint32_t next) const {
    const auto found = direct[next >> (peeked - direct_bits)];
    return found.bits != 0 ? found : find_longer(next);
  }
  word find_longer(std::uint32_t next) const;

  std::array<word, 1U << direct_bits> direct{};
  std::vector<word> words;  // in code order
  std::array<std::uint32_t, longest + 1> first_code{}, end_code{};
  std::array<std::uint16_t, longest + 1> first_index{};
};

const codebook& spectral_codebook(unsigned number);  // 1 to 11
const codebook& scale_factor_codebook();

}  // namespace tollgate::routes::meters::aac
