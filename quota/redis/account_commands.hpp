// Commands on the keys of one organization, outside the ledger's library. A later version of
// Tollgate may have written them in a form that this version does not know. So each command also
// reads the schema of the account: if it is a later one, the command is refused, and
// `connection.refusal()` says why.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quota/ids.hpp"
#include "quota/redis/connection.hpp"
#include "quota/task.hpp"

namespace tollgate::quota::redis {

// Reads. An error reply is store_errc::protocol. The schema is read last: it only rises, so it is
// valid for everything that was read before it.
task<result<reply_ptr>> read_account(connection& connection, const org_id& org,
                                     std::vector<std::string> command,
                                     reply_size size = reply_size::any);
task<result<std::vector<reply_ptr>>> read_account_with(
    connection& connection, const org_id& org, std::vector<std::vector<std::string>> commands,
    reply_size size = reply_size::any);

// A script that changes keys of one organization. It runs only if the schema allows it, in the same
// atomic step, and sees only its own keys in KEYS.
class account_script {
 public:
  explicit account_script(std::string_view script);

  const std::string& text() const { return text_; }
  const std::string& digest() const { return digest_; }

 private:
  std::string text_, digest_;
};
task<result<reply_ptr>> change_account(connection& connection, const org_id& org,
                                       const account_script& script, std::vector<std::string> keys,
                                       std::vector<std::string> arguments);
// The same as an EVAL command, for callers without a connection.
std::vector<std::string> change_command(const org_id& org, const account_script& script,
                                        std::vector<std::string> keys,
                                        std::vector<std::string> arguments);
// One command whose first argument is a key of the organization.
task<result<reply_ptr>> change_account(connection& connection, const org_id& org,
                                       std::vector<std::string> command);

// A command on keys of the whole store. If it names a key of an organization, the result is
// store_errc::protocol.
task<result<reply_ptr>> ask_store(connection& connection, std::vector<std::string> command);
// The same; an error reply is a reply.
task<result<reply_ptr>> ask_store_whole(connection& connection, std::vector<std::string> command);

// What the user may not do, for an error that is_forbidden(). `script`: the text of the EVAL.
std::string forbidden_text(std::string_view script, std::string_view error);

}  // namespace tollgate::quota::redis
