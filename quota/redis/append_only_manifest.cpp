#include "quota/redis/append_only_manifest.hpp"

#include <charconv>

namespace tollgate::quota::redis {

namespace {

constexpr std::string_view prefix = "appendonly.aof.";

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto stop = text.data() + text.size();
  const auto [end, failed] = std::from_chars(text.data(), stop, value);
  if (failed != std::errc{} || end != stop || value < 1 || text.front() == '0') return std::nullopt;
  return value;
}

struct entry {
  std::string name;
  std::int64_t sequence;
  char type;
};

bool take(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

bool is_name(const entry& each, bool increment) {
  const auto start = std::string{prefix} + std::to_string(each.sequence);
  if (increment) return each.name == start + ".incr.aof";
  return each.name == start + ".base.rdb" || each.name == start + ".base.aof";
}

// "file appendonly.aof.1.incr.aof seq 1 type i"; servers of version 8 append " startoffset 0".
std::optional<entry> read_line(std::string_view line) {
  entry found;
  if (!take(line, "file ")) return std::nullopt;
  const auto space = line.find(' ');
  if (space == line.npos) return std::nullopt;
  found.name = line.substr(0, space);
  line.remove_prefix(space);
  if (!take(line, " seq ")) return std::nullopt;
  const auto digits = line.substr(0, line.find(' '));
  const auto sequence = number(digits);
  if (!sequence) return std::nullopt;
  found.sequence = *sequence;
  line.remove_prefix(digits.size());
  if (!take(line, " type ") || line.empty()) return std::nullopt;
  found.type = line.front();
  line.remove_prefix(1);
  if (take(line, " startoffset "))
    line.remove_prefix(std::min(line.find_first_not_of("0123456789"), line.size()));
  if (take(line, " endoffset "))
    line.remove_prefix(std::min(line.find_first_not_of("0123456789"), line.size()));
  if (!line.empty()) return std::nullopt;
  const bool known = found.type == 'b'   ? is_name(found, false)
                     : found.type == 'i' ? is_name(found, true)
                     : found.type == 'h' ? is_name(found, true) || is_name(found, false)
                                         : false;
  return known ? std::optional{found} : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> sequence_of_increment(std::string_view name) {
  constexpr std::string_view suffix = ".incr.aof";
  if (!take(name, prefix) || !name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  return name.empty() ? std::nullopt : number(name);
}

std::variant<append_only_manifest, manifest_error> read_manifest(std::string_view text) {
  append_only_manifest manifest;
  std::int64_t last = 0, last_history = 0;
  bool old_base = false;
  std::uint64_t offset = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == text.npos) return manifest_error{offset, "a line without an end"};
    const auto each = read_line(text.substr(0, end));
    if (!each) return manifest_error{offset, "a line that no server has written"};
    const bool increment = each->type == 'i';
    if (each->type == 'b') {
      if (manifest.base) return manifest_error{offset, "a second base"};
      manifest.base = each->name;
      manifest.base_sequence = each->sequence;
    } else if (increment) {
      if (last != 0 && each->sequence != last + 1)
        return manifest_error{offset, "a gap between increments"};
      last = each->sequence;
      manifest.increments.push_back(each->name);
    } else if (is_name(*each, false)) {
      old_base = true;
    } else {
      last_history = std::max(last_history, each->sequence);
    }
    offset += end + 1;
    text.remove_prefix(end + 1);
  }
  if (manifest.increments.empty()) return manifest_error{offset, "no file that is appended to"};
  const auto first = *sequence_of_increment(manifest.increments.front());
  if (!manifest.base && (old_base || last_history > 0 || first > 1))
    return manifest_error{0, "no base"};
  if (last_history >= first)
    return manifest_error{0, "an increment that is history before its time"};
  // A rewrite that ends turns the base and its increments into history together.
  if (last_history > 0 && !old_base)
    return manifest_error{0, "an increment that is history before its time"};
  return manifest;
}

}  // namespace tollgate::quota::redis
