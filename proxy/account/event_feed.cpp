#include "proxy/account/event_feed.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/intrusive/list.hpp>

#include "proxy/net/wake_up.hpp"
#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::admin {

namespace {

using std::chrono::steady_clock;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

// The maximum number of store reads per tick. The rest follows with the next tick.
constexpr int looks_a_tick = 16;
// The pause between two pieces of a reader that catches up, multiplied by the number of such
// readers; at least this many times as long as the last piece took. So the store stays available
// for calls, however far behind the readers are.
constexpr std::chrono::milliseconds catch_up_pause{5};
constexpr int catch_up_share = 10;
// A piece that takes longer was delayed by this machine or by a queue; the store is never busy with
// one for that long. Without this bound a single bad moment would slow down all readers for a
// minute.
constexpr std::chrono::milliseconds longest_piece{5};
// Usage older than this is not sent again piece by piece: the balance includes it.
constexpr std::chrono::minutes usage_is_retold_for{15};

task<> sleep_for(io_executor executor, std::chrono::milliseconds time) {
  timer pause{executor, time};
  error_code ignored;
  co_await pause.async_wait(asio::redirect_error(use_task, ignored));
}

bool is_earlier(const std::string& a, const std::string& b) {
  return quota::parse_entry_id(a) < quota::parse_entry_id(b);
}

api_error refused(int status, std::string code, std::string message) {
  return {.status = status,
          .code = std::move(code),
          .message = std::move(message),
          .param = {},
          .retry_after = std::chrono::seconds{5},
          .allow = {}};
}

api_error too_many_of_the_org(std::size_t most) {
  return refused(
      429, "too_many_streams",
      "this organization has " + std::to_string(most) + " open event streams; close one, or wait");
}

}  // namespace

// State shared by streams and sources. Streams may outlive the feed for a moment.
struct event_feed::state {
  state(io_executor used, quota::ledger& advanced, quota::account_history& read,
        feed_options chosen)
      : executor{std::move(used)}, ledger{advanced}, history{read}, options{chosen} {}

  void forget(const source& one);

  io_executor executor;
  quota::ledger& ledger;
  quota::account_history& history;
  feed_options options;
  std::map<quota::org_id, std::shared_ptr<source>> sources;
  std::size_t streams = 0;
  std::size_t catching_up = 0;
  steady_clock::duration last_piece{};  // how long reading it took, at most longest_piece
  bool closed = false;
};

// A stream, from its source's point of view.
class event_feed::reader : public body_source,
                           public std::enable_shared_from_this<reader>,
                           public boost::intrusive::list_base_hook<
                               boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void wake() = 0;  // the source has news
};

// Reads the changes of an organization as long as it has readers.
class event_feed::source : public std::enable_shared_from_this<source> {
 public:
  // The changes between two positions, shared by all readers.
  struct block {
    quota::stream_positions from, to;
    std::string text;
  };

  source(std::shared_ptr<state> state, quota::org_id org)
      : state_{std::move(state)}, org_{std::move(org)} {}

  const quota::org_id& org() const { return org_; }
  bool started() const { return started_; }
  const event_cursor& at() const { return at_; }                  // its read position
  const quota::account_row& balance() const { return balance_; }  // at that position
  const block& last() const { return last_; }

  void start(const quota::account_changes& now) {
    started_ = true;
    at_ = now.up_to;
    balance_ = now.row;
    const auto polling = [](std::shared_ptr<source> self) -> task<> { co_await self->poll(); };
    asio::co_spawn(state_->executor, polling(shared_from_this()), asio::detached);
  }

  std::size_t count() const { return readers_.size(); }
  void add(reader& one) { readers_.push_back(one); }
  void wake_all() {
    for_each_reader([](reader& each) { each.wake(); });
  }
  void end_all() {
    for_each_reader([](reader& each) { each.end(); });
  }

 private:
  bool is_wanted() const { return !state_->closed && !readers_.empty(); }

  // A reader that is woken may leave at once, together with others.
  template <class Fn>
  void for_each_reader(Fn what) {
    std::vector<std::weak_ptr<reader>> all;
    for (auto& each : readers_) all.push_back(each.weak_from_this());
    for (const auto& each : all) {
      if (const auto alive = each.lock()) what(*alive);
    }
  }

