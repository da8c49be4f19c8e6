#include "proxy/admin/keys.hpp"

#include <array>
#include <stdexcept>

#include <openssl/rand.h>

#include "proxy/net/api/body.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

namespace {

template <std::size_t N>
std::array<unsigned char, N> random_bytes() {
  std::array<unsigned char, N> bytes;
  if (RAND_bytes(bytes.data(), N) != 1) throw std::runtime_error{"no random bytes for a new key"};
  return bytes;
}

// 32 random bytes as 43 characters of base64url.
std::string make_key() {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const auto bytes = random_bytes<32>();
  std::string text = "tg_";
  unsigned buffer = 0;
  int bits = 0;
  for (const auto byte : bytes) {
    buffer = buffer << 8 | byte;
    for (bits += 8; bits >= 6; bits -= 6) text += digits[buffer >> (bits - 6) & 63];
  }
  return text + digits[buffer << (6 - bits) & 63];
}

std::string make_key_id() {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = "key_";
  for (const auto byte : random_bytes<10>()) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace

task<api_response> key_endpoints::create(admin_call call) {
  const auto body = read_body(call.request, {{"note"}, {}});
  if (!body) co_return failure(body.error(), call.request.request_id);
  const auto note = text_field(*body, "note", 256);
  if (!note) co_return failure(note.error(), call.request.request_id);
  const std::string text = make_key();
  const quota::api_key key{.id = make_key_id(),
                           .note = note->value_or(""),
                           .created_at = services_.ledger.now(),
                           .revoked_at = {}};
  const auto hash = quota::hash_key(text);
  const auto added = co_await services_.directory.add_key(call.org, key, hash);
  if (!added) {
    co_return failure(ledger_unavailable("repeat the call; a key that was not shown is harmless"),
                      call.request.request_id);
  }
  json_writer out;
  out.begin_object().key("id").string(key.id).key("key").string(text);
  out.key("note").string_or_null(key.note).key("created_at").string(to_rfc3339(key.created_at));
  out.end_object();
  co_return success(out.take(), 201);
}

task<api_response> key_endpoints::list(admin_call call) {
  const auto keys = co_await services_.directory.keys(call.org);
  if (!keys) co_return failure(ledger_unavailable(), call.request.request_id);
  json_writer out;
  out.begin_object().key("keys").begin_array();
  for (const auto& key : *keys) {
    out.begin_object().key("id").string(key.id).key("note").string_or_null(key.note);
    out.key("created_at").string(to_rfc3339(key.created_at));
    out.key("revoked_at").string_or_null(key.revoked_at ? to_rfc3339(*key.revoked_at) : "");
    out.end_object();
  }
  out.end_array().end_object();
  co_return success(out.take());
}

task<api_response> key_endpoints::revoke(admin_call call) {
  const auto revoked = co_await services_.directory.revoke_key(call.org, call.item);
  if (!revoked) co_return failure(ledger_unavailable(), call.request.request_id);
  if (!*revoked) {
    auto error =
        not_found("organization \"" + call.org + "\" has no such key; GET .../keys lists them");
    error.code = "key_not_found";
    co_return failure(error, call.request.request_id);
  }
  json_writer out;
  out.begin_object().key("id").string(call.item).key("revoked").boolean(true).end_object();
  co_return success(out.take());
}

}  // namespace tollgate::proxy::admin
