// The journal of this process, and what an earlier process left in it.
#pragma once

#include <memory>

#include "proxy/gateway/journal/keeper.hpp"
#include "proxy/gateway/journal/replay.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy {

class journal_owner {
 public:
  // Throws std::runtime_error when the directory cannot be used.
  void open(const config::settings& settings, int workers);
  // Settles, beside the calls, what was left, as soon as the store is there. What is not confirmed
  // when this process ends stays where it is. On the thread of `context`, as stop().
  void replay(asio::io_context& context, quota::ledger& ledger);
  void stop();
  void close() { keeper_.reset(); }

  journal::keeper* keeper() { return keeper_.get(); }  // null: there is no journal

 private:
  std::unique_ptr<journal::keeper> keeper_;
  std::string directory_;
  journal::contents left_;
  std::unique_ptr<journal::replay> replay_;
};

}  // namespace tollgate::proxy
