// Reads nodes into typed values. A reader is any function `std::optional<T>(context&, const
// node&)`: it reports a problem and returns nullopt, and the caller continues with the next key, so
// that one run finds every mistake.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "config/environment.hpp"
#include "config/problems.hpp"
#include "quota/credits.hpp"
#include "routes/suggest.hpp"

namespace tollgate::config {

// Every key that was asked for, and whether the file has it: "routes.match.method". NAME replaces
// names that users choose: "upstreams.NAME.url".
using known_keys = std::map<std::string, bool>;

struct context {
  problems& found;
  const environment& env;
  std::string key;                                   // the key being read, for messages
  std::size_t substitutions_left = 4 * 1024 * 1024;  // bytes that variables may still add
  problems warnings{};
  known_keys* keys = nullptr;  // where to record keys; null: nowhere
  std::string path{};          // of the map being read, as in known_keys

  // A valid setting that is probably a mistake.
  void warn(const node& where, const std::string& message) {
    warnings.add(where.at, key.empty() ? message : key + ": " + message);
  }
  void fail(const node& where, const std::string& message) {
    found.add(where.at, key.empty() ? message : key + ": " + message);
  }
};

// A scalar after substitution.
struct scalar {
  std::string text;
  std::string shown;       // for messages; never contains the value of a variable
  bool all_empty = false;  // it contains variables, and all of them are empty
};
std::optional<scalar> read_scalar(context& in, const node& from, const std::string& expected);

// "expected EXPECTED, found ..."
void fail_expected(context& in, const node& from, const std::string& expected,
                   const std::string& found);
std::string describe(const node& from);  // "a list", "a map", "nothing", or the text in quotes

std::optional<std::string> read_text(context& in, const node& from);  // not empty
std::optional<std::string> read_text_or_empty(context& in, const node& from);
std::optional<bool> read_flag(context& in, const node& from);               // true | false
std::optional<quota::credits> read_credits(context& in, const node& from);  // not negative

// A name chosen by the user: 1 to 64 of [A-Za-z0-9._-], a letter or digit first. Names become
// metric labels and ledger columns.
bool is_name(std::string_view text);
std::optional<std::string> read_name(context& in, const node& from);

// Limits on names, routes, and values of one list: pairwise checks stay fast.
inline constexpr std::size_t most_names = 1000;
inline constexpr std::size_t most_values = 64;

// One text, or a list of at least one.
std::optional<std::vector<std::string>> read_texts(context& in, const node& from);

std::optional<std::uint64_t> read_whole(context& in, const node& from, std::uint64_t low,
                                        std::uint64_t high);
std::optional<std::chrono::microseconds> read_duration(context& in, const node& from,
                                                       std::chrono::microseconds low,
                                                       std::chrono::microseconds high,
                                                       std::chrono::microseconds step);
std::optional<std::uint64_t> read_size(context& in, const node& from, std::uint64_t low,
                                       std::uint64_t high);

template <class T>
auto whole_between(T low, T high) {
  return [=](context& in, const node& from) -> std::optional<T> {
    const auto value =
        read_whole(in, from, static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high));
    if (!value) return {};
    return static_cast<T>(*value);
  };
}

inline auto duration_between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
  return [=](context& in, const node& from) -> std::optional<std::chrono::milliseconds> {
    const auto value = read_duration(in, from, low, high, std::chrono::milliseconds{1});
    if (!value) return {};
    return std::chrono::duration_cast<std::chrono::milliseconds>(*value);
  };
}

template <class T>
auto size_between(T low, T high) {
  return [=](context& in, const node& from) -> std::optional<T> {
    const auto value = read_size(in, from, low, high);
    if (!value) return {};
    return static_cast<T>(*value);
  };
}

// One of several words.
template <class T>
struct choice {
  std::vector<std::pair<std::string, T>> words;

  std::optional<T> operator()(context& in, const node& from) const {
    std::vector<std::string> names;
    for (const auto& [name, value] : words) names.push_back(name);
    std::string expected;
    for (const auto& name : names) expected += (expected.empty() ? "" : " | ") + name;
    const auto text = read_scalar(in, from, expected);
    if (!text) return {};
    for (const auto& [name, value] : words) {
      if (name == text->text) return value;
    }
    fail_expected(in, from, expected, text->shown + routes::did_you_mean(from.text, names));
    return {};
  }
};

// Reads the keys of one map. The caller asks for every known key; finish() reports the others. A
// null node is an empty map, in which all keys are commented out.
class map_reader {
 public:
  map_reader(context& in, const node& from);

  // The value of `key`, or null. It also makes the key known.
  const node* find(std::string_view key);
  // Like find(); reports a missing key.
  const node* require(std::string_view key);

  template <class T, class Reader>
  bool optional(std::string_view key, T& out, Reader&& reader) {
    const node* value = find(key);
    return value != nullptr && assign(key, *value, out, reader);
  }
  template <class T, class Reader>
  bool required(std::string_view key, T& out, Reader&& reader) {
    const node* value = require(key);
    return value != nullptr && assign(key, *value, out, reader);
  }

  // A key of a later version: refused with its name.
  void not_yet(std::string_view key, const std::string& what);
  void finish();

 private:
  std::string path_of(std::string_view key) const;

  template <class T, class Reader>
  bool assign(std::string_view key, const node& value, T& out, Reader&& reader) {
    const std::string outer = std::exchange(in_.key, std::string{key});
    const std::string outer_path = std::exchange(in_.path, path_of(key));
    auto read = reader(in_, value);
    in_.key = outer;
    in_.path = outer_path;
    if (!read) return false;
    out = *std::move(read);
    return true;
  }

  context& in_;
  const node& from_;
  std::vector<std::string> known_;
  std::vector<std::string> refused_;  // those of them that are not supported yet
};

// Calls `each(name, value)` for every member of a map whose keys are names chosen by users.
template <class Each>
void for_each_named(context& in, const node& from, Each&& each) {
  if (from.what == node::type::null) return;
  if (from.what != node::type::map)
    return fail_expected(in, from, "a map of names", describe(from));
  if (from.members.size() > most_names) return in.fail(from, "more than 1000 names");
  const std::string path = in.path;
  in.path += ".NAME";
  for (const node::member& member : from.members) {
    if (is_name(member.key)) {
      const std::string outer = std::exchange(in.key, member.key);
      each(member.key, *member.value);
      in.key = outer;
    } else {
      in.found.add(member.at, in.key + ": " + quoted(member.key) +
                                  " is not a name (1 to 64 letters, digits, \".\", \"_\", \"-\")");
    }
  }
  in.path = path;
}

}  // namespace tollgate::config
