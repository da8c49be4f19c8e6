#include "config/source_text.hpp"

#include <algorithm>

#include "routes/text.hpp"

namespace tollgate::config {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// The length that the first byte announces. is_utf8 checks the rest.
std::size_t announced_length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

}  // namespace

source_text::source_text(std::string_view text) : text_{text} {
  line_starts_.push_back(0);
  characters_before_.reserve(text.size() + 1);
  std::uint32_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    characters_before_.push_back(characters);
    if (i + 1 == text.size() || !continues_character(text[i + 1])) ++characters;
    if (text[i] == '\n') line_starts_.push_back(i + 1);
  }
  characters_before_.push_back(characters);
}

std::size_t source_text::line_of(std::size_t offset) const {
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<std::size_t>(next - line_starts_.begin()) - 1;
}

source_position source_text::at(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const std::size_t line = line_of(offset);
  const auto column = characters_before_[offset] - characters_before_[line_starts_[line]];
  return {static_cast<int>(line) + 1, static_cast<int>(column) + 1};
}

std::size_t source_text::offset(std::size_t line, std::size_t byte_column) const {
  line = std::min(line, line_starts_.size() - 1);
  return std::min(line_starts_[line] + byte_column, text_.size());
}

std::string_view source_text::line_around(std::size_t offset) const {
  const std::size_t start = line_starts_[line_of(std::min(offset, text_.size()))];
  return text_.substr(start, text_.find('\n', start) - start);
}

std::optional<text_flaw> find_flaw(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view character = text.substr(i, announced_length(text[i]));
    if (!routes::is_utf8(character)) return text_flaw{i, "not UTF-8"};
    const bool blank = text[i] == '\t' || text[i] == '\n' || text[i] == '\r';
    if (!blank && character.size() == 1 && routes::has_control(character)) {
      return text_flaw{i, "a control character"};
    }
    i += character.size();
  }
  return {};
}

}  // namespace tollgate::config
