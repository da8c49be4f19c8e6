// What local time is ahead of UTC, in the zones of the IANA time zone database as the system has it
// (Debian's tzdata). C++20's own zones are not in GCC 12.
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

  // "Europe/Berlin". Nothing: there is no such zone here. "UTC" there is everywhere. A name never
  // leads out of `directory`.
  static std::optional<time_zone> find(std::string_view name,
                                       const std::string& directory = "/usr/share/zoneinfo");
  // The content of a time zone file: TZif, version 2 or later (RFC 8536). Nothing in it is
  // believed.
  static std::optional<time_zone> parse(std::string_view content);

  std::chrono::seconds offset_at(std::chrono::sys_seconds time) const;
  bool is_utc() const { return transitions_.empty() && !rule_; }

 private:
  struct transition {
    std::chrono::sys_seconds at;
    std::chrono::seconds offset;  // from then on
  };
  std::vector<transition> transitions_;  // oldest first
  std::chrono::seconds before_{};        // the first of them
  std::optional<posix_rule> rule_;       // after the last of them
};

}  // namespace tollgate::proxy
