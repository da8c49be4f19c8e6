#include "proxy/net/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace tollgate::proxy {

namespace {

using namespace std::string_view_literals;

constexpr auto text_signature = "PROXY "sv;
constexpr auto binary_signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t fixed_size = 16;  // of version 2: signature, command, family, length

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

bool may_become(std::string_view signature, std::string_view bytes) {
  const auto common = std::min(signature.size(), bytes.size());
  return signature.substr(0, common) == bytes.substr(0, common);
}

// The words between single spaces; nothing if there are not `count`.
template <std::size_t count>
std::optional<std::array<std::string_view, count>> words_of(std::string_view line) {
  std::array<std::string_view, count> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto space = i + 1 < count ? line.find(' ') : line.size();
    if (space == line.npos || space == 0) return {};
    out[i] = line.substr(0, space);
    line.remove_prefix(std::min(line.size(), space + 1));
  }
  return out;
}

bool is_port(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return false;
  }
  return std::stoul(std::string{text}) <= 65'535;
}

std::optional<asio::ip::address> address_of(std::string_view text, bool v6) {
  error_code ec;
  const auto out = asio::ip::make_address(text, ec);
  if (ec || out.is_v6() != v6 || text.find('%') != text.npos) return {};
  return out;
}

template <class Address>
Address address_at(std::string_view bytes) {
  typename Address::bytes_type raw;
  std::memcpy(raw.data(), bytes.data(), raw.size());
  return Address{raw};
}

}  // namespace

std::size_t proxy_header::take(std::string_view bytes) {
  std::size_t taken = 0;
  while (state_ == progress::incomplete && taken < bytes.size()) {
    const auto rest = bytes.substr(taken);
    if (got_.empty() ? may_become(text_signature, rest.substr(0, 1)) : got_.front() == 'P') {
      taken += take_text(rest);
    } else if (size_ == 0) {
      taken += take_until(fixed_size, rest);
      if (!may_become(binary_signature, got_)) {
        fail();
      } else if (got_.size() == fixed_size) {
        read_fixed_part();
      }
    } else {
      taken += take_until(size_, rest);
      if (got_.size() == size_) read_block();
    }
  }
  return taken;
}

std::size_t proxy_header::take_until(std::size_t size, std::string_view bytes) {
  const auto n = std::min(size - got_.size(), bytes.size());
  got_.append(bytes.substr(0, n));
  return n;
}

std::size_t proxy_header::take_text(std::string_view bytes) {
  const auto line_feed = bytes.find('\n');
  const auto wanted = line_feed == bytes.npos ? bytes.size() : line_feed + 1;
  const auto n = std::min(wanted, longest_text - got_.size());
  got_.append(bytes.substr(0, n));
  if (!may_become(text_signature, got_)) {
    fail();
  } else if (got_.ends_with('\n')) {
    read_text();
  } else if (got_.size() == longest_text) {
    fail();
  }
  return n;
}

// PROXY TCP4 192.0.2.1 192.0.2.2 56324 443, or PROXY UNKNOWN and anything.
void proxy_header::read_text() {
  std::string_view line = got_;
  fail();
  if (!line.ends_with("\r\n")) return;
  line.remove_suffix(2);
  line.remove_prefix(text_signature.size());
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) {
    state_ = progress::complete;
    return;
  }
  const auto words = words_of<5>(line);
  if (!words) return;
  const auto& [family, from, to, from_port, to_port] = *words;
  if (family != "TCP4" && family != "TCP6") return;
  const bool v6 = family == "TCP6";
  const auto client = address_of(from, v6);
  if (!client || !address_of(to, v6) || !is_port(from_port) || !is_port(to_port)) return;
  client_ = client;
  state_ = progress::complete;
}

void proxy_header::read_fixed_part() {
  const std::size_t block = byte_at(got_, 14) * 256u + byte_at(got_, 15);
  const auto command = byte_at(got_, 12);
  if (command != 0x20 && command != 0x21) return fail();  // version 2: LOCAL, PROXY
  if (block > longest_block) return fail();
  size_ = fixed_size + block;
  if (block == 0) read_block();
}

// The addresses; what follows them describes the connection further and is not needed.
void proxy_header::read_block() {
  const auto block = std::string_view{got_}.substr(fixed_size);
  const auto family = byte_at(got_, 13);
  state_ = progress::complete;
  if (byte_at(got_, 12) == 0x20) return;
  switch (family) {
    case 0x00:  // unknown
      return;
    case 0x11:  // TCP over IPv4
      if (block.size() < 12) return fail();
      client_ = address_at<asio::ip::address_v4>(block);
      return;
    case 0x21:  // TCP over IPv6
      if (block.size() < 36) return fail();
      client_ = address_at<asio::ip::address_v6>(block);
      return;
    case 0x31:  // a unix socket: no address
      if (block.size() < 216) return fail();
      return;
    default:
      return fail();
  }
}

}  // namespace tollgate::proxy
