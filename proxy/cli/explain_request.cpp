#include "proxy/cli/explain_request.hpp"

#include <algorithm>
#include <fstream>

#include "routes/text.hpp"

namespace tollgate::proxy {
namespace {

std::optional<std::string> read_at_most(const std::string& path, std::size_t most) {
  std::ifstream file{path == "-" ? "/dev/stdin" : path, std::ios::binary};
  if (!file) return {};
  std::string out;
  char block[16 * 1024];
  while (out.size() <= most && (file.read(block, sizeof block), file.gcount() > 0)) {
    out.append(block, static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return {};
  return out;
}

class request_maker {
 public:
  request_maker(const explain_options& options, std::size_t most_body)
      : options_{options}, most_body_{most_body} {}

  std::variant<asked_request, usage_error> run() {
    const bool usable = read_url() && read_headers() && read_data();
    if (!usable) return usage_error{error_};
    made_.method = !options_.method.empty() ? options_.method : made_.body ? "POST" : "GET";
    return std::move(made_);
  }

 private:
  bool fail(std::string message) {
    error_ = std::move(message);
    return false;
  }

  // The path is kept as written: the classifier normalises it.
  bool read_url() {
    std::string_view url = options_.url;
    url = url.substr(0, url.find('#'));  // never sent
    if (url.starts_with('/')) {
      made_.target = url;
      return true;
    }
    if (const auto mark = url.find("://"); mark != url.npos) {
      const auto scheme = url.substr(0, mark);
      const bool http = routes::equal_ignoring_case(scheme, "http") ||
                        routes::equal_ignoring_case(scheme, "https");
      if (!http) return fail("the URL must be http:// or https://");
      url.remove_prefix(mark + 3);
    }
    const auto end = std::min(url.find_first_of("/?"), url.size());
    const std::string_view authority = url.substr(0, end);
    if (authority.empty()) return fail("the URL names no host");
    if (authority.find('@') != authority.npos) return fail("the URL has a user or a password");
    made_.headers.emplace_back("host", authority);
    made_.target = (url.substr(end).starts_with('/') ? "" : "/") + std::string{url.substr(end)};
    return true;
  }

  bool read_headers() {
    for (const std::string& line : options_.headers) {
      const auto colon = line.find(':');
      const auto name = std::string_view{line}.substr(0, colon);
      if (colon == line.npos || !routes::is_token(name)) {
        return fail("-H takes 'name: value', not " + routes::shown(line));
      }
      if (routes::equal_ignoring_case(name, "host")) std::erase_if(made_.headers, is_host);
      made_.headers.emplace_back(name,
                                 routes::without_blanks(std::string_view{line}.substr(colon + 1)));
    }
    return true;
  }

  static bool is_host(const std::pair<std::string, std::string>& header) {
    return routes::equal_ignoring_case(header.first, "host");
  }

  bool read_data() {
    for (const std::string& data : options_.data) {
      std::optional<std::string> part = data;
      if (data.starts_with('@')) part = read_at_most(data.substr(1), most_body_);
      if (!part) return fail("cannot read " + data.substr(1));
      made_.body = made_.body ? *made_.body + "&" + *part : *part;
    }
    if (!made_.body) return true;
    if (!made_.has("content-type")) {
      made_.headers.emplace_back("content-type", "application/json");
      made_.notes.emplace_back("-d without a content type: application/json is assumed");
    }
    if (!made_.has("content-length") && !made_.has("transfer-encoding")) {
      made_.headers.emplace_back("content-length", std::to_string(made_.body->size()));
    }
    return true;
  }

  const explain_options& options_;
  std::size_t most_body_;
  asked_request made_;
  std::string error_;
};

}  // namespace

bool asked_request::has(std::string_view header) const {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& field) {
    return routes::equal_ignoring_case(field.first, header);
  });
}

std::variant<asked_request, usage_error> make_request(const explain_options& options,
                                                      std::size_t most_body) {
  return request_maker{options, most_body}.run();
}

}  // namespace tollgate::proxy
