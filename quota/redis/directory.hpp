// Organizations and their API keys in Redis.
#pragma once

#include "quota/directory.hpp"
#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

// The atomic step that changes an organization.
std::vector<std::string> change_command(const org_id& org, const organization_change& what);

class redis_directory final : public directory {
 public:
  explicit redis_directory(connection& connection) : connection_{connection} {}

  task<result<std::optional<organization>>> find(const org_id& org) override;
  task<result<changed_organization>> change(const org_id& org,
                                            const organization_change& what) override;
  task<result<std::vector<organization>>> list(std::string after, std::size_t limit) override;
  task<result<std::vector<org_id>>> ids(std::string after, std::size_t limit) override;

  task<result<void>> add_key(const org_id& org, const api_key& key, const key_hash& hash) override;
  task<result<std::vector<api_key>>> keys(const org_id& org) override;
  task<result<bool>> revoke_key(const org_id& org, std::string key_id) override;
  task<result<std::optional<key_owner>>> find_key(const key_hash& hash) override;
  task<result<account_page>> accounts(std::string from) override;
  task<result<bool>> is_listed(const org_id& org) override;

 private:
  connection& connection_;
};

}  // namespace tollgate::quota::redis
