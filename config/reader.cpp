#include "config/reader.hpp"

#include <set>
#include <variant>

#include "config/substitute.hpp"
#include "config/units.hpp"
#include "routes/text.hpp"

namespace tollgate::config {
namespace {

void fail_range(context& in, const node& from, const scalar& text, const std::string& low,
                const std::string& high) {
  in.fail(from, text.shown + " is out of range (" + low + " to " + high + ")");
}

// What other programs call it.
std::string renamed(std::string_view key) {
  constexpr std::pair<std::string_view, std::string_view> names[]{{"redis", "store"},
                                                                  {"database", "store"},
                                                                  {"server", "listen"},
                                                                  {"port", "listen"},
                                                                  {"bind", "listen"},
                                                                  {"address", "listen"},
                                                                  {"backends", "upstreams"},
                                                                  {"clusters", "upstreams"},
                                                                  {"services", "upstreams"},
                                                                  {"prices", "rates"},
                                                                  {"ssl", "tls"},
                                                                  {"workers", "threads"},
                                                                  {"cert", "certificate"}};
  for (const auto& [other, ours] : names) {
    if (key == other) return std::string{ours};
  }
  return {};
}

// The nearest key, the key of which this is the beginning or the end, or all keys if there are few.
std::string hint_for(const std::string& wrong, const std::vector<std::string>& known) {
  if (auto near = routes::did_you_mean(wrong, known); !near.empty()) return near;
  const auto meant = [&](const std::string& each) {
    const auto shorter = std::min(each.size(), wrong.size());
    return each == renamed(wrong) ||
           (shorter >= 3 && (each.starts_with(wrong) || wrong.starts_with(each)));
  };
  const auto found = std::find_if(known.begin(), known.end(), meant);
  if (found != known.end()) return "; did you mean " + quoted(*found) + "?";
  constexpr std::size_t few = 8;
  const std::set<std::string> distinct{known.begin(), known.end()};
  if (distinct.empty() || distinct.size() > few) return {};
  std::string all;
  for (const auto& each : distinct) all += (all.empty() ? "" : ", ") + each;
  return "; the keys here are " + all;
}

}  // namespace

std::string describe(const node& from) {
  switch (from.what) {
    case node::type::null:
      return "nothing";
    case node::type::list:
      return "a list";
    case node::type::map:
      return "a map";
    case node::type::scalar:
      break;
  }
  return quoted(from.text);
}

void fail_expected(context& in, const node& from, const std::string& expected,
                   const std::string& found) {
  in.fail(from, "expected " + expected + ", found " + found);
}

std::optional<scalar> read_scalar(context& in, const node& from, const std::string& expected) {
  if (from.what != node::type::scalar) {
    fail_expected(in, from, expected, describe(from));
    return {};
  }
  auto result = substitute(from.text, in.env);
  if (const auto* error = std::get_if<substitution_error>(&result)) {
    in.fail(from, error->message);
    return {};
  }
  auto& value = std::get<substituted>(result);
  if (routes::has_control(value.text)) {
    in.fail(from, "contains a line break or a control character");
    return {};
  }
  if (value.from_environment && value.text.size() > in.substitutions_left) {
    in.fail(from, "the environment variables up to here add more than 4 MiB");
    return {};
  }
  if (value.from_environment) in.substitutions_left -= value.text.size();
  const std::string shown = (value.from_environment ? "the value of " : "") + quoted(from.text);
  return scalar{std::move(value.text), shown, value.all_empty};
}

std::optional<std::string> read_text_or_empty(context& in, const node& from) {
  auto text = read_scalar(in, from, "text");
  if (!text) return {};
  return std::move(text->text);
}

std::optional<std::string> read_text(context& in, const node& from) {
  auto text = read_scalar(in, from, "text");
  if (!text) return {};
  if (text->text.empty()) {
    fail_expected(in, from, "text", text->shown);
    return {};
  }
  return std::move(text->text);
}

std::optional<bool> read_flag(context& in, const node& from) {
  return choice<bool>{{{"true", true}, {"false", false}}}(in, from);
}

std::optional<quota::credits> read_credits(context& in, const node& from) {
  const std::string expected = "credits (a decimal with at most 6 places)";
  const auto text = read_scalar(in, from, expected);
  if (!text) return {};
  const auto value = quota::parse_credits(text->text);
  if (!value) {
    fail_expected(in, from, expected, text->shown);
    return {};
  }
  if (*value < quota::credits{}) {
    in.fail(from, text->shown + " is negative");
    return {};
  }
  return *value;
}

bool is_name(std::string_view text) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto allowed = [&](char c) {
    return letter_or_digit(c) || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 64 && letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), allowed);
}

