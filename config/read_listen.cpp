#include "config/read_listen.hpp"

#include <sys/un.h>

#include "config/address.hpp"
#include "config/network.hpp"

namespace tollgate::config {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

// `unix:/path`, also `unix:///path` as in URLs; a relative path is relative to the working
// directory.
std::optional<endpoint> read_address(context& in, const node& from) {
  const auto text = read_scalar(in, from, "ADDRESS:PORT (127.0.0.1:8080, [::1]:8080) or unix:PATH");
  if (!text) return {};
  if (!text->text.starts_with(unix_prefix)) return read_endpoint(in, from);
  auto path = text->text.substr(unix_prefix.size());
  if (path.starts_with("//")) path.erase(0, 2);
  if (path.empty() || path.find('\0') != std::string::npos || path.ends_with('/')) {
    in.fail(from, "expected unix:PATH (unix:/run/tollgate/calls.sock), found " + text->shown);
    return {};
  }
  if (path.size() > longest_path) {
    in.fail(from, "the path of a unix socket has at most " + std::to_string(longest_path) +
                      " bytes, this one has " + std::to_string(path.size()));
    return {};
  }
  endpoint out;
  out.unix_path = std::move(path);
  return out;
}

std::optional<unsigned> read_mode(context& in, const node& from) {
  const auto text = read_scalar(in, from, "a file mode");
  if (!text) return {};
  const auto& digits = text->text;
  const bool fits = (digits.size() == 3 || (digits.size() == 4 && digits.front() == '0')) &&
                    digits.find_first_not_of("01234567") == std::string::npos;
  if (fits) return static_cast<unsigned>(std::stoul(digits, nullptr, 8));
  fail_expected(in, from, "a file mode of three octal digits (660, \"0660\")", text->shown);
  return {};
}

// Addresses, networks, and `unix` for the peers of a unix socket.
void read_proxies(context& in, const node& from, listen_settings& out) {
  const auto texts = read_texts(in, from);
  if (!texts) return;
  for (const auto& text : *texts) {
    if (text == "unix") {
      out.unix_proxies = true;
    } else if (const auto network = parse_network(text)) {
      out.proxies.push_back(*network);
    } else {
      in.fail(from, "expected ADDRESS, ADDRESS/BITS (10.0.0.0/8, fd00::/8) or unix, found \"" +
                        text + "\"");
    }
  }
}

}  // namespace

std::optional<listen_settings> read_listen(context& in, const node& from) {
  listen_settings out;
  endpoint& where = out;
  if (from.what != node::type::map) {
    auto address = read_address(in, from);
    if (!address) return {};
    where = *std::move(address);
    return out;
  }
  map_reader map{in, from};
  map.required("address", where, read_address);
  const auto* const mode = map.find("mode");
  map.optional("mode", out.mode, read_mode);
  const bool is_tcp = where.unix_path.empty() && map.find("address") != nullptr;
  if (mode != nullptr && is_tcp) {
    in.fail(*mode, "mode is for a unix socket (address: unix:PATH)");
  }
  bool ignored = false;
  map.optional("proxy_protocol", ignored, [&](context& within, const node& value) {
    read_proxies(within, value, out);
    if (out.unix_proxies && is_tcp) {
      within.fail(value, "`unix` is for a unix socket (address: unix:PATH)");
    }
    if (!out.proxies.empty() && !where.unix_path.empty()) {
      within.fail(value, "peers of a unix socket have no address; write `proxy_protocol: unix`");
    }
    return std::optional{true};
  });
  map.finish();
  return out;
}

}  // namespace tollgate::config