  task<> poll() {
    do {
      co_await sleep_for(state_->executor, state_->options.tick);
      if (!is_wanted()) break;
      co_await look();
      wake_all();
    } while (is_wanted());
    started_ = false;
    state_->forget(*this);
  }

  task<> look() {
    const auto current = co_await quota::bring_up_to_date(state_->ledger, org_);
    if (!current) co_return;  // the store is unavailable: the next tick continues from here
    event_report report{org_, at_, state_->history.now()};
    quota::stream_positions reached = at_;
    bool more = true;
    std::optional<quota::account_row> row;
    for (int looks = 0; more && looks < looks_a_tick; ++looks) {
      const auto changes = co_await state_->history.changes(org_, reached, std::nullopt);
      if (!changes) break;  // the store is unavailable: the next tick continues from here
      report.add(*changes);
      reached = changes->up_to;
      more = changes->more;
      if (changes->moved) row = changes->row;
    }
    if (reached == at_) co_return;
    if (row && !more) report.add(*row);
    if (row) balance_ = *row;
    last_ = {at_, reached, report.take()};
    at_ = reached;
  }

  std::shared_ptr<state> state_;
  quota::org_id org_;
  event_cursor at_;
  quota::account_row balance_;
  block last_;
  bool started_ = false;
  boost::intrusive::list<reader, boost::intrusive::constant_time_size<false>> readers_;
};

void event_feed::state::forget(const source& one) {
  const auto known = sources.find(one.org());
  if (known != sources.end() && known->second.get() == &one) sources.erase(known);
}

class event_feed::stream final : public reader {
 public:
  stream(std::shared_ptr<state> state, std::shared_ptr<source> source,
         std::optional<event_cursor> from)
      : state_{std::move(state)}, source_{std::move(source)}, at_{source_->at()} {
    ++state_->streams;
    first_ = event_report::greeting;
    if (from) {
      go_on_from(*std::move(from));
    } else {
      first_ += balance_here();
    }
  }
  ~stream() override { --state_->streams; }

  task<std::optional<std::string>> next() override {
    if (!first_.empty() && !ended_) co_return said(std::exchange(first_, {}));
    if (came_from_ && !ended_) {
      auto gap = co_await tell_gap();
      if (ended_) co_return std::nullopt;
      co_return said(std::move(gap));
    }
    if (!ended_ && owes_balance_ && at_ == source_->at()) co_return said(balance_here());
    if (!ended_ && !is_behind(at_, source_->at())) co_await next_tick();
    if (ended_) co_return std::nullopt;
    std::string piece;
    if (const auto& last = source_->last();
        !owes_balance_ && at_ == last.from && last.from != last.to) {
      at_ = last.to;
      piece = last.text;
    } else if (is_behind(at_, source_->at())) {
      piece = co_await read_on();
    }
    if (ended_) co_return std::nullopt;
    co_return said(std::move(piece));
  }

  void end() override {
    ended_ = true;
    tick_.notify();
  }
  void wake() override { tick_.notify(); }

 private:
  // For a reader that is up to date.
  std::string balance_here() {
    event_report report{source_->org(), at_, state_->history.now()};
    report.add(source_->balance());
    owes_balance_ = false;
    return report.take();
  }

  // If nothing has happened since, nothing can be missing.
  void go_on_from(event_cursor from) {
    const auto here = source_->at();
    owes_balance_ = true;
    told_from_ = state_->history.now() - usage_is_retold_for;
    auto oldest = std::to_string(told_from_.time_since_epoch().count()) + "-0";
    if (is_earlier(here.entry, oldest)) oldest = here.entry;
    const bool skips = is_earlier(from.entry, oldest);
    at_ = from;
    if (skips) at_.entry = std::move(oldest);
    if (skips || is_earlier(from.event, here.event)) came_from_ = std::move(from);
  }

  // Sent first: what this client has missed.
  task<std::string> tell_gap() {
    const auto gap = co_await state_->history.gap_behind(source_->org(), *came_from_, told_from_);
    if (!gap) {  // the store is unavailable: try again
      if (!ended_) co_await tick_.wait();
      co_return std::string{};
    }
    came_from_.reset();
    if (*gap == quota::account_gap{}) co_return std::string{};
    event_report report{source_->org(), at_, state_->history.now()};
    report.add(*gap);
    co_return report.take();
  }

