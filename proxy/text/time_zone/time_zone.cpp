#include "proxy/text/time_zone/time_zone.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tollgate::proxy {

namespace {

namespace chrono = std::chrono;

constexpr std::size_t largest_file = 64 * 1024;
constexpr std::size_t header_size = 44;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

// The data after a header: the number of elements of each kind, and the total size with times of
// `time_size` bytes.
struct block {
  std::size_t utc_flags, standard_flags, leaps, times, types, names;

  static std::optional<block> read(std::string_view header) {
    if (header.size() < header_size || !header.starts_with("TZif") || header[4] < '2') return {};
    std::size_t counts[6];
    for (std::size_t i = 0; i < 6; ++i) {
      const auto count = big_endian(header.substr(20 + 4 * i, 4));
      if (count < 0 || count > static_cast<std::int64_t>(largest_file)) return {};
      counts[i] = static_cast<std::size_t>(count);
    }
    return block{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
  }
  std::size_t size(std::size_t time_size) const {
    return times * (time_size + 1) + types * 6 + names + leaps * (time_size + 4) + standard_flags +
           utc_flags;
  }
};

// Letters, digits and the other characters of names; no dot, so that no name leaves the directory.
bool is_zone_name(std::string_view name) {
  const auto belongs = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  };
  return !name.empty() && name.size() <= 64 && !name.starts_with('/') && !name.ends_with('/') &&
         name.find("//") == name.npos && std::all_of(name.begin(), name.end(), belongs);
}

}  // namespace

std::optional<time_zone> time_zone::find(std::string_view name, const std::string& directory) {
  if (name == "UTC") return time_zone{};
  if (!is_zone_name(name)) return {};
  const std::filesystem::path path = directory + "/" + std::string{name};
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  const auto size = std::filesystem::file_size(path, error);
  if (error || size > largest_file) return {};
  std::ifstream file{path, std::ios::binary};
  const std::string content{std::istreambuf_iterator<char>{file}, {}};
  return parse(content);
}

// A block with 32-bit times, for old readers, then the same with 64 bits, then the rule.
std::optional<time_zone> time_zone::parse(std::string_view content) {
  const auto old = block::read(content);
  if (!old || content.size() < header_size + old->size(4)) return {};
  content.remove_prefix(header_size + old->size(4));
  const auto head = block::read(content);
  if (!head || head->types == 0 || content.size() < header_size + head->size(8)) return {};
  if (head->leaps != 0)
    return {};  // "right/Europe/Berlin": it counts leap seconds, unlike the ledger
  const auto times = content.substr(header_size);
  const auto types_of = times.substr(head->times * 8);
  const auto types = types_of.substr(head->times);
  const auto offset_of = [&](std::size_t type) {
    return chrono::seconds{big_endian(types.substr(type * 6, 4))};
  };
  time_zone zone;
  zone.before_ = offset_of(0);
  for (std::size_t i = 0; i < head->times; ++i) {
    const auto type = static_cast<unsigned char>(types_of[i]);
    if (type >= head->types) return {};
    const chrono::sys_seconds at{chrono::seconds{big_endian(times.substr(i * 8, 8))}};
    if (!zone.transitions_.empty() && at <= zone.transitions_.back().at) return {};
    zone.transitions_.push_back({at, offset_of(type)});
  }
  auto footer = content.substr(header_size + head->size(8));
  if (!footer.starts_with('\n') || footer.size() < 2 || !footer.ends_with('\n')) return {};
  footer = footer.substr(1, footer.size() - 2);
  if (footer.empty()) return zone;  // the last offset continues
  zone.rule_ = posix_rule::parse(footer);
  if (!zone.rule_) return {};
  return zone;
}

chrono::seconds time_zone::offset_at(chrono::sys_seconds time) const {
  const auto next = std::upper_bound(
      transitions_.begin(), transitions_.end(), time,
      [](chrono::sys_seconds moment, const transition& each) { return moment < each.at; });
  if (next == transitions_.end() && rule_) return rule_->offset_at(time);
  return next == transitions_.begin() ? before_ : std::prev(next)->offset;
}

}  // namespace tollgate::proxy
