#include <algorithm>
#include <iostream>
#include <map>
#include <optional>

#include "quota/charge.hpp"
#include "tests/simulation/stories.hpp"

namespace tollgate::tests {

using namespace quota;

namespace {

constexpr std::size_t calls_at_once = 40;
constexpr std::size_t batch_limit = 16;

// One call and the driver of its charge, as in the proxy.
struct call {
  explicit call(charge::terms terms) : money{std::move(terms)} {}

  charge money;
  account* payer = nullptr;
  std::optional<operation> out;  // sent, not answered yet
  std::optional<charge::ended> end;
  std::optional<credits> charged;
  std::int64_t metered_us = 0;
  bool forwarded = false;
  bool begun = false;  // the upstream has begun to answer
  // The charge if no sidecar resolves the call: as being sent now, as confirmed, and at most.
  credits telling, told, told_at_most;
  bool cleaning_up = false;  // refused with 503; only its void remains
  bool over = false;
};

class calls {
 public:
  calls(dice& dice, const script_of_a_day& day)
      : dice_{dice}, day_{day}, world_{dice, day.durable} {
    for (auto& account : accounts_) {
      account.org = "org-" + std::to_string(&account - accounts_.data());
      world_.apply(account, {grant{"g", credits::from_whole(2'000), "purchase", ""}});
    }
  }

  void run() {
    for (std::size_t step = 0; step < day_.steps; ++step) {
      while (open_.size() < calls_at_once) open_.push_back(place_call());
      for (auto& call : open_) happen(*call);
      for (auto& account : accounts_) exchange(account, true);
      if (dice_.chance(15)) die();
      if (dead_.size() > 20 && dice_.chance(15)) recover();
      retire();
      if (dice_.chance(30)) world_.pass(milliseconds{dice_.between(1, 20)});
      if (dice_.chance(10)) world_.compare_everything(accounts_[dice_.below(accounts_.size())]);
      if (dice_.chance(10)) top_up(accounts_[dice_.below(accounts_.size())]);
      if (dice_.chance(10)) world_.suspend(accounts_[0], dice_.chance(300));
      disturb(world_, dice_, day_);
    }
    close();
  }

 private:
  std::unique_ptr<call> place_call() {
    charge::terms terms;
    terms.id = dice_.next_hold_id(world_.now());
    terms.price_at = dice_.chance(500) ? rate{"gpt-4", credits::from_whole(10), unit::request}
                                       : rate{"tts", credits::from_whole(5), unit::minute,
                                              meter_kind::none, 1'000};
    terms.estimated.amount = terms.price_at.per == unit::minute ? dice_.between(0, 60'000'000) : 1;
    terms.hold_timeout = milliseconds{dice_.between(5, 60)};
    terms.admit = dice_.chance(800) ? admission::enforce : admission::critical;
    terms.request_id = "q" + std::to_string(placed_++);
    terms.who = {"chat", "llm", "gpt-4", "a1", "c1", "key_1"};
    auto made = std::make_unique<call>(std::move(terms));
    made->payer = &accounts_[dice_.below(accounts_.size())];
    perform(*made, made->money.resume(charge::begin{}));
    return made;
  }

  // One step of the call: it renews, it ends, or it continues for a while.
  void happen(call& call) {
    if (call.over || call.cleaning_up || call.end) return;
    if (call.forwarded && !call.begun && dice_.chance(100)) {
      call.begun = true;
      perform(call, call.money.resume(charge::begun{{is_audio(call) ? call.metered_us : 1}}));
    } else if (call.forwarded && dice_.chance(150)) {
      perform(call, call.money.resume(charge::renewal_due{}));
    } else if (call.forwarded && is_audio(call) && dice_.chance(300)) {
      call.metered_us += dice_.between(0, 20'000'000);
      perform(call, call.money.resume(charge::metered{{call.metered_us}, dice_.chance(100)}));
    } else if (dice_.chance(call.forwarded ? 200 : 20)) {
      end(call);
    }
  }

  static bool is_audio(const call& call) {
    return call.money.agreed().price_at.per == unit::minute;
  }

  void end(call& call) {
    static const std::vector<stream_end> ends{
        stream_end::accepted,          stream_end::accepted,    stream_end::accepted,
        stream_end::refused,           stream_end::no_answer,   stream_end::upstream_failed,
        stream_end::client_gone_early, stream_end::client_gone, stream_end::client_gone_waiting,
        stream_end::stream_error};
    const auto used = is_audio(call) ? call.metered_us + dice_.between(0, 30'000'000) : 1;
    auto how = dice_.pick(ends);
    while (call.begun && how == stream_end::refused) how = dice_.pick(ends);
    call.end = charge::ended{how, {used}};
    perform(call, call.money.resume(*call.end));
  }

  // A sidecar dies in the middle of a call. Its last request may still arrive; and it may have a
  // journal.
  void die() {
    const auto place = open_.begin() + static_cast<std::ptrdiff_t>(dice_.below(open_.size()));
    auto& call = **place;
    if (!call.forwarded || call.end || call.over || call.cleaning_up) return;
    if (call.out && dice_.chance(500)) late_.emplace_back(call.payer, *call.out);
    dead_.push_back(std::move(*place));
    open_.erase(place);
    if (dice_.chance(300)) recover();
  }

  // Its successor settles the charges in the journal, perhaps much later.
  void recover() {
    if (dead_.empty()) return;
    const auto place = dead_.begin() + static_cast<std::ptrdiff_t>(dice_.below(dead_.size()));
    auto again = std::make_unique<call>((*place)->money.agreed());
    again->money = charge::recovered((*place)->money.agreed());
    again->payer = (*place)->payer;
    again->forwarded = true;
    const auto used = is_audio(**place) ? (*place)->metered_us + dice_.between(0, 30'000'000) : 1;
    again->end = charge::ended{stream_end::accepted, {used}};
    dead_.erase(place);
    perform(*again, again->money.resume(*again->end));
    open_.push_back(std::move(again));
  }

  // Delivers the requests of the account's calls. On a bad network the operation may be lost, its
  // answer may be lost, or it may arrive long after the client gave up.
  void exchange(account& account, bool bad_network) {
    std::vector<operation> batch;
    std::vector<std::pair<call*, bool>> asked;  // whether its answer arrives; null: a late message
    for (auto late = late_.begin(); late != late_.end() && batch.size() < batch_limit;) {
      const bool now = late->first == &account && dice_.chance(100);
      if (now) batch.push_back(late->second), asked.emplace_back(nullptr, false);
      late = now ? late_.erase(late) : late + 1;
    }
    std::vector<call*> failed;
    for (auto& call : open_) {
      if (call->payer != &account || !call->out || batch.size() >= batch_limit) continue;
      if (bad_network && dice_.chance(100)) continue;  // slow
      const bool lost = bad_network && dice_.chance(150);
      if (lost) failed.push_back(call.get());
      if (lost && dice_.chance(500)) late_.emplace_back(&account, *call->out);
      if (!lost)
        batch.push_back(*call->out),
            asked.emplace_back(call.get(), !bad_network || !dice_.chance(150));
    }
    const auto answers = batch.empty() ? std::vector<answer>{} : world_.apply(account, batch);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (asked[i].first == nullptr) continue;
      asked[i].second ? report(*asked[i].first, charge::answered{answers[i], world_.now()})
                      : report(*asked[i].first, charge::store_failed{});
    }
    for (auto* call : failed) report(*call, charge::store_failed{});
  }

  void report(call& call, const charge::event& event) {
    if (call.cleaning_up) {
      if (std::holds_alternative<charge::answered>(event)) call.out.reset(), call.over = true;
      return;
    }
    const auto* answered = std::get_if<charge::answered>(&event);
    const bool extended = answered != nullptr && answered->reply.result == outcome::extended;
    if (extended && call.telling > call.told) call.told = call.telling;
    call.out.reset();
    perform(call, call.money.resume(event));
  }

  void perform(call& call, charge::action action) {
    if (auto* apply = std::get_if<charge::apply>(&action)) {
      call.out = std::move(apply->what);
      const auto* asked = std::get_if<extend>(&*call.out);
      const bool tells = asked != nullptr && asked->answered;
      const auto used = is_audio(call) ? call.metered_us : 1;
      call.telling = tells ? price(call.money.agreed().price_at, {used}) : credits{};
      call.told_at_most = std::max(call.told_at_most, call.telling);
    } else if (auto* retry = std::get_if<charge::retry>(&action)) {
      call.out = std::move(retry->what);
    } else if (auto* unavailable = std::get_if<charge::refuse_unavailable>(&action)) {
      call.out = std::move(unavailable->clean_up);
      call.cleaning_up = true;
      call.charged = credits{};
    } else if (std::holds_alternative<charge::forward>(action)) {
      call.forwarded = true;
    } else if (std::holds_alternative<charge::refuse>(action)) {
      call.charged = credits{};
      call.over = true;
    } else if (auto* done = std::get_if<charge::done>(&action)) {
      call.charged = done->charged;
      call.over = true;
    }
  }

  void retire() {
    std::erase_if(open_, [this](const auto& call) {
      if (call->over) remember(*call);
      return call->over;
    });
  }

  // What the call must have paid, computed independently.
  void remember(const call& call) {
    const auto& terms = call.money.agreed();
    credits owed;
    // A charge made because a hold expired after its answer had begun remains.
    const bool may_stay = call.begun && *call.charged <= call.told_at_most;
    if (call.forwarded && resolve(terms.policy, call.end->how) == resolution::void_hold &&
        may_stay) {
      owed = *call.charged;
      if (owed > credits{}) ++stayed_;
    } else if (call.forwarded && resolve(terms.policy, call.end->how) == resolution::settle) {
      owed = price(terms.price_at, call.end->used);
    }
    if (*call.charged != owed) {
      throw disagreement{terms.request_id + " says it was charged " + to_string(*call.charged) +
                         " for what costs " + to_string(owed)};
    }
    owed_[terms.request_id] = owed;
  }

  void top_up(account& account) {
    world_.apply(account, {grant{dice_.next_hex128(), credits::from_whole(500), "purchase", ""}});
  }

  // All calls end, the network recovers, the last messages arrive, the last holds expire.
  void close() {
    for (auto& call : open_) {
      if (!call->over && !call->cleaning_up && !call->end) end(*call);
    }
    while (!open_.empty()) {
      for (auto& account : accounts_) exchange(account, false);
      retire();
    }
    while (!late_.empty()) {
      for (auto& account : accounts_) exchange(account, false);
    }
    world_.pass(milliseconds{70});
    std::map<std::string, credits> paid;
    for (auto& account : accounts_) {
      world_.apply(account, {expire_holds{}});
      world_.compare_everything(account);
      if (account.oracle.row().held != credits{}) throw disagreement{"a hold is stuck"};
      for (const auto& entry : account.oracle.entries()) {
        if (entry.type == entry_type::settle) paid[entry.request_id] += entry.amount;
      }
    }
    std::size_t charged_at_expiry = 0;
    for (const auto& call : dead_) {
      const auto& request = call->money.agreed().request_id;
      if (paid[request] > credits{}) ++charged_at_expiry;
      if (paid[request] >= call->told && paid[request] <= call->told_at_most) continue;
      throw disagreement{request + " paid " + to_string(paid[request]) +
                         ", and its sidecar had told " + to_string(call->told) + " to " +
                         to_string(call->told_at_most)};
    }
    std::cout << "  reached: " << dead_.size() << " calls of sidecars that died, "
              << charged_at_expiry << " of them charged when their holds expired; " << stayed_
              << " stayed charged\n";
    if (day_.steps >= 5'000 && charged_at_expiry == 0)
      throw disagreement{"no hold was settled when it expired"};
    for (const auto& [request, owed] : owed_) {
      if (paid[request] == owed) continue;
      throw disagreement{request + " paid " + to_string(paid[request]) + " for what costs " +
                         to_string(owed)};
    }
  }

  dice& dice_;
  const script_of_a_day& day_;
  world world_;
  std::vector<account> accounts_{3};
  std::vector<std::unique_ptr<call>> open_;
  std::vector<std::unique_ptr<call>> dead_;  // their sidecar is gone
  std::size_t stayed_ = 0;
  std::vector<std::pair<account*, operation>> late_;
  std::map<std::string, credits> owed_;  // by request
  std::size_t placed_ = 0;
};

}  // namespace

void run_calls(dice& dice, const script_of_a_day& day) {
  calls{dice, day}.run();
}

}  // namespace tollgate::tests
