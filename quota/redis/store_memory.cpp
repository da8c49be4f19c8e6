#include "quota/redis/store_memory.hpp"

#include "quota/redis/account_commands.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

store_memory parse_memory(std::string_view info) {
  store_memory found;
  while (!info.empty()) {
    auto line = take_until(info, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto name = take_until(line, ':');
    if (name == "used_memory") found.used_bytes = parse_integer(line).value_or(0);
    if (name == "maxmemory") found.most_bytes = parse_integer(line).value_or(0);
    if (name == "maxmemory_policy") found.eviction = line;
  }
  return found;
}

task<result<store_memory>> read_memory(connection& connection) {
  std::vector<std::string> command{"INFO", "memory"};
  const auto reply = co_await ask_store(connection, std::move(command));
  if (!reply) co_return reply.error();
  co_return parse_memory(text_of(**reply));
}

}  // namespace tollgate::quota::redis
