// Who may spend: organizations and their API keys. Same threading rules as ledger.
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
  // What it has chosen. The terms of its plan are the configuration's, or for a plan that is
  // `custom` these here. The ledger acts on the copy that it was last configured with.
  account_options options;
  std::optional<plan_terms> custom_terms;
  std::string stripe_customer;  // "cus_..."; may be empty
};

// What to change of an organization; what is not given stays.
struct organization_change {
  std::optional<std::string> plan;
  std::optional<bool> suspended, shadow;
  std::optional<account_options> options;     // all of them,
  std::optional<account_options> instead_of;  // unless others than these are there by now
  std::optional<plan_terms> custom_terms;
  std::optional<std::string> stripe_customer;
};

struct changed_organization {
  organization now;
  bool created = false;
  bool stale = false;  // `instead_of` is not what was there: nothing has been changed
  bool told = false;   // an event has been written that somebody may want to be told of
};

struct api_key {
  std::string id;  // "key_..." shown in lists, logs and the ledger; not secret
  std::string note;
  time_point created_at;
  std::optional<time_point> revoked_at;
};

// What the data plane needs to know of the key it was shown.
struct key_owner {
  org_id org;
  std::string key_id;
  std::string plan;
  bool shadow = false;
};

// SHA-256 of the key's text, in lowercase hex: the only form in which keys are stored. Keys carry
// 256 random bits, so an unsalted hash gives nothing away.
using key_hash = std::string;
key_hash hash_key(std::string_view key_text);

class directory {
 public:
  virtual ~directory() = default;

  virtual task<result<std::optional<organization>>> find(const org_id& org) = 0;
  // Changes the organization, or creates it, in one step: of two changes at once neither undoes
  // what the other said.
  virtual task<result<changed_organization>> change(const org_id& org,
                                                    const organization_change& what) = 0;
  // Up to `limit` organizations with ids greater than `after`, in order of their ids.
  virtual task<result<std::vector<organization>>> list(std::string after, std::size_t limit) = 0;

  virtual task<result<void>> add_key(const org_id& org, const api_key& key,
                                     const key_hash& hash) = 0;
  virtual task<result<std::vector<api_key>>> keys(const org_id& org) = 0;
  // False: no such key. Revoking twice is harmless.
  virtual task<result<bool>> revoke_key(const org_id& org, std::string key_id) = 0;
  // Nothing: unknown or revoked.
  virtual task<result<std::optional<key_owner>>> find_key(const key_hash& hash) = 0;
};

}  // namespace tollgate::quota
