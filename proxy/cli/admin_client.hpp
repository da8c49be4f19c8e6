// A client of the admin API for the command line: one request, one answer, with a timeout.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/environment.hpp"
#include "proxy/text/json.hpp"

namespace tollgate::proxy {

// The error of a command, and its exit status.
struct command_error {
  std::string message;
  int exit_code = 1;  // 1: it failed; 2: the arguments or the configuration are wrong
};

struct admin_client_options {
  std::string config;  // a configuration file, for its admin.listen and admin.token
  std::string url;     // "http://127.0.0.1:8081"
  config::environment env = config::process_environment();
};

class admin_client {
 public:
  // The address comes from --admin, TOLLGATE_ADMIN_URL, the configuration, or the default; the
  // token from TOLLGATE_ADMIN_TOKEN or the configuration.
  static std::variant<admin_client, command_error> open(const admin_client_options& options);

  // Returns the answer's `data`; any other answer is an error with the API's own message. `status`,
  // if given, receives the HTTP status, also of an error.
  std::variant<admin::json_value, command_error> call(
      std::string_view method, const std::string& target, const std::string& body = {},
      const std::vector<std::pair<std::string, std::string>>& headers = {},
      int* status = nullptr) const;

  // Returns the body of the answer to a GET, in the requested format: "text/csv".
  std::variant<std::string, command_error> read(const std::string& target,
                                                const std::string& accept) const;

  // The same for a list with pages.
  struct page {
    std::string body;
    std::string next;  // the address of the next page; empty: this is the last
  };
  std::variant<page, command_error> read_page(const std::string& target,
                                              const std::string& accept) const;

  // Passes on a stream of server-sent events block by block, until it ends. An error: there is no
  // stream, or it was silent for longer than streams are.
  using block_taker = std::function<void(std::string_view block)>;
  std::optional<command_error> follow(const std::string& target, const block_taker& take) const;

 private:
  struct reply {
    int status = 0;
    std::string body, link;
  };
  std::variant<reply, command_error> send(
      std::string_view method, const std::string& target, const std::string& body,
      const std::vector<std::pair<std::string, std::string>>& headers) const;

  std::string here() const;  // "HOST:PORT", as in a URL

  std::string host_, port_, token_;
};

}  // namespace tollgate::proxy
