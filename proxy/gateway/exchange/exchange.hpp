// One request from beginning to end. run() is the table of contents; each stage either adds to what
// is known or returns a problem, and everything after the hold ends in settle or void.
//
//   open -> identify -> price -> hold -> forward, and deliver the answer -> finish
//
// The parts do the work; this class calls them in order and connects them.
#pragma once

#include "proxy/gateway/exchange/audio_upload.hpp"
#include "proxy/gateway/exchange/call.hpp"
#include "proxy/gateway/exchange/client_answer.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/exchange/delivery.hpp"
#include "proxy/gateway/exchange/held_charge.hpp"
#include "proxy/gateway/exchange/metered_body.hpp"
#include "proxy/gateway/exchange/request_body.hpp"
#include "proxy/gateway/exchange/tunnel.hpp"
#include "proxy/gateway/exchange/upstream_call.hpp"
#include "proxy/gateway/open_sessions.hpp"

namespace tollgate::proxy {

class exchange final : public admitted_call, private deadline {
 public:
  exchange(exchange_host& host, downstream& client, request_reader& request);
  ~exchange() override;  // an exchange is finished on every way out

  // True: the connection can carry another request.
  task<bool> run();

  const quota::key_hash* admitted_by() override;
  void lost_access(key_cache::standing how) override;
  wait waits() const override;

 private:
  task<bool> end_with(task<result<void, problem>> answering);

  // The stages.
  result<void, problem> open();
  // False: the owner of the key must be looked up.
  bool identify(result<void, problem>& passed);
  task<result<void, problem>> look_up_caller();
  result<void, problem> know_caller(const quota::key_owner& owner);
  // If the call has no price afterwards, its body is needed for it.
  result<void, problem> classify();
  task<result<void, problem>> classify_by_body();
  // Before more of a body is kept in memory than a small one has.
  task<result<void, problem>> admit_large_body();
  routes::classification classify_whole_body(std::function<bool()> may_go_on = {});
  result<void, problem> take(routes::classification found);
  audio_upload::time_setter time_limit();
  task<result<void, problem>> forward();
  task<> forward_beside_upload(attempt_result& result);
  task<> answer_upload(attempt_result& result);
  task<> deliver();
  task<> open_tunnel();
  task<result<void, problem>> answer_without_key();
  task<result<void, problem>> answer_about_billing();
  task<> refuse(const problem& problem);
  void finish();
  void fill(exchange_record& record);
  void end_waits();
  void on_deadline() override;  // the whole exchange took too long

  const config::settings& settings() const { return context_.settings(); }

  exchange_context context_;
  call call_;
  request_body body_;
  metered_body metered_;
  held_charge hold_;
  audio_upload audio_;
  client_answer answer_;
  upstream_call upstream_;
  delivery delivery_;
  tunnel* tunnel_ = nullptr;                    // while it is open
  std::shared_ptr<admin::body_source> events_;  // of its account, while they are sent
  bool finished_ = false;
};

}  // namespace tollgate::proxy
