// Formats metric families as text for a scraper.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/serializer.h>

namespace tollgate::proxy::metrics {

// OpenMetrics 1.0.0. Counters have no `_total` in their family's name and have it in their
// samples'; a gauge named `..._info` is an info metric; a name that ends in a unit has a UNIT line.
class open_metrics_serializer final : public prometheus::Serializer {
 public:
  using Serializer::Serialize;
  void Serialize(std::ostream& out,
                 const std::vector<prometheus::MetricFamily>& families) const override;
};

enum class format : std::uint8_t { open_metrics, prometheus_text };

// OpenMetrics, unless the Accept header lists types without it.
format choose_format(std::string_view accept);
std::string_view content_type(format format);
std::string serialize(const std::vector<prometheus::MetricFamily>& families, format format);

}  // namespace tollgate::proxy::metrics
