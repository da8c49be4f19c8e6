// Reasons why the store did not answer.
#pragma once

#include "quota/task.hpp"

namespace tollgate::quota {

enum class store_errc {
  unavailable = 1,  // not connected, or the connection broke before the answer: the outcome of
                    // the operation is unknown, and repeating it with the same id is harmless
  protocol,         // the store's answer is unknown to this version, or an error whose effect is
                    // unknown
  archived,         // the store has dropped the data: only an archive may have it
  not_applied,      // the store did not begin the operation: nothing has changed
  no_memory,        // a read would need more memory than there is for it now (read_budget.hpp)
};
error_code make_error_code(store_errc);

}  // namespace tollgate::quota

template <>
struct boost::system::is_error_code_enum<tollgate::quota::store_errc> : std::true_type {};
