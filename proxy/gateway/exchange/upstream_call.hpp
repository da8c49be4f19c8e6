// The upstream's side of a call: a leased connection, the request that is sent, and the head of the
// answer. A complete request is sent and answered, and tried once more if the first connection
// turned out to be dead; an upload streams beside the answer.
#pragma once

#include <optional>
#include <string>

#include "proxy/gateway/awaited_connection.hpp"
#include "proxy/gateway/exchange/audio_upload.hpp"
#include "proxy/gateway/exchange/call.hpp"
#include "proxy/gateway/exchange/client_answer.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/upstream.hpp"
#include "routes/answer_watch.hpp"

namespace tollgate::proxy {

enum class attempt_result : std::uint8_t {
  answered,   // the head of the answer has arrived
  try_again,  // the connection was dead before it took the call; try another
  failed      // see why()
};

class upstream_call {
 public:
  upstream_call(exchange_context& context, const call& call, request_body& body,
                metered_body& metered, held_charge& hold, audio_upload& audio,
                client_answer& answer)
      : context_{context},
        call_{call},
        body_{body},
        metered_{metered},
        hold_{hold},
        audio_{audio},
        answer_{answer} {}

  // From here on the connection is closed when the client leaves.
  void begin(upstream_pool& pool);

  // Whether the rest of the request must still arrive, or be read from a file.
  bool streams_upload() const { return audio_.kept() != nullptr || !is_all_there(); }
  // One try with a complete request. `fresh` requires a new connection.
  task<attempt_result> attempt(bool fresh);
  // A try with an upload: first connect(), then `upload() && receive_head()`. An upstream may
  // answer before it has read everything, so the answer may be passed on beside the rest of the
  // upload.
  task<attempt_result> connect(bool fresh);
  task<> upload();
  task<attempt_result> receive_head();
  // Why it failed, and the client's answer.
  const problem& why() const { return problem_; }

  bool is_leased() const { return lease_ != nullptr; }
  upstream_connection& connection() { return *lease_; }
  response_reader& response() { return *response_; }
  const config::upstream_settings& settings() const { return pool_->settings(); }
  const owned_names& owned() const { return context_.view->owned_of(call_.work->route); }

  // Closes the connection, if there is one; operations that wait for it end, and so does a wait
  // until there is one.
  void close() {
    if (connecting_) connecting_->give_up();
    if (lease_) lease_->io.close();
  }
  // Ends an upload that is still in progress; false: there is none.
  bool stop_upload();
  bool is_uploading() const { return sent_.uploading; }
  // After the answer: returns the connection to the pool if it can carry another call.
  void give_back();

  // The status of the answer; 0: there is none.
  int answered_with() const { return sent_.answered ? response_->head().status : 0; }

 private:
  bool is_all_there() const { return body_.is_whole() || body_.done(); }
  task<result<upstream_lease>> acquire(bool fresh);
  void begin_sending(steady_time now);
  std::string request_head() const;
  void await_answer(bool is_its_turn);
  template <class Buffers>
  task<error_code> write_last(const Buffers& buffers, std::size_t at_once);
  task<bool> send_kept(std::string& head);
  task<result<bool, problem>> send_piece(std::string_view piece, std::string& head);
  void head_came();
  attempt_result fail(problem why);
  attempt_result no_answer(error_code ec);
  bool may_retry(bool unreceived) const;

  struct progress {
    std::uint64_t wrote_before = 0;  // on this connection, by earlier calls
    bool all = false;                // including its last byte
    bool streamed = false;           // bytes already sent cannot be sent again
    bool uploading = false;
    bool answered = false;  // the head of the answer came
  };

  exchange_context& context_;
  const call& call_;
  request_body& body_;
  metered_body& metered_;
  held_charge& hold_;
  audio_upload& audio_;
  client_answer& answer_;
  upstream_pool* pool_ = nullptr;
  std::shared_ptr<awaited_connection> connecting_;
  upstream_lease lease_;
  std::optional<response_reader> response_;
  progress sent_;
  std::optional<problem> body_problem_;  // found after sending had begun
  problem problem_;
};

// The parts of an answer's head that decide for routes.
routes::answer_head answer_head_of(const response_reader& response,
                                   const exchange_context& context);

}  // namespace tollgate::proxy
