// The permanent copy of ledger entries, statements and usage. There are two kinds: a database
// (postgres_archive), which can be read back, and files (file_archive).
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
  std::string entry = "0-0";   // the last ledger entry in the archive
  std::int64_t hour = 0;       // the archive has the usage of all earlier hours
  std::int64_t statement = 0;  // the archive has the statements of all earlier cycles
  std::string seal;            // a short form of that last entry; empty: unknown

  // Ignores the seal, which follows from the entry.
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
  // Usage of the hours [from.hour, to.hour). Late calls of closed cycles (`late`) may be added to a
  // cycle's last hour at any time: so all of them are sent again with each new hour.
  std::vector<quota::usage_counter> usage, late;

  bool empty() const { return from == to; }
};

// The archive is available and refuses the content of a batch. Other batches can continue.
struct refused : std::runtime_error {
  using runtime_error::runtime_error;
};

// Its functions block, and throw std::exception if the archive is unavailable. If add() threw,
// `position_of` tells whether the batch was added.
class archive {
 public:
  virtual ~archive() = default;

  // Of all sidecars that share an archive, one writes. False: another one does.
  virtual bool lead() = 0;
  // Lets another sidecar write.
  virtual void leave() = 0;
  // The id of the store that owns the archive; empty: none yet, or unknown because this sidecar
  // does not lead.
  virtual std::string store() = 0;
  // Makes this store the owner, if there was none.
  virtual void belong_to(const std::string& store) = 0;
  virtual position position_of(const quota::org_id& org) = 0;
  // All or nothing. False: an organization's position in the archive is not `from`.
  virtual bool add(const std::vector<batch>& batches) = 0;
  // Archived data can be read back, so the store may drop it.
  virtual bool can_be_read() const = 0;
  // Any thread: makes blocking calls fail soon, because the process ends.
  virtual void interrupt() {}
};

}  // namespace tollgate::proxy::archive
