// The journal of this process, and the one that an earlier process left.
#pragma once

#include <memory>

#include "proxy/gateway/journal/keeper.hpp"
#include "proxy/gateway/journal/replay.hpp"
#include "quota/store.hpp"

namespace tollgate::proxy {

class journal_owner {
 public:
  // Throws std::runtime_error if the directory cannot be used.
  void open(const config::settings& settings, int workers);
  // Settles the charges of earlier processes, in the background, once the store is available.
  // Charges that are not confirmed when this process ends stay in their journal. On the thread of
  // `context`, like stop().
  // First gives the segments the id of the store. Charges of another store stay where they are.
  void replay(asio::io_context& context, quota::store& store);
  void stop();
  void close() { keeper_.reset(); }

  journal::keeper* keeper() { return keeper_.get(); }  // null: there is no journal

 private:
  task<> know_store(quota::store& store);
  task<> settle_left(io_executor executor, quota::ledger& ledger);
  void keep_those_of_others();

  std::unique_ptr<journal::keeper> keeper_;
  std::string directory_;
  journal::contents left_;
  std::unique_ptr<journal::replay> replay_;
  std::string store_;  // its id; empty: not known
  bool stopped_ = false;
};

}  // namespace tollgate::proxy
