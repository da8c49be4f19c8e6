#include "quota/redis/error_reply.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace tollgate::quota::redis {

namespace {

struct known_error {
  std::string_view begins;
  store_trouble trouble;
  remedy then;
};

// All of them are given before a script begins. A script that a function or an EVAL has begun adds
// its name to the errors of the commands in it.
constexpr known_error known[] = {
    {"OOM ", store_trouble::out_of_memory, remedy::wait},
    {"MISCONF ", store_trouble::disk_error, remedy::wait},
    {"NOREPLICAS ", store_trouble::no_replicas, remedy::wait},
    {"BUSY ", store_trouble::busy, remedy::wait},
    {"READONLY ", store_trouble::replica, remedy::reconnect},
    {"MASTERDOWN ", store_trouble::replica, remedy::reconnect},
    {"LOADING ", store_trouble::loading, remedy::reconnect},
    {"CLUSTERDOWN ", store_trouble::cluster_down, remedy::wait},
    {"TRYAGAIN ", store_trouble::cluster_down, remedy::wait},
    {"MOVED ", store_trouble::cluster_down, remedy::wait},
    {"ASK ", store_trouble::cluster_down, remedy::wait},
    {"NOAUTH ", store_trouble::no_auth, remedy::reconnect},
    {"ERR max number of clients reached", store_trouble::too_many, remedy::reconnect},
    {"ERR Protocol error", store_trouble::malformed, remedy::reconnect},
    // Of one command, or of one account.
    {"NOPERM ", store_trouble::none, remedy::nothing},
    {"WRONGPASS ", store_trouble::none, remedy::nothing},
    {"CROSSSLOT ", store_trouble::none, remedy::nothing},
    {"NOSCRIPT ", store_trouble::none, remedy::nothing},
    {"NEWERSCHEMA ", store_trouble::none, remedy::nothing},
    {"ERR Function not found", store_trouble::none, remedy::nothing},
    {"ERR unknown command", store_trouble::none, remedy::nothing},
};

// Redis checks the user's permissions for each command of a script: the command, and its keys.
bool is_forbidden_in_a_script(std::string_view text) {
  return text.find("The user executing the script can't ") != std::string_view::npos;
}

bool is_of_a_report_or_job(std::string_view text) {
  return text.find("@user_script:") != std::string_view::npos;
}

bool is_of_a_running_script(std::string_view text) {
  return text.find(" script: ") != std::string_view::npos ||
         text.find("user_function:") != std::string_view::npos ||
         text.find("user_script:") != std::string_view::npos;
}

}  // namespace

error_reply read_error_reply(std::string_view text) {
  // Of the library: permissions were taken away while calls run, and the next call might be left
  // half written. Reports and jobs have scripts of their own, whose permissions no call needs.
  if (is_forbidden_in_a_script(text) && !is_of_a_report_or_job(text)) {
    return {store_trouble::no_permission, false, remedy::reconnect};
  }
  if (is_of_a_running_script(text)) return {};
  const auto* const found = std::ranges::find_if(
      known, [&](const known_error& each) { return text.starts_with(each.begins); });
  if (found == std::end(known)) return {};
  return {found->trouble, true, found->then};
}

bool is_unknown_function(std::string_view error) {
  return error.starts_with("ERR Function not found");
}

bool is_forbidden(std::string_view error) {
  return error.starts_with("NOPERM ") || is_forbidden_in_a_script(error);
}

std::string commands_at_error(std::string_view script, std::string_view error) {
  constexpr std::string_view place = "@user_script:", call = "call('";
  const auto at = error.rfind(place);
  if (at == std::string_view::npos) return {};
  auto digits = error.substr(at + place.size());
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  std::size_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  std::string_view line;
  for (std::size_t i = 0; i < number; ++i) {
    const auto end = std::min(script.find('\n'), script.size());
    line = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
  }
  std::string names;
  for (auto from = line.find(call); from != std::string_view::npos; from = line.find(call, from)) {
    from += call.size();
    const auto name = line.substr(from, line.find('\'', from) - from);
    names.append(names.empty() ? "" : " or ").append(name);
  }
  return names;
}

bool takes_no_writes(std::string_view error) {
  const auto trouble = read_error_reply(error).trouble;
  return trouble == store_trouble::out_of_memory || trouble == store_trouble::disk_error ||
         trouble == store_trouble::no_replicas;
}

}  // namespace tollgate::quota::redis
