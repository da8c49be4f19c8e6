#include "proxy/gateway/identification.hpp"

#include "proxy/net/outbound/signature.hpp"
#include "quota/hex.hpp"

namespace tollgate::proxy {

namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string header_value_of(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool at_an_end = i == 0 || i + 1 == name.size();
    const bool plain = byte == ' ' ? !at_an_end : byte > ' ' && byte < 0x7f && byte != '%';
    if (plain) {
      out += name[i];
    } else {
      constexpr char digits[] = "0123456789ABCDEF";
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out;
}

void append_identification(std::string& out, const config::identify_settings& settings,
                           const identified_caller& caller, const signed_request& request) {
  if (!settings.on || caller.org.empty()) return;
  const auto time = std::to_string(request.unix_seconds);
  std::string text = time;
  text.append("\n").append(request.method).append("\n").append(request.target);
  for (const auto& [name, value] :
       {std::pair{&settings.org, caller.org}, std::pair{&settings.key_id, caller.key_id},
        std::pair{&settings.agent, caller.agent},
        std::pair{&settings.conversation, caller.conversation}}) {
    const auto sent = name->empty() ? std::string{} : header_value_of(value);
    text.append("\n").append(sent);
    if (!sent.empty()) append_line(out, *name, sent);
  }
  if (settings.secret.empty()) return;
  append_line(out, settings.timestamp, time);
  append_line(out, settings.signature,
              "v1=" + quota::to_hex(outbound::hmac_sha256(settings.secret, text)));
}

}  // namespace tollgate::proxy
