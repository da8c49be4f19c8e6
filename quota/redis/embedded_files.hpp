// The directory of an embedded store: its socket, and a check of the server that listens there.
#pragma once

#include <string>

#include "quota/file_lock.hpp"

namespace tollgate::quota::redis {

// The path of a unix socket may have at most 107 bytes.
bool fits_socket_path(const std::string& path);

enum class server_state : std::uint8_t { absent, loading, ready };
// Asks the server behind `socket_path` with one PING.
server_state ping(const std::string& socket_path);
// Asks it to flush its file and exit. Harmless if nothing listens.
void request_shutdown(const std::string& socket_path);

// The first of `names` found in PATH; empty if there is none.
std::string find_program(std::initializer_list<const char*> names);

// The last lines of a log, for an error message.
std::string last_lines(const std::string& path, std::size_t count);

}  // namespace tollgate::quota::redis
