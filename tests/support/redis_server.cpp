#include "tests/support/redis_server.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quota/redis/append_only_file.hpp"

namespace tollgate::tests {

redis_server::redis_server(std::vector<std::string> options) : options_{std::move(options)} {
  auto pattern = (std::filesystem::temp_directory_path() / "tollgate-redis-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp " + pattern};
  directory_ = pattern;
  socket_ = directory_ + "/redis.sock";
  start();
}

redis_server::~redis_server() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void redis_server::start() {
  quota::redis::mend_append_only_file(directory_);
  std::vector<std::string> command{
      "redis-server", "--port",   "0",         "--unixsocket",     socket_, "--save", "",
      "--dir",        directory_, "--logfile", directory_ + "/log"};
  command.insert(command.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (auto& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error{"fork"};
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a crashed test leaves no server behind
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  for (int tries = 0; tries < 1'000; ++tries) {
    if (answers()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  throw std::runtime_error{"redis-server does not answer on " + socket_};
}

void redis_server::stop() {
  end(SIGTERM);
}
void redis_server::kill() {
  end(SIGKILL);
}

void redis_server::end(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  ::unlink(socket_.c_str());
}

bool redis_server::answers() const {
  redisContext* context = redisConnectUnix(socket_.c_str());
  if (context == nullptr) return false;
  bool pong = false;
  if (context->err == 0) {
    auto* reply = static_cast<redisReply*>(redisCommand(context, "PING"));
    pong = reply != nullptr && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
  }
  redisFree(context);
  return pong;
}

}  // namespace tollgate::tests
