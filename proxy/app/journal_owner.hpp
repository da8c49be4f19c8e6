// The journal of this process, and the one that an earlier process left.
#pragma once

#include <memory>

#include "proxy/gateway/journal/keeper.hpp"
#include "proxy/gateway/journal/replay.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy {

class journal_owner {
 public:
  // Throws std::runtime_error if the directory cannot be used.
  void open(const config::settings& settings, int workers);
  // Settles the charges of earlier processes, in the background, once the store is available.
  // Charges that are not confirmed when this process ends stay in their journal. On the thread of
  // `context`, like stop().
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
