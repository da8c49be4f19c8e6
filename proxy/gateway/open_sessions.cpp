#include "proxy/gateway/open_sessions.hpp"

#include <algorithm>
#include <unordered_map>

namespace tollgate::proxy {

namespace {

// A client that is not known counts as so many that are. Those that have just connected are few,
// and soon show their keys.
constexpr std::int64_t weight_of_a_stranger = 8;

}  // namespace

admitted_call::wait open_sessions::wait_of(const entry& session) {
  if (session.leaving) return admitted_call::wait::for_others;
  const bool owes_an_answer = session.call != nullptr && session.is_known() && !session.ending;
  return owes_an_answer ? session.call->waits() : admitted_call::wait::for_client;
}

std::string_view open_sessions::group_of(const entry& session) {
  return session.is_known() && !session.ending ? session.payer() : std::string_view{};
}

open_sessions::group open_sessions::largest_group() {
  for (auto it = strangers_.begin(); it != strangers_.end();) {
    auto& session = *it++;
    // Its client has become known in the call that it makes now.
    if (session.is_known() && !session.ending) move(session, busy_);
  }
  struct size {
    std::int64_t idle = 0, uploads = 0, weight = 0;
  };
  std::unordered_map<std::string_view, size> sizes;
  for_each([&](entry& session) {
    const auto waits = wait_of(session);
    if (waits == admitted_call::wait::for_others) return;
    auto& of = sizes[group_of(session)];
    ++(waits == admitted_call::wait::for_client ? of.idle : of.uploads);
  });
  for (auto& [name, of] : sizes) {
    if ((of.idle + of.uploads) * 2 <= connections_) of.uploads = 0;
    of.weight = (of.idle + of.uploads) * (name.empty() ? weight_of_a_stranger : 1);
  }
  const auto largest = std::max_element(
      sizes.begin(), sizes.end(),
      [](const auto& one, const auto& other) { return one.second.weight < other.second.weight; });
  if (largest == sizes.end()) return {};
  return {std::string{largest->first}, largest->second.idle, largest->second.uploads};
}

std::int64_t open_sessions::cut_some(const group& from, admitted_call::wait which,
                                     std::int64_t most) {
  std::int64_t done = 0;
  for_each([&](entry& session) {
    if (done == most || wait_of(session) != which || group_of(session) != from.name) return;
    ++done;
    move(session, busy_);
    session.leaving = true;
    ++leaving_;
    session.cut();
  });
  return done;
}

bool open_sessions::make_room(steady_time now) try {
  constexpr std::int64_t sessions_per_cut = 64, share_at_once = 4;
  if (now == all_in_use_at_) return false;
  const auto from = largest_group();
  const auto size = from.idle + from.uploads;
  if (size == 0) {
    all_in_use_at_ = now;
    return false;
  }
  const auto most = std::min(connections_ / sessions_per_cut, size / share_at_once) + 1;
  const auto done = cut_some(from, admitted_call::wait::for_client, most);
  if (from.uploads > 0) cut_some(from, admitted_call::wait::for_upload, most - done);
  return true;
} catch (const std::bad_alloc&) {  // for the search
  return false;
}

void open_sessions::cut(bool only_idle) {
  for_each([only_idle](entry& session) {
    if (session.idle || !only_idle) session.cut();
  });
}

void open_sessions::end_what_lost_access(key_cache& keys, steady_time now) {
  for_each([&](entry& session) {
    const auto* key = session.call != nullptr ? session.call->admitted_by() : nullptr;
    if (key == nullptr) return;
    const auto how = keys.watch(*key, now);
    const bool lost = how == key_cache::standing::revoked || how == key_cache::standing::suspended;
    if (lost) session.call->lost_access(how);
  });
}

}  // namespace tollgate::proxy
