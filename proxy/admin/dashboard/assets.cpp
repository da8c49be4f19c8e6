#include "proxy/admin/dashboard/assets.hpp"

#include <algorithm>

#include "quota/directory.hpp"

// The assembler includes each file unchanged: no escapes, no limit on the length of a literal.
// CMake generates the list: DASHBOARD_FILE(number, name, path) per file.
#define DASHBOARD_FILE(number, name, path)                                                   \
  __asm__(                                                                                   \
      ".pushsection .rodata\n"                                                               \
      ".global tollgate_dashboard_" #number ", tollgate_dashboard_end_" #number              \
      "\n"                                                                                   \
      ".hidden tollgate_dashboard_" #number ", tollgate_dashboard_end_" #number              \
      "\n"                                                                                   \
      "tollgate_dashboard_" #number                                                          \
      ":\n"                                                                                  \
      ".incbin \"" path                                                                      \
      "\"\n"                                                                                 \
      "tollgate_dashboard_end_" #number                                                      \
      ":\n"                                                                                  \
      ".popsection\n");                                                                      \
  extern "C" {                                                                               \
  __attribute__((visibility("hidden"))) extern const char tollgate_dashboard_##number[];     \
  __attribute__((visibility("hidden"))) extern const char tollgate_dashboard_end_##number[]; \
  }
#include "dashboard_files.inc"
#undef DASHBOARD_FILE

namespace tollgate::proxy::dashboard {

namespace {

constexpr std::string_view index_name = "index.html";

std::string_view content_type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/javascript; charset=utf-8";
}

const std::vector<asset>& all_files() {
  static const std::vector<asset> files{
#define DASHBOARD_FILE(number, name, path)                                          \
  asset{name, content_type_of(name),                                                \
        std::string_view{tollgate_dashboard_##number,                               \
                         static_cast<std::size_t>(tollgate_dashboard_end_##number - \
                                                  tollgate_dashboard_##number)}},
#include "dashboard_files.inc"
#undef DASHBOARD_FILE
  };
  return files;
}

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  for (;;) {
    const auto found = text.find(what);
    out += text.substr(0, found);
    if (found == text.npos) return out;
    out += with;
    text.remove_prefix(found + what.size());
  }
}

}  // namespace

const std::vector<asset>& assets() {
  static const std::vector<asset> files = [] {
    auto all = all_files();
    std::erase_if(all, [](const asset& file) { return file.name == index_name; });
    return all;
  }();
  return files;
}

const asset* find_asset(std::string_view name) {
  const auto& all = assets();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const asset& file) { return file.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const std::string& version() {
  static const std::string digest = [] {
    std::string all;
    for (const auto& file : all_files()) {
      all += std::string{file.name} + " " + quota::hash_key(file.content) + "\n";
    }
    return quota::hash_key(all).substr(0, 16);
  }();
  return digest;
}

const std::string& base_path() {
  static const std::string path = "/dashboard/" + version() + "/";
  return path;
}

const std::string& index_page() {
  static const std::string page = [] {
    const auto& all = all_files();
    const auto index = std::find_if(all.begin(), all.end(),
                                    [](const asset& file) { return file.name == index_name; });
    return replaced(index->content, "{{base}}", base_path());
  }();
  return page;
}

}  // namespace tollgate::proxy::dashboard
