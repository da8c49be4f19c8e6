// Where ledger entries, statements and usage go for good. Two kinds: a database (postgres_archive),
// which can be read back, and files (file_archive).
//
// A batch is added whole, together with the position it reaches, and only by a writer that knew the
// position before. So every entry is in the archive exactly once, after any crash.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "quota/account_history.hpp"

namespace tollgate::proxy::archive {

// How far an archive goes for one organization.
struct position {
  std::string entry = "0-0";   // the last ledger entry in it
  std::int64_t hour = 0;       // usage of the hours before this one is in it
  std::int64_t statement = 0;  // statements of the cycles before this one are in it
  std::string seal;            // what that last entry says, in short; empty: not known

  // The seal follows from the entry.
  bool operator==(const position& other) const {
    return entry == other.entry && hour == other.hour && statement == other.statement;
  }
};

// A statement that no late call can change any more.
struct final_statement {
  std::int64_t cycle = 0;
  quota::time_point start, end;
  std::string json;  // as the API shows it
};

struct batch {
  quota::org_id org;
  position from, to;
  std::vector<quota::ledger_entry> entries;
  std::vector<final_statement> statements;
  // Of the hours [from.hour, to.hour). Calls that were booked in a cycle that had been closed
  // (`late`) are counted in its last hour, at any time: they come anew, all of them, with each new
  // hour.
  std::vector<quota::usage_counter> usage, late;

  bool empty() const { return from == to; }
};

// The archive is there, and does not take what a batch says: others are not to wait for it.
struct refused : std::runtime_error {
  using runtime_error::runtime_error;
};

// Blocks, and throws std::exception when the archive cannot be had; what became of an add that
// threw is told by `position_of`.
class archive {
 public:
  virtual ~archive() = default;

  // Of all who share an archive one writes. False: somebody else does.
  virtual bool lead() = 0;
  // Lets somebody else do so.
  virtual void leave() = 0;
  // The id of the store whose archive it is; empty: nobody's yet, or not known to who does not
  // lead.
  virtual std::string store() = 0;
  // From now on it is this one's, if it was nobody's.
  virtual void belong_to(const std::string& store) = 0;
  virtual position position_of(const quota::org_id& org) = 0;
  // All or nothing. False: an organization's archive does not go as far as `from`, or further.
  virtual bool add(const std::vector<batch>& batches) = 0;
  // What has been added can be read back, so the store may drop it.
  virtual bool can_be_read() const = 0;
  // Any thread: makes calls that block fail soon, because the process ends.
  virtual void interrupt() {}
};

}  // namespace tollgate::proxy::archive
