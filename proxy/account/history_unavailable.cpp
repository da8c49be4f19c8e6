#include "proxy/account/history_unavailable.hpp"

#include "proxy/account/archive_error.hpp"
#include "quota/store_error.hpp"

namespace tollgate::proxy::admin {

api_error history_unavailable(const error_code& why) {
  if (why == quota::store_errc::no_memory) return no_memory("report");
  auto error = ledger_unavailable();
  if (why == archive::archive_errc::unavailable || why == archive::archive_errc::catching_up) {
    error.message = why.message() + "; repeat the call shortly";
  } else if (why == quota::store_errc::archived) {
    error.message = "the store has dropped this data, and there is no archive";
  } else if (archive::is_of_archive(why)) {
    error.message = why.message() + "; the operator has to repair this";
  }
  return error;
}

}  // namespace tollgate::proxy::admin
