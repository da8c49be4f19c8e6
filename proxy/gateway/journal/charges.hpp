// The journal of one worker's charges. It contains a charge from the moment when leaving it unpaid
// would be wrong until the ledger has confirmed its resolution. Writing is a copy into memory; no
// caller waits for it.
#pragma once

#include <list>

#include <boost/intrusive/list.hpp>

#include "proxy/gateway/journal/keeper.hpp"
#include "proxy/gateway/journal/record.hpp"

namespace tollgate::proxy::journal {

// One charge's place in the journal; a member of the charge, which outlives it.
struct entry
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  entry(const quota::org_id& payer, const quota::charge& of) : org{payer}, money{of} {}

  bool written() const { return open_in != nullptr; }

  const quota::org_id& org;
  const quota::charge& money;
  quota::hold_id id;               // as recorded in the journal
  std::int64_t used = 0;           // as recorded in the journal
  std::optional<bool> settles;     // as recorded, once the call has ended
  std::size_t* open_in = nullptr;  // the open count of its segment
  segment* file = nullptr;         // its segment,
  std::size_t at = 0, size = 0;    // and the position of its first record there
};

class charges {
 public:
  charges(keeper& keeper, int worker);
  ~charges();
  charges(const charges&) = delete;

  // From now on it is settled at `used`, even if this process ends.
  void open(entry& charge, std::int64_t used);
  // The usage so far. It is lower than before only if that was an estimate.
  void use(entry& charge, std::int64_t used);
  void end(entry& charge, bool settles, std::int64_t used);
  void confirm(entry& charge);
  // The charge's hold may have another id by now: that is the one to settle.
  void follow(entry& charge);

  // Charges that the ledger has not confirmed.
  std::size_t unconfirmed() const;

 private:
  using entries = boost::intrusive::list<entry, boost::intrusive::constant_time_size<false>>;
  struct slot {
    std::shared_ptr<segment> file;
    entries opened_here;
    std::size_t open =
        0;  // of these; also those that ended with their call, and were never confirmed
  };

  enum class purpose { opens, goes_on };
  bool write(std::string_view frame, purpose why = purpose::goes_on);
  bool roll(purpose why);
  void carry_forward();
  void put(entry& charge, slot& where, std::size_t size);
  void take_out(entry& charge);
  void drop_what_is_confirmed();
  std::string_view frame_of(const entry& charge);

  keeper& keeper_;
  const int worker_;
  std::list<slot>
      slots_;  // the last one is written to; the first has an open charge, or is the last
  std::size_t open_bytes_ = 0;
  bool asked_for_next_ = false;
  std::string buffer_;
};

}  // namespace tollgate::proxy::journal
