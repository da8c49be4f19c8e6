#include "proxy/payments/json_members.hpp"

#include "proxy/text/text.hpp"

namespace tollgate::proxy::payments {

std::optional<json_value> read_object(std::string_view body) {
  auto document = admin::read_json(body);
  if (!document || !document->is(json_value::kind::object)) return {};
  return *std::move(document);
}

std::string_view text_at(const json_value& object, std::string_view name) {
  const auto* member = object.find(name);
  return member != nullptr && member->is(json_value::kind::string) ? member->text
                                                                   : std::string_view{};
}

const json_value* object_at(const json_value& object, std::string_view name) {
  const auto* member = object.find(name);
  return member != nullptr && member->is(json_value::kind::object) ? member : nullptr;
}

std::optional<std::int64_t> number_at(const json_value& object, std::string_view name) {
  const auto* member = object.find(name);
  if (member == nullptr || !member->is(json_value::kind::number)) return {};
  return admin::parse_number(member->text);
}

}  // namespace tollgate::proxy::payments
