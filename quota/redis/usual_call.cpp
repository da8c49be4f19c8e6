#include "quota/redis/usual_call.hpp"

#include <algorithm>
#include <utility>

#include <hiredis/hiredis.h>

#include "quota/redis/batch_scheduler.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/ledger_library.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

usual_call::usual_call(batch_scheduler& from, std::int64_t hour)
    : from_{from.shared_from_this()}, hour_{hour} {}

std::string usual_call::encode() const {
  usual_arguments arguments{hour_};
  for (const auto& each : batches_) arguments.add(each->org(), each->operations());
  return arguments.call(ledger_library::current().usual_name());
}

void usual_call::send(std::unique_ptr<usual_call> self) {
  const auto encoded = self->encode();
  auto& connection = self->from_->by();
  connection.send(encoded, std::move(self));
}

void usual_call::complete(error_code ec, const redisReply* reply) noexcept {
  if (ec) {
    for (auto& each : batches_) each->land(ec);
  } else if (reply->type == REDIS_REPLY_ERROR) {
    refused(text_of(*reply));
  } else {
    answered(text_of(*reply));
  }
}

// A missing library is loaded once for all batches. Where the server takes nothing for now, the
// batches end. After any other error each batch is sent again on its own, and handles its error
// itself: operations that were applied before the error are answered as repetitions.
void usual_call::refused(std::string_view error) {
  const auto meaning = read_error_reply(error);
  if (is_unknown_function(error)) {
    batch::load_library(from_->by());
  } else if (meaning.not_applied && !takes_no_writes(error)) {
    for (auto& each : batches_) each->land(store_errc::not_applied);
    return;
  } else if (!takes_no_writes(error)) {
    for (const auto& each : batches_) {
      from_->note_unusual(each->org());
      each->may_be_applied();
    }
  }
  for (auto& each : batches_) batch::send(std::move(each));
}

void usual_call::answered(std::string_view text) {
  if (const ledger_answer answer{text}; answer.again() && answer.valid()) {
    from_->clock().synchronize(answer.store_time());
    for (auto& each : batches_) batch::send(std::move(each));
    return;
  }
  for (auto& each : batches_) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line == "-") {
      from_->note_unusual(each->org());
      batch::send(std::move(each));
    } else {
      each->answered(line);
      from_->recycle(std::move(each));
    }
  }
}

}  // namespace tollgate::quota::redis
