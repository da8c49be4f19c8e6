// Settles the charges that an earlier process left in its journal. It may be repeated, and
// interrupted at any point: every charge has its hold's id, and the ledger settles that once.
#pragma once

#include <string>
#include <vector>

#include "proxy/gateway/journal/record.hpp"
#include "proxy/net/wake_up.hpp"
#include "quota/ledger.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::journal {

struct unconfirmed_charge {
  opened start;
  bool settles = true;
  std::int64_t used = 0;
};

// The combined contents of all segments of a directory.
struct contents {
  std::vector<unconfirmed_charge> charges;
  std::vector<std::string> files;    // files that were read
  std::vector<std::string> damaged;  // "FILE: OFFSET: what"
  std::vector<std::string> unsound;  // the files named in `damaged`
  std::vector<std::string> torn;     // "FILE: OFFSET": an incomplete last record
};
contents read_journal(const std::vector<std::string>& files);

// Segments by the store whose holds they name. Those that do not note it are taken for this one's.
struct segments_by_store {
  std::vector<std::string> ours, others;
  std::string other;  // the id of a store of `others`
};
segments_by_store sort_by_store(const std::vector<std::string>& files, const std::string& store);
// Charges that must not be settled in this store.
std::string foreign_text(const contents& others, const std::string& other,
                         const std::string& store);

struct replay_report {
  std::size_t settled = 0, voided = 0;  // by this run
  std::size_t known = 0;                // the ledger had settled or voided them before
  std::size_t forgotten = 0;            // too old for the ledger to know
  quota::credits charged;               // of `settled`
  bool complete = false;                // false: it was stopped
};

class replay {
 public:
  replay(io_executor executor, quota::ledger& ledger) : executor_{executor}, ledger_{ledger} {}

  // Waits for the ledger as long as needed, or until stop().
  task<replay_report> run(const contents& journal);
  void stop() { stopped_ = true; }

 private:
  task<> settle_one_after_the_other(const contents& journal);
  task<bool> settle(const unconfirmed_charge& what);
  void count(const quota::answer& reply);
  task<> pause();

  io_executor executor_;
  quota::ledger& ledger_;
  replay_report report_;
  std::size_t next_ = 0;
  int running_ = 0;
  wake_up all_ended_;
  bool stopped_ = false;
};

// Deletes the files; files with unreadable parts are kept under another name.
void remove_replayed(const contents& journal);
// "12 charges were settled (34.5 credits), 1 was known, ..."
std::string to_string(const replay_report& report);

}  // namespace tollgate::proxy::journal
