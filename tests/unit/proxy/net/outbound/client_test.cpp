// An outbound request to a name with several addresses, over the loopback interface.
#include "proxy/net/outbound/client.hpp"

#include <array>
#include <deque>
#include <memory>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

namespace tollgate::proxy::outbound {
namespace {

using namespace std::chrono_literals;
using tcp = asio::ip::tcp;

class a_name_with_two_addresses : public testing::Test {
 protected:
  a_name_with_two_addresses() {
    // A listener with a full queue: like an address behind which nothing is.
    dead.open(tcp::v4());
    dead.bind({asio::ip::make_address("127.0.0.2"), port()});
    dead.listen(0);
    const auto to = dead.local_endpoint();
    for (int i = 0; i < 3; ++i) {
      waiting.emplace_back(context).open(tcp::v4());
      waiting.back().non_blocking(true);
      ::connect(waiting.back().native_handle(), to.data(), static_cast<socklen_t>(to.size()));
    }
    serve();
  }
  std::uint16_t port() const { return live.local_endpoint().port(); }

  void serve() {
    live.async_accept([this](error_code ec, tcp::socket accepted) {
      if (ec) return;
      served.push_back(std::make_unique<tcp::socket>(std::move(accepted)));
      served.back()->async_read_some(asio::buffer(received), [this](error_code, std::size_t) {
        static constexpr std::string_view answer =
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        asio::write(*served.back(), asio::buffer(answer));
        serve();
      });
    });
  }
  // How long a request takes; nothing if it fails.
  std::optional<std::chrono::milliseconds> ask(client& from) {
    const url to{false, "several.test", port(), "several.test", "/"};
    request what;
    what.target = "/";
    const auto began = std::chrono::steady_clock::now();
    std::optional<result<reply>> got;
    asio::co_spawn(context, from.send(to, what, began + 3s),
                   [&](std::exception_ptr, auto answer) { got.emplace(std::move(answer)); });
    context.restart();
    while (!got && context.run_one_for(20s) > 0) {
    }
    if (!got || !*got) return {};
    EXPECT_EQ((*got)->status, 200);
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 began);
  }

  asio::io_context context;
  tcp::acceptor live{context, {asio::ip::make_address("127.0.0.1"), 0}};
  tcp::acceptor dead{context};
  std::deque<tcp::socket> waiting;
  std::deque<std::unique_ptr<tcp::socket>> served;
  std::array<char, 4096> received{};
};

TEST_F(a_name_with_two_addresses, of_which_one_is_dead_is_asked_at_the_other) {
  name_resolver names{
      1, [](const std::string&) {
        return name_resolver::answer{
            {}, {asio::ip::make_address("127.0.0.2"), asio::ip::make_address("127.0.0.1")}};
      }};
  client asking{"", {}, &names};
  ASSERT_TRUE(ask(asking).has_value());
  const auto again = ask(asking);
  ASSERT_TRUE(again.has_value());
  EXPECT_LT(*again, 250ms) << "it has forgotten which one answers";
}

}  // namespace
}  // namespace tollgate::proxy::outbound
