// Offsets from UTC in the zones of the system's IANA time zone database (Debian's tzdata). GCC 12
// lacks C++20's zones.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/text/time_zone/posix_rule.hpp"

namespace tollgate::proxy {

class time_zone {
 public:
  time_zone() = default;  // UTC

  // "Europe/Berlin". Empty if this system has no such zone. "UTC" always exists. A name never leads
  // out of `directory`.
  static std::optional<time_zone> find(std::string_view name,
                                       const std::string& directory = "/usr/share/zoneinfo");
  // Parses a time zone file: TZif, version 2 or later (RFC 8536). All of its content is validated.
  static std::optional<time_zone> parse(std::string_view content);

  std::chrono::seconds offset_at(std::chrono::sys_seconds time) const;
  bool is_utc() const { return transitions_.empty() && !rule_; }

 private:
  struct transition {
    std::chrono::sys_seconds at;
    std::chrono::seconds offset;  // from then on
  };
  std::vector<transition> transitions_;  // oldest first
  std::chrono::seconds before_{};        // before the first of them
  std::optional<posix_rule> rule_;       // after the last of them
};

}  // namespace tollgate::proxy
