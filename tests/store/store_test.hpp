// A connection to a real Redis, which is emptied before each test, and helpers that wait for a
// verb's answer.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "quota/redis/connection.hpp"
#include "tests/support/redis_client.hpp"
#include "tests/support/redis_server.hpp"

namespace tollgate::quota::redis {

class store_test : public testing::Test {
 protected:
  store_test() {
    redis = std::make_unique<connection>(context, here(), connection_options{},
                                         [](connection&) { return nothing_to_load(); });
    raw.call({"FLUSHALL"});
    raw.call({"SCRIPT", "FLUSH"});
    redis->start();
    while (!redis->ready()) context.run_one();
  }
  ~store_test() override { redis->stop(); }

  // Runs a verb to its end.
  template <class T>
  result<T> outcome_of(task<result<T>> verb) {
    std::optional<result<T>> out;
    asio::co_spawn(context, std::move(verb), [&](std::exception_ptr thrown, result<T> got) {
      if (thrown) std::rethrow_exception(thrown);
      out = std::move(got);
    });
    for (context.restart(); !out;) {  // it stops when no work is left
      if (context.run_one() == 0) throw std::runtime_error{"no answer will come"};
    }
    return std::move(*out);
  }
  // If the store fails, the test fails.
  template <class T>
  T ask(task<result<T>> verb) {
    return outcome_of(std::move(verb)).value();
  }

  static address here() {
    address where;
    where.unix_path = server().socket();
    return where;
  }

  asio::io_context context;
  tests::redis_client raw{server().socket()};
  std::unique_ptr<connection> redis;

 private:
  static tests::redis_server& server() {
    static tests::redis_server one;
    return one;
  }
  static task<result<void>> nothing_to_load() { co_return result<void>{}; }
};

}  // namespace tollgate::quota::redis
