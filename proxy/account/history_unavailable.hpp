#pragma once

#include "proxy/net/api/message.hpp"

namespace tollgate::proxy::admin {

// 503 for a reader of history: the ledger, or the archive behind it, is unavailable.
api_error history_unavailable(const error_code& why);

}  // namespace tollgate::proxy::admin
