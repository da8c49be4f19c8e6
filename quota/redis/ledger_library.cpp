#include "quota/redis/ledger_library.hpp"

#include <hiredis/hiredis.h>
#include <openssl/sha.h>

#include "quota/hex.hpp"
#include "quota/redis/connection.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store_schema.hpp"
#include "quota/store_error.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr std::string_view embedded_modules =
#include "ledger_lua.inc"
    ;

constexpr std::size_t name_digits = 16;

std::string sha1_hex(std::string_view text) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return to_hex(digest);
}

}  // namespace

ledger_library::ledger_library(std::string_view modules)
    : name_{"tollgate_ledger_" + sha1_hex(modules).substr(0, name_digits)},
      read_only_{name_ + "_read_only"},
      usual_{name_ + "_usual"},
      check_{name_ + "_check"},
      text_{"#!lua name=" + name_ + "\nlocal NAME = '" + name_ + "'\n"} {
  text_ += modules;
}

const ledger_library& ledger_library::current() {
  static const ledger_library library{embedded_modules};
  return library;
}

std::string_view ledger_library::modules() {
  return embedded_modules;
}

bool ledger_library::is_loaded(const redisReply& reply) {
  return reply.type != REDIS_REPLY_ERROR ||
         text_of(reply).find("already exists") != std::string_view::npos;
}

namespace {

// The server's own troubles have been noted; the others need an administrator.
void note_refusal(connection& connection, std::string_view error) {
  if (read_error_reply(error).trouble != store_trouble::none) return;
  connection.refuse("the ledger's library is not available (" + std::string{error} +
                        "): allow FCALL, and FUNCTION LOAD or have an administrator load what "
                        "`tollgate library` prints",
                    store_trouble::no_library);
}

}  // namespace

task<result<void>> load_ledger_library(connection& connection) {
  const auto& library = ledger_library::current();
  // No arguments: the function answers its name and touches nothing.
  std::vector<std::string> ask{"FCALL", library.read_only_name(), "0"};
  const auto there = co_await connection.call_now(std::move(ask));
  if (!there) co_return there.error();
  if ((*there)->type != REDIS_REPLY_ERROR) co_return result<void>{};
  const auto why = text_of(**there);
  if (!is_unknown_function(why)) {
    note_refusal(connection, why);
    co_return make_error_code(store_errc::protocol);
  }
  std::vector<std::string> load{"FUNCTION", "LOAD", library.text()};
  const auto loaded = co_await connection.call_now(std::move(load));
  if (!loaded) co_return loaded.error();
  if (ledger_library::is_loaded(**loaded)) co_return result<void>{};
  const auto answer = text_of(**loaded);
  note_refusal(connection, answer);
  co_return make_error_code(store_errc::protocol);
}

std::vector<std::string> ledger_check_command() {
  return {"FCALL", ledger_library::current().check_name(), "1", std::string{schema_key}};
}

}  // namespace tollgate::quota::redis
