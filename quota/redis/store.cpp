#include "quota/redis/store.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

#include <boost/asio/any_completion_handler.hpp>
#include <hiredis/hiredis.h>

#include "quota/redis/ledger_script.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

using std::chrono::steady_clock;
using waiter = asio::any_completion_handler<void(result<answer>)>;

// Hour keys that one call reads; bounds the time that a long usage report keeps Redis from others.
constexpr std::int64_t hours_a_call = 256;

std::string_view usage_script() {
  return "local all = {} for i, key in ipairs(KEYS) do all[i] = redis.call('HGETALL', key) end "
         "return all";
}

template <class T>
result<T> checked(std::optional<T> value) {
  if (!value) return make_error_code(store_errc::protocol);
  return *std::move(value);
}

// An error reply is not an answer.
result<reply_ptr> checked(result<reply_ptr> reply) {
  if (reply && (*reply)->type == REDIS_REPLY_ERROR) return make_error_code(store_errc::protocol);
  return reply;
}

}  // namespace

class redis_store::store_clock {
 public:
  time_point now() const {
    return store_time_ + std::chrono::duration_cast<milliseconds>(steady_clock::now() - heard_at_);
  }
  std::int64_t hour() const {
    return std::chrono::floor<std::chrono::hours>(now().time_since_epoch()).count();
  }
  void heard(time_point store_time) {
    store_time_ = store_time;
    heard_at_ = steady_clock::now();
  }

 private:
  time_point store_time_ = system_clock{}.now();  // until the store has said otherwise
  steady_clock::time_point heard_at_ = steady_clock::now();
};

// Goes out as EVALSHA. When the script is not loaded, or names other keys than it needs, nothing
// was applied and it goes out again.
class redis_store::flight final : public reply_sink {
 public:
  flight(org_id org, connection& connection, std::shared_ptr<store_clock> clock)
      : org_{std::move(org)}, connection_{connection}, clock_{std::move(clock)} {}

  const org_id& org() const { return org_; }
  bool full() const { return batch_.full(); }
  void add(const operation& operation) { batch_.add(operation); }
  void wait(waiter waiter) { waiters_.push_back(std::move(waiter)); }

  static void send(std::unique_ptr<flight> self, bool with_script = false) {
    std::string encoded;
    if (with_script) {
      self->batch_.append_eval(encoded, self->org_, self->clock_->hour());
    } else {
      self->batch_.append_evalsha(encoded, self->org_, self->clock_->hour());
    }
    auto& connection = self->connection_;
    connection.send(encoded, std::move(self));
  }

  void complete(error_code ec, const redisReply* reply) noexcept override {
    if (ec) return fail(ec);
    if (reply->type == REDIS_REPLY_ERROR) {
      const bool unknown_script = text_of(*reply).starts_with("NOSCRIPT");
      return unknown_script && may_go_again() ? go_again(true) : fail(store_errc::protocol);
    }
    ledger_answer answer{text_of(*reply)};
    if (!answer.valid()) return fail(store_errc::protocol);
    clock_->heard(answer.store_time());
    if (answer.again()) {
      for (const auto hour : answer.missing_hours()) batch_.name_hour(hour);
      return may_go_again() ? go_again(false) : fail(store_errc::protocol);
    }
    auto waiters = std::move(waiters_);
    for (auto& each : waiters) std::move(each)(answer.next());
  }

 private:
  bool may_go_again() { return ++tries_ < 5; }

  void go_again(bool with_script) {
    auto next = std::make_unique<flight>(std::move(*this));
    send(std::move(next), with_script);
  }

  void fail(error_code ec) {
    auto waiters = std::move(waiters_);
    for (auto& each : waiters) std::move(each)(result<answer>{ec});
  }

  org_id org_;
  connection& connection_;
  std::shared_ptr<store_clock> clock_;
  ledger_batch batch_;
  std::vector<waiter> waiters_;  // of the operations, in their order
  int tries_ = 0;
};

std::unique_ptr<connection> make_store_connection(asio::io_context& context, const address& where,
                                                  connection_options options) {
  const auto load_script = [](connection& connection) -> task<result<void>> {
    std::vector<std::string> command{"SCRIPT", "LOAD", std::string{ledger_script()}};
    const auto loaded = checked(co_await connection.call_now(std::move(command)));
    if (!loaded) co_return loaded.error();
    co_return result<void>{};
  };
  return std::make_unique<connection>(context, where, options, load_script);
}

redis_store::redis_store(connection& connection)
    : connection_{connection}, clock_{std::make_shared<store_clock>()} {
  connection_.on_before_write([this] { send_gathered(); });
}

redis_store::~redis_store() {
  connection_.on_before_write(nullptr);
}

