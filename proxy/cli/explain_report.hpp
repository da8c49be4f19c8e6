// The answer of `tollgate explain`, for people and for programs.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/settings.hpp"
#include "routes/classify.hpp"

namespace tollgate::proxy {

struct explanation {
  struct forwarded {
    routes::classified call;
    const config::upstream_settings* upstream = nullptr;
    const quota::rate* rate = nullptr;
    std::string url;  // the upstream's URL
  };

  struct answered_here {};  // the billing API: never forwarded, never charged

  std::string method;
  std::string sent_target;                     // as given
  std::optional<routes::clean_target> target;  // as normalised; empty: it could not be read
  std::variant<routes::problem, forwarded, answered_here> outcome;
  std::vector<routes::mismatch> not_matched;  // in order
  std::vector<std::string> notes;
};

void print_text(std::ostream& out, const explanation& what, const std::string& file);
void print_json(std::ostream& out, const explanation& what);

}  // namespace tollgate::proxy
