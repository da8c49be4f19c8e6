// Reads the API key that a caller sends: `Authorization: Bearer KEY`, `x-api-key: KEY`, and where
// the configuration says so in other headers or in a query member.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "routes/classify.hpp"

namespace tollgate::routes {

struct credential_places {
  std::span<const std::string> headers{};  // besides Authorization and x-api-key
  std::string_view from_query{};           // as take_query_key() returned it
};

// Returns the key's text (a view into the request or `more`), or missing_api_key / invalid_api_key
// / invalid_request. Some clients send a key of their own vendor beside Tollgate's: of different
// credentials the one with the form of a Tollgate key counts. Two of that form, or several without
// one, are refused (400): the payer is ambiguous.
std::variant<std::string_view, problem> read_credential(const request_view& request,
                                                        const credential_places& more = {});

// Whether there is a credential of any form.
bool has_credential(const request_view& request, const credential_places& more = {});

// Removes the query member `name`, and returns its decoded value; empty if there is none. If it is
// there twice, or its encoding is broken: 400.
std::variant<std::string, problem> take_query_key(clean_target& target, std::string_view name);

}  // namespace tollgate::routes
