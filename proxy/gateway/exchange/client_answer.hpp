// What the client is sent: the head of an answer and its pieces, how an answer breaks off or is
// cut, Tollgate's own answers, and whether the connection can carry another request.
#pragma once

#include <optional>
#include <string>

#include "proxy/gateway/exchange/call.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/exchange/held_charge.hpp"
#include "proxy/gateway/exchange/request_body.hpp"
#include "proxy/gateway/own_response.hpp"
#include "proxy/net/relay.hpp"

namespace tollgate::proxy {

class client_answer {
 public:
  client_answer(exchange_context& context, const call& call, request_body& body, held_charge& hold)
      : context_{context}, call_{call}, body_{body}, hold_{hold} {}

  bool keeps_connection() const { return keep_; }
  void keep_connection(bool keep) { keep_ = keep; }
  void end_connection() { keep_ = false; }

  // --- the upstream's answer ---------------------------------------------------------------------
  // How the answer's body is framed for this client. `counted`: the charge is known only when the
  // body has passed; a client that can read trailers gets it then.
  body_shape choose_shape(const response_reader& response, bool counted);
  const body_shape& shape() const { return shape_; }
  bool charges_in_trailer() const { return charge_in_trailer_; }
  // Makes the head, which counts as sent from then on.
  std::string head(const message_head& head, const config::upstream_settings& upstream);
  // 102 and 103 are passed to the client; 100 was answered here already.
  task<> pass_on_informational(message_head& head, const config::upstream_settings& upstream);

  // Writes as much as possible without waiting. True: everything was written, or `ec` is set.
  // write_rest() writes the remainder.
  template <class Buffers>
  bool write_now(const Buffers& buffers, error_code& ec) {
    const bool done = context_.client.io.write_now(buffers, ec);
    // The client reads, so an upload beside the answer does not count as late because of it.
    if (done) context_.client.io.never_expires();
    return done;
  }
  template <class Buffers>
  task<error_code> write_rest(const Buffers& buffers) {
    auto& io = context_.client.io;
    io.expires_after(context_.write_patience());
    const waiting_for response{context_.times, call_part::response};
    const auto ec = co_await io.write_rest(buffers);
    io.never_expires();
    co_return ec;
  }
  template <class Buffers>
  task<error_code> write(const Buffers& buffers) {
    error_code ec;
    if (write_now(buffers, ec)) co_return ec;
    co_return co_await write_rest(buffers);
  }
  void count(std::size_t bytes) { bytes_ += bytes; }

  // The answer could not be written.
  void lost_client() {
    keep_ = false;
    hold_.broke_off(quota::stream_end::client_gone);
  }
  // Shows the client that the answer is incomplete: by a body that does not end as announced, or by
  // a reset if the end of the connection would have ended the body.
  void break_off(quota::stream_end how);
  // The answer stops here. Events end with one that gives the reason; other audio ends as a body
  // that breaks off, because a regular end would make it look complete.
  task<> cut(const message_head& head, problem why);
  // The answer is complete and only the upstream's connection broke: ends the body regularly.
  // False: the announced framing does not allow that.
  task<bool> complete(chunk_frame& frame);
  std::string charge_trailer();

  // --- Tollgate's own answers --------------------------------------------------------------------
  task<> refuse(const problem& problem, std::vector<std::pair<std::string, std::string>> fields);
  task<> send(own_response response);
  // The head of a body that follows. False: no body may follow.
  task<bool> send_head(own_response head);

  // --- for the access log ------------------------------------------------------------------------
  int status() const { return status_; }  // 0: nothing was sent
  const std::optional<routes::problem_code>& refusal() const { return refusal_; }
  bool head_sent() const { return head_sent_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  exchange_context& context_;
  const call& call_;
  request_body& body_;
  held_charge& hold_;
  bool keep_ = false;
  bool charge_in_trailer_ = false;
  body_shape shape_;
  int status_ = 0;
  std::optional<routes::problem_code> refusal_;
  bool head_sent_ = false;
  std::uint64_t bytes_ = 0;
};

}  // namespace tollgate::proxy
