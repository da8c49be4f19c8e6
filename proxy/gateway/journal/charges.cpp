#include "proxy/gateway/journal/charges.hpp"

namespace tollgate::proxy::journal {

charges::charges(keeper& keeper, int worker) : keeper_{keeper}, worker_{worker} {
  buffer_.reserve(longest_frame);
  roll(purpose::opens);
}

// A segment without open charges is no longer needed.
charges::~charges() {
  const bool nothing_left = unconfirmed() == 0;
  for (auto& each : slots_) {
    if (nothing_left) keeper_.retire(each.file);
    each.opened_here.clear();
  }
}

void charges::open(entry& charge, std::int64_t used) {
  if (charge.written()) return;
  charge.used = used;
  charge.id = charge.money.held_as();
  const auto frame = frame_of(charge);
  const auto size = frame.size();
  if (write(frame, purpose::opens)) put(charge, slots_.back(), size);
}

// Recorded first under its present id, so that the charge is never missing; in between, both ids
// lead to one settlement.
void charges::follow(entry& charge) {
  const auto before = charge.id;
  if (!charge.written() || before == charge.money.held_as()) return;
  charge.id = charge.money.held_as();
  const std::string frame{frame_of(charge)};
  if (!write(frame)) {
    charge.id = before;
    return;
  }
  take_out(charge);
  put(charge, slots_.back(), frame.size());
  if (charge.settles) write(encode(ended{charge.id, *charge.settles, charge.used}, buffer_));
  write(encode(done{before}, buffer_));
  drop_what_is_confirmed();
}

void charges::put(entry& charge, slot& where, std::size_t size) {
  where.opened_here.push_back(charge);
  charge.open_in = &where.open;
  charge.file = where.file.get();
  charge.at = where.file->end() - size;
  charge.size = size;
  ++where.open;
  open_bytes_ += size;
}

void charges::take_out(entry& charge) {
  charge.unlink();
  --*std::exchange(charge.open_in, nullptr);
  open_bytes_ -= charge.size;
}

void charges::use(entry& charge, std::int64_t used) {
  if (!charge.written() || used == charge.used) return;
  charge.used = used;
  write(encode(used_more{charge.id, used}, buffer_));
}

void charges::end(entry& charge, bool settles, std::int64_t used) {
  if (!charge.written()) {
    if (settles) open(charge, used);
    return;
  }
  if (settles && used == charge.used) return;  // already recorded so
  charge.used = used;
  charge.settles = settles;
  const bool written = write(encode(ended{charge.id, settles, used}, buffer_));
  if (!written && !settles) charge.file->strike_out(charge.at);
}

void charges::confirm(entry& charge) {
  if (!charge.written()) return;
  write(encode(done{charge.id}, buffer_));
  take_out(charge);
  drop_what_is_confirmed();
}

std::size_t charges::unconfirmed() const {
  std::size_t count = 0;
  for (const auto& each : slots_) count += each.open;
  return count;
}

std::string_view charges::frame_of(const entry& charge) {
  const auto& terms = charge.money.agreed();
  const opened what{
      charge.id,        charge.org, terms.price_at, charge.used, terms.hold_timeout.count(),
      terms.request_id, terms.who};
  return encode(what, buffer_);
}

bool charges::write(std::string_view frame, purpose why) {
  bool written = !frame.empty() && !slots_.empty() && slots_.back().file->append(frame);
  if (!written) {
    const std::string kept{frame};  // rolling may write too
    while (!written && !kept.empty() && roll(why)) written = slots_.back().file->append(kept);
  }
  if (!written) {
    keeper_.count_unwritten();
    return false;
  }
  if (!asked_for_next_ && slots_.back().file->is_half_full()) {
    asked_for_next_ = true;
    keeper_.prepare(worker_);
  }
  return true;
}

// Continues in a new segment. False: there is none, and that has been logged.
bool charges::roll(purpose why) {
  drop_what_is_confirmed();
  // As long as no more than this is open, carrying charges forward makes room, including room for
  // the ends of the open ones.
  const auto most = keeper_.most_segments();
  const bool is_full = slots_.size() >= most;
  if (why == purpose::opens && is_full && open_bytes_ > (most - 1) * keeper_.segment_size() / 2) {
    keeper_.complain("it is full of charges that the ledger has not confirmed");
    return false;
  }
  auto next = keeper_.take(worker_);
  // A spare that was created before the last segment and arrived too late for it: its records would
  // be read first, and the end of a charge must be read after its beginning.
  while (next && !slots_.empty() && next->sequence() < slots_.back().file->sequence()) {
    keeper_.retire(std::move(next));
    next = keeper_.take(worker_);
  }
  asked_for_next_ = false;
  if (!next) return false;
  slots_.emplace_back().file = std::move(next);
  drop_what_is_confirmed();
  if (slots_.size() > most) carry_forward();
  return true;
}

// A few charges that stay open for long must not keep everything written since: they are written
// again, and the oldest segment is removed.
void charges::carry_forward() {
  auto& oldest = slots_.front().opened_here;
  auto& newest = slots_.back();
  while (!oldest.empty()) {
    auto& charge = oldest.front();
    const auto frame = frame_of(charge);
    const auto size = frame.size();
    if (!newest.file->append(frame)) return;
    take_out(charge);
    put(charge, newest, size);
    // A charge to be settled is settled at the usage that has just been written.
    if (charge.settles.value_or(true)) continue;
    const bool written = newest.file->append(encode(ended{charge.id, false, charge.used}, buffer_));
    if (!written) charge.file->strike_out(charge.at);
  }
  drop_what_is_confirmed();
}

void charges::drop_what_is_confirmed() {
  while (slots_.size() > 1 && slots_.front().open == 0) {
    keeper_.retire(std::move(slots_.front().file));
    slots_.pop_front();
  }
}

}  // namespace tollgate::proxy::journal
