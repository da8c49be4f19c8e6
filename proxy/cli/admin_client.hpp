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

// What went wrong with a command, and how it exits.
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
  // The address is taken from --admin, TOLLGATE_ADMIN_URL, the configuration, or is the default;
  // the token from TOLLGATE_ADMIN_TOKEN or the configuration.
  static std::variant<admin_client, command_error> open(const admin_client_options& options);

  // The answer's `data`; whatever else came back is an error with the API's own message. `status`,
  // when given, receives the HTTP status, also of an error.
  std::variant<admin::json_value, command_error> call(
      std::string_view method, const std::string& target, const std::string& body = {},
      const std::vector<std::pair<std::string, std::string>>& headers = {},
      int* status = nullptr) const;

  // The body of the answer to a GET, in the form that is asked for: "text/csv".
  std::variant<std::string, command_error> read(const std::string& target,
                                                const std::string& accept) const;

  // Likewise, of a list that has pages.
  struct page {
    std::string body;
    std::string next;  // where the page after it is; empty: this is the last
  };
  std::variant<page, command_error> read_page(const std::string& target,
                                              const std::string& accept) const;

  // Hands over a stream of server-sent events, block by block, for as long as it lasts. An error:
  // there was none, or it broke off without a word for longer than a stream is quiet.
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

  std::string here() const;  // "HOST:PORT", as a URL has it

  std::string host_, port_, token_;
};

}  // namespace tollgate::proxy
