#include "proxy/metrics/family_builder.hpp"

#include <limits>

namespace tollgate::proxy::metrics {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

ClientMetric::Histogram make_histogram(const std::int64_t* bounds_us,
                                       const std::vector<std::int64_t>& buckets,
                                       std::int64_t sum_ns) {
  ClientMetric::Histogram out;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    out.sample_count += static_cast<std::uint64_t>(buckets[i]);
    const bool last = i + 1 == buckets.size();
    out.bucket.push_back({out.sample_count, last ? std::numeric_limits<double>::infinity()
                                                 : static_cast<double>(bounds_us[i]) / 1e6});
  }
  out.sample_sum = static_cast<double>(sum_ns) / 1e9;
  return out;
}

}  // namespace

void family_builder::family(std::string name, MetricType type, std::string help, double scale) {
  prometheus::MetricFamily head;
  head.name = std::move(name);
  head.help = std::move(help);
  head.type = type;
  families_.push_back({std::move(head), scale, {}, {}});
}

family_builder::sums& family_builder::find(labels labels) {
  auto& family = families_.back();
  const auto [place, added] = family.by_labels.try_emplace(labels, family.metrics.size());
  if (added) family.metrics.push_back({std::move(labels), 0, nullptr, {}});
  return family.metrics[place->second];
}

void family_builder::add(labels labels, std::int64_t value) {
  find(std::move(labels)).value += value;
}

std::vector<prometheus::MetricFamily> family_builder::take() {
  std::vector<prometheus::MetricFamily> out;
  for (auto& [head, scale, metrics, by_labels] : families_) {
    for (auto& sums : metrics) {
      ClientMetric metric;
      metric.label = std::move(sums.labels_);
      const double value = static_cast<double>(sums.value) / scale;
      if (head.type == MetricType::Counter) metric.counter.value = value;
      if (head.type == MetricType::Gauge) metric.gauge.value = value;
      if (head.type == MetricType::Histogram) {
        metric.histogram = make_histogram(sums.bounds_us, sums.buckets, sums.value);
      }
      head.metric.push_back(std::move(metric));
    }
    out.push_back(std::move(head));
  }
  families_.clear();
  return out;
}

}  // namespace tollgate::proxy::metrics
