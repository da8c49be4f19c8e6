// Every name that this proxy or its configuration owns, in a head and in a trailer, in requests and
// in responses.
#include "proxy/net/http/owned_names.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/gateway/headers.hpp"
#include "proxy/net/http/field_rules.hpp"
#include "proxy/net/relay.hpp"

namespace tollgate::proxy {
namespace {

// In which of the four places a field of that name passes with its sender's value.
struct passage {
  bool request, request_trailer, response, response_trailer;
  bool operator==(const passage&) const = default;
};
constexpr passage nowhere{false, false, false, false};
constexpr passage heads{true, false, true, false};
constexpr passage up{true, false, false, false};
constexpr passage down{false, false, true, false};
constexpr passage anywhere{true, true, true, true};

std::ostream& operator<<(std::ostream& out, const passage& it) {
  return out << it.request << it.request_trailer << it.response << it.response_trailer;
}

config::settings shipped_like() {
  config::settings all;
  auto& upstream = all.upstreams.emplace_back();
  upstream.name = "platform";
  upstream.headers = {{"X-Tenant", "ours"}, {"authorization", "Bearer x"}, {"X-Gone", ""}};
  upstream.identify.on = true;
  upstream.identify.org = "X-Customer";
  auto& route = all.routes.emplace_back();
  route.match.headers = {{"x-tier", {"gold"}}};
  return all;
}

class passing {
 public:
  passage of(const std::string& name) {
    return {carries(sent_up(name)), carries(trailer(name)), carries(sent_down(name)),
            carries(trailer(name))};
  }

 private:
  static bool carries(const std::string& text) { return text.find("planted") != std::string::npos; }

  std::string sent_up(const std::string& name) {
    request_reader reader;
    EXPECT_FALSE(reader.read_head("GET /x HTTP/1.1\r\nHost: h\r\n" + name + ": planted\r\n\r\n"));
    strip_hop_by_hop(reader.head());
    request_facts facts;
    facts.upstream = &all_.upstreams.front();
    facts.authority = "up";
    facts.target = &target_;
    facts.request_id = "request-1";
    facts.peer = "192.0.2.7";
    facts.caller = {"acme", "key_1", "", ""};
    std::string out;
    write_request_head(out, reader.head(), facts, ids_);
    return out;
  }

  std::string sent_down(const std::string& name) {
    response_reader reader;
    EXPECT_FALSE(reader.read_head("HTTP/1.1 204 No Content\r\n" + name + ": planted\r\n\r\n"));
    strip_hop_by_hop(reader.head());
    response_facts facts;
    facts.upstream = &all_.upstreams.front();
    facts.request_id = "request-1";
    const quota::rate_status rate{60, 100, 7, {}};
    facts.account.rate = &rate;
    std::string out;
    write_response_head(out, reader.head(), facts);
    // The upstream's own id is passed under another name.
    const auto renamed = out.find("X-Upstream-Request-Id: planted");
    return renamed == std::string::npos ? out : out.erase(renamed, 30);
  }

  std::string trailer(const std::string& name) {
    chunk_frame frame{true, &owned_};
    std::string out;
    for (const auto& part : frame.around("", "", true, {{name, "planted"}})) {
      out.append(static_cast<const char*>(part.data()), part.size());
    }
    return out;
  }

  config::settings all_ = shipped_like();
  owned_names owned_{all_, all_.upstreams.front()};
  routes::clean_target target_{"h", "/x", ""};
  quota::random_id_source ids_{7};
};

struct owned_case {
  const char* name;
  passage expected;
};

const owned_case cases[] = {
    // ours
    {"X-Tollgate-Org", nowhere},
    {"X-Tollgate-Key-Id", nowhere},
    {"X-Tollgate-Agent", nowhere},
    {"X-Tollgate-Conversation", nowhere},
    {"X-Tollgate-Timestamp", nowhere},
    {"X-Tollgate-Signature", nowhere},
    {"X-Tollgate-Anything", nowhere},
    {"X-Credits-Remaining", nowhere},
    {"X-Credits-Charged", nowhere},
    {"X-Credits-Anything", nowhere},
    {"RateLimit", nowhere},
    {"RateLimit-Policy", nowhere},
    {"X-Request-Id", nowhere},
    {"X-RateLimit-Remaining", up},
    // those the configuration sets for the upstream, and those that tell it who pays
    {"X-Tenant", down},
    {"X-Gone", down},
    {"X-Customer", nowhere},
    // those by which callers identify themselves, and routes choose
    {"X-Agent-Id", heads},
    {"X-Conversation-Id", heads},
    {"X-Tier", heads},
    // credentials
    {"Authorization", nowhere},
    {"X-Api-Key", nowhere},
    {"Proxy-Authorization", nowhere},
    {"Cookie", heads},
    {"Set-Cookie", heads},
    // the connection's own, and framing
    {"Connection", nowhere},
    {"Keep-Alive", nowhere},
    {"TE", nowhere},
    {"Trailer", nowhere},
    {"Upgrade", nowhere},
    {"Proxy-Connection", nowhere},
    // written again for the upstream
    {"X-Forwarded-Host", down},
    {"X-HTTP-Method-Override", down},
    {"X-Original-URL", down},
    // not owned
    {"X-Checksum", anywhere},
    {"Server-Timing", anywhere},
};

TEST(owned_names, pass_nowhere_that_they_decide_something) {
  passing through;
  for (const auto& [name, expected] : cases) EXPECT_EQ(through.of(name), expected) << name;
}

// Servers that turn fields into variables (CGI, WSGI) treat these as the same.
TEST(owned_names, pass_in_no_other_spelling) {
  passing through;
  for (const auto& [name, expected] : cases) {
    if (expected == anywhere) continue;
    for (const char in_place : {'_', '.', '~'}) {
      std::string other = name;
      std::replace(other.begin(), other.end(), '-', in_place);
      for (char& c : other) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
      const auto now = through.of(other);
      EXPECT_FALSE(now.request_trailer || now.response_trailer) << other;
      EXPECT_LE(now.request, expected.request) << other;
      EXPECT_LE(now.response, expected.response) << other;
    }
  }
}

}  // namespace
}  // namespace tollgate::proxy
