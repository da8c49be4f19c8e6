// The two ways in which a client's input ends: the client may still wait for an answer, or it has
// left.
#include "proxy/gateway/downstream.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

class client_and_server : public testing::Test {
 protected:
  client_and_server() {
    asio::ip::tcp::acceptor acceptor{context_, {asio::ip::make_address("127.0.0.1"), 0}};
    client_.connect(acceptor.local_endpoint());
    tcp_socket accepted{context_.get_executor()};
    acceptor.accept(accepted);
    accepted.non_blocking(true);
    server_ = std::make_shared<downstream>(std::move(accepted), deadlines_, "127.0.0.1");
    server_->on_gone([this] { left_ = true; });
    server_->watch(1024);
  }
  ~client_and_server() override {
    server_->io.close();
    context_.restart();
    context_.run();
  }

  // Runs until the condition holds, or for a second.
  template <class Condition>
  bool comes(Condition condition) {
    for (int i = 0; i < 100 && !condition(); ++i) {
      context_.restart();
      context_.run_for(std::chrono::milliseconds{10});
    }
    return condition();
  }

  asio::io_context context_;
  deadline_list deadlines_{std::chrono::steady_clock::now()};
  asio::ip::tcp::socket client_{context_};
  std::shared_ptr<downstream> server_;
  bool left_ = false;
};

TEST_F(client_and_server, who_closes_one_half_has_not_left) {
  client_.shutdown(asio::ip::tcp::socket::shutdown_send);
  EXPECT_TRUE(comes([&] { return server_->at_end(); }));
  EXPECT_FALSE(comes([&] { return left_ || server_->gone(); }));
}

TEST_F(client_and_server, who_has_closed_all_of_it_shows_when_written_to) {
  client_.close();
  EXPECT_TRUE(comes([&] { return server_->at_end(); }));
  EXPECT_FALSE(server_->gone());
  asio::write(server_->io.socket(), asio::buffer("hello", 5));
  EXPECT_TRUE(comes([&] { return left_; }));
  EXPECT_TRUE(server_->gone());
}

TEST_F(client_and_server, who_resets_has_left) {
  client_.set_option(asio::socket_base::linger{true, 0});
  client_.close();
  EXPECT_TRUE(comes([&] { return left_; }));
  EXPECT_TRUE(server_->gone());
}

TEST_F(client_and_server, of_an_answer_without_an_end_who_closes_one_half_has_left) {
  client_.shutdown(asio::ip::tcp::socket::shutdown_send);
  EXPECT_TRUE(comes([&] { return server_->at_end(); }));
  server_->end_means_gone();
  EXPECT_TRUE(left_);
}

TEST_F(client_and_server, whom_we_cut_off_has_not_left_by_itself) {
  server_->cut();
  EXPECT_TRUE(comes([&] { return left_; }));
  EXPECT_TRUE(server_->was_cut());
}

}  // namespace
}  // namespace tollgate::proxy
