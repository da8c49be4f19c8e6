// A minimal Redis client for tests that inspect the store: one command, one reply.
#pragma once

#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hiredis/hiredis.h>

#include "quota/redis/connection.hpp"

namespace tollgate::tests {

class redis_client {
 public:
  explicit redis_client(const std::string& socket) : context_{redisConnectUnix(socket.c_str())} {
    if (!context_ || context_->err != 0) throw std::runtime_error{"cannot connect to " + socket};
  }

  void write(std::string_view encoded) {
    redisAppendFormattedCommand(context_.get(), encoded.data(), encoded.size());
    for (int done = 0; done == 0;) {
      if (redisBufferWrite(context_.get(), &done) != REDIS_OK) throw std::runtime_error{"write"};
    }
  }

  quota::redis::reply_ptr read() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) throw std::runtime_error{"read"};
    return quota::redis::reply_ptr{static_cast<redisReply*>(reply)};
  }

  quota::redis::reply_ptr send(std::string_view encoded) {
    write(encoded);
    return read();
  }

  quota::redis::reply_ptr call(std::initializer_list<std::string_view> arguments) {
    std::string encoded;
    quota::redis::append_command(encoded, arguments);
    return send(encoded);
  }
  quota::redis::reply_ptr call(const std::vector<std::string>& arguments) {
    std::string encoded;
    quota::redis::append_command(encoded, arguments);
    return send(encoded);
  }

 private:
  struct closer {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, closer> context_;
};

}  // namespace tollgate::tests
