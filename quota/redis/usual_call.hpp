// One FCALL for the usual batches of many organizations. A quiet organization has nothing to batch,
// so they share the cost that Redis has for each call. If an account turns out not to be usual,
// nothing was applied to it, and its batch is sent in a call of its own.
#pragma once

#include <memory>
#include <vector>

#include "quota/redis/batch.hpp"

namespace tollgate::quota::redis {

class usual_call final : public reply_sink {
 public:
  // Bounds how long one call blocks Redis for others: about 20 microseconds per batch.
  static constexpr std::size_t max_batches = 32;

  // All ids are of this hour, and so is the usage that is counted.
  usual_call(batch_scheduler& from, std::int64_t hour);

  std::int64_t hour() const { return hour_; }
  bool empty() const { return batches_.empty(); }
  bool full() const { return batches_.size() >= max_batches; }
  void add(std::unique_ptr<batch> batch) { batches_.push_back(std::move(batch)); }

  static void send(std::unique_ptr<usual_call> self);
  void complete(error_code ec, const redisReply* reply) noexcept override;

 private:
  std::string encode() const;
  void refused(std::string_view error);
  void answered(std::string_view text);

  std::shared_ptr<batch_scheduler> from_;
  std::int64_t hour_;
  std::vector<std::unique_ptr<batch>> batches_;
};

}  // namespace tollgate::quota::redis
