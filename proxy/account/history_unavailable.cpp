#include "proxy/account/history_unavailable.hpp"

#include "proxy/account/archive_error.hpp"
#include "quota/store_error.hpp"

namespace tollgate::proxy::admin {

api_error history_unavailable(const error_code& why) {
  auto error = ledger_unavailable();
  if (why == archive::archive_errc::unavailable || why == archive::archive_errc::catching_up) {
    error.message = why.message() + "; repeat the call shortly";
  } else if (why == quota::store_errc::archived) {
    error.message = "the ledger has dropped this, and there is no archive that it can be read from";
  } else if (archive::is_of_archive(why)) {
    error.message = why.message() + "; that is for the operator to mend";
  }
  return error;
}

}  // namespace tollgate::proxy::admin
