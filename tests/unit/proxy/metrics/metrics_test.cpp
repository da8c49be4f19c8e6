#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/app/registry.hpp"
#include "proxy/gateway/thread_metrics.hpp"
#include "proxy/metrics/family_builder.hpp"
#include "proxy/metrics/open_metrics.hpp"

namespace tollgate::proxy::metrics {
namespace {

using prometheus::MetricType;
using testing::HasSubstr;
using testing::Not;

config::configuration configured(const std::vector<std::string>& names) {
  std::vector<routes::route_settings> settings;
  for (const auto& name : names) {
    routes::route_settings route;
    route.name = name;
    route.match.path = "/" + name;
    route.upstream = "openai";
    route.action = "llm";
    route.rate = "gpt-4";
    settings.push_back(route);
  }
  auto table = routes::route_table::build(
      settings, {{.name = "gpt-4", .price = quota::credits::from_whole(10)}});
  config::configuration out;
  out.routes = std::get<routes::route_table>(std::move(table));
  out.values.upstreams.emplace_back().name = "openai";
  return out;
}

std::string text_of(const registry& registry, format format = format::open_metrics) {
  return serialize(registry.collect(), format);
}

TEST(registry, sums_up_threads) {
  registry registry;
  const auto configuration = configured({"chat"});
  for (int i = 0; i < 2; ++i) {
    auto& thread = registry.add_thread();
    const auto bound = thread.bind(configuration);
    bound.routes[0]->request(200, quota::stream_end::accepted).increment();
    bound.routes[0]->credits->settled_micro.add(100'000);
    bound.upstreams[0]->response_head.observe(std::chrono::milliseconds{30});
    thread.times.overhead.observe(std::chrono::microseconds{15});
    bound.upstreams[0]->failures[upstream_cause::refused].increment();
    thread.times.total.observe(std::chrono::microseconds{75});
    thread.times.parts[static_cast<std::size_t>(call_part::store)].observe(
        std::chrono::microseconds{60});
    thread.connections.increment();
    thread.in_flight.set(3);
  }
  const auto text = text_of(registry);
  const std::string accepted{quota::to_string(quota::stream_end::accepted)};
  EXPECT_THAT(text, HasSubstr("tollgate_requests_total{route=\"chat\",status=\"2xx\",end=\"" +
                              accepted + "\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_credits_settled_total{action=\"llm\"} 0.2\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_connections 2\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_requests_in_flight 6\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_request_overhead_seconds_bucket{le=\"1e-05\"} 0\n"
                              "tollgate_request_overhead_seconds_bucket{le=\"2e-05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_request_overhead_seconds_bucket{le=\"+Inf\"} 2\n"
                              "tollgate_request_overhead_seconds_count 2\n"
                              "tollgate_request_overhead_seconds_sum 3e-05\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_request_seconds_sum 0.00015\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_request_wait_seconds_sum{part=\"store\"} 0.00012\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_request_wait_seconds_count{part=\"connect\"} 0\n"));
  EXPECT_THAT(
      text,
      HasSubstr("tollgate_upstream_failures_total{upstream=\"openai\",cause=\"refused\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("_head_seconds_bucket{upstream=\"openai\",le=\"0.05\"} 2\n"));
}

TEST(registry, loses_nothing_with_a_reload) {
  registry registry;
  auto& thread = registry.add_thread();
  const auto before = thread.bind(configured({"chat", "old"}));
  before.routes[0]->refusals[routes::problem_code::insufficient_credits].increment();
  const auto after = thread.bind(configured({"new", "chat"}));
  EXPECT_EQ(after.routes[1], before.routes[0]) << "found again by its name";
  after.routes[1]->refusals[routes::problem_code::insufficient_credits].increment();
  before.routes[1]->shadow_refusals.increment();
  const auto text = text_of(registry);
  EXPECT_THAT(
      text, HasSubstr("tollgate_refusals_total{route=\"chat\",code=\"insufficient_credits\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_shadow_refusals_total{route=\"old\"} 1\n"));
}

TEST(registry, counts_requests_without_a_route_or_an_answer) {
  registry registry;
  auto& thread = registry.add_thread();
  const auto bound = thread.bind(configured({}));
  bound.no_route->request(404, quota::stream_end::not_sent).increment();
  bound.no_route->request(0, quota::stream_end::client_gone_early).increment();
  bound.no_route->request(999, quota::stream_end::not_sent).increment();
  const auto text = text_of(registry);
  EXPECT_THAT(text, HasSubstr("tollgate_requests_total{route=\"\",status=\"4xx\","));
  EXPECT_THAT(text, HasSubstr("tollgate_requests_total{route=\"\",status=\"none\","));
}

TEST(registry, can_be_scraped_while_threads_count) {
  registry registry;
  const auto configuration = configured({"chat"});
  auto& thread = registry.add_thread();
  std::thread writer{[&] {
    for (int i = 0; i < 200; ++i) {
      const auto bound = thread.bind(configuration);
      for (int j = 0; j < 100; ++j) {
        bound.routes[0]->request(200, quota::stream_end::accepted).increment();
        thread.times.overhead.observe(std::chrono::microseconds{j});
      }
    }
  }};
  for (int i = 0; i < 20; ++i) EXPECT_THAT(text_of(registry), HasSubstr("# EOF"));
  writer.join();
  EXPECT_THAT(
      text_of(registry),
      HasSubstr("status=\"2xx\",end=\"" +
                std::string{quota::to_string(quota::stream_end::accepted)} + "\"} 20000\n"));
}

TEST(registry, knows_its_process) {
  registry registry;
  registry.process.configuration_loaded_at_ms = 1'700'000'000'500;
  const auto text = text_of(registry);
  EXPECT_THAT(text, HasSubstr("# TYPE tollgate_build info\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_build_info{version=\"" TOLLGATE_VERSION "\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tollgate_config_loaded_timestamp_seconds 1700000000.5\n"));
  EXPECT_THAT(text, HasSubstr("# UNIT process_resident_memory_bytes bytes\n"));
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("process_open_fds 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("process_start_time_seconds 0\n")));
}

TEST(histogram, puts_a_bound_into_its_own_bucket) {
  histogram<overhead_bounds_us> cells;
  cells.observe(std::chrono::microseconds{10});
  cells.observe(std::chrono::nanoseconds{10'001});
  cells.observe(std::chrono::seconds{1});
  cells.observe(std::chrono::hours{1});
  EXPECT_EQ(cells.bucket(0), 1);
  EXPECT_EQ(cells.bucket(1), 1);
  EXPECT_EQ(cells.bucket(overhead_bounds_us.size() - 1), 1);
  EXPECT_EQ(cells.bucket(overhead_bounds_us.size()), 1);
}

TEST(by_enum, counts_what_it_does_not_know_in_the_last_cell) {
  by_enum<routes::problem_code, 4> cells;
  cells[static_cast<routes::problem_code>(200)].increment();
  EXPECT_EQ(cells.read(3), 1);
}

TEST(open_metrics, is_written_to_the_letter) {
  family_builder builder;
  builder.family("jobs", MetricType::Counter, "Say \"hi\"\nand \\ bye.");
  builder.add({{"name", "a\"b\\c\nd"}}, 3);
  builder.add({{"name", "a\"b\\c\nd"}}, 4);
  builder.family("age_seconds", MetricType::Gauge, "Age.", 1000);
  builder.add({}, 1500);
  EXPECT_EQ(serialize(builder.take(), format::open_metrics),
            "# TYPE jobs counter\n"
            "# HELP jobs Say \\\"hi\\\"\\nand \\\\ bye.\n"
            "jobs_total{name=\"a\\\"b\\\\c\\nd\"} 7\n"
            "# TYPE age_seconds gauge\n"
            "# UNIT age_seconds seconds\n"
            "# HELP age_seconds Age.\n"
            "age_seconds 1.5\n"
            "# EOF\n");
}

TEST(open_metrics, falls_back_to_the_older_text) {
  family_builder builder;
  builder.family("jobs", MetricType::Counter, "Jobs.");
  builder.add({}, 3);
  const auto text = serialize(builder.take(), format::prometheus_text);
  EXPECT_THAT(text, HasSubstr("# TYPE jobs_total counter\njobs_total 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("# EOF")));
}

TEST(open_metrics, is_chosen_by_the_accept_header) {
  EXPECT_EQ(choose_format(""), format::open_metrics);
  EXPECT_EQ(choose_format("*/*"), format::open_metrics);
  EXPECT_EQ(
      choose_format("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"),
      format::open_metrics);
  EXPECT_EQ(choose_format("text/plain;version=0.0.4;q=1,*/*;q=0.1"), format::prometheus_text);
}

}  // namespace
}  // namespace tollgate::proxy::metrics
