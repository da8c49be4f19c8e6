// Which accounts somebody has to look at, and when: holds, grants and cycles end, and top-ups wait
// to be delivered. All sidecars of a store share the index, so a round costs as many commands as
// there are accounts to look at, not as there are accounts. quota/STORAGE.md ("What is due")
// describes it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "quota/clock.hpp"
#include "quota/ids.hpp"
#include "quota/task.hpp"

namespace tollgate::quota {

enum class due_list : std::uint8_t {
  recent,   // had operations a short while ago
  later,    // nothing is due before the noted time
  top_ups,  // has open top-ups
};

struct due_account {
  org_id org;
  due_list from = due_list::recent;
  std::int64_t noted_ms = 0;  // the time in the index at which it was found
};

// What somebody has found who looked at an account.
struct account_look {
  due_account account;
  std::optional<time_point> next;  // nothing is due before; empty: never, without an operation
  bool open_top_ups = false;
  std::optional<time_point> next_visit = {};  // list top_ups: when to look at its top-ups again
};

class due_index {
 public:
  virtual ~due_index() = default;

  // Accounts to look at now, at most `limit` of each list; of `top_ups` only for a sidecar that
  // delivers them. Several sidecars may be given the same one, which is harmless.
  virtual task<result<std::vector<due_account>>> due(std::size_t limit, bool with_top_ups) = 0;
  // Notes what was found, except for accounts whose entry somebody has changed since due(): those
  // had operations, and are looked at again.
  virtual task<result<void>> looked(std::vector<account_look> looks) = 0;
  // Notes accounts that were not found in the index but by a walk over all organizations.
  virtual task<result<void>> walked(std::vector<account_look> looks) = 0;
  // True for one caller in each such time: it walks over all organizations, because entries may be
  // missing (an earlier release, a crash between two writes, a store that lost its last writes).
  virtual task<result<bool>> claim_walk(milliseconds every) = 0;
};

}  // namespace tollgate::quota
