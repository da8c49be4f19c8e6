#include "quota/redis/error_reply.hpp"

#include <algorithm>
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

// The user's permissions were taken away while calls run. The next call might be left half written.
bool is_forbidden_in_a_script(std::string_view text) {
  return text.find("executing the script can't run this command") != std::string_view::npos;
}

bool is_of_a_running_script(std::string_view text) {
  return text.find(" script: ") != std::string_view::npos ||
         text.find("user_function:") != std::string_view::npos ||
         text.find("user_script:") != std::string_view::npos;
}

}  // namespace

error_reply read_error_reply(std::string_view text) {
  if (is_forbidden_in_a_script(text)) {
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

bool takes_no_writes(std::string_view error) {
  const auto trouble = read_error_reply(error).trouble;
  return trouble == store_trouble::out_of_memory || trouble == store_trouble::disk_error ||
         trouble == store_trouble::no_replicas;
}

}  // namespace tollgate::quota::redis
