#include "quota/redis/server_role.hpp"

#include <hiredis/hiredis.h>

#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

// Of the text of INFO, which has a line `NAME:VALUE` for each; empty: there is none.
std::string_view line_of(std::string_view info, std::string_view name) {
  while (!info.empty()) {
    auto line = take_until(info, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (take_until(line, ':') == name) return line;
  }
  return {};
}

struct role_answer {
  std::string_view role, master;
};

role_answer read_role(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY) {
    return {line_of(text_of(reply), "role"), line_of(text_of(reply), "master_host")};
  }
  const auto parts = elements_of(reply);
  return {parts.empty() ? std::string_view{} : text_of(*parts[0]),
          parts.size() > 1 ? text_of(*parts[1]) : std::string_view{}};
}

}  // namespace

std::vector<std::string> command_of(role_question question) {
  switch (question) {
    case role_question::role:
      return {"ROLE"};
    case role_question::info:
      return {"INFO", "replication"};
    case role_question::none:
      break;
  }
  return {};
}

role_question next_after(role_question question) {
  return question == role_question::role ? role_question::info : role_question::none;
}

server_role parse_role(const redisReply& reply) {
  const auto [role, master] = read_role(reply);
  if (role == "master") return {};
  if (role.empty()) return {store_trouble::other, "the server does not say whether it is a master"};
  const bool is_replica = role == "slave" || role == "replica";
  std::string why{"the server is a "};
  why.append(is_replica ? "replica" : role);
  if (is_replica && !master.empty()) why.append(" of ").append(master);
  return {is_replica ? store_trouble::replica : store_trouble::other, std::move(why)};
}

}  // namespace tollgate::quota::redis
