// A route's conditions, parsed once. Private to this directory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "routes/classify.hpp"
#include "routes/glob.hpp"
#include "routes/json_members.hpp"
#include "routes/path_pattern.hpp"

namespace tollgate::routes {

struct named_condition {
  std::string name;
  std::vector<glob> any_of;
};

// Pointers are numbered across the table, so that a body is searched once for each, however many
// routes use it. Two are read whenever a body is read: the model for the ledger, and the response
// format, which identifies audio without a container.
inline constexpr std::size_t model_pointer = 0, response_format_pointer = 1;

struct json_condition {
  std::size_t pointer = 0;
  std::vector<glob> any_of;
};

struct route::compiled {
  std::vector<std::string> methods;
  std::vector<glob> hosts;
  path_pattern path;
  std::vector<named_condition> headers, query;
  std::vector<glob> content_types;
  std::vector<json_condition> json;
  std::optional<std::size_t> count;       // a pointer
  std::vector<std::size_t> times;         // pointers, from the rate
  std::optional<std::size_t> characters;  // a pointer: the text that an answer will speak

  // within[i]: the path pattern of the earlier route i covers this route's. See README, "An
  // endpoint that is priced by its body".
  std::vector<bool> within;

  bool reads_body() const {
    return !json.empty() || count.has_value() || characters.has_value() || !times.empty();
  }
  bool judges_body() const { return !json.empty() || !content_types.empty(); }
  bool allows_method(std::string_view method) const;
};

// Assigns numbers to pointers while the routes of a table are compiled.
class pointer_numbers {
 public:
  std::size_t number_of(const json_pointer& pointer);
  const std::vector<json_pointer>& all() const { return pointers_; }

 private:
  std::vector<json_pointer> pointers_{
      std::get<json_pointer>(json_pointer::parse("/model")),
      std::get<json_pointer>(json_pointer::parse("/response_format"))};
};

// `times` are those of its rate. Returns null if the route has errors, and appends each of them to
// `errors`.
std::shared_ptr<route::compiled> compile(const route_settings& settings,
                                         const std::vector<std::string>& times,
                                         pointer_numbers& numbers,
                                         std::vector<route_error>& errors);

// The earlier route that certainly matches every request the route at `index` would match, if any.
std::optional<std::size_t> taken_by(const std::vector<route>& routes, std::size_t index);

}  // namespace tollgate::routes
