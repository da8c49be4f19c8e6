// Why what is only in the archive cannot be shown. A store's errors are store_errc.
#pragma once

#include "quota/task.hpp"

namespace tollgate::proxy::archive {

enum class archive_errc {
  unavailable = 1,
  catching_up,    // it is new, and has not got there yet
  behind,         // it does not have what the store has dropped
  ahead,          // it has what the store does not have
  another_store,  // it is another store's
};
error_code make_error_code(archive_errc code);
bool is_of_archive(const error_code& ec);

}  // namespace tollgate::proxy::archive

template <>
struct boost::system::is_error_code_enum<tollgate::proxy::archive::archive_errc> : std::true_type {
};
