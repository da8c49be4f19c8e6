// The admin API as a conversation: calls and their answers.
#include <gmock/gmock.h>

#include "tests/unit/proxy/admin/api_test.hpp"

namespace tollgate::proxy::admin {
namespace {

using testing::HasSubstr;
using admin_api_test = api_test;

TEST_F(admin_api_test, lets_only_the_token_in) {
  EXPECT_FALSE(api_.authorize("Bearer correct horse"));
  EXPECT_FALSE(api_.authorize("bearer correct horse"));
  EXPECT_EQ(api_.authorize("")->code, "missing_admin_token");
  EXPECT_EQ(api_.authorize("Basic Zm9v")->code, "missing_admin_token");
  EXPECT_EQ(api_.authorize("Bearer")->code, "missing_admin_token");
  for (const auto* wrong :
       {"Bearer ", "Bearer correct hors", "Bearer correct horse ", "Bearer x"}) {
    EXPECT_EQ(api_.authorize(wrong)->code, "invalid_admin_token") << wrong;
    EXPECT_EQ(api_.authorize(wrong)->status, 401);
  }
  const auto response = failure(*api_.authorize(""), "r1");
  EXPECT_EQ(header(response, "WWW-Authenticate"), "Bearer");
}

TEST_F(admin_api_test, is_closed_without_a_token) {
  configuration_->values.admin.token.clear();
  EXPECT_EQ(api_.authorize("Bearer ")->code, "admin_disabled");
  EXPECT_EQ(api_.authorize("")->status, 403);
}

TEST_F(admin_api_test, takes_a_new_token_with_a_reload) {
  configuration_ = std::make_shared<config::configuration>(*configuration_);
  configuration_->values.admin.token = "another";
  EXPECT_TRUE(api_.authorize("Bearer correct horse"));
  EXPECT_FALSE(api_.authorize("Bearer another"));
}

TEST_F(admin_api_test, creates_and_changes_an_organization) {
  auto response = call("PUT", "orgs/acme", R"({"plan":"pro"})");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(
      response.body,
      R"({"success":true,"data":{"id":"acme","plan":"pro","mode":"enforce",)"
      R"("suspended":false,"overage":true,"spend_cap_usd":null,)"
      R"("critical_overdraft_credits":null,"auto_top_up":null,"limits":[],"alerts":[],)"
      R"("stripe_customer":null,"terms":{"credits":200000,)"
      R"("rollover":{"up_to_percent":100,"cycles":1},"overage_usd":0.01,)"
      R"("top_up_minimum_usd":25,"requests":null},"plan_change":null,)"
      R"("cycle":{"anchor_day":15,"start":"2026-03-15T00:00:00Z","end":"2026-04-15T00:00:00Z"},)"
      R"("created_at":"2026-03-15T10:20:30.250Z"}})"
      "\n");
  store_.time += std::chrono::hours{1};
  response = call("PUT", "orgs/acme", R"({"suspended":true,"mode":"shadow"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(at(response, "data/plan"), "pro") << "what is not mentioned stays";
  EXPECT_EQ(at(response, "data/mode"), "shadow");
  EXPECT_EQ(at(response, "data/created_at"), "2026-03-15T10:20:30.250Z");
  EXPECT_TRUE(store_.account("acme").row().suspended);
  EXPECT_EQ(at(call("PUT", "orgs/acme", R"({"plan":null,"suspended":false})"), "data/plan"),
            "null");
  EXPECT_EQ(at(call("GET", "orgs/acme"), "data/suspended"), "false");
  EXPECT_EQ(call("HEAD", "orgs/acme").status, 200);
}

// Event streams get it at once, not with the next sweep.
TEST_F(admin_api_test, suspending_an_organization_is_told) {
  const auto types = [&] {
    std::vector<std::string> all;
    for (const auto& event : store_.account("acme").events()) all.push_back(event.type);
    return all;
  };
  configuration_->values.webhooks.allow_private = true;
  create("acme");
  ASSERT_EQ(call("POST", "orgs/acme/webhooks",
                 R"({"url":"https://127.0.0.1:9/","events":["account.suspended"]})")
                .status,
            201);
  EXPECT_EQ(call("PUT", "orgs/acme", R"({"suspended":true})").status, 200);
  EXPECT_EQ(call("PUT", "orgs/acme", R"({"suspended":true})").status, 200);
  EXPECT_EQ(types(), (std::vector<std::string>{"billing_updated", "suspended"}));
  control_.run();
  EXPECT_EQ(counts_.deliveries.read(static_cast<std::size_t>(webhooks::verdict::failed)), 1);
  EXPECT_EQ(call("PUT", "orgs/acme", R"({"suspended":false})").status, 200);
  EXPECT_EQ(types().back(), "resumed");
}

TEST_F(admin_api_test, refuses_what_it_does_not_understand_of_an_organization) {
  const auto param = [&](std::string body) {
    const auto response = call("PUT", "orgs/acme", std::move(body));
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(at(response, "error/code"), "invalid_request");
    return at(response, "error/param") + ": " + at(response, "error/message");
  };
  EXPECT_THAT(param(R"({"plan":"prp"})"), HasSubstr("plan: unknown plan \"prp\""));
  EXPECT_THAT(param(R"({"plan":"prp"})"), HasSubstr("\"pro\""));
  EXPECT_THAT(param(R"({"plan":7})"), HasSubstr("plan is a string, not a number"));
  EXPECT_THAT(param(R"({"suspended":"yes"})"), HasSubstr("suspended is true or false"));
  EXPECT_THAT(param(R"({"mode":"watch"})"), HasSubstr("mode must be shadow or enforce"));
  EXPECT_THAT(param(R"({"suspend":true})"), HasSubstr("\"suspended\""));
  EXPECT_THAT(param(R"({"alerts":[0]})"), HasSubstr("alerts[0]"));
  EXPECT_THAT(param(R"({"alerts":[50,50]})"), HasSubstr("is duplicated"));
  EXPECT_THAT(param(R"({"alerts":[50.5]})"), HasSubstr("a percentage of the cycle's credits"));
  EXPECT_THAT(param(R"({"alerts":[{"spend_cap_percent":101}]})"), HasSubstr("1 to 100"));
  EXPECT_THAT(param(R"({"alerts":[{"credits":0}]})"),
              HasSubstr("alerts[0]: credits must be above 0"));
  EXPECT_THAT(param(R"({"alerts":[{}]})"), HasSubstr("spend_cap_percent or credits"));
  EXPECT_THAT(param(R"({"alerts":[{"agnet":"a1","credits":5}]})"),
              HasSubstr("did you mean \"agent\""));
  EXPECT_THAT(param(R"({"alerts":[{"agent":"a1"}]})"),
              HasSubstr("needs one of percent and credits"));
  EXPECT_THAT(param(R"({"alerts":[{"agent":"a1","credits":5,"percent":5}]})"),
              HasSubstr("needs one of percent and credits"));
  EXPECT_THAT(param(R"({"alerts":[{"agent":"a1","key":"k1","credits":5}]})"),
              HasSubstr("one of agent, conversation and key, not several"));
  EXPECT_THAT(param(R"({"alerts":[{"agent":"","credits":5}]})"), HasSubstr("an id, or \"*\""));
  EXPECT_THAT(param(R"({"alerts":[{"agent":null,"credits":5}]})"), HasSubstr("an id, or \"*\""));
  EXPECT_THAT(param(R"({"alerts":[{"key":"k1","percent":1001}]})"), HasSubstr("1 to 1000"));
  EXPECT_THAT(param(R"({"alerts":[{"percent":50}]})"), HasSubstr("a plain number: 50"));
  EXPECT_THAT(param(R"({"alerts":[{"agent":"a1","spend_cap_percent":80}]})"),
              HasSubstr("spend_cap_percent is for the whole organization"));
  EXPECT_THAT(param(R"({"alerts":[{"key":"*","credits":5},{"key":"*","credits":5.0}]})"),
              HasSubstr("alerts[1]: is duplicated"));
  EXPECT_THAT(param("[]"), HasSubstr("the body must be a JSON object, not an array"));
  EXPECT_THAT(param("{"), HasSubstr("invalid JSON"));
  EXPECT_EQ(call("GET", "orgs/acme").status, 404) << "nothing of that created it";
}

TEST_F(admin_api_test, gives_alerts_back_as_they_were_given) {
  const std::string alerts =
      R"("alerts":[50,{"agent":"a1","credits":500},{"spend_cap_percent":80},)"
      R"({"agent":"*","percent":20},{"credits":15000},{"conversation":"my talk","credits":0.5},)"
      R"({"key":"key_1","percent":1000}])";
  auto response = call("PUT", "orgs/acme", "{" + alerts + "}");
  EXPECT_THAT(response.body, HasSubstr(alerts));
  response = call("PUT", "orgs/acme", R"({"plan":"pro"})");
  EXPECT_THAT(response.body, HasSubstr(alerts)) << "what is not mentioned stays";
  EXPECT_THAT(call("GET", "orgs/acme").body, HasSubstr(alerts));
  response = call("PUT", "orgs/acme", R"({"alerts":null})");
  EXPECT_THAT(response.body, HasSubstr(R"("alerts":[])"));
}

TEST_F(admin_api_test, checks_ids_and_addresses) {
  EXPECT_EQ(call("PUT", "orgs/a%20b", "{}").status, 400);
  EXPECT_EQ(call("PUT", "orgs/a%7Bb%7D", "{}").status, 400);
  EXPECT_EQ(call("PUT", "orgs/" + std::string(65, 'a'), "{}").status, 400);
  EXPECT_EQ(call("PUT", "orgs/" + std::string(64, 'a'), "{}").status, 201);
  EXPECT_EQ(call("PUT", "orgs/a%2Eb", "{}").status, 201);
  EXPECT_EQ(at(call("GET", "orgs/a.b"), "data/id"), "a.b");
  EXPECT_EQ(at(call("GET", "orgs/nobody/balance"), "error/code"), "org_not_found");
  EXPECT_EQ(call("POST", "orgs/nobody/grants", R"({"credits":5})").status, 404);
  EXPECT_EQ(call("GET", "orgs//balance").status, 400);
  EXPECT_EQ(call("GET", "").status, 404);
  EXPECT_EQ(call("GET", "orgs/a.b/").status, 404);
  EXPECT_EQ(call("GET", "orgs/a.b/nothing").status, 404);
}

TEST_F(admin_api_test, says_which_methods_would_work) {
  create("acme");
  const auto response = call("DELETE", "orgs/acme");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(header(response, "Allow"), "GET, HEAD, PUT");
  EXPECT_EQ(header(call("PUT", "orgs/acme/keys"), "Allow"), "GET, HEAD, POST");
  EXPECT_EQ(header(call("GET", "orgs/acme/keys/key_1"), "Allow"), "DELETE");
}

// A caller that passes a parameter to a call without parameters expects an effect.
TEST_F(admin_api_test, ignores_no_parameter_and_no_field_of_any_call) {
  create("acme");
  const auto key = at(call("POST", "orgs/acme/keys", "{}"), "data/id");
  const auto hook =
      at(call("POST", "orgs/acme/webhooks", R"({"url":"https://a.example/"})"), "data/id");
  const auto one = "orgs/acme/webhooks/" + hook;
  for (const auto& [method, target] : std::vector<std::pair<std::string, std::string>>{
           {"GET", "orgs"},
           {"GET", "orgs/acme"},
           {"PUT", "orgs/acme"},
           {"GET", "orgs/acme/keys"},
           {"POST", "orgs/acme/keys"},
           {"DELETE", "orgs/acme/keys/" + key},
           {"GET", "orgs/acme/grants"},
           {"POST", "orgs/acme/grants"},
           {"GET", "orgs/acme/balance"},
           {"GET", "orgs/acme/usage"},
           {"GET", "orgs/acme/projection"},
           {"GET", "orgs/acme/ledger"},
           {"GET", "orgs/acme/holds"},
           {"GET", "orgs/acme/statements"},
           {"GET", "orgs/acme/statements/2026-03"},
           {"GET", "orgs/acme/events"},
           {"GET", "orgs/acme/top_ups"},
           {"POST", "orgs/acme/top_ups"},
           {"POST", "orgs/acme/top_ups/x"},
           {"GET", "orgs/acme/webhooks"},
           {"POST", "orgs/acme/webhooks"},
           {"GET", one},
           {"PUT", one},
           {"POST", one + "/rotate"},
           {"POST", one + "/retry"},
           {"POST", one + "/test"},
           {"GET", one + "/dead_letters"},
           {"POST", one + "/dead_letters/evt_1-0/resend"},
           {"DELETE", one}}) {
    const auto response = call(method, target + "?foo=1", "{}");
    EXPECT_EQ(response.status, 400) << method << ' ' << target;
    EXPECT_EQ(at(response, "error/param"), "foo") << method << ' ' << target;
    if (method == "GET") continue;
    const auto body = call(method, target, R"({"foo":1})");
    EXPECT_EQ(body.status, 400) << method << ' ' << target;
    EXPECT_EQ(at(body, "error/param"), "foo") << method << ' ' << target;
  }
  EXPECT_EQ(at(call("GET", "orgs/acme/keys"), "data/keys/0/revoked_at"), "null");
  EXPECT_EQ(call("GET", one).status, 200);
}

TEST_F(admin_api_test, says_that_a_webhook_was_made_before) {
  create("acme");
  const std::string wanted = R"({"url":"https://127.0.0.1.nip.io/"})";
  const auto first = call("POST", "orgs/acme/webhooks", wanted, "k1");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(header(first, "Idempotent-Replayed"), "absent");
  const auto again = call("POST", "orgs/acme/webhooks", wanted, "k1");
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(header(again, "Idempotent-Replayed"), "true");
  const auto rotate = "orgs/acme/webhooks/" + at(first, "data/id") + "/rotate";
  EXPECT_EQ(header(call("POST", rotate, "", "k2"), "Idempotent-Replayed"), "absent");
  EXPECT_EQ(header(call("POST", rotate, "", "k2"), "Idempotent-Replayed"), "true");
}

TEST_F(admin_api_test, wants_json) {
  content_type_ = "application/x-www-form-urlencoded";
  const auto response = call("PUT", "orgs/acme", "{}");
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(at(response, "error/code"), "unsupported_media_type");
  content_type_ = "Application/JSON; charset=utf-8";
  EXPECT_EQ(call("PUT", "orgs/acme", "{}").status, 201);
}

TEST_F(admin_api_test, lists_organizations_page_by_page) {
  for (const auto* org : {"c", "a", "b"}) create(org);
  auto page = call("GET", "orgs?limit=2");
  EXPECT_EQ(at(page, "data/orgs"), "2 elements");
  EXPECT_EQ(at(page, "data/orgs/0/id"), "a");
  EXPECT_EQ(at(page, "data/has_more"), "true");
  EXPECT_EQ(at(page, "data/next_after"), "b");
  page = call("GET", "orgs?limit=2&after=b");
  EXPECT_EQ(at(page, "data/orgs"), "1 elements");
  EXPECT_EQ(at(page, "data/has_more"), "false");
  EXPECT_EQ(call("GET", "orgs?limit=0").status, 400);
  EXPECT_EQ(call("GET", "orgs?limit=1001").status, 400);
  EXPECT_EQ(call("GET", "orgs?page=2").status, 400);
}

TEST_F(admin_api_test, shows_a_key_once) {
  create("acme");
  const auto response = call("POST", "orgs/acme/keys", R"({"note":"ci"})");
  EXPECT_EQ(response.status, 201);
  const auto key = at(response, "data/key"), id = at(response, "data/id");
  EXPECT_EQ(key.size(), 46u);
  EXPECT_TRUE(key.starts_with("tg_"));
  EXPECT_EQ(
      key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"),
      std::string::npos);
  EXPECT_TRUE(id.starts_with("key_"));
  EXPECT_NE(key, at(call("POST", "orgs/acme/keys"), "data/key"));

  const auto owner = tests::run_task(store_.find_key(quota::hash_key(key)));
  ASSERT_TRUE(owner.value());
  EXPECT_EQ((*owner)->org, "acme");
  EXPECT_EQ((*owner)->key_id, id);

  const auto list = call("GET", "orgs/acme/keys");
  EXPECT_EQ(at(list, "data/keys"), "2 elements");
  EXPECT_EQ(list.body.find(key), std::string::npos);
  EXPECT_EQ(list.body.find(quota::hash_key(key)), std::string::npos);
}

TEST_F(admin_api_test, revokes_a_key) {
  create("acme");
  create("other");
  const auto response = call("POST", "orgs/acme/keys");
  const auto id = at(response, "data/id"), key = at(response, "data/key");
  EXPECT_EQ(at(call("DELETE", "orgs/other/keys/" + id), "error/code"), "key_not_found");
  EXPECT_TRUE(tests::run_task(store_.find_key(quota::hash_key(key))).value());
  EXPECT_EQ(call("DELETE", "orgs/acme/keys/" + id).status, 200);
  EXPECT_FALSE(tests::run_task(store_.find_key(quota::hash_key(key))).value());
  EXPECT_EQ(call("DELETE", "orgs/acme/keys/" + id).status, 200) << "harmless when repeated";
  EXPECT_EQ(at(call("GET", "orgs/acme/keys"), "data/keys/0/revoked_at"),
            "2026-03-15T10:20:30.250Z");
}

TEST_F(admin_api_test, grants_exactly) {
  create("acme");
  auto response =
      call("POST", "orgs/acme/grants", R"({"credits":0.1,"kind":"promotion","note":"hi"})");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(at(response, "data/credits"), "0.1");
  EXPECT_EQ(at(response, "data/kind"), "promotion");
  EXPECT_EQ(at(response, "data/note"), "hi");
  EXPECT_EQ(at(response, "data/expires_at"), "null");
  EXPECT_TRUE(at(response, "data/id").starts_with("grant_"));
  EXPECT_EQ(call("POST", "orgs/acme/grants", R"({"credits":"0.2"})").status, 201);
  EXPECT_EQ(store_.account("acme").row().granted.micro(), 300'000);
  EXPECT_EQ(at(call("GET", "orgs/acme/grants"), "data/grants"), "2 elements");
}

TEST_F(admin_api_test, grants_once_for_each_idempotency_key) {
  create("acme");
  const std::string body = R"({"credits":500,"kind":"purchase","note":"invoice 7"})";
  const auto first = call("POST", "orgs/acme/grants", body, "pay-7");
  store_.time += std::chrono::hours{1};
  const auto second = call("POST", "orgs/acme/grants", body, "pay-7");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(header(first, "Idempotent-Replayed"), "absent");
  EXPECT_EQ(header(second, "Idempotent-Replayed"), "true");
  EXPECT_EQ(call("POST", "orgs/acme/grants", body, "\"pay-7\"").body, first.body)
      << "quoted, as the "
         "IETF draft has it";
  EXPECT_EQ(store_.account("acme").row().granted, quota::credits::from_whole(500));

  for (const auto* other : {R"({"credits":501,"kind":"purchase","note":"invoice 7"})",
                            R"({"credits":500,"kind":"promotion","note":"invoice 7"})",
                            R"({"credits":500,"kind":"purchase","note":"invoice 8"})"}) {
    const auto reused = call("POST", "orgs/acme/grants", other, "pay-7");
    EXPECT_EQ(reused.status, 422) << other;
    EXPECT_EQ(at(reused, "error/code"), "idempotency_key_reused");
  }
  EXPECT_EQ(call("POST", "orgs/acme/grants", body).status, 201) << "no key: another grant";
  EXPECT_EQ(store_.account("acme").row().granted, quota::credits::from_whole(1000));
}

TEST_F(admin_api_test, refuses_grants_that_make_no_sense) {
  create("acme");
  const auto param = [&](std::string body, std::string key = {}) {
    const auto response = call("POST", "orgs/acme/grants", std::move(body), std::move(key));
    EXPECT_EQ(response.status, 400) << response.body;
    return at(response, "error/param");
  };
  EXPECT_EQ(param("{}"), "credits");
  EXPECT_EQ(param(R"({"credits":0})"), "credits");
  EXPECT_EQ(param(R"({"credits":-1})"), "credits");
  EXPECT_EQ(param(R"({"credits":-1,"kind":"promotion"})"), "credits");
  EXPECT_EQ(param(R"({"credits":1e3})"), "credits");
  EXPECT_EQ(param(R"({"credits":0.1234567})"), "credits");
  EXPECT_EQ(param(R"({"credits":4000000000.000001})"), "credits");
  EXPECT_EQ(param(R"({"credits":true})"), "credits");
  EXPECT_EQ(param(R"({"credits":5,"kind":"gift"})"), "kind");
  EXPECT_EQ(param(R"({"credits":5,"note":"a\u0007b"})"), "note");
  EXPECT_EQ(param(R"({"credits":5,"note":")" + std::string(257, 'x') + "\"}"), "note");
  EXPECT_EQ(param(R"({"credits":5,"expires_at":"next year"})"), "expires_at");
  EXPECT_EQ(param(R"({"credits":5,"expires_at":"2026-03-15T10:20:30.250Z"})"), "expires_at");
  EXPECT_EQ(param(R"({"credits":5,"priority":101})"), "priority");
  EXPECT_EQ(param(R"({"credits":5,"priority":1.5})"), "priority");
  EXPECT_EQ(param(R"({"credits":5})", std::string(129, 'k')), "Idempotency-Key");
  EXPECT_EQ(param(R"({"credits":5})", "a b"), "Idempotency-Key");
  EXPECT_EQ(param(R"({"credits":5})", "a, b"), "Idempotency-Key") << "sent twice";
  EXPECT_EQ(param(R"({"credits":5})", "\"\""), "Idempotency-Key");
  EXPECT_EQ(store_.account("acme").entries().size(), 0u);
}

TEST_F(admin_api_test, corrects_below_zero) {
  create("acme");
  EXPECT_EQ(call("POST", "orgs/acme/grants", R"({"credits":-7.5,"kind":"correction"})").status,
            201);
  const auto balance = call("GET", "orgs/acme/balance");
  EXPECT_EQ(at(balance, "data/available"), "-7.5");
  EXPECT_EQ(at(balance, "data/overage/credits"), "0") << "nothing was used";
  EXPECT_EQ(at(balance, "data/overage/owed"), "7.5");
}

TEST_F(admin_api_test, refuses_a_balance_out_of_range) {
  create("acme");
  EXPECT_EQ(call("POST", "orgs/acme/grants", R"({"credits":4000000000})").status, 201);
  EXPECT_EQ(call("POST", "orgs/acme/grants", R"({"credits":1})").status, 409);
}

TEST_F(admin_api_test, names_the_key_that_makes_repeating_a_grant_safe) {
  create("acme");
  for (const int lost : {0, 1}) {  // the answer to the grant itself, and to reading it back
    store_.calls_until_lost = lost;
    const auto response = call("POST", "orgs/acme/grants", R"({"credits":5})");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(at(response, "error/code"), "ledger_unavailable");
    const auto message = at(response, "error/message");
    const auto key = message.substr(message.find("grant_"));
    const auto granted = store_.account("acme").row().granted;
    EXPECT_EQ(call("POST", "orgs/acme/grants", R"({"credits":5})", key).status, 201);
    EXPECT_EQ(store_.account("acme").row().granted, granted);
  }
}

TEST_F(admin_api_test, shows_the_balance) {
  create("acme");
  call("POST", "orgs/acme/grants", R"({"credits":100})", "g1");
  auto& account = store_.account("acme");
  const auto id = quota::hold_id::make(store_.time, 1, 2);
  const auto other = quota::hold_id::make(store_.time, 1, 3);
  account.apply(quota::reserve{.id = id,
                               .amount = quota::credits::from_whole(10),
                               .timeout = std::chrono::minutes{1},
                               .request_id = {},
                               .who = {}},
                store_.time);
  account.apply(quota::reserve{.id = other,
                               .amount = quota::credits::from_micro(100'000),
                               .timeout = std::chrono::minutes{1},
                               .request_id = {},
                               .who = {}},
                store_.time);
  account.apply(quota::settle{.id = id, .amount = quota::credits::from_whole(8)}, store_.time);
  EXPECT_EQ(
      call("GET", "orgs/acme/balance").body,
      R"({"success":true,"data":{"org":"acme","available":91.9,"held":0.1,"granted":100,)"
      R"("settled":8,"expired":0,"overage":{"credits":0,"usd":0,"priced_credits":0,"owed":0,)"
      R"("allowed":false,"usd_per_credit":0},)"
      R"("spend_cap":null,"auto_top_up":null,)"
      R"("cycle":{"start":"2026-03-15T00:00:00Z","end":"2026-04-15T00:00:00Z",)"
      R"("supply":100,"used":8,"ends_at":100},"plan":null,)"
      R"("standing":{"state":"in_credit","used_percent":8,"spend_cap_percent":null},)"
      R"("grants":[{"id":"g1","kind":"purchase","credits":100,"remaining":92,"expires_at":null,)"
      R"("priority":50,"granted_at":"2026-03-15T10:20:30.250Z","kept":false}]}})"
      "\n");
  EXPECT_EQ(call("GET", "orgs/acme/balance?at=now").status, 400);
}

TEST_F(admin_api_test, pages_through_the_ledger) {
  create("acme");
  for (int i = 0; i < 5; ++i) call("POST", "orgs/acme/grants", R"({"credits":1,"note":"=x"})");
  auto page = call("GET", "orgs/acme/ledger?limit=2");
  EXPECT_EQ(at(page, "data/entries"), "2 elements");
  EXPECT_EQ(at(page, "data/entries/1/available"), "2");
  EXPECT_EQ(at(page, "data/entries/1/type"), "grant");
  EXPECT_EQ(at(page, "data/has_more"), "true");
  page = call("GET", "orgs/acme/ledger?limit=2&after=" + at(page, "data/next_after"));
  page = call("GET", "orgs/acme/ledger?limit=2&after=" + at(page, "data/next_after"));
  EXPECT_EQ(at(page, "data/entries"), "1 elements");
  EXPECT_EQ(at(page, "data/has_more"), "false");
  const auto end = at(page, "data/next_after");
  page = call("GET", "orgs/acme/ledger?after=" + end);
  EXPECT_EQ(at(page, "data/entries"), "0 elements");
  EXPECT_EQ(at(page, "data/next_after"), end) << "where to go on later";
  for (const auto* after : {"x", "1", "-1", "1-", "1-2-3", "%2B"}) {
    EXPECT_EQ(call("GET", std::string{"orgs/acme/ledger?after="} + after).status, 400) << after;
  }
}

TEST_F(admin_api_test, exports_the_ledger_as_csv) {
  create("acme");
  for (int i = 0; i < 2; ++i)
    call("POST", "orgs/acme/grants", R"({"credits":1.5,"note":"=x"})", "g" + std::to_string(i));
  accept_ = "text/csv";
  const auto page = call("GET", "orgs/acme/ledger?limit=1");
  EXPECT_TRUE(page.content_type.starts_with("text/csv"));
  EXPECT_EQ(page.body,
            "id,at,type,subject,credits,released,overage,available,used,billed,unit,cycle,"
            "request_id,route,action,model,agent,conversation,key,kind,note\r\n"
            "1-0,2026-03-15T10:20:30.250Z,grant,g0,1.5,0,0,1.5,0,0,,0,,,,,,,,purchase,\"'=x\"\r\n");
  EXPECT_EQ(header(page, "Link"), "<?after=1-0&limit=1>; rel=\"next\"");
  EXPECT_EQ(header(call("GET", "orgs/acme/ledger?after=1-0"), "Link"), "absent");
}

TEST_F(admin_api_test, sums_up_usage_over_many_days) {
  create("acme");
  for (int day = 0; day < 14; ++day) {
    quota::usage_counter counter;
    counter.hour = store_.time.time_since_epoch() / std::chrono::hours{24} * 24 - day * 24 + 5;
    counter.charged = quota::credits::from_micro(100'000);
    counter.calls = 1;
    store_.add_usage("acme", counter);
  }
  const auto response = call("GET", "orgs/acme/usage?granularity=month");
  EXPECT_EQ(at(response, "data/total/credits"), "1.4");
  EXPECT_EQ(at(response, "data/rows"), "1 elements");
  accept_ = "text/csv";
  EXPECT_EQ(call("GET", "orgs/acme/usage?granularity=month").body,
            "start,credits,calls\r\n2026-03-01T00:00:00Z,1.4,14\r\n");
}

TEST_F(admin_api_test, shows_holds) {
  create("acme");
  quota::open_hold hold{.id = quota::hold_id::make(store_.time, 1, 2),
                        .amount = quota::credits::from_whole(10),
                        .expires_at = store_.time + std::chrono::minutes{1},
                        .placed_at = store_.time,
                        .request_id = "q",
                        .who = {.route = "chat",
                                .action = "llm",
                                .model = {},
                                .agent = "a\xFF",
                                .conversation = {},
                                .key_id = {}}};
  store_.show_hold("acme", hold);
  const auto response = call("GET", "orgs/acme/holds");
  EXPECT_EQ(at(response, "data/holds/0/credits"), "10");
  EXPECT_EQ(at(response, "data/holds/0/charged_on_expiry"), "null");
  EXPECT_EQ(at(response, "data/holds/0/created_at"), "2026-03-15T10:20:30.250Z");
  EXPECT_EQ(at(response, "data/holds/0/expires_at"), "2026-03-15T10:21:30.250Z");
  EXPECT_EQ(at(response, "data/holds/0/route"), "chat");
  EXPECT_EQ(at(response, "data/holds/0/agent"), "a\xEF\xBF\xBD")
      << "JSON is UTF-8, whatever came in";
}

TEST_F(admin_api_test, says_when_the_ledger_is_away) {
  create("acme");
  store_.reachable = false;
  for (const auto* target : {"orgs", "orgs/acme", "orgs/acme/keys", "orgs/acme/balance",
                             "orgs/acme/usage", "orgs/acme/ledger", "orgs/acme/holds"}) {
    const auto response = call("GET", target);
    EXPECT_EQ(response.status, 503) << target;
    EXPECT_EQ(at(response, "error/code"), "ledger_unavailable");
    EXPECT_EQ(at(response, "request_id"), "r1");
    EXPECT_EQ(header(response, "Retry-After"), "1");
  }
}

// Usage moves when it is merged further.
TEST_F(admin_api_test, reads_usage_again_that_has_moved_meanwhile) {
  create("acme");
  quota::usage_counter counter;
  counter.hour = quota::hour_of(store_.time);
  counter.calls = 3;
  store_.add_usage("acme", counter);
  for (const int editions : {0, 1, 4}) {
    store_.usage_generations = editions;
    EXPECT_EQ(at(call("GET", "orgs/acme/usage"), "data/total/calls"), "3") << editions;
    EXPECT_EQ(call("GET", "orgs/acme/projection").status, 200);
  }
  store_.usage_generations = 100;
  EXPECT_EQ(call("GET", "orgs/acme/usage").status, 503);
}

TEST_F(admin_api_test, serves_the_customer_its_own_account) {
  create("acme");
  billing_api billing{store_, store_, [this] { return configuration_; }};
  const auto get = [&](std::string method, std::string path) {
    api_request request;
    request.method = std::move(method);
    request.path = std::move(path);
    return tests::run_task(billing.handle("acme", std::move(request)));
  };
  EXPECT_EQ(at(get("GET", "/balance"), "data/org"), "acme");
  EXPECT_EQ(at(get("GET", "/ledger"), "data/entries"), "0 elements");
  EXPECT_EQ(at(get("HEAD", "/usage"), "data/rows"), "0 elements");
  EXPECT_EQ(get("GET", "/holds").status, 404);
  EXPECT_EQ(get("GET", "/balance/").status, 404);
  EXPECT_EQ(get("POST", "/balance").status, 405);
}

}  // namespace
}  // namespace tollgate::proxy::admin
