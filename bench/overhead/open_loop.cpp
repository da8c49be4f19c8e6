// A load generator with a constant rate: calls are due at fixed times, whatever happens to earlier
// ones. A call's latency counts from the time at which it was due. So a stalled proxy is charged
// for every call that waits meanwhile (wrk would not send, and not count).
//
//     bench_open_loop HOST:PORT CALLS_PER_SECOND SECONDS CONNECTIONS
//
// BENCH_KEYS names a file with one key per line; calls use them in turn.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds patience{
    10};  // for answers that are missing after the last call was sent

constexpr std::string_view body =
    R"({"model":"gpt-4","messages":[{"role":"system","content":"You are a helpful assistant."},)"
    R"({"role":"user","content":"What is the capital of France?"}],"temperature":0.7})";

struct plan {
  sockaddr_in address{};
  double rate = 0;
  double seconds = 0;
  std::size_t connections = 0;
  std::vector<std::string> requests;  // one per key

  std::size_t calls() const { return static_cast<std::size_t>(rate * seconds); }
  nanoseconds due(std::size_t call) const {
    return nanoseconds{static_cast<std::int64_t>(static_cast<double>(call) / rate * 1e9)};
  }
};

plan read_plan(char** arguments) {
  plan made;
  const std::string where = arguments[1];
  const auto colon = where.rfind(':');
  made.address.sin_family = AF_INET;
  made.address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(where.substr(colon + 1))));
  if (inet_pton(AF_INET, where.substr(0, colon).c_str(), &made.address.sin_addr) != 1)
    throw std::runtime_error{"an IPv4 address is needed"};
  made.rate = std::stod(arguments[2]);
  made.seconds = std::stod(arguments[3]);
  made.connections = std::stoul(arguments[4]);
  std::ifstream keys{std::getenv("BENCH_KEYS")};
  for (std::string key; std::getline(keys, key);)
    made.requests.push_back("POST /v1/chat/completions HTTP/1.1\r\nHost: " + where +
                            "\r\nContent-Type: application/json\r\nAuthorization: Bearer " + key +
                            "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                            std::string{body});
  if (made.requests.empty()) throw std::runtime_error{"BENCH_KEYS names no keys"};
  return made;
}

class connection {
 public:
  explicit connection(const sockaddr_in& address) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    const int on = 1;
    if (socket_ < 0 ||
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error{std::string{"connect: "} + std::strerror(errno)};
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  int socket() const { return socket_; }
  bool busy() const { return busy_; }
  nanoseconds due() const { return due_; }

  // Never partial: a request is smaller than any send buffer.
  bool send(std::string_view request, nanoseconds due) {
    busy_ = true;
    due_ = due;
    return ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(request.size());
  }

  enum class answer { incomplete, good, bad };

  answer receive() {
    char piece[16 * 1024];
    const auto n = ::recv(socket_, piece, sizeof piece, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return answer::incomplete;
    if (n <= 0) return answer::bad;
    received_.append(piece, static_cast<std::size_t>(n));
    const auto head = received_.find("\r\n\r\n");
    if (head == received_.npos) return answer::incomplete;
    const auto length = content_length(std::string_view{received_}.substr(0, head));
    if (received_.size() < head + 4 + length) return answer::incomplete;
    const bool good = received_.starts_with("HTTP/1.1 200");
    received_.clear();
    busy_ = false;
    return good ? answer::good : answer::bad;
  }

 private:
  static std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "content-length:";
    const auto same = [](char a, char b) { return (a | 0x20) == b || a == b; };
    const auto found = std::search(head.begin(), head.end(), name.begin(), name.end(), same);
    if (found == head.end()) throw std::runtime_error{"an answer without Content-Length"};
    std::size_t length = 0;
    const auto* digits = &*found + name.size();
    while (*digits == ' ') ++digits;
    std::from_chars(digits, head.data() + head.size(), length);
    return length;
  }

  int socket_;
  bool busy_ = false;
  nanoseconds due_{};
  std::string received_;
};

class generator {
 public:
  explicit generator(plan wanted) : plan_{std::move(wanted)} {
    for (std::size_t i = 0; i < plan_.connections; ++i) {
      connections_.emplace_back(plan_.address);
      polled_.push_back({connections_.back().socket(), POLLIN, 0});
    }
  }

  void run() {
    began_ = steady::now();
    const auto last = plan_.due(plan_.calls()) + patience;
    while (latencies_.size() + failed_ < plan_.calls() && elapsed() < last) {
      send_what_is_due();
      wait();
    }
    failed_ += plan_.calls() - latencies_.size() - failed_;
    took_ = elapsed();
  }

  void print() {
    std::sort(latencies_.begin(), latencies_.end());
    std::printf(
        "RESULT "
        "{\"requests\":%zu,\"seconds\":%.6f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"failed\":%zu}\n",
        latencies_.size(), static_cast<double>(took_.count()) / 1e9, percentile(50), percentile(99),
        failed_);
  }

 private:
  nanoseconds elapsed() const { return steady::now() - began_; }

  // A call without a free connection is sent late, and its latency includes the delay.
  void send_what_is_due() {
    for (auto& each : connections_) {
      if (sent_ == plan_.calls() || plan_.due(sent_) > elapsed()) return;
      if (each.busy()) continue;
      if (!each.send(plan_.requests[sent_ % plan_.requests.size()], plan_.due(sent_)))
        throw std::runtime_error{"a request could not be sent"};
      ++sent_;
    }
  }

  void wait() {
    auto left = sent_ < plan_.calls() ? plan_.due(sent_) - elapsed() : nanoseconds{100'000'000};
    // With all connections busy, an answer comes before the next request.
    if (left.count() < 0) left = nanoseconds{1'000'000};
    const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    if (::ppoll(polled_.data(), polled_.size(), &timeout, nullptr) <= 0) return;
    for (std::size_t i = 0; i < polled_.size(); ++i)
      if (polled_[i].revents != 0) receive(connections_[i]);
  }

  void receive(connection& from) {
    switch (from.receive()) {
      case connection::answer::good:
        latencies_.push_back(elapsed() - from.due());
        break;
      case connection::answer::bad:
        throw std::runtime_error{"a call failed"};
      case connection::answer::incomplete:
        break;
    }
  }

  double percentile(std::size_t percent) const {
    if (latencies_.empty()) return 0;
    return static_cast<double>(latencies_[(latencies_.size() - 1) * percent / 100].count()) / 1e6;
  }

  plan plan_;
  std::vector<connection> connections_;
  std::vector<pollfd> polled_;
  std::vector<nanoseconds> latencies_;
  std::size_t sent_ = 0, failed_ = 0;
  steady::time_point began_;
  nanoseconds took_{};
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: bench_open_loop HOST:PORT CALLS_PER_SECOND SECONDS CONNECTIONS\n");
    return 2;
  }
  try {
    generator load{read_plan(arguments)};
    load.run();
    load.print();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_open_loop: %s\n", error.what());
    return 1;
  }
  return 0;
}
