// Completes with an error code in place of an exception.
#pragma once

#include <boost/asio/redirect_error.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

inline auto no_throw(boost::system::error_code& ec) {
  return boost::asio::redirect_error(use_task, ec);
}

}  // namespace tollgate::proxy
