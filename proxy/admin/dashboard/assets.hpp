// The files that a browser loads, compiled in: nothing has to be installed, and nothing is loaded
// from elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tollgate::proxy::dashboard {

struct asset {
  std::string_view name;  // "app.js"
  std::string_view content_type;
  std::string_view content;
};

// All files except index.html.
const std::vector<asset>& assets();
const asset* find_asset(std::string_view name);

// The page itself, which links to all others below `base_path()`.
const std::string& index_page();

// A digest of all files, in hex: it changes with every change of a file.
const std::string& version();
// "/dashboard/VERSION/": the content at an address never changes, so a browser may cache it for
// ever; and modules, which import each other by relative names, always belong to the same build.
const std::string& base_path();

}  // namespace tollgate::proxy::dashboard
