#include "config/problems.hpp"

#include <algorithm>
#include <tuple>

namespace tollgate::config {

void problems::add(source_position at, std::string message) {
  if (found_.size() == most) {
    ++beyond_;
  } else {
    found_.push_back({at, std::move(message)});
  }
}

std::vector<problems::entry> problems::sorted() const {
  std::vector<entry> all = found_;
  const auto key = [](const entry& e) { return std::tie(e.at.line, e.at.column, e.message); };
  const auto before = [&](const entry& a, const entry& b) { return key(a) < key(b); };
  const auto same = [&](const entry& a, const entry& b) { return key(a) == key(b); };
  std::sort(all.begin(), all.end(), before);
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  if (beyond_ != 0) {
    all.push_back({all.back().at, "and " + std::to_string(beyond_) + " more problems"});
  }
  return all;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 80;
  constexpr char hex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
    } else {
      out += c;
    }
  }
  // Removes a UTF-8 sequence that was cut.
  if (text.size() > longest) {
    while ((static_cast<unsigned char>(out.back()) & 0xc0) == 0x80) out.pop_back();
    if ((static_cast<unsigned char>(out.back()) & 0xc0) == 0xc0) out.pop_back();
    out += "...";
  }
  return out + '"';
}

}  // namespace tollgate::config
