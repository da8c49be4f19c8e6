#include "quota/redis/account_commands.hpp"

#include <algorithm>

#include <openssl/sha.h>

#include "quota/hex.hpp"
#include "quota/ledger/schema.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store_schema.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr std::string_view refused = "NEWERSCHEMA ";

// The account is the last of KEYS, and is removed before the script runs.
std::string guard() {
  return "do local schema = redis.call('HGET', table.remove(KEYS), 'schema') "
         "if schema and schema ~= '" +
         std::to_string(schema_version) + "' then return redis.error_reply('" +
         std::string{refused} + "' .. schema) end end\n";
}

std::string digest_of(std::string_view text) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return to_hex(digest);
}

error_code refuse(connection& connection, const org_id& org, std::string_view schema) {
  connection.refuse_account(newer_schema_text("the account of " + org, schema));
  return make_error_code(store_errc::protocol);
}

bool is_newer(const redisReply& schema) {
  const auto text = text_of(schema);
  return schema.type != REDIS_REPLY_NIL && text != std::to_string(schema_version);
}

bool is_of_an_account(const std::vector<std::string>& command) {
  return std::ranges::any_of(
      command, [](const std::string& text) { return text.starts_with("tollgate:{"); });
}

std::string_view script_in(const std::vector<std::string>& command) {
  return command.size() > 1 && command[0] == "EVAL" ? std::string_view{command[1]}
                                                    : std::string_view{};
}

// The caller's error says nothing of it.
void say_if_forbidden(connection& connection, std::string_view script, const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ERROR || !is_forbidden(text_of(reply))) return;
  connection.say_once("a report or a job is not possible: " +
                      forbidden_text(script, text_of(reply)));
}

std::vector<std::string> command_of(std::string_view verb, std::string_view script,
                                    const org_id& org, const std::vector<std::string>& keys,
                                    const std::vector<std::string>& arguments) {
  std::vector<std::string> command{std::string{verb}, std::string{script},
                                   std::to_string(keys.size() + 1)};
  command.insert(command.end(), keys.begin(), keys.end());
  command.push_back(key_of(org, "account"));
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace

task<result<std::vector<reply_ptr>>> read_account_with(
    connection& connection, const org_id& org, std::vector<std::vector<std::string>> commands,
    reply_size size) {
  if (commands.empty()) co_return std::vector<reply_ptr>{};
  commands.push_back({"HGET", key_of(org, "account"), "schema"});
  const std::string script{script_in(commands.front())};  // the only one, if there is one
  auto replies = co_await connection.call_all(std::move(commands), size);
  if (!replies) co_return replies.error();
  for (const auto& each : *replies) say_if_forbidden(connection, script, *each);
  const auto schema = std::move(replies->back());
  replies->pop_back();
  if (schema->type == REDIS_REPLY_ERROR) co_return make_error_code(store_errc::protocol);
  if (is_newer(*schema)) co_return refuse(connection, org, text_of(*schema));
  const auto failed = [](const reply_ptr& each) { return each->type == REDIS_REPLY_ERROR; };
  if (std::ranges::any_of(*replies, failed)) co_return make_error_code(store_errc::protocol);
  co_return replies;
}

task<result<reply_ptr>> read_account(connection& connection, const org_id& org,
                                     std::vector<std::string> command, reply_size size) {
  std::vector<std::vector<std::string>> commands;
  commands.push_back(std::move(command));
  auto replies = co_await read_account_with(connection, org, std::move(commands), size);
  if (!replies) co_return replies.error();
  co_return std::move(replies->front());
}

account_script::account_script(std::string_view script)
    : text_{guard() + std::string{script}}, digest_{digest_of(text_)} {}

std::vector<std::string> change_command(const org_id& org, const account_script& script,
                                        std::vector<std::string> keys,
                                        std::vector<std::string> arguments) {
  return command_of("EVAL", script.text(), org, keys, arguments);
}

task<result<reply_ptr>> change_account(connection& connection, const org_id& org,
                                       const account_script& script, std::vector<std::string> keys,
                                       std::vector<std::string> arguments) {
  auto command = command_of("EVALSHA", script.digest(), org, keys, arguments);
  auto reply = co_await connection.call(std::move(command));
  if (reply && text_of(**reply).starts_with("NOSCRIPT")) {
    auto whole = change_command(org, script, std::move(keys), std::move(arguments));
    reply = co_await connection.call(std::move(whole));
  }
  if (!reply || (*reply)->type != REDIS_REPLY_ERROR) co_return reply;
  const auto error = text_of(**reply);
  if (error.starts_with(refused)) co_return refuse(connection, org, error.substr(refused.size()));
  say_if_forbidden(connection, script.text(), **reply);
  co_return make_error_code(store_errc::protocol);
}

task<result<reply_ptr>> change_account(connection& connection, const org_id& org,
                                       std::vector<std::string> command) {
  static const account_script script{"return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))"};
  std::vector<std::string> keys{std::move(command.at(1))};
  command.erase(command.begin() + 1);
  co_return co_await change_account(connection, org, script, std::move(keys), std::move(command));
}

task<result<reply_ptr>> ask_store(connection& connection, std::vector<std::string> command) {
  if (is_of_an_account(command)) co_return make_error_code(store_errc::protocol);
  const std::string script{script_in(command)};
  auto reply = co_await connection.call(std::move(command));
  if (reply) say_if_forbidden(connection, script, **reply);
  co_return checked(std::move(reply));
}

task<result<reply_ptr>> ask_store_whole(connection& connection, std::vector<std::string> command) {
  if (is_of_an_account(command)) co_return make_error_code(store_errc::protocol);
  co_return co_await connection.call(std::move(command));
}

std::string forbidden_text(std::string_view script, std::string_view error) {
  const auto names = commands_at_error(script, error);
  return names.empty() ? std::string{error}
                       : "the user may not send " + names + ": " + std::string{error};
}

}  // namespace tollgate::quota::redis