std::optional<std::string> read_name(context& in, const node& from) {
  const std::string expected = "a name (1 to 64 letters, digits, \".\", \"_\", \"-\")";
  auto text = read_scalar(in, from, expected);
  if (!text) return {};
  if (!is_name(text->text)) {
    fail_expected(in, from, expected, text->shown);
    return {};
  }
  return std::move(text->text);
}

std::optional<std::vector<std::string>> read_texts(context& in, const node& from) {
  std::vector<std::string> out;
  const auto add = [&](const node& item) {
    auto text = read_text(in, item);
    if (text) out.push_back(*std::move(text));
    return text.has_value();
  };
  bool complete = true;
  if (from.what == node::type::list) {
    if (from.items.empty() || from.items.size() > most_values) {
      fail_expected(in, from, "1 to 64 values", std::to_string(from.items.size()));
      return {};
    }
    for (const node_ptr& item : from.items) complete &= add(*item);
  } else {
    complete = add(from);
  }
  if (!complete) return {};
  return out;
}

std::optional<std::uint64_t> read_whole(context& in, const node& from, std::uint64_t low,
                                        std::uint64_t high) {
  const std::string expected =
      "a whole number (" + std::to_string(low) + " to " + std::to_string(high) + ")";
  const auto text = read_scalar(in, from, expected);
  if (!text) return {};
  const auto value = parse_whole(text->text);
  if (!value) {
    fail_expected(in, from, expected, text->shown);
    return {};
  }
  if (*value < low || *value > high) {
    fail_range(in, from, *text, std::to_string(low), std::to_string(high));
    return {};
  }
  return value;
}

std::optional<std::chrono::microseconds> read_duration(context& in, const node& from,
                                                       std::chrono::microseconds low,
                                                       std::chrono::microseconds high,
                                                       std::chrono::microseconds step) {
  const std::string expected = "a duration (250ms, 60s, 5m, 2h)";
  const auto text = read_scalar(in, from, expected);
  if (!text) return {};
  const auto value = parse_duration(text->text);
  if (!value) {
    fail_expected(in, from, expected, text->shown);
    return {};
  }
  if (*value < low || *value > high) {
    fail_range(in, from, *text, to_string(low), to_string(high));
    return {};
  }
  if (value->count() % step.count() != 0) {
    in.fail(from, text->shown + " is finer than " + to_string(step));
    return {};
  }
  return value;
}

std::optional<std::uint64_t> read_size(context& in, const node& from, std::uint64_t low,
                                       std::uint64_t high) {
  const std::string expected = "a size (4096, 64KiB, 8MiB, 1GiB)";
  const auto text = read_scalar(in, from, expected);
  if (!text) return {};
  const auto value = parse_size(text->text);
  if (!value) {
    fail_expected(in, from, expected, text->shown);
    return {};
  }
  if (*value < low || *value > high) {
    fail_range(in, from, *text, size_to_string(low), size_to_string(high));
    return {};
  }
  return value;
}

map_reader::map_reader(context& in, const node& from) : in_{in}, from_{from} {
  if (from.what == node::type::scalar || from.what == node::type::list) {
    fail_expected(in, from, "a map of keys", describe(from));
  }
}

std::string map_reader::path_of(std::string_view key) const {
  return in_.path.empty() ? std::string{key} : in_.path + "." + std::string{key};
}

const node* map_reader::find(std::string_view key) {
  known_.emplace_back(key);
  const auto has_key = [&](const node::member& member) { return member.key == key; };
  const auto found = std::find_if(from_.members.begin(), from_.members.end(), has_key);
  const bool is_there = found != from_.members.end();
  if (in_.keys != nullptr) (*in_.keys)[path_of(key)] |= is_there;
  return is_there ? found->value.get() : nullptr;
}

const node* map_reader::require(std::string_view key) {
  const node* value = find(key);
  const bool may_have_keys = from_.what == node::type::map || from_.what == node::type::null;
  if (value == nullptr && may_have_keys) in_.fail(from_, "missing key " + quoted(key));
  return value;
}

void map_reader::not_yet(std::string_view key, const std::string& what) {
  refused_.emplace_back(key);
  if (find(key) == nullptr) return;
  for (const node::member& member : from_.members) {
    if (member.key == key) {
      in_.found.add(member.at, std::string{key} + ": " + what + " is not supported yet");
    }
  }
}

void map_reader::finish() {
  auto usable = known_;
  std::erase_if(usable, [&](const auto& key) {
    return std::find(refused_.begin(), refused_.end(), key) != refused_.end();
  });
  for (const node::member& member : from_.members) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    const std::string hint =
        member.key == "<<" ? "; YAML merge keys are not supported" : hint_for(member.key, usable);
    in_.found.add(member.at, (in_.key.empty() ? "" : in_.key + ": ") + "unknown key " +
                                 quoted(member.key) + hint);
  }
}

}  // namespace tollgate::config
