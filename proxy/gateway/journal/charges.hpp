// The journal of one worker's charges. A charge is in it from the moment when leaving it unpaid
// would be wrong until the ledger has confirmed what became of it. Writing costs a copy into
// memory; nothing waits for it.
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
  quota::hold_id id;               // as the journal has it
  std::int64_t used = 0;           // likewise
  std::optional<bool> settles;     // likewise, once the call is over
  std::size_t* open_in = nullptr;  // the count of the segment that it is in
  segment* file = nullptr;         // that segment,
  std::size_t at = 0, size = 0;    // and where in it its first record is
};

class charges {
 public:
  charges(keeper& keeper, int worker);
  ~charges();
  charges(const charges&) = delete;

  // From now on it is settled at `used`, whatever happens to this process.
  void open(entry& charge, std::int64_t used);
  // So much has been used by now. Less than before only where that was an estimate.
  void use(entry& charge, std::int64_t used);
  void end(entry& charge, bool settles, std::int64_t used);
  void confirm(entry& charge);
  // Its hold may have another id by now: that is the one to settle.
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
