#include "routes/meters/aac/codebooks.hpp"

namespace tollgate::routes::meters::aac {
namespace {

// A Huffman codebook of ISO/IEC 14496-3, 4.A.1. Codes of one length are consecutive numbers, and
// shorter codes come first, so the number of codes of each length, from 1 bit on, defines all
// codes. One letter per code, in code order, says which bits follow it: the number of sign bits, or
// for escapes `a` (one, one sign), `b` (one, two signs) or `c` (two).
struct book {
  std::array<std::uint8_t, codebook::longest> codes_of_length;
  std::string_view behind;  // empty: no bits follow, the values are signed
};

constexpr book scale_factor_book{{1, 0, 1, 3, 2, 4, 3, 5, 4, 6, 6, 6, 5, 8, 4, 7, 3, 7, 46}, {}};

constexpr std::array spectral_books{
    book{{1, 0, 0, 0, 8, 0, 24, 0, 24, 8, 16}, {}},
    book{{0, 0, 1, 1, 7, 24, 15, 19, 14}, {}},
    book{{1, 0, 0, 4, 2, 6, 3, 5, 15, 15, 8, 9, 3, 3, 5, 2},
         "01111222223234331122323233122122433432324433233322324334423333334444223343444323"
         "3"},
    book{{0, 0, 0, 10, 6, 0, 9, 21, 8, 14, 11, 2},
         "43333120222212114444333333333333222222222222111144444433333333343334442222224333"
         "3"},
    book{{1, 0, 0, 4, 4, 0, 4, 12, 12, 12, 18, 10, 4}, {}},
    book{{0, 0, 0, 9, 0, 16, 13, 8, 23, 8, 4}, {}},
    book{{1, 0, 2, 1, 0, 4, 5, 10, 14, 15, 8, 4},
         "0112221122211222222221122212122222222211222222222222112222222222"},
    book{{0, 0, 1, 5, 7, 10, 14, 15, 8, 4},
         "2212120112222222221122222222221212222222121222222222221212222112"},
    book{{1, 0, 2, 1, 0, 4, 3, 8, 11, 20, 31, 38, 32, 14, 4},
         "01122211222112222222211222222212122222222122222222122212222122221122222222222221"
         "22212222222222222222222212212222222122222222222222212212222122222222222222222222"
         "222222222"},
    book{{0, 0, 0, 3, 8, 14, 17, 25, 31, 41, 22, 8},
         "22221122222112222022112222222222221212222222222221212222222222222222221222221222"
         "22222222222222121222222212222221222222222222222221212122222222222222212122212221"
         "222222122"},
    book{{0, 0, 0, 2, 6, 7, 16, 59, 55, 95, 43, 6},
         "02c11222222121222222211222222222222222bbbbb2b121b2bbbb22222bb22bbb22b2bbb2b22bb2"
         "221bb222212bb22b2b2222222b221222222122222222222222122222222222a222222a2122222222"
         "22222222222222222222221222222222222222222122222222222222222222222222211222222222"
         "2222222222222222212212122212222211222212212112112"},
};

struct behind_code {
  std::uint8_t signs, escapes;
};
constexpr behind_code read_letter(char letter) {
  switch (letter) {
    case 'a':
      return {1, 1};
    case 'b':
      return {2, 1};
    case 'c':
      return {2, 2};
    default:
      return {static_cast<std::uint8_t>(letter - '0'), 0};
  }
}

codebook make(const book& from) {
  codebook out;
  std::uint32_t code = 0;
  std::size_t index = 0;
  for (unsigned length = 1; length <= codebook::longest; ++length, code <<= 1) {
    out.first_code[length] = code;
    out.first_index[length] = static_cast<std::uint16_t>(index);
    for (unsigned n = 0; n < from.codes_of_length[length - 1]; ++n, ++code, ++index) {
      const auto behind = from.behind.empty() ? behind_code{} : read_letter(from.behind[index]);
      out.words.push_back({static_cast<std::uint8_t>(length), behind.signs, behind.escapes});
      if (length > codebook::direct_bits) continue;
      const auto first = code << (codebook::direct_bits - length);
      for (std::uint32_t i = 0; i < 1U << (codebook::direct_bits - length); ++i)
        out.direct[first + i] = out.words.back();
    }
    out.end_code[length] = code;
  }
  return out;
}

std::array<codebook, spectral_books.size()> make_all() {
  std::array<codebook, spectral_books.size()> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = make(spectral_books[i]);
  return out;
}

}  // namespace

const codebook& spectral_codebook(unsigned number) {
  static const auto all = make_all();
  return all[number - 1];
}

const codebook& scale_factor_codebook() {
  static const auto one = make(scale_factor_book);
  return one;
}

codebook::word codebook::find_longer(std::uint32_t next) const {
  for (unsigned length = direct_bits + 1; length <= longest; ++length) {
    const auto code = next >> (peeked - length);
    if (code < end_code[length]) return words[first_index[length] + code - first_code[length]];
  }
  return words.back();  // not reached: the codes are complete
}

}  // namespace tollgate::routes::meters::aac