redis_store::flight& redis_store::gather(const org_id& org) {
  for (auto it = gathered_.rbegin(); it != gathered_.rend(); ++it) {
    if ((*it)->org() != org) continue;
    if (!(*it)->full()) return **it;
    break;
  }
  gathered_.push_back(std::make_unique<flight>(org, connection_, clock_));
  connection_.request_flush();
  return *gathered_.back();
}

void redis_store::send_gathered() {
  auto leaving = std::move(gathered_);
  gathered_.clear();
  for (auto& flight : leaving) flight::send(std::move(flight));
}

task<result<answer>> redis_store::apply(const org_id& org, const operation& operation) {
  if (!ready()) co_return make_error_code(store_errc::unavailable);
  auto& flight = gather(org);
  flight.add(operation);
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>,
                                          void(result<answer>)>(
      [&flight](auto handler) { flight.wait(std::move(handler)); }, use_task);
}

task<result<account_snapshot>> redis_store::snapshot(const org_id& org) {
  std::vector<std::string> command{"EVAL",
                                   std::string{snapshot_script()},
                                   "3",
                                   key_of(org, "account"),
                                   key_of(org, "holds"),
                                   key_of(org, "ledger")};
  const auto reply = checked(co_await connection_.call(std::move(command)));
  if (!reply) co_return reply.error();
  co_return checked(parse_snapshot(**reply));
}

task<result<std::vector<ledger_entry>>> redis_store::entries(const org_id& org, std::string after,
                                                             std::size_t limit) {
  std::vector<std::string> command{"XRANGE", key_of(org, "ledger"), "(" + after, "+",
                                   "COUNT",  std::to_string(limit)};
  const auto reply = checked(co_await connection_.call(std::move(command)));
  if (!reply) co_return reply.error();
  std::vector<ledger_entry> found;
  for (const auto* each : elements_of(**reply)) {
    auto entry = parse_entry(*each);
    if (!entry) co_return make_error_code(store_errc::protocol);
    found.push_back(*std::move(entry));
  }
  co_return found;
}

task<result<std::vector<grant_record>>> redis_store::grants(const org_id& org) {
  std::vector<std::string> command{"HGETALL", key_of(org, "grants")};
  const auto reply = checked(co_await connection_.call(std::move(command)));
  if (!reply) co_return reply.error();
  std::vector<grant_record> found;
  const auto flat = elements_of(**reply);
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    auto grant = parse_grant(text_of(*flat[i]), text_of(*flat[i + 1]));
    if (!grant) co_return make_error_code(store_errc::protocol);
    found.push_back(*std::move(grant));
  }
  std::sort(found.begin(), found.end(), [](const grant_record& a, const grant_record& b) {
    return std::tie(a.at, a.id) < std::tie(b.at, b.id);
  });
  co_return found;
}

task<result<std::vector<usage_counter>>> redis_store::usage(const org_id& org,
                                                            std::int64_t first_hour,
                                                            std::int64_t last_hour) {
  std::vector<usage_counter> found;
  for (auto hour = first_hour; hour <= last_hour; hour += hours_a_call) {
    const auto count = std::min(hours_a_call, last_hour - hour + 1);
    std::vector<std::string> command{"EVAL", std::string{usage_script()}, std::to_string(count)};
    for (std::int64_t i = 0; i < count; ++i) {
      command.push_back(key_of(org, "usage:" + std::to_string(hour + i)));
    }
    const auto reply = checked(co_await connection_.call(std::move(command)));
    if (!reply) co_return reply.error();
    const auto hours = elements_of(**reply);
    for (std::size_t i = 0; i < hours.size(); ++i) {
      const auto flat = elements_of(*hours[i]);
      for (std::size_t j = 0; j + 1 < flat.size(); j += 2) {
        auto counter = parse_counter(hour + static_cast<std::int64_t>(i), text_of(*flat[j]),
                                     text_of(*flat[j + 1]));
        if (!counter) co_return make_error_code(store_errc::protocol);
        found.push_back(*std::move(counter));
      }
    }
  }
  co_return found;
}

task<result<std::optional<time_point>>> redis_store::next_expiry(const org_id& org) {
  std::vector<std::string> command{"HGET", key_of(org, "account"), "next_expiry"};
  const auto reply = checked(co_await connection_.call(std::move(command)));
  if (!reply) co_return reply.error();
  const auto ms = parse_integer(text_of(**reply));
  if (!ms || *ms == 0) co_return std::optional<time_point>{};
  co_return std::optional<time_point>{time_point{milliseconds{*ms}}};
}

time_point redis_store::now() const {
  return clock_->now();
}

}  // namespace tollgate::quota::redis
