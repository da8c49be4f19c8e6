// Sums cells into Prometheus metric families: values with the same name and labels add up, in
// integers; only the finished sum becomes a double.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "proxy/metrics/cells.hpp"

namespace tollgate::proxy::metrics {

using labels = std::vector<prometheus::ClientMetric::Label>;

// Families and their metrics are listed in the order in which they were first added. Counter names
// have no `_total`: the serializer adds it as its format requires.
class family_builder {
 public:
  // Declares a family, so that it is listed before anything was counted.
  void family(std::string name, prometheus::MetricType type, std::string help, double scale = 1.0);

  // Adds to the family declared last.
  void add(labels labels, std::int64_t value);
  template <const auto& bounds_us>
  void add(labels labels, const histogram<bounds_us>& cells) {
    auto& sums = find(std::move(labels));
    sums.bounds_us = bounds_us.data();
    sums.buckets.resize(histogram<bounds_us>::bucket_count);
    for (std::size_t i = 0; i < sums.buckets.size(); ++i) sums.buckets[i] += cells.bucket(i);
    sums.value += cells.sum_ns();
  }

  std::vector<prometheus::MetricFamily> take();

 private:
  struct sums {
    labels labels_;
    std::int64_t value = 0;  // for a histogram: the sum in nanoseconds
    const std::int64_t* bounds_us = nullptr;
    std::vector<std::int64_t> buckets;
  };
  struct sum_family {
    prometheus::MetricFamily head;
    double scale;
    std::vector<sums> metrics;
    std::map<labels, std::size_t> by_labels;
  };

  sums& find(labels labels);

  std::vector<sum_family> families_;
};

}  // namespace tollgate::proxy::metrics
