// Books that were altered by hand, and what `verify` reports about them.
#include <functional>
#include <iostream>
#include <optional>

#include "quota/redis/rows.hpp"
#include "tests/simulation/stories.hpp"

namespace tollgate::tests {

using namespace quota;
using namespace std::chrono_literals;

namespace {

using edit = std::function<std::string(std::string)>;

// Adds `more` to the n-th of the parts that `separators` end, counted from 0; in a text, changes a
// letter.
edit part(std::size_t n, std::int64_t more = 1, std::string separators = " \t\n,@") {
  return [=](std::string text) {
    std::size_t from = 0;
    for (std::size_t i = 0; i < n; ++i) from = text.find_first_of(separators, from) + 1;
    const auto end = std::min(text.find_first_of(separators, from), text.size());
    const auto number = redis::parse_integer(text.substr(from, end - from));
    return text.replace(from, end - from, number ? std::to_string(*number + more) : "altered");
  };
}

edit with(std::string text) {
  return [=](const std::string&) { return text; };
}

edit without_first_line() {
  return [](const std::string& text) { return text.substr(text.find('\n') + 1); };
}

struct alteration {
  std::string key, field;  // of a hash; `field` may be "first": any field
  edit how;                // none: the field is deleted
  std::string named;       // part of the difference that is reported
};

class altered {
 public:
  altered(dice& dice, const script_of_a_day& day) : dice_{dice}, world_{dice, day.durable} {
    books_.org = "altered";
  }

  void run() {
    live();
    expect_sound("as it was");
    for (const auto& each : alterations()) alter(each);
    for (std::size_t i = 0; i < entry_parts().size(); ++i) alter_entries(i);
    take_entries_away();
    expect_sound("restored");
    std::cout << "  altered: " << count_ << " kinds of rows and fields, each named\n";
    if (!missed_.empty()) throw disagreement{missed_};
    if (count_ < 50) throw disagreement{"fewer than 50 kinds of rows were altered"};
    move_the_clock();
  }

 private:
  // --- an account in which everything has happened ---

  void call(int id, credits amount, credits used, bool settles = true) {
    std::vector<operation> batch{
        reserve{hold(id), amount, 100h, admission::critical, "q" + std::to_string(id), who()}};
    if (settles) batch.push_back(settle{hold(id), used, 3});
    world_.apply(books_, batch);
  }
  hold_id hold(int id) {
    const auto [place, fresh] = holds_.try_emplace(id);
    // The oracle remembers ids by its own time, which never goes back, the script by the store's.
    if (fresh) place->second = dice_.next_hold_id(books_.oracle.time_of(world_.time()));
    return place->second;
  }
  static attribution who() { return {"chat", "llm", "gpt-4", "a1", "c1", "key_1"}; }
  void to_the_end_of_the_cycle() {
    world_.pass(books_.oracle.plan()->end - world_.time() - 1h);
    world_.apply(books_, {expire_holds{}});
  }
  void to_next_cycle() {
    world_.pass(books_.oracle.plan()->end - world_.time());
    world_.apply(books_, {expire_holds{}});
  }
  void give(std::string id, credits amount, std::string kind, time_point expires_at = never) {
    world_.apply(books_, {grant{std::move(id), amount, std::move(kind), "a note", expires_at, {}}});
  }

