// A call that is open when its key is revoked, or its organization is suspended.
#pragma once

#include "tests/unit/proxy/gateway/exchange/conversation.hpp"

namespace tollgate::proxy {

inline constexpr auto revoked = key_cache::standing::revoked;
inline constexpr auto suspended = key_cache::standing::suspended;
inline const std::string upgrade = "Upgrade: websocket\r\nConnection: upgrade\r\n";

class a_call_that_loses_access : public conversation {
 protected:
  void lose(key_cache::standing how) {
    ASSERT_NE(call, nullptr);
    ASSERT_NE(call->admitted_by(), nullptr);
    EXPECT_EQ(*call->admitted_by(), quota::hash_key("tg_live_acme"));
    call->lost_access(how);
    EXPECT_TRUE(call == nullptr || call->admitted_by() == nullptr);  // it is told once
    run();
  }
  // A suspension is nothing to it.
  void ignores_suspension() {
    ASSERT_NE(call, nullptr);
    call->lost_access(suspended);
    run();
    ASSERT_NE(call, nullptr);
    EXPECT_NE(call->admitted_by(), nullptr);  // its key may still be revoked
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    host->deadlines().tick(now);
    run();
  }
  std::shared_ptr<tests::memory_pipe> open_socket() {
    auto up = expect_connection();
    ask(get("/ws", upgrade));
    up->send("HTTP/1.1 101 Switching Protocols\r\n" + upgrade + "\r\n");
    run();
    answer();
    return up;
  }
  static std::string text_frame(const std::string& text) {
    return std::string{'\x81'} + static_cast<char>(text.size()) + text;
  }

  steady_time now = host->deadlines().now();
};

}  // namespace tollgate::proxy
