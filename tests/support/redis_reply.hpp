// Replies of Redis, written by a test and delivered as the connection would deliver them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hiredis/hiredis.h>

#include "quota/redis/connection.hpp"

namespace tollgate::tests {

inline quota::redis::reply_ptr parse_reply(const std::string& encoded) {
  redisReader* reader = redisReaderCreate();
  redisReaderFeed(reader, encoded.data(), encoded.size());
  void* reply = nullptr;
  redisReaderGetReply(reader, &reply);
  redisReaderFree(reader);
  return quota::redis::reply_ptr{static_cast<redisReply*>(reply)};
}

inline std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string{text} + "\r\n";
}

inline std::string array(const std::vector<std::string>& encoded) {
  std::string text = "*" + std::to_string(encoded.size()) + "\r\n";
  for (const auto& element : encoded) text += element;
  return text;
}

}  // namespace tollgate::tests
