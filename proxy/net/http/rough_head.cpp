#include "proxy/net/http/rough_head.hpp"

#include <algorithm>

#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

std::string_view take_line(std::string_view& bytes) {
  const auto end = std::min(bytes.find('\n'), bytes.size());
  auto line = bytes.substr(0, end);
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

rough_head read_roughly(std::string_view bytes) {
  constexpr std::size_t most_bytes = 16 * 1024, most_lines = 256;
  bytes = bytes.substr(0, most_bytes);
  rough_head out;
  auto target = take_line(bytes);
  target.remove_prefix(std::min(target.find(' ') + 1, target.size()));
  out.path = target.substr(0, target.find(' '));
  while (!bytes.empty() && out.fields.size() < most_lines) {
    const auto line = take_line(bytes);
    if (line.empty()) break;
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == line.npos || !routes::is_token(name)) continue;
    out.fields.push_back({name, routes::without_blanks(line.substr(colon + 1))});
  }
  return out;
}

}  // namespace tollgate::proxy
