// The hold of a call, written as conversations with the ledger. Each is replayed with every answer
// of the ledger failing in turn: whatever fails, the account ends with the right balance.
#include "proxy/gateway/exchange/held_charge.hpp"

#include "tests/unit/proxy/gateway/exchange/fixture.hpp"

namespace tollgate::proxy {
namespace {

using quota::stream_end;
using tests::fault_plan;

class held_charges : public exchange_fixture {
 protected:
  // One call, and its parts.
  struct played {
    explicit played(held_charges& test, const std::string& path)
        : client{std::make_shared<downstream>(tcp_socket{test.context.get_executor()},
                                              test.host->deadlines(), "127.0.0.1")},
          context{*test.host,           *client,       reader, framing::none,
                  test.host->current(), steady_time{}, "req-1"} {
      EXPECT_FALSE(reader.read_head(
          "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n"));
      what.payer.org = "acme";
      what.payer.key_id = "key_acme";
      auto target = routes::read_target(reader.head().request());
      what.head.target = std::get<routes::clean_target>(target);
      const std::string body = R"({"model":"gpt-4o"})";
      auto found =
          context.view->config->routes.classify(reader.head().request(), what.head.target, &body);
      auto& classified = std::get<routes::classified>(found);
      what.work.emplace(priced{classified, context.view->index_of(*classified.matched)});
      metered.begin(what.route(), what.work->found);
    }

    std::shared_ptr<downstream> client;
    request_reader reader;
    exchange_context context;
    call what;
    metered_body metered;
    std::unique_ptr<held_charge> hold = std::make_unique<held_charge>(context, metered);
  };
  using step = std::function<task<>(played&)>;

  // Plays it once, then again with each answer of the ledger failing in turn: either the operation
  // is not done, or only its answer is lost. `left`: the account's balance afterwards; if nothing
  // was held, the whole balance.
  void hold_failing_at_every_step(const std::string& path, const step& story, quota::credits left) {
    const int steps = play(path, story, {});
    EXPECT_EQ(available(), left);
    for (int failing = 0; failing < steps; ++failing) {
      for (const auto when :
           {fault_plan::when::before_it_is_done, fault_plan::when::after_it_is_done}) {
        SCOPED_TRACE("answer " + std::to_string(failing) +
                     (when == fault_plan::when::after_it_is_done ? ", after it was done" : ""));
        store.account("acme") = {};
        wait_for(store.apply("acme", quota::grant{"g", 100_credits, "purchase", {}}));
        play(path, story, {failing, when});
        EXPECT_EQ(available(), was_held ? left : 100_credits);
      }
    }
  }

  // Returns the number of the ledger's answers.
  int play(const std::string& path, const step& story, fault_plan faults) {
    const auto resolved = [this] {
      return host->charges().counted().settled + host->charges().counted().voided;
    };
    const auto before = resolved();
    store.faults = &faults;
    was_held = false;
    {
      played one{*this, path};
      wait_for(tell(one, story));
    }
    for (int i = 0; i < 200 && host->charges().pending() > 0; ++i) {
      context.restart();
      context.run_one_for(10ms);
    }
    store.faults = nullptr;
    EXPECT_EQ(host->charges().pending(), 0U);
    EXPECT_EQ(store.account("acme").row().held, quota::credits{});
    EXPECT_EQ(resolved() - before, was_held ? 1U : 0U);
    return faults.taken();
  }

  task<> tell(played& one, const step& story) {
    const auto held = co_await one.hold->reserve(one.what);
    was_held = held.has_value();
    if (was_held) co_await story(one);
  }

