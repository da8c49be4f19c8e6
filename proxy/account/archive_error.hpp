// Reasons why archived data cannot be shown. A store's errors are store_errc.
#pragma once

#include "quota/task.hpp"

namespace tollgate::proxy::archive {

enum class archive_errc {
  unavailable = 1,
  catching_up,    // it does not reach this point yet
  behind,         // it lacks data that the store has dropped
  ahead,          // it has entries that the store lacks
  another_store,  // it belongs to another store
};
error_code make_error_code(archive_errc code);
bool is_of_archive(const error_code& ec);

}  // namespace tollgate::proxy::archive

template <>
struct boost::system::is_error_code_enum<tollgate::proxy::archive::archive_errc> : std::true_type {
};
