#include "quota/redis/batch.hpp"

#include <utility>

#include <hiredis/hiredis.h>

#include "quota/redis/batch_scheduler.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/ledger_library.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store_schema.hpp"

namespace tollgate::quota::redis {

namespace {

// The reply to FUNCTION LOAD. If it fails, the greeting of a new connection reports why, and
// whether the store can be used.
class loaded_reply final : public reply_sink {
 public:
  explicit loaded_reply(connection& of) : connection_{of} {}
  void complete(error_code ec, const redisReply* reply) noexcept override {
    if (!ec && !ledger_library::is_loaded(*reply)) connection_.reconnect();
  }

 private:
  connection& connection_;
};

}  // namespace

batch::batch(org_id org, std::shared_ptr<batch_scheduler> from)
    : org_{std::move(org)}, from_{std::move(from)} {}

void batch::reset(const org_id& org, std::shared_ptr<batch_scheduler> from) {
  org_ = org;
  from_ = std::move(from);
  operations_.clear();
  waiters_.clear();
  tries_ = 0;
  read_only_ = may_be_applied_ = false;
}

void batch::add(const operation& operation, ledger::then then) {
  operations_.add(operation);
  waiters_.push_back(std::move(then));
}

void batch::send(std::unique_ptr<batch> self) {
  std::string encoded;
  const auto& library = ledger_library::current();
  const auto& function = self->read_only_ ? library.read_only_name() : library.name();
  const auto hour = hour_of(self->from_->clock().now());
  self->operations_.append_call(encoded, function, self->org_, hour, self->from_->rules);
  auto& connection = self->from_->by();
  connection.send(encoded, std::move(self));
}

void batch::load_library(connection& connection) {
  std::string load;
  append_command(load, {"FUNCTION", "LOAD", ledger_library::current().text()});
  connection.send(load, std::make_unique<loaded_reply>(connection));
}

// The library may be missing after FUNCTION FLUSH, or after a failover to a node without it. The
// read-only function can have changed nothing, whatever it met.
void batch::refused(std::string_view error) {
  if (is_unknown_function(error) && may_go_again()) {
    load_library(from_->by());
    return go_again();
  }
  if (takes_no_writes(error) && !read_only_) {
    read_only_ = true;
    return go_again();
  }
  constexpr std::string_view newer = "NEWERSCHEMA ";
  if (error.starts_with(newer)) {
    from_->by().refuse_account(
        newer_schema_text("the account of " + org_, error.substr(newer.size())));
  }
  const bool not_applied = read_only_ || read_error_reply(error).not_applied;
  land(not_applied ? store_errc::not_applied : store_errc::protocol);
}

void batch::complete(error_code ec, const redisReply* reply) noexcept {
  if (ec) return land(ec);
  if (reply->type == REDIS_REPLY_ERROR) return refused(text_of(*reply));
  answered(text_of(*reply));
}

void batch::answered(std::string_view text) {
  ledger_answer answer{text};
  if (!answer.valid()) return land(store_errc::protocol);
  from_->clock().synchronize(answer.store_time());
  if (answer.again()) {
    for (const auto hour : answer.missing_hours()) operations_.name_hour(hour);
    return may_go_again() ? go_again() : land(store_errc::not_applied);
  }
  for (auto& each : waiters_) std::move(each)(answer.next());
  waiters_.clear();
  from_->tell_of(answer, org_);
  from_->on_reply(org_);
}

void batch::fail(error_code ec) {
  for (auto& each : std::exchange(waiters_, {})) std::move(each)(result<answer>{ec});
}

void batch::land(error_code ec) {
  if (may_be_applied_ && ec == store_errc::not_applied) ec = store_errc::unavailable;
  fail(ec);
  from_->on_reply(org_);
}

}  // namespace tollgate::quota::redis
