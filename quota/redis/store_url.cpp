#include "quota/redis/store_url.hpp"

#include <charconv>
#include <optional>

#include <boost/url/pct_string_view.hpp>

namespace tollgate::quota::redis {

namespace {

using parsed = boost::system::result<store_url, std::string>;

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<int> parse_number(std::string_view text, int max) {
  int number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || end != text.data() + text.size() || number < 0 || number > max)
    return {};
  return number;
}

// %xx, as a password needs it.
std::optional<std::string> percent_decode(std::string_view text) {
  const auto encoded = boost::urls::make_pct_string_view(text);
  if (!encoded) return {};
  return encoded->decode();
}

parsed parse_unix(std::string_view rest) {
  store_url url;
  const auto question = rest.find('?');
  url.where.unix_path = rest.substr(0, question);
  if (!url.where.unix_path.starts_with('/'))
    return "unix:// needs an absolute path, as in unix:///run/redis.sock";
  if (question == std::string_view::npos) return url;
  auto query = rest.substr(question + 1);
  const auto database = take_prefix(query, "db=") ? parse_number(query, 1'000'000) : std::nullopt;
  if (!database) return "after the path only ?db=NUMBER is understood";
  url.where.database = *database;
  return url;
}

bool read_user(std::string_view user, address& where) {
  const auto colon = user.find(':');
  auto name = percent_decode(user.substr(0, colon));
  auto password = colon == std::string_view::npos ? name : percent_decode(user.substr(colon + 1));
  if (!name || !password) return false;
  where.password = *std::move(password);
  if (colon != std::string_view::npos) where.username = *std::move(name);
  return true;
}

bool read_host(std::string_view host, address& where) {
  std::string_view port;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos) return false;
    port = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (!port.empty() && !take_prefix(port, ":")) return false;
  } else if (const auto colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (port.empty()) return false;
  }
  if (host.empty()) return false;
  where.host = host;
  if (port.empty()) return true;
  const auto number = parse_number(port, 65'535);
  if (!number || *number == 0) return false;
  where.port = port;
  return true;
}

parsed parse_tcp(std::string_view rest) {
  store_url url;
  const auto slash = rest.find('/');
  auto authority = rest.substr(0, slash);
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    const auto database = parse_number(rest.substr(slash + 1), 1'000'000);
    if (!database) return "the database after the host must be a number, as in redis://host:6379/0";
    url.where.database = *database;
  }
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    if (!read_user(authority.substr(0, at), url.where))
      return "the user or password is not percent-encoded correctly";
    authority.remove_prefix(at + 1);
  }
  if (!read_host(authority, url.where))
    return "the host or port is malformed; redis://HOST:PORT is expected";
  return url;
}

}  // namespace

parsed parse_store_url(std::string_view text) {
  if (take_prefix(text, "embedded:")) {
    if (text.empty()) return "embedded: needs a directory, as in embedded:var/tollgate";
    store_url url;
    url.directory = text;
    return url;
  }
  if (take_prefix(text, "unix://")) return parse_unix(text);
  if (take_prefix(text, "redis://")) return parse_tcp(text);
  for (const std::string_view later : {"rediss://", "redis+sentinel://", "redis+cluster://"}) {
    if (text.starts_with(later))
      return std::string{later} + " is not supported yet; use redis://, unix:// or embedded:";
  }
  return "unknown kind of store; use redis://HOST:PORT, unix:///PATH or embedded:DIRECTORY";
}

}  // namespace tollgate::quota::redis
