// The source of `${NAME}`: the process environment, or a table in a test.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace tollgate::config {

using environment = std::function<std::optional<std::string>(const std::string& name)>;
environment process_environment();

}  // namespace tollgate::config
