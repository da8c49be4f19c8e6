#include "proxy/gateway/exchange/exchange.hpp"

#include "proxy/gateway/exchange/own_answers.hpp"

namespace tollgate::proxy {

exchange::exchange(exchange_host& host, downstream& client, request_reader& request)
    : context_{host,           client,
               request,        request.body_framing(),
               host.current(), std::chrono::steady_clock::now()},
      body_{context_},
      hold_{context_, metered_},
      audio_{context_, call_, body_, metered_, hold_},
      answer_{context_, call_, body_, hold_},
      upstream_{context_, call_, body_, metered_, hold_, audio_, answer_},
      delivery_{context_, upstream_, metered_, hold_, answer_} {
  host.exchange_started();
}

exchange::~exchange() {
  context_.client.on_gone(nullptr);
  finish();
}

task<bool> exchange::run() {
  const bool metered = settings().metering;
  auto passed = open();
  if (passed && is_payment_event(call_, settings())) {
    co_return co_await end_with(answer_payment_event(context_, body_, answer_));
  }
  if (passed && needs_no_key(context_, call_)) co_return co_await end_with(answer_without_key());
  if (passed && metered && !identify(passed)) passed = co_await look_up_caller();
  if (passed && asks_about_billing(call_, settings())) {
    co_return co_await end_with(answer_about_billing());
  }
  if (passed) passed = classify();
  if (passed && !call_.is_priced()) passed = co_await classify_by_body();
  if (passed && metered_.is_upload() && !body_.is_small()) passed = co_await admit_large_body();
  if (passed && metered_.is_upload()) {
    passed = co_await audio_.begin(time_limit());  // also holds, once the price is known
  } else if (passed && metered) {
    passed = co_await hold_.reserve(call_);
  }
  if (passed) passed = co_await forward();
  if (!passed) co_await refuse(passed.error());
  finish();
  co_return answer_.keeps_connection();
}

task<bool> exchange::end_with(task<result<void, problem>> answering) {
  if (const auto answered = co_await std::move(answering); !answered) {
    co_await refuse(answered.error());
  }
  finish();
  co_return answer_.keeps_connection();
}

}  // namespace tollgate::proxy
