// What can be recognised of a head that was refused. It only gives the refusal a form that its
// client reads; nothing is decided by it.
#pragma once

#include <string_view>
#include <vector>

#include "routes/classify.hpp"

namespace tollgate::proxy {

struct rough_head {
  std::string_view path;                    // with its query; may be empty
  std::vector<routes::header_view> fields;  // the lines that look like fields

  routes::request_view request() const { return {{}, path, fields}; }
};

// The views refer to `bytes`. Reads at most 16 KiB and 256 lines.
rough_head read_roughly(std::string_view bytes);

}  // namespace tollgate::proxy
