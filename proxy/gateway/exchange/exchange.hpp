// One request from top to bottom. run() is the table of contents; each stage either enriches what
// is known or returns a problem, and everything after the hold ends in settle or void.
//
//   open -> classify -> identify -> reserve -> forward -> deliver -> finish
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proxy/gateway/downstream.hpp"
#include "proxy/gateway/headers.hpp"
#include "proxy/gateway/own_response.hpp"
#include "proxy/gateway/spool.hpp"
#include "proxy/gateway/worker.hpp"
#include "proxy/net/http/message.hpp"
#include "proxy/net/relay.hpp"
#include "routes/answer_watch.hpp"
#include "routes/audio_tap.hpp"
#include "routes/ledger_refusal.hpp"

namespace tollgate::proxy {

class exchange final : private deadline {
 public:
  exchange(worker& worker, downstream& client, request_reader& request);
  ~exchange() override;

  // True: the connection can carry another request.
  task<bool> run();

 private:
  using verdict = std::optional<routes::problem>;

  // The stages.
  verdict open();
  task<verdict> identify();
  task<verdict> classify();
  task<verdict> reserve();
  task<verdict> forward();
  task<> deliver();
  void finish();

  // Parts of stages.
  verdict read_attribution();
  routes::problem refused_by_ledger(const quota::charge& money, quota::credits required,
                                    quota::credits held);
  verdict admit(routes::classification found);
  task<verdict> read_json_body();
  using enough = std::function<bool(std::string_view piece)>;
  task<verdict> gather_body(std::size_t limit, enough enough);
  task<verdict> connect(bool fresh);
  task<verdict> attempt(bool& retry);
  bool pays_from_last_byte() const;
  template <class Buffers>
  task<error_code> write_last(const Buffers& buffers, std::size_t at_once);
  task<error_code> send_request();
  task<> pump_request_body(std::string head);
  task<error_code> send_body_piece(const decoded& piece, std::string& head);
  task<verdict> receive_head(bool& retry);
  task<> pass_on_informational();
  void await_upstream(bool is_its_turn);
  verdict no_answer(error_code ec, bool& retry);
  routes::answer_head answer_head() const;
  std::string response_head(body_shape shape);
  account_facts account_facts_known() const;
  task<> relay_body(std::string head, body_shape shape);
  void broke_off(quota::stream_end how);
  task<bool> complete_for_client(chunk_frame& frame, body_shape shape);
  task<> tunnel();
  task<> tunnel_upwards();
  task<error_code> write_to_client(std::string_view bytes);
  task<> join_pump();

  // Seconds of audio: exchange_audio.cpp.
  const routes::audio_settings& audio() const;
  void tap_body(const message_head& head);
  bool meters_upload() const;
  task<verdict> begin_upload();
  task<verdict> hold_what_came();
  verdict check_upload();
  bool estimates_unmeasurable() const;
  // Uploads that are kept in a file meanwhile: exchange_spool.cpp.
  bool may_spool() const;
  task<verdict> keep_upload();
  task<verdict> spool_upload();
  verdict keep(std::string_view piece);
  task<verdict> read_upload_again();
  task<bool> send_spooled(std::string& head);
  std::string content_type_as_read() const;
  task<verdict> hold_upload(std::string_view piece);
  verdict meter_upload(std::string_view piece);
  task<verdict> cover_upload();
  std::string release_upload(std::string_view piece);
  routes::problem out_of_credits();
  bool meters_answer() const;
  task<bool> meter_answer(std::string_view piece);
  task<> cut_answer(body_shape shape);
  std::string charge_trailer();
  quota::usage used_so_far() const;
  bool awaits_audio() const;
  quota::usage used_if_left() const;
  quota::usage used();  // no more is counted from then on

  bool asks_about_billing() const;
  task<bool> answer_billing();
  bool is_payment_event() const;
  task<bool> answer_payment_event();
  task<> send_stream(own_response head, std::shared_ptr<admin::body_source> source);
  task<> relay_stream(chunk_frame& frame, admin::body_source& source);
  void watch_stream();
  task<bool> key_is_in_force(const quota::key_hash& hash);
  task<> refuse(const routes::problem& problem);
  task<> send(own_response response);
  bool rest_is_worth_reading() const;
  task<> drain_request_body();
  void give_back_upstream();
  bool may_retry() const;
  std::int64_t overhead_so_far() const;
  body_shape shape_for_client();
  const quota::credits* charged_in_head();
  void find_allocation(const std::string& plan);
  void on_deadline() override;  // the whole exchange took too long

  const config::settings& settings() const { return runtime_->settings(); }
  const routes::route& route() const { return *classified_.matched; }
  bool is_shadow() const { return route().settings.shadow || shadow_org_; }
  quota::org_id& payer() { return record_.org; }

  worker& worker_;
  downstream& client_;
  request_reader& request_;
  const framing request_framing_;
  std::shared_ptr<runtime> runtime_;
  exchange_record record_;
  hop_by_hop hops_;
  routes::clean_target target_;
  routes::classified classified_;
  routes::dialect dialect_ = routes::dialect::platform;
  std::string body_;                      // read before anything is forwarded; forwarded as it is
  bool body_is_buffered_ = false;         // and it is all there
  std::optional<routes::audio_tap> tap_;  // on the body that is metered
  std::optional<quota::usage> used_;      // once that is final
  std::optional<spool> spool_;            // what goes up in front of `body_`
  bool upload_refused_ = false;           // by us, before its last byte went up
  bool request_was_sent_ = false;         // to its last byte
  bool charge_in_trailer_ = false;
  bool shadow_org_ = false;
  std::shared_ptr<open_charge> charge_;
  quota::credits charged_;                    // what the head says
  std::optional<quota::credits> remaining_;   // likewise; nothing until the ledger was asked
  std::optional<quota::credits> allocation_;  // of the caller's plan
  std::optional<quota::rate_status> rate_;    // of the account, if it has one

  upstream_pool* pool_ = nullptr;
  upstream_lease up_;
  std::uint64_t wrote_before_ = 0;  // on this connection, by earlier exchanges
  std::optional<response_reader> response_;
  std::optional<routes::answer_watch> watch_;  // of an answer that is charged
  bool pump_running_ = false, body_was_pumped_ = false, total_timeout_ = false;
  wake_up pump_ended_;
  verdict body_problem_;  // found while the body was already on its way
  bool keep_client_ = false, head_sent_ = false, finished_ = false;
  bool streaming_ = false;  // what happens to the account, for as long as the client likes

  steady_time started_, sent_at_;
};

}  // namespace tollgate::proxy
