#include "quota/redis/payment_store.hpp"

#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

task<result<std::string>> redis_payment_store::remember(const org_id& org, std::string top_up,
                                                        std::string payment) {
  const auto key = key_of(org, "payments");
  std::vector<std::vector<std::string>> commands{{"HSETNX", key, top_up, std::move(payment)},
                                                 {"HGET", key, top_up}};
  const auto replies = co_await connection_.call_all(std::move(commands));
  if (!replies) co_return replies.error();
  const auto& counts = (*replies)[1];
  if (counts->type != REDIS_REPLY_STRING) co_return make_error_code(store_errc::protocol);
  co_return std::string{text_of(*counts)};
}

task<result<std::string>> redis_payment_store::find(const org_id& org, std::string top_up) {
  std::vector<std::string> command{"HGET", key_of(org, "payments"), std::move(top_up)};
  const auto reply = co_await connection_.call(std::move(command));
  if (!reply) co_return reply.error();
  const auto type = (*reply)->type;
  if (type != REDIS_REPLY_STRING && type != REDIS_REPLY_NIL) {
    co_return make_error_code(store_errc::protocol);
  }
  co_return std::string{text_of(**reply)};
}

}  // namespace tollgate::quota::redis
