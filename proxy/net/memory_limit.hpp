// How much memory this process may use: the least of the machine's memory, the limits of its
// control groups (version 1 and 2), and its limit of address space or data (`ulimit -v`, `-d`).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tollgate::proxy {

struct memory_limit {
  std::uint64_t bytes = 0;
  std::string from;  // for people: "the memory of the machine"
};

// Reads a whole file; empty if it cannot be read.
using file_reader = std::function<std::optional<std::string>(const std::string& path)>;

// `machine`: the machine's memory; `process`: the limit of address space or data, if there is one.
memory_limit find_memory_limit(const file_reader& read, std::uint64_t machine,
                               std::optional<std::uint64_t> process);
// Of this process.
memory_limit find_memory_limit();

// `limits.buffered` where the configuration does not say: a quarter, at most 1 GiB.
std::uint64_t default_buffered(const memory_limit& limit);

}  // namespace tollgate::proxy
