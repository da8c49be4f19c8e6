// The admin API without its sockets: who may call, which call it is, and what it does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "config/load.hpp"
#include "proxy/account/billing_api.hpp"
#include "proxy/admin/org_request.hpp"
#include "proxy/net/api/message.hpp"
#include "proxy/webhooks/webhook_dispatcher.hpp"
#include "quota/directory.hpp"

namespace tollgate::proxy::admin {

// The doors to the rest of Tollgate. The stores and the webhook_dispatcher belong to the admin
// thread alone.
struct admin_services {
  quota::ledger_store& ledger;
  quota::directory& directory;
  quota::webhook_store& webhooks;
  webhooks::webhook_dispatcher& webhook_dispatcher;
  // The configuration in force; a reload may change the token and the plans.
  std::function<std::shared_ptr<const config::configuration>()> configuration;
};

class admin_api {
 public:
  // Without a feed there are no events.
  explicit admin_api(admin_services services, event_feed* feed = nullptr)
      : services_{std::move(services)}, billing_{services_.ledger, services_.configuration, feed} {}

  // Nothing: the call may go on. Asked before a body is read.
  std::optional<api_error> authorize(std::string_view authorization) const;

  // Every call under /admin/v1, once it is authorized.
  task<api_response> handle(api_request request);

 private:
  struct call {
    api_request request;
    quota::org_id org;
    std::string item;      // what follows orgs/{org}/keys/ and its like
    std::string sub_item;  // likewise orgs/{org}/webhooks/{id}/dead_letters/
    std::optional<quota::organization> found;
  };
  using handler = task<api_response> (admin_api::*)(call);
  // What a call reads itself, and refuses of it what it does not know. Of whoever reads neither
  // parameters nor a body, all is unknown.
  enum class takes : std::uint8_t { neither, parameters, body };
  struct route {
    std::string_view method, pattern;
    handler run;
    takes takes_what = takes::neither;
  };
  static const std::vector<route>& routes();

  task<api_response> run(const route& route, call call);
  static std::optional<api_error> refuse_unread(const route& route, const api_request& request);

  task<api_response> list_orgs(call call);
  task<api_response> show_org(call call);
  task<api_response> put_org(call call);
  task<api_response> configure_org(quota::changed_organization changed, org_request request,
                                   api_request http);
  task<api_response> create_key(call call);
  task<api_response> list_keys(call call);
  task<api_response> revoke_key(call call);
  task<api_response> create_grant(call call);
  task<api_response> answer_grant(quota::org_id org, quota::grant grant, bool repeated,
                                  std::string request_id);

  task<api_response> balance(call call);
  task<api_response> usage(call call);
  task<api_response> projection(call call);
  task<api_response> burn_down(call call);
  task<api_response> quote(call call);
  task<api_response> entries(call call);
  task<api_response> holds(call call);
  task<api_response> grants(call call);
  task<api_response> statements(call call);
  task<api_response> statement(call call);
  task<api_response> top_ups(call call);
  task<api_response> events(call call);
  task<api_response> buy_top_up(call call);
  task<api_response> resolve_top_up(call call);
  task<api_response> answer_top_up(quota::org_id org, std::string id, bool repeated, int status,
                                   std::string request_id);

  task<checked<quota::webhook_overview>> read_webhooks(const quota::org_id& org);
  task<checked<quota::webhook_endpoint>> find_webhook(const call& call);
  task<std::size_t> count_pending(const quota::org_id& org,
                                  const quota::webhook_endpoint& endpoint);
  task<api_response> answer_webhook(quota::org_id org, quota::webhook_endpoint endpoint);
  task<api_response> create_webhook(call call);
  task<api_response> list_webhooks(call call);
  task<api_response> show_webhook(call call);
  task<api_response> change_webhook(call call);
  task<api_response> delete_webhook(call call);
  task<api_response> rotate_webhook(call call);
  task<api_response> finish_rotation(call call);
  task<api_response> retry_webhook(call call);
  task<api_response> test_webhook(call call);
  task<api_response> list_dead_letters(call call);
  task<api_response> resend_dead_letter(call call);

  admin_services services_;
  billing_api billing_;
};

}  // namespace tollgate::proxy::admin
