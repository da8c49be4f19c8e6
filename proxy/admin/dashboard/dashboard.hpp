// The dashboard's part of the admin listener: login, logout and sessions.
#pragma once

#include <functional>

#include "proxy/admin/dashboard/access.hpp"
#include "proxy/admin/dashboard/sessions.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::dashboard {

struct dashboard_services {
  quota::directory& directory;
  std::function<std::string()> admin_token;  // as configured now; empty: no administrator
  std::function<steady_time()> now;
  std::function<task<>(std::chrono::milliseconds)> pause;
};

class dashboard {
 public:
  static constexpr std::string_view session_path = "/dashboard/session";
  static constexpr std::size_t max_login_bytes = 4096;
  // A failed login takes this long, so that few are tried. Each waits on its connection: of those
  // of one address, and of all, only this many do, and further ones are refused at once (429). A
  // valid token or key always logs in: nobody locks its owner out by failing.
  static constexpr std::chrono::milliseconds failure_pause{500};
  static constexpr std::size_t max_failing = 16, max_failing_of_an_address = 4;

  explicit dashboard(dashboard_services services) : services_{std::move(services)} {}

  // POST logs in: {"secret": the admin token or an API key}. GET tells who is logged in; DELETE
  // logs out.
  task<admin::api_response> handle_session(admin::api_request request, browser_fields browser);

  // Nullopt: the cookie's session may make this call. A replaced token or a revoked key ends its
  // sessions at once.
  task<std::optional<admin::api_error>> authorize(browser_fields browser, std::string method,
                                                  std::string path,
                                                  session_use use = session_use::call);

 private:
  task<admin::api_response> log_in(admin::api_request request, browser_fields browser);
  task<admin::api_response> show(admin::api_request request, browser_fields browser);
  admin::api_response log_out(const admin::api_request& request, const browser_fields& browser);

  // The session for this secret: nullopt if the secret is invalid, an error if the store is
  // unavailable.
  task<result<std::optional<session>>> identify(std::string secret);
  task<result<std::optional<session>>> current(std::string id, session_use use);
  task<admin::api_response> refuse_login(std::string request_id, std::string address);
  std::string session_json(const session& who, std::string_view id) const;

  dashboard_services services_;
  session_store sessions_;
  std::unordered_map<std::string, std::size_t> failing_;  // by address; those that wait
  std::size_t failing_in_all_ = 0;
};

}  // namespace tollgate::proxy::dashboard
