// Webhook endpoints in Redis: a separate script, scripts/webhooks.lua.
#pragma once

#include <chrono>

#include "quota/redis/connection.hpp"
#include "quota/webhook_store.hpp"

namespace tollgate::quota::redis {

class redis_webhook_store final : public webhook_store {
 public:
  explicit redis_webhook_store(connection& connection) : connection_{connection} {}

  task<result<webhook_overview>> read(const org_id& org) override;
  task<result<std::vector<org_id>>> orgs(std::string after, std::size_t limit) override;
  task<result<webhook_outcome>> add(const org_id& org, const webhook_endpoint& endpoint,
                                    std::string secret) override;
  task<result<webhook_outcome>> change(const org_id& org, std::string id,
                                       const webhook_change& what) override;
  task<result<webhook_outcome>> remove(const org_id& org, std::string id) override;
  task<result<webhook_outcome>> rotate(const org_id& org, std::string id, webhook_secret secret,
                                       milliseconds overlap) override;
  task<result<webhook_outcome>> finish_rotation(const org_id& org, std::string id) override;
  task<result<webhook_outcome>> retry_now(const org_id& org, std::string id) override;

  task<result<std::optional<leased_webhook>>> lease(const webhook_lease& lease) override;
  task<result<webhook_outcome>> delivered(const webhook_lease& lease, std::string event,
                                          int status) override;
  task<result<webhook_outcome>> skipped(const webhook_lease& lease, std::string event) override;
  task<result<webhook_outcome>> failed(const webhook_lease& lease, const webhook_attempt& attempt,
                                       time_point next_at) override;
  task<result<webhook_outcome>> gone(const webhook_lease& lease, const webhook_attempt& attempt,
                                     std::string why) override;
  task<result<webhook_outcome>> died(const webhook_lease& lease,
                                     const dead_letter& letter) override;
  task<result<webhook_outcome>> release(const webhook_lease& lease) override;

  task<result<std::vector<dead_letter>>> dead_letters(const org_id& org, std::string id,
                                                      std::string after,
                                                      std::size_t limit) override;
  task<result<std::optional<dead_letter>>> find_dead_letter(const org_id& org, std::string id,
                                                            std::string event) override;
  task<result<void>> remove_dead_letter(const org_id& org, std::string id,
                                        std::string event) override;
  time_point now() const override;

 private:
  using arguments = std::vector<std::string>;
  task<result<reply_ptr>> run(org_id org, std::string verb, std::string id, arguments more);
  // ZADD or ZREM in the list of organizations.
  task<result<void>> list(std::string verb, org_id org);
  task<result<webhook_outcome>> tell(org_id org, std::string verb, std::string id, arguments more);
  // A step of the holder of a lease.
  task<result<webhook_outcome>> step(const webhook_lease& lease, std::string verb, arguments more);
  task<result<std::vector<dead_letter>>> read_letters(org_id org, std::string id, std::string from,
                                                      std::string to, std::size_t limit);

  connection& connection_;
};

}  // namespace tollgate::quota::redis
