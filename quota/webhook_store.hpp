// The webhook endpoints of an organization, and the progress of delivery to each. Same threading
// rules as quota/ledger.hpp.
//
// An endpoint gets its events one after the other. The sidecar that delivers holds its lease, and
// records the result of each event under its token; once another sidecar has leased the endpoint,
// the token is void. Every step is atomic and harmless when repeated.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quota/ledger/account_ledger.hpp"
#include "quota/store_error.hpp"

namespace tollgate::quota {

struct webhook_secret {
  std::string text;
  time_point since;
  time_point until{};  // time_point{}: the current one, not replaced
  std::string key{};   // of the rotation that made it; empty: the first secret
};

struct webhook_attempt {
  time_point at{};  // time_point{}: none
  int status = 0;   // 0: no answer
  std::string error;
};

struct webhook_endpoint {
  std::string id;  // "we_..."
  std::string url, description;
  std::vector<std::string> events;      // "account.usage_threshold", "account.*", "*"
  std::vector<webhook_secret> secrets;  // valid ones, newest first
  time_point created_at;
  std::string disabled;  // the reason; empty: enabled
  // Since when its events have been tried without a long break: since it was created, enabled or
  // given a new URL, or since the end of a time in which no sidecar was running.
  time_point since;

  std::string cursor = "0-0";        // the last event that is done
  time_point leased_until, next_at;  // not before either of them
  std::int64_t attempts = 0;         // at the event after the cursor
  webhook_attempt last;
};

// A change of an endpoint; members that are not set stay unchanged. After any change the next
// attempt is due at once, and the result of an attempt under way is ignored: it was made before
// the change.
struct webhook_change {
  std::optional<std::string> url, description;
  std::optional<std::vector<std::string>> events;
  std::optional<std::string> disabled;  // empty: enabled
};

// The endpoints of one organization, oldest first, and the last event.
struct webhook_overview {
  time_point now;
  std::string last_event = "0-0";
  std::vector<webhook_endpoint> endpoints;
};

// An event that is no longer tried.
struct dead_letter {
  std::string event;  // its id in the event stream
  std::string body;   // as it was sent
  std::int64_t attempts = 0;
  webhook_attempt last;
};

// The right to deliver to one endpoint, until `duration` after the last step.
struct webhook_lease {
  org_id org;
  std::string endpoint, token;
  milliseconds duration{};
};

struct leased_webhook {
  webhook_endpoint endpoint;
  bool forgotten = false;  // the stream no longer reaches back to the cursor
};

enum class webhook_outcome {
  done,
  more,       // release: there are more events
  not_found,  // no such endpoint, or dead letter
  full,       // the maximum is reached: an endpoint or a secret was not added; a dead letter
              // was, and the oldest one was dropped
  lost,       // not ours to deliver: leased by another sidecar, not due, or disabled
  exists,     // add, rotate: was done before
};

class webhook_store {
 public:
  static constexpr std::size_t most_endpoints = 16;       // per organization
  static constexpr std::size_t most_secrets = 4;          // per endpoint, valid at once
  static constexpr std::size_t most_dead_letters = 1000;  // per endpoint; the oldest is dropped

  virtual ~webhook_store() = default;

  virtual task<result<webhook_overview>> read(const org_id& org) = 0;
  // Up to `limit` organizations that have endpoints, with ids greater than `after`.
  virtual task<result<std::vector<org_id>>> orgs(std::string after, std::size_t limit) = 0;

  // Uses `endpoint`'s id, URL, description, events and whether it is disabled. Delivery begins with
  // the next event.
  virtual task<result<webhook_outcome>> add(const org_id& org, const webhook_endpoint& endpoint,
                                            std::string secret) = 0;
  virtual task<result<webhook_outcome>> change(const org_id& org, std::string id,
                                               const webhook_change& what) = 0;
  virtual task<result<webhook_outcome>> remove(const org_id& org, std::string id) = 0;
  // The current secrets stay valid for `overlap`. Does nothing if the secret made by `secret.key`
  // is still valid. No secret ends early; with too many valid ones the answer is `full`.
  virtual task<result<webhook_outcome>> rotate(const org_id& org, std::string id,
                                               webhook_secret secret, milliseconds overlap) = 0;
  // The secrets before the newest end at once: every receiver knows that one. The result of an
  // attempt under way, signed with them, is ignored.
  virtual task<result<webhook_outcome>> finish_rotation(const org_id& org, std::string id) = 0;
  virtual task<result<webhook_outcome>> retry_now(const org_id& org, std::string id) = 0;

  // Empty: not ours to deliver. If no sidecar tried an endpoint for a long time after it was due,
  // its time counts from now on.
  virtual task<result<std::optional<leased_webhook>>> lease(const webhook_lease& lease) = 0;
  virtual task<result<webhook_outcome>> delivered(const webhook_lease& lease, std::string event,
                                                  int status) = 0;
  virtual task<result<webhook_outcome>> skipped(const webhook_lease& lease, std::string event) = 0;
  // These two give the lease back.
  virtual task<result<webhook_outcome>> failed(const webhook_lease& lease,
                                               const webhook_attempt& attempt,
                                               time_point next_at) = 0;
  virtual task<result<webhook_outcome>> gone(const webhook_lease& lease,
                                             const webhook_attempt& attempt, std::string why) = 0;
  virtual task<result<webhook_outcome>> died(const webhook_lease& lease,
                                             const dead_letter& letter) = 0;
  // Gives the lease back.
  virtual task<result<webhook_outcome>> release(const webhook_lease& lease) = 0;

  // For events after `after` ("0-0": from the first), oldest first.
  virtual task<result<std::vector<dead_letter>>> dead_letters(const org_id& org, std::string id,
                                                              std::string after,
                                                              std::size_t limit) = 0;
  virtual task<result<std::optional<dead_letter>>> find_dead_letter(const org_id& org,
                                                                    std::string id,
                                                                    std::string event) = 0;
  virtual task<result<void>> remove_dead_letter(const org_id& org, std::string id,
                                                std::string event) = 0;

  // The store's time, estimated from its last answer.
  virtual time_point now() const = 0;
};

}  // namespace tollgate::quota
