#include "proxy/net/api/query_parameters.hpp"

#include <algorithm>

#include "proxy/text/text.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

checked<query_parameters> query_parameters::parse(std::string_view query,
                                                  const std::vector<std::string>& known,
                                                  const std::vector<std::string>& repeatable) {
  query_parameters parameters;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals));
    auto value =
        percent_decode(equals < pair.size() ? pair.substr(equals + 1) : std::string_view{});
    if (!name || !value) return invalid("the query has a broken percent-encoding");
    if (std::find(known.begin(), known.end(), *name) == known.end()) {
      return invalid("unknown parameter " + routes::shown(*name) + " here" +
                         routes::did_you_mean(*name, known),
                     routes::shortened(*name));
    }
    const bool may_repeat = std::ranges::find(repeatable, *name) != repeatable.end();
    const auto same = [&](const auto& each) { return each.first == *name; };
    if (!may_repeat && std::ranges::any_of(parameters.values_, same)) {
      return invalid("the parameter is given twice", *name);
    }
    parameters.values_.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

std::optional<std::string_view> query_parameters::find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name && !value.empty()) return value;
  }
  return {};
}

std::vector<std::string> query_parameters::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : values_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

}  // namespace tollgate::proxy::admin
