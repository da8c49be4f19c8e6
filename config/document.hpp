// A YAML file as a tree of nodes with their positions. Only document.cpp uses yaml-cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/problems.hpp"

namespace tollgate::config {

struct node;
using node_ptr = std::shared_ptr<const node>;  // an alias shares the node of its anchor

struct node {
  enum class type : std::uint8_t { null, scalar, list, map };
  struct member {
    std::string key;
    source_position at;  // of the key
    node_ptr value;
  };

  type what = type::null;
  source_position at;  // from 1; columns count characters. A missing value has its key's position
  std::string text;    // scalar, as written (quotes and YAML escapes resolved)
  std::vector<node_ptr> items;  // list
  std::vector<member> members;  // map; keys are unique
  std::size_t weight = 1;       // bytes and nodes, aliases counted as often as they are used
};

// Limits of a file, which bound the time and memory of reading it.
inline constexpr std::size_t largest_file = 1024 * 1024;
inline constexpr std::size_t deepest_nesting = 32;
inline constexpr std::size_t largest_expansion = 4 * 1024 * 1024;

// Returns null if the text is not YAML; `problems` then has the reason. A duplicate key is reported
// and its first value kept, so that the rest of the file is still checked.
node_ptr read_document(const std::string& text, problems& problems);

}  // namespace tollgate::config
