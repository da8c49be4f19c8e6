// The interface between an exchange and its thread.
#pragma once

#include <functional>
#include <memory>

#include "proxy/gateway/exchange/exchange_record.hpp"
#include "proxy/gateway/key_cache.hpp"
#include "proxy/gateway/runtime.hpp"
#include "proxy/gateway/settlement.hpp"
#include "proxy/net/api/event_delivery.hpp"
#include "proxy/net/deadline.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy {

class exchange_host {
 public:
  virtual ~exchange_host() = default;

  virtual deadline_list& deadlines() = 0;
  virtual quota::id_source& ids() = 0;
  virtual key_cache& keys() = 0;
  virtual settlement& charges() = 0;
  virtual std::shared_ptr<runtime> current() const = 0;
  // Connections end with answers that begin from now on.
  virtual bool draining() const = 0;

  // A customer's request about its own account, under the configuration of `view`.
  virtual task<admin::api_response> answer_billing(const quota::org_id& org,
                                                   admin::api_request question,
                                                   std::shared_ptr<runtime> view) = 0;
  virtual task<admin::api_response> take_payment_event(payments::event_delivery event) = 0;

  // Runs `work` beside the event loop; organizations take turns. False: it is stopping.
  virtual task<bool> run_aside(const quota::org_id& org, std::function<void()> work) = 0;

  virtual void exchange_started() = 0;
  // `view` is the one with which the exchange began.
  virtual void exchange_finished(const exchange_record& record, const runtime& view) = 0;
};

}  // namespace tollgate::proxy
