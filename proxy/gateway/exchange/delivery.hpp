// Passes the upstream's answer to the client as it arrives, and meters it.
#pragma once

#include "proxy/gateway/exchange/upstream_call.hpp"
#include "routes/answer_watch.hpp"

namespace tollgate::proxy {

class delivery {
 public:
  delivery(exchange_context& context, upstream_call& upstream, metered_body& metered,
           held_charge& hold, client_answer& answer)
      : context_{context}, upstream_{upstream}, metered_{metered}, hold_{hold}, answer_{answer} {}

  // From the head, which has arrived, to the end of the body.
  task<> run();

 private:
  // False: the credits are used up, and the route requires the answer to be cut before this piece.
  task<bool> count(std::string_view piece);
  task<> cut(std::string_view head);
  quota::stream_end how_it_broke() const;
  void stop_counting();

  exchange_context& context_;
  upstream_call& upstream_;
  metered_body& metered_;
  held_charge& hold_;
  client_answer& answer_;
  std::optional<routes::answer_watch> watch_;  // for an answer that is charged
  bool counts_ = false;
};

}  // namespace tollgate::proxy
