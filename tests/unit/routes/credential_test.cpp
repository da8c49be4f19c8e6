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
        credential_case{{{"x-api-key", ""}, {"Authorization", "Bearer s3cret"}}, "s3cret"}));

}  // namespace
}  // namespace tollgate::routes
