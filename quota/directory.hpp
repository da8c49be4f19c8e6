// Organizations and their API keys. Same threading rules as ledger.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quota/ledger/account_ledger.hpp"
#include "quota/store_error.hpp"

namespace tollgate::quota {

struct organization {
  org_id id;
  std::string plan;  // a name from the configuration's `plans`; may be empty
  bool suspended = false;
  bool shadow = false;  // meter everything, refuse nothing
  time_point created_at;
  // The organization's choices. The terms of its plan come from the configuration, or from here if
  // the plan is `custom`. The ledger uses the copy from its last `configure`.
  account_options options;
  std::optional<plan_terms> custom_terms;
  std::string stripe_customer;  // "cus_..."; may be empty
};

// A change of an organization; members that are not set stay unchanged.
struct organization_change {
  std::optional<std::string> plan;
  std::optional<bool> suspended, shadow;
  std::optional<account_options> options;     // replaces all options,
  std::optional<account_options> instead_of;  // unless the current options differ from these
  std::optional<plan_terms> custom_terms;
  std::optional<std::string> stripe_customer;
};

struct changed_organization {
  organization now;
  bool created = false;
  bool stale = false;  // the options were not `instead_of`: nothing was changed
  bool told = false;   // an event was written: streams and webhooks may be waiting for it
};

struct api_key {
  std::string id;  // "key_..." shown in lists, logs and the ledger; not secret
  std::string note;
  time_point created_at;
  std::optional<time_point> revoked_at;
};

// What the data plane needs to know about an API key.
struct key_owner {
  org_id org;
  std::string key_id;
  std::string plan;
  bool shadow = false;
  bool suspended = false;
};

// SHA-256 of the key's text, in lower-case hex: the only form in which keys are stored. Keys have
// 256 random bits, so an unsalted hash reveals nothing.
using key_hash = std::string;
key_hash hash_key(std::string_view key_text);

// A page of accounts(); `next` continues, and is empty at the end.
struct account_page {
  std::vector<org_id> orgs;
  std::string next;
};

class directory {
 public:
  virtual ~directory() = default;

  virtual task<result<std::optional<organization>>> find(const org_id& org) = 0;
  // Changes the organization, or creates it, in one step, so concurrent changes do not overwrite
  // each other.
  virtual task<result<changed_organization>> change(const org_id& org,
                                                    const organization_change& what) = 0;
  // Up to `limit` organizations with ids greater than `after`, ordered by id.
  virtual task<result<std::vector<organization>>> list(std::string after, std::size_t limit) = 0;
  // The same, only their ids; some may be listed that have no settings yet.
  virtual task<result<std::vector<org_id>>> ids(std::string after, std::size_t limit) = 0;

  virtual task<result<void>> add_key(const org_id& org, const api_key& key,
                                     const key_hash& hash) = 0;
  virtual task<result<std::vector<api_key>>> keys(const org_id& org) = 0;
  // False: no such key. Revoking a key again is harmless.
  virtual task<result<bool>> revoke_key(const org_id& org, std::string key_id) = 0;
  // Empty: unknown or revoked.
  virtual task<result<std::optional<key_owner>>> find_key(const key_hash& hash) = 0;

  // The ids of all accounts, also of those whose organization is missing: a call that was under way
  // when the store lost its data has settled into one. In no order; one may come twice. It reads
  // every key of the store. `from`: empty, or `next` of the page before.
  virtual task<result<account_page>> accounts(std::string from) = 0;
  // Whether list() and ids() lead to it.
  virtual task<result<bool>> is_listed(const org_id& org) = 0;
};

}  // namespace tollgate::quota