  bool was_held = false;
};

TEST_F(held_charges, that_are_answered_are_settled) {
  const auto story = [](played& one) -> task<> {
    one.hold->ends(stream_end::no_answer);
    one.hold->began();
    one.hold->ends(stream_end::accepted);
    one.hold->answer_began();
    EXPECT_EQ(one.hold->price_in_head(), 10_credits);
    EXPECT_EQ(one.hold->remaining(10_credits), 90_credits);
    const auto done = one.hold->resolve();
    EXPECT_EQ(done->charged, 10_credits);
    EXPECT_TRUE(done->settles);
    EXPECT_FALSE(one.hold->resolve().has_value());  // only once
    co_return;
  };
  hold_failing_at_every_step("/v1/chat/completions", story, 90_credits);
}

TEST_F(held_charges, that_the_upstream_refuses_are_given_back) {
  const auto story = [](played& one) -> task<> {
    one.hold->ends(stream_end::refused);
    EXPECT_FALSE(one.hold->settles());
    EXPECT_EQ(one.hold->price_in_head(), 0_credits);
    const auto done = one.hold->resolve();
    EXPECT_EQ(done->charged, 0_credits);
    co_return;
  };
  hold_failing_at_every_step("/v1/chat/completions", story, 100_credits);
}

TEST_F(held_charges, that_are_left_alone_are_resolved_by_their_destructor) {
  const auto given_up = [](played&) -> task<> { co_return; };
  hold_failing_at_every_step("/v1/chat/completions", given_up, 100_credits);
  const auto answered = [](played& one) -> task<> {
    one.hold->ends(stream_end::accepted);
    co_return;
  };
  store.account("acme") = {};
  wait_for(store.apply("acme", quota::grant{"g", 100_credits, "purchase", {}}));
  hold_failing_at_every_step("/v1/chat/completions", answered, 90_credits);
}

TEST_F(held_charges, grow_with_what_is_metered) {
  const auto story = [](played& one) -> task<> {
    one.hold->ends(stream_end::accepted);
    EXPECT_FALSE(one.hold->price_in_head().has_value());  // depends on how the call ends
    for (const std::int64_t seconds : {1, 4, 9, 20}) {
      one.hold->meter({seconds * 1'000'000}, false);
    }
    const auto covered =
        co_await one.hold->cover({30'000'000}, false, held_charge::patience::until_covered);
    EXPECT_EQ(covered, coverage::covered);
    one.metered.close_at({30'000'000});
    const auto done = one.hold->resolve();
    EXPECT_EQ(done->charged, 30_credits);
    EXPECT_EQ(done->extended + done->estimate >= 30_credits, true);
  };
  hold_failing_at_every_step("/v1/audio/speech", story, 70_credits);
}

TEST_F(held_charges, do_not_grow_beyond_the_credits) {
  played one{*this, "/v1/audio/speech"};
  wait_for(tell(one, [](played& it) -> task<> {
    it.metered.tap(it.reader.head());
    it.hold->ends(stream_end::accepted);
    const auto covered =
        co_await it.hold->cover({101'000'000}, true, held_charge::patience::until_covered);
    EXPECT_EQ(covered, coverage::exhausted);
    EXPECT_TRUE(it.hold->exhausted());
    const auto why = it.hold->out_of_credits(false);
    EXPECT_EQ(why.code, problem_code::insufficient_credits);
    EXPECT_NE(why.message.find("so far; the upload has not ended"), std::string::npos);
    it.metered.close_at({99'000'000});
    it.hold->resolve();
  }));
  EXPECT_EQ(available(), 1_credits);
}

TEST_F(held_charges, are_given_up_with_those_who_wait_for_them) {
  played one{*this, "/v1/audio/speech"};
  wait_for(tell(one, [](played& it) -> task<> {
    it.context.timed_out = true;
    const auto covered =
        co_await it.hold->cover({50'000'000}, true, held_charge::patience::while_wanted);
    EXPECT_EQ(covered, coverage::abandoned);
  }));
}

// The ledger answers and extends nothing: the number of attempts is limited.
TEST_F(held_charges, are_not_asked_for_without_end) {
  played one{*this, "/v1/audio/speech"};
  wait_for(tell(one, [this](played& it) -> task<> {
    store.reachable = false;
    const auto covered =
        co_await it.hold->cover({50'000'000}, true, held_charge::patience::until_covered);
    EXPECT_EQ(covered, coverage::unavailable);
    store.reachable = true;
  }));
}

TEST_F(held_charges, are_refused_with_what_there_is) {
  add_customer("poor", "tg_live_poor", 3_credits);
  played one{*this, "/v1/chat/completions"};
  one.what.payer.org = "poor";
  const auto story = [](played&) -> task<> { co_return; };
  wait_for(tell(one, story));
  EXPECT_FALSE(was_held);
  EXPECT_FALSE(one.hold->in_place());
  EXPECT_EQ(one.hold->remaining(0_credits), 3_credits);
  EXPECT_FALSE(one.hold->resolve().has_value());
  EXPECT_EQ(host->charges().pending(), 0U);
}

TEST_F(held_charges, are_not_waited_for_while_the_ledger_is_away) {
  store.reachable = false;
  played one{*this, "/v1/chat/completions"};
  bool done = false;
  asio::co_spawn(context, one.hold->reserve(one.what), [&](std::exception_ptr, auto held) {
    done = true;
    EXPECT_EQ(held.error().code, problem_code::ledger_unavailable);
  });
  context.restart();
  for (int i = 0; i < 2000 && !done; ++i) context.run_one_for(10ms);
  EXPECT_TRUE(done);
  EXPECT_FALSE(one.hold->remaining(0_credits).has_value());
  EXPECT_EQ(host->charges().pending(), 0U);
}

}  // namespace
}  // namespace tollgate::proxy
