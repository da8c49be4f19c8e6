#include "proxy/app/running_store.hpp"

#include <stdexcept>

#include <spdlog/spdlog.h>

#include "quota/redis/store_schema.hpp"
#include "quota/redis/store_url.hpp"

namespace tollgate::proxy {

namespace {

// How long to wait for the answer that the store has a later schema. A store that does not answer
// may start later.
constexpr std::chrono::milliseconds patience{300};

}  // namespace

running_store::running_store(const config::store_settings& settings,
                             const std::function<bool()>& gives_up)
    : settings_{settings} {
  const auto url = quota::redis::parse_store_url(settings.url);
  if (!url) throw std::runtime_error{"store: " + url.error()};
  where_ = url->is_embedded() ? start_embedded(url->directory, gives_up) : url->where;
  const auto refused = quota::redis::why_refused(where_, patience);
  if (!refused.empty()) throw std::runtime_error{"store: " + refused};
}

quota::redis::address running_store::start_embedded(const std::string& directory,
                                                    const std::function<bool()>& gives_up) {
  quota::redis::embedded_options options;
  options.on_event = [](const std::string& event) { spdlog::warn("embedded store: {}", event); };
  options.gives_up = gives_up;
  embedded_.emplace(directory, std::move(options));
  auto started = embedded_->start();
  if (!started) throw std::runtime_error{"store: " + started.error().message};
  return *std::move(started);
}

quota::store_opener running_store::opener(quota::redis::store_options options) const {
  options.timeout = settings_.timeout;
  options.report_timeout = settings_.report_timeout;
  options.on_refusal = [log = log_](const std::string& why) { log->refused(why); };
  return [where = where_, options, log = log_](asio::io_context& context) mutable {
    options.on_state = [log, number = log->add()](const quota::store_state& now) {
      log->note(number, now);
    };
    return quota::redis::open_store(context, where, options);
  };
}

void running_store::stop() {
  if (embedded_) embedded_->stop();
}

}  // namespace tollgate::proxy
