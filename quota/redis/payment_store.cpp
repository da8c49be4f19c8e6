#include "quota/redis/payment_store.hpp"

#include "quota/redis/account_commands.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

task<result<std::string>> redis_payment_store::remember(const org_id& org, std::string top_up,
                                                        std::string payment) {
  static const account_script script{
      "redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) "
      "return redis.call('HGET', KEYS[1], ARGV[1])"};
  std::vector<std::string> keys{key_of(org, "payments")};
  std::vector<std::string> arguments{std::move(top_up), std::move(payment)};
  const auto counts =
      co_await change_account(connection_, org, script, std::move(keys), std::move(arguments));
  if (!counts) co_return counts.error();
  if ((*counts)->type != REDIS_REPLY_STRING) co_return make_error_code(store_errc::protocol);
  co_return std::string{text_of(**counts)};
}

task<result<std::string>> redis_payment_store::find(const org_id& org, std::string top_up) {
  std::vector<std::string> command{"HGET", key_of(org, "payments"), std::move(top_up)};
  const auto reply = co_await read_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  const auto type = (*reply)->type;
  if (type != REDIS_REPLY_STRING && type != REDIS_REPLY_NIL) {
    co_return make_error_code(store_errc::protocol);
  }
  co_return std::string{text_of(**reply)};
}

}  // namespace tollgate::quota::redis
