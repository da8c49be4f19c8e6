// Names the commands and options of a command line that do not exist.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tollgate::proxy {

// "unknown command \"org shwo\"; did you mean \"org show\"?", or empty if all commands are known.
// The arguments begin behind the name of the program.
std::string wrong_command(const CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace tollgate::proxy
