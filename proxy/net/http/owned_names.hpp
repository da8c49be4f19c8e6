// The names of fields to which a configuration gives a meaning: those it sets for an upstream,
// those that identify callers, and those by which its routes choose. A trailer with such a name
// would arrive after all decisions based on the head, and some servers add trailers to the head.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace tollgate::proxy {

class owned_names {
 public:
  owned_names() = default;
  owned_names(const config::settings& all, const config::upstream_settings& upstream);

  // In any spelling: see same_field().
  bool contains(std::string_view name) const;

 private:
  std::vector<std::string> folded_;  // sorted
};

}  // namespace tollgate::proxy