  void live() {
    account_options options;
    options.top_up_threshold = credits::from_whole(100);
    options.top_up_cents = 1'000;
    options.critical_overdraft = credits::from_whole(2'000'000'000);
    options.spend_cap_cents = 900'000'000;
    options.limits = {
        {limit_scope::agent, "*", credits::from_whole(100'000), limit_window::total},
        {limit_scope::key, "key_1", credits::from_whole(3'000'000'000), limit_window::cycle},
        {limit_scope::key, "*", credits::from_whole(3'000'000'000), limit_window::hour}};
    options.alerts = {{alert_kind::credits_used, credits::from_whole(3'000'000'000).micro()},
                      {alert_kind::credits_used, credits::from_whole(3'000'000'000).micro(),
                       limit_scope::agent, "*"}};
    const plan_terms terms{"pro", credits::from_whole(1'000), 50, 2, 10'000, 100, 60'000, 1'000};
    give("before", credits::from_whole(10), "purchase");
    world_.apply(books_, {configure{terms, true, options, 0}});
    call(1, credits::from_whole(300), credits::from_whole(200));
    call(2, credits::from_whole(100), credits{}, false);
    world_.apply(books_, {void_hold{hold(2)}});
    to_next_cycle();  // 400 roll over
    give("promotion", credits::from_whole(50), "promotion", world_.time() + 240h);
    call(3, credits::from_whole(2'000),
         credits::from_whole(2'100));  // overage, and an automatic top-up
    pay_open(top_up_verdict::declined);
    world_.pass(1h);
    call(4, credits::from_whole(10), credits::from_whole(10));
    pay_open(top_up_verdict::paid);
    world_.apply(books_,
                 {request_top_up{"pack", 500}, resolve_top_up{"pack", top_up_verdict::paid}});
    give("taken back", credits::from_whole(-5), "correction");
    call(5, credits::from_whole(1'700), credits::from_whole(1'700));
    to_the_end_of_the_cycle();
    call(6, credits::from_whole(60), credits{}, false);
    to_next_cycle();  // overage is billed
    call(7, credits::from_whole(60), credits{}, false);
    world_.apply(books_, {settle{hold(6), credits::from_whole(55), 3}});  // late
    to_next_cycle();
    to_the_end_of_the_cycle();
    // An open hold claims everything that is left, and it is kept for the hold when the cycle
    // closes.
    call(8, books_.oracle.row().available() - credits::from_whole(1), credits{}, false);
    to_next_cycle();
    carry();
    give("left", credits::from_whole(500), "purchase", world_.time() + 9'000h);
    give("for ever", credits::from_whole(20), "promotion");
    call(9, credits::from_whole(40), credits{}, false);
    world_.apply(books_, {extend{hold(9), credits::from_whole(45), 100h, admission::critical}});
    world_.apply(books_, {request_top_up{"open", 700}});
    world_.apply(books_, {take_back_top_up{"pack", take_back_reason::refund, 100}});
  }
  void pay_open(top_up_verdict verdict) {
    for (const auto& id : books_.oracle.open_top_ups())
      world_.apply(books_, {resolve_top_up{id, verdict}});
  }
  // Uses so much that the totals are carried.
  void carry() {
    const auto much = credits::from_whole(1'500'000'000);
    give("much", much, "purchase");
    call(10, much, much);
    call(11, credits::from_whole(1), credits::from_whole(1));
  }

  // --- alterations ---

  std::string last_cycle() const { return std::to_string(books_.oracle.plan()->cycle); }
  std::string automatic() const {
    for (const auto& record : books_.oracle.top_ups()) {
      if (record.automatic && record.status == top_up_status::paid) return record.id;
    }
    throw disagreement{"there is no automatic top-up"};
  }

  std::vector<alteration> alterations() {
    const std::string account = "account", cycles = "cycles", holds = "holds", grants = "grants";
    const std::string top_ups = "top_ups", late = "late", open{hold(9).text()}, last = last_cycle();
    const auto usage = "usage:" + std::to_string(hour_of(world_.now()));
    std::vector<alteration> all{
        {account, "granted", part(0), "granted"},
        {account, "settled", part(0), "settled"},
        {account, "held", part(0), "held"},
        {account, "expired", part(0), "expired"},
        {account, "expired", part(0, -1), "expired"},
        {account, "carried", part(0), "settled"},
        {account, "carried", part(1), "expired"},
        {account, "mark", part(0), "used beyond all grants"},
        {account, "mark", part(0, -1), "used beyond all grants"},
        {account, "active", part(0), "priority"},
        {account, "active", part(1), "expires"},
        {account, "active", part(3), "amount"},
        {account, "active", part(4, -1), "used beyond all grants"},
        {account, "active", part(5), "that is left"},
        {account, "active", part(6), "that is left"},
        {account, "active", without_first_line(), "used beyond all grants"},
        {account, "kept", part(1), "until"},
        {account, "kept", part(2, 100'000'000'000'000), "claims"},
        {account, "kept", part(2, -1), "claims"},
        {account, "kept", part(8, -1), "used beyond all grants"},
        {account, "kept", with(""), "used beyond all grants"},
        {account, "plan", part(0, -5), "anchor"},
        {account, "plan", part(1), "plan: cycle"},
        {account, "plan", part(2), "plan: start"},
        {account, "plan", part(3), "plan: end"},
        {account, "plan", part(4), "largest allocation"},
        {account, "plan", part(5), "owed"},
        {account, "top_up", part(0), "cents of this cycle"},
        {account, "top_up", part(3), "how many were automatic"},
        {account, "open_top_ups", with(""), "open top-ups"},
        {account, "open_top_ups", with("open\npack"), "open top-ups"},
        {holds, open, part(0), "amount"},
        {holds, open, part(3, -40LL * 86'400'000, " /"), "cycle in which"},
        {holds, open, part(4, 1'000'000'000'000, " /"), "sequence of limits"},
        {account, "sequence", part(0, -1'000'000'000'000), "sequence of limits"},
        {account, "sequence", nullptr, "sequence of limits"},
        {holds, open, part(4), "request"},
        {holds, open, part(5), "who pays"},
        {holds, open, part(8), "who pays"},
        {holds, open, nullptr, "hold"},
        {holds, std::string{dice_.next_hold_id(world_.time()).text()},
         with("1 4000000000000 1 4000000000000 q\t\t\t\t\t\t"), "hold"},
        {grants, "left", part(0), "grant left: amount"},
        {grants, "left", part(1), "granted at"},
        {grants, "left", part(2), "expires"},
        {grants, "left", part(3), "priority"},
        {grants, "left", part(4), "kind"},
        {grants, "left", part(5, 1, " \t"), "note"},
        {grants, "before", part(0), "grant before: amount"},
        {grants, "before", nullptr, "grant before"},
        {grants, "invented", with("1000000 1 0 50 purchase\t"), "grant invented"},
        {top_ups, "pack", part(1), "top-up pack"},
        {top_ups, "pack", part(2), "top-up pack: cents"},
        {top_ups, "pack", part(3), "top-up pack: credits"},
        {top_ups, "pack", with("m 0 500 500000000 1 1 1 0 0"), "top-up pack: status"},
        {top_ups, "pack", nullptr, "pack"},
        {top_ups, "open", part(2), "top-up open: cents"},
        {top_ups, "open", part(3), "top-up open: credits"},
        {top_ups, "open", part(1, 2), "top-up open: status"},
        {top_ups, "open", nullptr, "open top-ups"},
        {top_ups, "invented", with("m 2 500 500000000 1 1 1 1 0"), "top-up invented"},
        {top_ups, automatic(), part(0), "automatic"},
        {late, "first", part(0), "usage"},
        {late, "first", part(1), "usage"},
        {late, "first", part(2), "usage"},
        {late, "first", nullptr, "usage"},
        {usage, "first", part(0), "credits"},
        {usage, "first", part(1), "calls"},
        {usage, "first", part(2), "used"},
        {usage, "first", nullptr, "usage"},
        {usage, "chat\tllm\tother\ta1\tc1\tkey_1", with("1 1 1"), "usage"},
        {cycles, "1", nullptr, "cycle"},
        {cycles, "99", with("0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 \t"), "cycle"},
    };
    const std::vector<std::string> lines{
        "start",  "",          "closed",     "settled",     "allocation",  "purchase",
        "top_up", "promotion", "correction", "rolled over", "rolled over", "forfeited"};
    for (std::size_t i = 0; i < lines.size(); ++i) {
      all.push_back({cycles, "1", part(i, i == 2 ? -1 : 1), i == 1 ? "start" : lines[i]});
      all.push_back({cycles, last, part(i), i == 0 || i == 1 ? "plan" : lines[i]});
    }
    add_guards(all);
    all.push_back({cycles, "1", part(16), "billed at"});
    all.push_back({cycles, "1", part(17), "billed at"});
    return all;
  }

  // The cached values for a call.
  void add_guards(std::vector<alteration>& all) const {
    const std::string account = "account", counters = "counters", top_ups = "top_ups",
                      cycles = "cycles";
    const std::string total{"03\t*\ta1"}, of_cycle{"22\tkey_1\tkey_1"}, of_alerts{"a0\t*\ta1"},
        of_hour{"20\t*\tkey_1"};
    for (std::size_t i = 0; i < 12; ++i) all.push_back({account, "gate", part(i), "gate: "});
    all.push_back({account, "gate", part(4, 900'000'000'000'000), "gate: room"});
    all.push_back({account, "gate", part(4, -1), "gate: room"});
    all.push_back({account, "gate", nullptr, "gate: "});
    all.push_back({account, "gate", with("0 0"), "gate"});
    for (std::size_t i = 0; i < 2; ++i) all.push_back({account, "rate", part(i), "request rate"});
    all.push_back({account, "rate", part(2, 1'000 * 60'000 + 1), "request rate: level"});
    all.push_back({account, "rate", part(2, -1'000 * 60'000 - 1), "request rate: level"});
    all.push_back({account, "rate", with(""), "request rate"});
    all.push_back({account, "terms", part(3), "gate: room"});
    all.push_back({account, "terms", part(5), "request rate"});
    all.push_back({account, "terms", part(6), "request rate"});
    all.push_back({account, "options", with("0 -1 -1 -1 0"), "gate: "});
    all.push_back({account, "options", part(1), "gate: room"});
    all.push_back({account, "options", part(2), "gate: overdraft"});
    all.push_back({account, "options", with("1 x"), ""});
    all.push_back({account, "limits", part(0), "limit in total"});
    all.push_back({account, "limits", with("1 9 9 9 *"), ""});
    all.push_back({account, "alerts", part(3, 1, " \n"), "levels of alerts"});
    all.push_back({account, "member_alerts", part(0), "levels of alerts"});
    for (const auto& field : {total, of_cycle, of_alerts}) {
      const std::string named{field == of_alerts ? "alerts of" : "limit in"};
      all.push_back({counters, field, part(0), named});
      all.push_back({counters, field, part(1, 1'000'000'000), named});
      all.push_back({counters, field, part(1, -1'000'000'000), named});
      all.push_back({counters, field, part(2), named});
      all.push_back({counters, field, nullptr, named});
      all.push_back({counters, field, with("1"), "counter"});
    }
    for (const auto by : {-1, 1}) {
      all.push_back({counters, of_cycle, part(1, by), "limit in cycle"});
      all.push_back({counters, of_alerts, part(1, by), "alerts of"});
    }
    all.push_back({counters, of_hour, part(1, 3'000'000'000'000'000), "limit in hour"});
    all.push_back({counters, of_hour, part(1, -3'000'000'000'000'000), "limit in hour"});
    all.push_back({counters, of_hour, part(3, 1'000'000'000'000), "sequence of limits"});
    for (std::size_t i = 10; i < 12; ++i) all.push_back({top_ups, "pack", part(i), "top-up pack"});
    for (const std::size_t i : {12, 13, 14, 15})
      all.push_back({cycles, last_cycle(), part(i), "cycle"});
    all.push_back({cycles, "1", part(12, -4'000'000'000'000'000), "room of overage"});
    all.push_back({cycles, "1", part(13, 10'000'000'000), "room to roll over"});
    all.push_back({cycles, "1", part(14), "end of what rolls over"});
    all.push_back({cycles, "1", part(15, -1'000'000), "price"});
  }

  void alter(const alteration& what) {
    const auto key = redis::key_of(books_.org, what.key);
    auto field = what.field;
    if (field == "first")
      field = redis::text_of(*redis::elements_of(*world_.ask({"HKEYS", key})).at(0));
    const auto stored = world_.ask({"HGET", key, field});
    const std::string before{redis::text_of(*stored)};
    const bool invented = stored->type == REDIS_REPLY_NIL;
    if (what.how) {
      world_.ask({"HSET", key, field, what.how(before)});
    } else {
      world_.ask({"HDEL", key, field});
    }
    expect_named(what.key + " " + field + " = " + (what.how ? what.how(before) : "nothing"),
                 what.named);
    if (invented) {
      world_.ask({"HDEL", key, field});
    } else {
      world_.ask({"HSET", key, field, before});
    }
  }

  // --- the ledger's stream: its elements are rewritten, one of them altered ---

  struct element {
    std::string id;
    std::vector<std::string> texts;
  };
  std::vector<element> stream() {
    std::vector<element> all;
    const auto reply = world_.ask({"XRANGE", redis::key_of(books_.org, "ledger"), "-", "+"});
    for (const auto* each : redis::elements_of(*reply)) {
      auto& one = all.emplace_back();
      const auto parts = redis::elements_of(*each);
      one.id = redis::text_of(*parts[0]);
      for (const auto* text : redis::elements_of(*parts[1]))
        one.texts.emplace_back(redis::text_of(*text));
    }
    return all;
  }
  void write(const std::vector<element>& all) {
    const auto key = redis::key_of(books_.org, "ledger");
    world_.ask({"DEL", key});
    for (const auto& each : all) {
      std::vector<std::string> command{"XADD", key, each.id};
      command.insert(command.end(), each.texts.begin(), each.texts.end());
      world_.ask(std::move(command));
    }
  }

  struct entry_part {
    std::string type;
    std::size_t part;
    std::string named;
  };
  static const std::vector<entry_part>& entry_parts() {
    static const std::vector<entry_part> parts{
        {"reserve", 0, "available"},  {"reserve", 4, "available"}, {"reserve", 5, "cycle"},
        {"reserve", 6, "hold"},       {"reserve", 7, "request"},   {"reserve", 8, "hold"},
        {"extend", 0, "available"},   {"settle", 0, "available"},  {"settle", 1, "hold"},
        {"settle", 2, "used beyond"}, {"settle", 3, "used"},       {"settle", 4, "available"},
        {"settle", 5, "cycle"},       {"settle", 6, "hold"},       {"settle", 8, "usage"},
        {"void", 0, "hold"},          {"grant", 0, "available"},   {"grant", 2, "used beyond"},
        {"grant", 5, "cycle"},        {"grant", 6, "grant"},       {"grant", 7, "cycle"},
        {"grant", 8, "note"},         {"forfeit", 0, "available"}, {"forfeit", 5, "forfeited"},
        {"roll_over", 0, "rolled"},   {"roll_over", 5, "rolled"},  {"bill", 0, "available"},
        {"bill", 2, "used beyond"},   {"bill", 5, "billed"},       {"bill", 8, "billed"}};
    return parts;
  }
  void alter_entries(std::size_t which) {
    const auto& what = entry_parts()[which];
    const auto sound = stream();
    auto changed = sound;
    for (auto& each : changed) {
      for (std::size_t i = 0; i + 1 < each.texts.size(); i += 2) {
        const bool of_admin =
            what.type != "grant" || each.texts[i + 1].find("a note") != std::string::npos;
        if (each.texts[i] != what.type || !of_admin) continue;
        each.texts[i + 1] = part(what.part, 1, " \t")(each.texts[i + 1]);
        write(changed);
        expect_named("entry " + what.type + ": " + each.texts[i + 1], what.named);
        return write(sound);
      }
    }
    throw disagreement{"there is no entry to alter: " + what.type};
  }
  void take_entries_away() {
    const auto sound = stream();
    for (const std::size_t place : {std::size_t{0}, sound.size() / 2, sound.size() - 1}) {
      auto without = sound;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(place));
      write(without);
      expect_named("without element " + sound[place].id, "");
    }
    write(sound);
  }

  // --- expectations ---

  void expect_named(const std::string& what, const std::string& named) {
    ++count_;
    std::string told;
    try {
      for (const auto& found : world_.verify(books_)) {
        if (found.what.find(named) != std::string::npos) return;
        told += "\n  " + found.what + ": recorded " + found.recorded + ", proven " + found.proven;
      }
    } catch (const std::bad_optional_access&) {
      return;  // not in the form that the ledger writes, so it is not trusted
    } catch (const disagreement& unreadable) {
      told += std::string{"\n  "} + unreadable.what();
      if (told.find("cannot be read") != std::string::npos) return;
    }
    missed_ += "\n" + what + "\n  is not named: " + named + told;
  }
  void expect_sound(const std::string& when) {
    for (const auto& found : world_.verify(books_)) {
      throw disagreement{when + ": " + found.what + ": recorded " + found.recorded + ", proven " +
                         found.proven};
    }
    world_.compare_everything(books_);
  }

  // --- the clock ---

  void move_the_clock() {
    int next = 100;
    for (const auto step :
         {-2h, 2h, -48h, -1h, 24h * 400, -24h * 300, 24h * 3'000, -24h * 2'000, 1h}) {
      world_.pass(step);
      for (int i = 0; i < 5; ++i, ++next) {
        call(next, credits::from_whole(10), credits::from_whole(9), i < 4);
        world_.pass(milliseconds{dice_.between(1, 1'800'000)});
      }
      give("after " + std::to_string(next), credits::from_whole(100), "promotion",
           world_.time() + 240h);
      expect_sound("the clock has moved by " + std::to_string(step.count()) + " hours");
    }
  }

  dice& dice_;
  world world_;
  account books_;
  std::map<int, hold_id> holds_;
  int count_ = 0;
  std::string missed_;
};

}  // namespace

void run_altered(dice& dice, const script_of_a_day& day) {
  altered{dice, day}.run();
}

}  // namespace tollgate::tests
