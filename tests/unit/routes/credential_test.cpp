#include "routes/credential.hpp"

#include <gtest/gtest.h>

#include "tests/unit/routes/support.hpp"

namespace tollgate::routes {
namespace {

struct credential_case {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string out;  // the key, or the code of a problem
};

class credential : public testing::TestWithParam<credential_case> {};

TEST_P(credential, is_read) {
  const head request{"GET", "/", GetParam().headers};
  const auto read = read_credential(request.view());
  if (const auto* key = std::get_if<std::string_view>(&read)) {
    EXPECT_EQ(*key, GetParam().out);
    return;
  }
  const auto& refused = std::get<problem>(read);
  EXPECT_EQ(to_string(refused.code), GetParam().out);
  for (const auto* secret : {"s3cret", "other"})
    EXPECT_EQ(refused.message.find(secret), std::string::npos) << refused.message;
}

const std::string longest(512, 'k');

INSTANTIATE_TEST_SUITE_P(
    cases, credential,
    testing::Values(
        credential_case{{{"Authorization", "Bearer s3cret"}}, "s3cret"},
        credential_case{{{"authorization", "bearer s3cret"}}, "s3cret"},
        credential_case{{{"AUTHORIZATION", "BEARER   s3cret"}}, "s3cret"},
        credential_case{{{"x-api-key", "s3cret"}}, "s3cret"},
        credential_case{{{"X-API-Key", "s3cret"}, {"Authorization", "Bearer s3cret"}}, "s3cret"},
        credential_case{{{"x-api-key", "aZ09-._~+/="}}, "aZ09-._~+/="},
        credential_case{{{"x-api-key", longest}}, longest}, credential_case{{}, "missing_api_key"},
        credential_case{{{"Authorization", ""}}, "missing_api_key"},
        credential_case{{{"x-api-key", ""}}, "missing_api_key"},
        credential_case{{{"Cookie", "key=s3cret"}}, "missing_api_key"},
        credential_case{{{"Authorization", "Bearer"}}, "invalid_api_key"},
        credential_case{{{"Authorization", "Bearer "}}, "invalid_api_key"},
        credential_case{{{"Authorization", "s3cret"}}, "invalid_api_key"},
        credential_case{{{"Authorization", "Basic s3cret"}}, "invalid_api_key"},
        credential_case{{{"Authorization", "Bearers3cret"}}, "invalid_api_key"},
        credential_case{{{"Authorization", "Bearer\ts3cret"}}, "invalid_api_key"},
        credential_case{{{"Authorization", "Bearer s3cret other"}}, "invalid_api_key"},
        credential_case{{{"Authorization", "Bearer s3cret,other"}}, "invalid_api_key"},
        credential_case{{{"Authorization", "Bearer s3cret\xC3\xA9"}}, "invalid_api_key"},
        credential_case{{{"x-api-key", "s3cret other"}}, "invalid_api_key"},
        credential_case{{{"x-api-key", "s3cret\""}}, "invalid_api_key"},
        credential_case{{{"x-api-key", longest + "k"}}, "invalid_api_key"},
        credential_case{{{"x-api-key", "s3cret"}, {"Authorization", "Bearer other"}},
                        "invalid_request"},
        credential_case{{{"x-api-key", "s3cret"}, {"Authorization", "Basic s3cret"}},
                        "invalid_request"},
        credential_case{{{"Authorization", "Bearer s3cret"}, {"authorization", "Bearer s3cret"}},
                        "invalid_request"},
        credential_case{{{"x-api-key", "s3cret"}, {"x-api-key", "s3cret"}}, "invalid_request"},
        credential_case{{{"x-api-key", ""}, {"Authorization", "Bearer s3cret"}}, "s3cret"},
        // A client's own credential beside a Tollgate key.
        credential_case{{{"x-api-key", "other"}, {"Authorization", "Bearer tg_1"}}, "tg_1"},
        credential_case{{{"x-api-key", "tg_1"}, {"Authorization", "Bearer other"}}, "tg_1"},
        credential_case{{{"x-api-key", "tg_1"}, {"Authorization", "Basic other"}}, "tg_1"},
        credential_case{{{"x-api-key", "s3cret other"}, {"Authorization", "Bearer tg_1"}}, "tg_1"},
        credential_case{{{"x-api-key", "tg_1"}, {"Authorization", "Bearer tg_1"}}, "tg_1"},
        credential_case{{{"x-api-key", "tg_1"}, {"Authorization", "Bearer tg_2"}},
                        "invalid_request"},
        credential_case{{{"x-api-key", "TG_1"}, {"Authorization", "Bearer other"}},
                        "invalid_request"},
        credential_case{{{"x-api-key", "tg_1 s3cret"}, {"Authorization", "Bearer other"}},
                        "invalid_request"},
        // Not configured here.
        credential_case{{{"api-key", "tg_1"}, {"Authorization", "Bearer s3cret"}}, "s3cret"},
        credential_case{{{"x-goog-api-key", "tg_1"}}, "missing_api_key"}));

std::string read_from(std::vector<std::pair<std::string, std::string>> headers,
                      std::string_view from_query) {
  static const std::vector<std::string> more{"api-key", "X-Goog-Api-Key"};
  const head request{"GET", "/", std::move(headers)};
  const auto read = read_credential(request.view(), {more, from_query});
  const auto* key = std::get_if<std::string_view>(&read);
  return key != nullptr ? std::string{*key} : std::string{to_string(std::get<problem>(read).code)};
}

TEST(read_credential, may_come_where_the_configuration_says) {
  EXPECT_EQ(read_from({{"Api-Key", "s3cret"}}, ""), "s3cret");
  EXPECT_EQ(read_from({{"x-goog-api-key", "tg_1"}}, ""), "tg_1");
  EXPECT_EQ(read_from({}, "tg_1"), "tg_1");
  EXPECT_EQ(read_from({{"x-goog-api-key", "tg_1"}}, "tg_1"), "tg_1");
  EXPECT_EQ(read_from({{"api-key", "vendor"}, {"x-api-key", "other"}}, "tg_1"), "tg_1");
  EXPECT_EQ(read_from({{"api-key", "tg_1"}}, "tg_2"), "invalid_request");
  EXPECT_EQ(read_from({{"api-key", "a"}}, "b"), "invalid_request");
  EXPECT_EQ(read_from({{"api-key", "a"}, {"Api-Key", "a"}}, ""), "invalid_request");
  EXPECT_EQ(read_from({}, "not a key"), "invalid_api_key");
  EXPECT_EQ(read_from({}, ""), "missing_api_key");
}

TEST(read_credential, in_the_query_is_taken_out_of_it) {
  const auto taken = [](std::string query) {
    clean_target target{"h", "/v1/models", std::move(query)};
    auto key = take_query_key(target, "key");
    const auto* refused = std::get_if<problem>(&key);
    return refused != nullptr ? "refused" : std::get<std::string>(key) + "|" + target.query;
  };
  EXPECT_EQ(taken(""), "|");
  EXPECT_EQ(taken("key=tg_1"), "tg_1|");
  EXPECT_EQ(taken("alt=sse&key=tg_1"), "tg_1|alt=sse");
  EXPECT_EQ(taken("key=tg_1&alt=sse&x=%20"), "tg_1|alt=sse&x=%20");
  EXPECT_EQ(taken("%6Bey=tg%5F1"), "tg_1|");
  EXPECT_EQ(taken("a=key&b=key=1&monkey=2"), "|a=key&b=key=1&monkey=2");
  EXPECT_EQ(taken("%zz=1&a"), "|%zz=1&a");
  EXPECT_EQ(taken("key="), "|");
  EXPECT_EQ(taken("key"), "|");
  for (const auto* query : {"key=a&key=a", "key=a&k%65y=b", "key=%zz"})
    EXPECT_EQ(taken(query), "refused") << query;
}

}  // namespace
}  // namespace tollgate::routes
