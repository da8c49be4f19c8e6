#include "proxy/gateway/journal/replay.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace tollgate::proxy::journal {

namespace {

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

constexpr std::chrono::milliseconds pause_length{100};
constexpr int at_once = 8;

// Applies one record to the state so far.
class folding {
 public:
  explicit folding(std::map<quota::hold_id, unconfirmed_charge>& open) : open_{open} {}

  void operator()(opened&& what) {
    const auto id = what.id;
    const auto used = what.used;
    open_.insert_or_assign(id, unconfirmed_charge{std::move(what), true, used});
  }
  void operator()(const used_more& what) {
    if (auto* known = find(what.id)) known->used = what.used;
  }
  void operator()(const ended& what) {
    auto* known = find(what.id);
    if (known == nullptr) return;
    known->settles = what.settles;
    known->used = what.used;
  }
  void operator()(const done& what) { open_.erase(what.id); }

 private:
  unconfirmed_charge* find(const quota::hold_id& id) {
    const auto found = open_.find(id);
    return found != open_.end() ? &found->second : nullptr;
  }

  std::map<quota::hold_id, unconfirmed_charge>& open_;
};

quota::charge charge_of(const unconfirmed_charge& what) {
  quota::charge::terms terms;
  terms.id = what.start.id;
  terms.price_at = what.start.price_at;
  terms.estimated = {what.used};
  terms.hold_timeout = std::chrono::milliseconds{what.start.hold_timeout_ms};
  terms.request_id = what.start.request_id;
  terms.who = what.start.who;
  return quota::charge::recovered(std::move(terms));
}

const quota::operation& asked_by(const quota::charge::action& action) {
  if (const auto* again = std::get_if<quota::charge::retry>(&action)) return again->what;
  return std::get<quota::charge::apply>(action).what;
}

}  // namespace

contents read_journal(const std::vector<std::string>& files) {
  contents journal;
  std::map<quota::hold_id, unconfirmed_charge> open;
  for (const auto& file : files) {
    std::ostringstream text;
    text << std::ifstream{file, std::ios::binary}.rdbuf();
    const auto found = read_segment(
        text.str(), [&](record&& each) { std::visit(folding{open}, std::move(each)); });
    for (const auto& each : found.damaged) {
      journal.damaged.push_back(file + ": " + std::to_string(each.offset) + ": " + each.what);
    }
    if (!found.damaged.empty()) journal.unsound.push_back(file);
    if (found.torn_at) journal.torn.push_back(file + ": " + std::to_string(*found.torn_at));
    journal.files.push_back(file);
  }
  for (auto& [id, charge] : open) journal.charges.push_back(std::move(charge));
  return journal;
}

segments_by_store sort_by_store(const std::vector<std::string>& files, const std::string& store) {
  segments_by_store sorted;
  for (const auto& file : files) {
    std::string head(header_size, '\0');
    std::ifstream{file, std::ios::binary}.read(head.data(), header_size);
    const auto header = read_segment(head, [](record&&) {}).header;
    const bool is_ours = !header || header->store.empty() || header->store == store;
    (is_ours ? sorted.ours : sorted.others).push_back(file);
    if (!is_ours) sorted.other = header->store;
  }
  return sorted;
}

std::string foreign_text(const contents& others, const std::string& other,
                         const std::string& store) {
  return fmt::format(
      "{} calls are of the store {}, and this is {}: they are not settled here. "
      "`tollgate journal replay` settles them with the configuration of that store; if this store "
      "was restored from an older copy, with --force here",
      others.charges.size(), other, store.empty() ? "a store without an id" : "the store " + store);
}

task<replay_report> replay::run(const contents& journal) {
  for (running_ = 0; running_ < at_once; ++running_) {
    asio::co_spawn(executor_, settle_one_after_the_other(journal), [this](std::exception_ptr) {
      if (--running_ == 0) all_ended_.notify();
    });
  }
  while (running_ > 0) co_await all_ended_.wait();
  report_.complete = !stopped_ && next_ == journal.charges.size();
  co_return report_;
}

task<> replay::settle_one_after_the_other(const contents& journal) {
  bool confirmed = true;
  while (confirmed && !stopped_ && next_ < journal.charges.size()) {
    const auto& next = journal.charges[next_];  // GCC 12: not inside the co_await
    ++next_;
    confirmed = co_await settle(next);
  }
}

// Like a call that has just ended (proxy/gateway/settlement). False: stopped before the ledger
// confirmed it.
task<bool> replay::settle(const unconfirmed_charge& what) {
  auto money = charge_of(what);
  const auto how = what.settles ? quota::stream_end::accepted : quota::stream_end::not_sent;
  const quota::charge::ended over{how, {what.used}};
  auto action = money.resume(over);
  while (!std::holds_alternative<quota::charge::done>(action)) {
    if (std::holds_alternative<quota::charge::retry>(action) && !stopped_) co_await pause();
    if (stopped_) co_return false;
    const auto& asked = asked_by(action);
    const auto reply = co_await ledger_.apply(what.start.org, asked);
    if (!reply) {
      const quota::charge::store_failed failed;
      action = money.resume(failed);
      continue;
    }
    const quota::charge::answered answered{*reply, ledger_.now()};
    action = money.resume(answered);
    if (std::holds_alternative<quota::charge::done>(action)) count(*reply);
  }
  co_return true;
}

void replay::count(const quota::answer& reply) {
  switch (reply.result) {
    case quota::outcome::settled:
      ++report_.settled;
      report_.charged += reply.amount;
      break;
    case quota::outcome::voided:
      ++report_.voided;
      break;
    case quota::outcome::forgotten:
      ++report_.forgotten;
      break;
    default:
      ++report_.known;
      break;
  }
}

task<> replay::pause() {
  timer delay{executor_};
  delay.expires_after(pause_length);
  error_code ignored;
  co_await delay.async_wait(asio::redirect_error(use_task, ignored));
}

void remove_replayed(const contents& journal) {
  std::error_code ignored;
  for (const auto& file : journal.unsound)
    std::filesystem::rename(file, file + ".damaged", ignored);
  for (const auto& file : journal.files) std::filesystem::remove(file, ignored);
}

std::string to_string(const replay_report& report) {
  return fmt::format(
      "{} settled ({} credits), {} voided, {} known to the ledger already, {} too old for it to "
      "tell",
      report.settled, to_string(report.charged), report.voided, report.known, report.forgotten);
}

}  // namespace tollgate::proxy::journal