  // Another thread may have sent this client more than is known here yet, for a moment. A position
  // that is never reached comes from another store, or from data that was lost: then the stream
  // starts from now.
  task<> next_tick() {
    constexpr int moment = 3;
    co_await tick_.wait();
    const bool ahead = is_behind(source_->at(), at_);
    ahead_ = ahead ? ahead_ + 1 : 0;
    if (ahead_ > moment) at_ = nearer(at_, source_->at());
  }

  // Reads a piece of what this client has missed. The balance follows the last piece.
  task<std::string> read_on() {
    ++state_->catching_up;
    const auto pause =
        std::max<steady_clock::duration>(catch_up_pause, catch_up_share * state_->last_piece);
    co_await sleep_for(state_->executor,
                       std::chrono::ceil<std::chrono::milliseconds>(pause * state_->catching_up));
    --state_->catching_up;
    if (ended_) co_return std::string{};
    const auto until = source_->at();
    const auto balance = source_->balance();
    const auto began = steady_clock::now();
    const auto changes = co_await state_->history.changes(source_->org(), at_, until);
    state_->last_piece =
        std::min<steady_clock::duration>(steady_clock::now() - began, longest_piece);
    if (!changes) {  // the store is unavailable
      if (!ended_) co_await tick_.wait();
      co_return std::string{};
    }
    event_report report{source_->org(), at_, state_->history.now()};
    report.add(*changes);
    owes_balance_ = owes_balance_ || changes->moved;
    if (owes_balance_ && !changes->more) {
      report.add(balance);
      owes_balance_ = false;
    }
    auto text = report.take();
    at_ = report.at();
    co_return text;
  }

  std::string said(std::string piece) {
    const auto now = steady_clock::now();
    if (piece.empty() && now - said_at_ >= state_->options.heartbeat) {
      piece = event_report::heartbeat;
    }
    if (!piece.empty()) said_at_ = now;
    return piece;
  }

  std::shared_ptr<state> state_;
  std::shared_ptr<source> source_;
  event_cursor at_;                        // the client's position
  std::optional<event_cursor> came_from_;  // until it is known whether something is missing
  quota::time_point told_from_;            // earlier usage is not sent again
  std::string first_;                      // sent before anything else
  wake_up tick_;
  steady_clock::time_point said_at_ = steady_clock::now();
  int ahead_ = 0;
  bool owes_balance_ = false,
       ended_ = false;  // owes: a client that resumes gets the balance after everything it missed
};

event_feed::event_feed(io_executor executor, quota::ledger& ledger, quota::account_history& history,
                       feed_options options)
    : state_{std::make_shared<state>(executor, ledger, history, options)} {}

// A source is known here for as long as it polls, and it knows this. One whose loop has ended
// before it did would stay.
event_feed::~event_feed() {
  state_->sources.clear();
}

task<checked<std::shared_ptr<body_source>>> event_feed::open(quota::org_id org,
                                                             std::optional<event_cursor> from) {
  const auto state = state_;
  auto& known = state->sources[org];
  if (!known) known = std::make_shared<event_feed::source>(state, org);
  const auto source = known;
  if (!source->started()) {
    const auto now = co_await state->history.changes(org, std::nullopt, std::nullopt);
    if (now && !source->started()) source->start(*now);
  }
  if (!source->started()) {
    state->forget(*source);
    co_return ledger_unavailable();
  }
  if (state->closed) co_return refused(503, "shutting_down", "Tollgate is shutting down");
  if (state->streams >= state->options.streams) {
    co_return refused(503, "overloaded", "too many open event streams; try again shortly");
  }
  if (source->count() >= state->options.of_an_org) {
    co_return too_many_of_the_org(state->options.of_an_org);
  }
  auto made = std::make_shared<stream>(state, source, std::move(from));
  source->add(*made);
  co_return std::shared_ptr<body_source>{std::move(made)};
}

void event_feed::close() {
  state_->closed = true;
  const auto sources = std::exchange(state_->sources, {});
  for (const auto& [org, source] : sources) source->end_all();
}

std::size_t event_feed::streams() const {
  return state_->streams;
}

}  // namespace tollgate::proxy::admin
