// The files that a browser loads, compiled in: there is nothing to install and nothing to fetch
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

// All files but index.html.
const std::vector<asset>& assets();
const asset* find_asset(std::string_view name);

// The page itself, which names all others below `base_path()`.
const std::string& index_page();

// A digest of all files, in hex: another build has another.
const std::string& version();
// "/dashboard/VERSION/": the address of a file never has another content, so a browser may keep it
// for good; and modules, which import each other by relative names, are always of one build.
const std::string& base_path();

}  // namespace tollgate::proxy::dashboard
