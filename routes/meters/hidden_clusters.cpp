#include "routes/meters/hidden_clusters.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "routes/meters/bytes.hpp"
#include "routes/meters/matroska_ids.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr std::string_view cluster_id = "\x1F\x43\xB6\x75";

// All of these ids begin with this bit pattern; few other bytes do.
bool may_begin_id(char byte) {
  return (byte & 0xF0) == 0x10;
}

// Timestamp, CRC-32, Void, Position, PrevSize, SimpleBlock, BlockGroup.
constexpr std::string_view first_children = "\xE7\xBF\xEC\xA7\xAB\xA3\xA0";

}  // namespace

void hidden_clusters::look(std::string_view bytes, of what) {
  if (what != of::frames) kept_of_frames_ = 0;
  look_behind(bytes);
  look_across(bytes, what);
  look_within(bytes.substr(what == of::element ? std::min<std::size_t>(1, bytes.size()) : 0), what);
  keep(bytes, what);
  position_ += bytes.size();
}

// Finds ids that begin before `bytes`.
void hidden_clusters::look_across(std::string_view bytes, of what) {
  std::array<char, 2 * (id_bytes - 1)> seam;
  const auto head = bytes.substr(0, id_bytes - 1);
  std::memcpy(seam.data(), kept_.data(), kept_bytes_);
  std::memcpy(seam.data() + kept_bytes_, head.data(), head.size());
  const std::string_view joined{seam.data(), kept_bytes_ + head.size()};
  for (std::size_t at = 0; at < kept_bytes_ && at + id_bytes <= joined.size(); ++at) {
    if (!may_begin_id(joined[at])) continue;
    const auto id = joined.substr(at, id_bytes);
    const bool in_frames = what == of::frames && at + kept_of_frames_ >= kept_bytes_;
    if (in_frames && id == cluster_id)
      suspect(position_ + at - kept_bytes_, bytes.substr(at + id_bytes - kept_bytes_));
    else if (!in_frames && is_top_level(static_cast<std::uint32_t>(big_endian(id))))
      found_ = true;
  }
}

// Finds ids that begin in `bytes`.
void hidden_clusters::look_within(std::string_view bytes, of what) {
  const auto begin = position_ + (what == of::element ? 1 : 0);
  if (what == of::frames || what == of::file) {
    for (auto at = bytes.find(cluster_id); at != bytes.npos; at = bytes.find(cluster_id, at + 1)) {
      if (what == of::file)
        found_ = true;
      else
        suspect(begin + at, bytes.substr(at + id_bytes));
    }
    return;
  }
  for (std::size_t at = 0; at + id_bytes <= bytes.size(); ++at)
    if (may_begin_id(bytes[at]) &&
        is_top_level(static_cast<std::uint32_t>(big_endian(bytes.substr(at, id_bytes)))))
      found_ = true;
}

void hidden_clusters::suspect(std::uint64_t position, std::string_view behind) {
  // Two of them this close together are no coincidence.
  if (last_ && position - *last_ < id_bytes + bytes_behind) found_ = true;
  last_ = position;
  behind_bytes_ = 0;
  look_behind(behind);
}

void hidden_clusters::look_behind(std::string_view bytes) {
  while (behind_bytes_ < bytes_behind && !bytes.empty()) {
    behind_[behind_bytes_++] = bytes.front();
    bytes.remove_prefix(1);
    const auto size_bytes =
        static_cast<std::size_t>(std::countl_zero(static_cast<std::uint8_t>(behind_[0]))) + 1;
    if (size_bytes >= bytes_behind) behind_bytes_ = bytes_behind;  // no size
    if (behind_bytes_ != size_bytes + 1) continue;
    if (first_children.find(behind_[size_bytes]) != first_children.npos) found_ = true;
    behind_bytes_ = bytes_behind;
  }
}

void hidden_clusters::keep(std::string_view bytes, of what) {
  const auto fresh = std::min(bytes.size(), kept_.size());
  const auto old = std::min(kept_bytes_, kept_.size() - fresh);
  std::memmove(kept_.data(), kept_.data() + kept_bytes_ - old, old);
  std::memcpy(kept_.data() + old, bytes.data() + bytes.size() - fresh, fresh);
  kept_bytes_ = old + fresh;
  if (what == of::frames) kept_of_frames_ = std::min(kept_of_frames_ + bytes.size(), kept_bytes_);
}

}  // namespace tollgate::routes::meters
