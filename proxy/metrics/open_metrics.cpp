#include "proxy/metrics/open_metrics.hpp"

#include <charconv>
#include <cmath>
#include <ostream>

#include <prometheus/text_serializer.h>

namespace tollgate::proxy::metrics {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view info_suffix = "_info";

bool is_info(const MetricFamily& family) {
  return family.type == MetricType::Gauge && family.name.ends_with(info_suffix);
}

std::string_view type_name(const MetricFamily& family) {
  if (is_info(family)) return "info";
  switch (family.type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    case MetricType::Summary:
      return "summary";
    case MetricType::Untyped:
      return "unknown";
  }
  return "unknown";
}

std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

// Scrapers compare bounds as text, so each has one spelling: "1.0", not "1".
std::string bound(double value) {
  auto text = number(value);
  if (text.find_first_not_of("0123456789") == text.npos) text += ".0";
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char character : text) {
    if (character == '\n') {
      out += "\\n";
      continue;
    }
    if (character == '\\' || character == '"') out += '\\';
    out += character;
  }
  return out;
}

void write_sample(std::ostream& out, std::string_view name, std::string_view suffix,
                  const ClientMetric& metric, std::string_view value, std::string_view le = {}) {
  out << name << suffix;
  char before = '{';
  const auto label = [&](std::string_view key, std::string_view text) {
    out << before << key << "=\"" << escaped(text) << '"';
    before = ',';
  };
  for (const auto& [key, text] : metric.label) label(key, text);
  if (!le.empty()) label("le", le);
  if (before == ',') out << '}';
  out << ' ' << value << '\n';
}

void write_histogram(std::ostream& out, std::string_view name, const ClientMetric& metric) {
  for (const auto& bucket : metric.histogram.bucket) {
    write_sample(out, name, "_bucket", metric, std::to_string(bucket.cumulative_count),
                 bound(bucket.upper_bound));
  }
  write_sample(out, name, "_count", metric, std::to_string(metric.histogram.sample_count));
  write_sample(out, name, "_sum", metric, number(metric.histogram.sample_sum));
}

void write_metric(std::ostream& out, const MetricFamily& family, std::string_view name,
                  const ClientMetric& metric) {
  switch (family.type) {
    case MetricType::Counter:
      return write_sample(out, name, "_total", metric, number(metric.counter.value));
    case MetricType::Gauge:
      return write_sample(out, name, is_info(family) ? info_suffix : "", metric,
                          number(metric.gauge.value));
    case MetricType::Histogram:
      return write_histogram(out, name, metric);
    case MetricType::Untyped:
      return write_sample(out, name, "", metric, number(metric.untyped.value));
    case MetricType::Summary:
      return;  // summaries are not used
  }
}

void write_family(std::ostream& out, const MetricFamily& family) {
  std::string_view name = family.name;
  if (is_info(family)) name.remove_suffix(info_suffix.size());
  out << "# TYPE " << name << ' ' << type_name(family) << '\n';
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (name.ends_with("_" + std::string{unit})) out << "# UNIT " << name << ' ' << unit << '\n';
  }
  out << "# HELP " << name << ' ' << escaped(family.help) << '\n';
  for (const auto& metric : family.metric) write_metric(out, family, name, metric);
}

}  // namespace

void open_metrics_serializer::Serialize(std::ostream& out,
                                        const std::vector<MetricFamily>& families) const {
  for (const auto& family : families) write_family(out, family);
  out << "# EOF\n";
}

format choose_format(std::string_view accept) {
  const bool asked_for_text = accept.find("text/plain") != accept.npos;
  const bool takes_open_metrics = accept.find("application/openmetrics-text") != accept.npos;
  return asked_for_text && !takes_open_metrics ? format::prometheus_text : format::open_metrics;
}

std::string_view content_type(format format) {
  return format == format::open_metrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string serialize(const std::vector<MetricFamily>& families, format format) {
  if (format == format::open_metrics) return open_metrics_serializer{}.Serialize(families);
  auto named = families;
  for (auto& family : named) {
    if (family.type == MetricType::Counter) family.name += "_total";
  }
  return prometheus::TextSerializer{}.Serialize(named);
}

}  // namespace tollgate::proxy::metrics
