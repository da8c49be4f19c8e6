"""A customer's attempts, with a valid key of its own, to see another organization's account.

`RIVAL`, `AGENT`, `ENTRY` and similar names are replaced by the rival's real values: a customer may know
them. `status` is the required answer; 200 only for an ordinary request about the customer's own account,
or a call that is forwarded and charged like any other.
"""
from dataclasses import dataclass, field


@dataclass
class Attempt:
    target: str
    status: int
    method: str = "GET"
    headers: dict = field(default_factory=dict)
    key: str = "MY_KEY"  # empty: without a key
    listener: str = "data"


def refused(*targets, status=400):
    return [Attempt(target, status) for target in targets]


PARAMETERS = [
    *refused(*(f"/v1/billing/{page}?{name}=RIVAL"
               for page in ("balance", "usage", "ledger", "statements", "statements/MONTH", "top_ups",
                            "projection")
               for name in ("org", "organization_id"))),
    *refused("/v1/billing/balance?tenant=RIVAL", "/v1/billing/balance?account=RIVAL",
             "/v1/billing/usage?group_by=org", "/v1/billing/usage?group_by=agent,org",
             "/v1/billing/usage?from=2026-01-01&from=RIVAL", "/v1/billing/usage?%6frg=RIVAL",
             "/v1/billing/ledger?key=tollgate:{RIVAL}:ledger", "/v1/billing/ledger?after=RIVAL",
             "/v1/billing/ledger?after=0-0%0d%0aXRANGE%20tollgate:%7bRIVAL%7d:ledger%20-%20%2b",
             "/v1/billing/ledger?after=0-0&limit=1000000", "/v1/billing/ledger?after=*",
             "/v1/billing/usage?time_zone=../RIVAL", "/v1/billing/usage?time_zone=%2Fetc%2Fpasswd",
             "/v1/billing/usage?after=RIVAL", "/v1/billing/usage?cursor=RIVAL",
             "/v1/billing/usage?after=CURSOR", "/v1/billing/usage?group_by=agent&after=CURSOR%00"),
    # The rival's names as filters: a query about the caller's own account, which has none of them.
    *(Attempt(f"/v1/billing/usage?granularity=total&{group}{name}={value}", 200)
      for group in ("", "group_by=action,model,agent,conversation,key,route&")
      for name, value in (("agent", "AGENT"), ("conversation", "CONVERSATION"), ("key", "KEY_ID"),
                          ("model", "MODEL"), ("agent", "*"), ("agent", "AGENT&agent="))),
    *(Attempt(f"/v1/billing/ledger?after={entry}", 200) for entry in ("0-0", "ENTRY", "ELEMENT-0")),
    Attempt("/v1/billing/usage?from=1970-01-01&to=1970-06-01&group_by=agent", 200),
    # A cursor says where to continue, not in which account: this one is the rival's for exactly this query.
    Attempt("/v1/billing/usage?granularity=total&group_by=agent&limit=1&after=CURSOR", 200),
]

PATHS = [
    *refused("/v1/billing/orgs/RIVAL/balance", "/v1/billing/RIVAL/balance", "/v1/billing/RIVAL",
             "/v1/billing/balance/RIVAL", "/v1/billing/usage/RIVAL", "/v1/billing/ledger/ENTRY",
             "/v1/billing/top_ups/TOP_UP", "/v1/billing/grants", "/v1/billing/grants/GRANT",
             "/v1/billing/holds", "/v1/billing/webhooks", "/v1/billing/webhooks/WEBHOOK",
             "/v1/billing/dead_letters", "/v1/billing/keys", "/v1/billing/keys/KEY_ID", "/v1/billing/orgs",
             "/v1/billing/", "/v1/billing", "/v1/billing/balance/", "/v1/billing/BALANCE",
             "/v1/billing//balance/RIVAL",
             "/v1/billing/admin/v1/orgs/RIVAL/balance", "/v1/billing/balance%20", status=404),
    # In any notation, the normalized path is a page of the caller's own account.
    *(Attempt(target, 200) for target in
      ("/v1/billing/balance?", "/v1/billing/%62alance", "/v1/%62illing/balance",
       "/v1/billing/x/../balance", "/v1/./billing/balance", "/v1/RIVAL/../billing/ledger",
       "/admin/v1/orgs/RIVAL/../../../../v1/billing/usage?group_by=agent")),
    *refused("/v1/billing/statements/RIVAL", "/v1/billing/statements/2026-13",
             "/v1/billing/%2e%2e%2f%2e%2e%2fadmin/v1/orgs/RIVAL/balance",
             "/v1/billing/balance%2f..%2f..%2fRIVAL", "/v1/billing/balance%00RIVAL",
             "/v1/billing/balance%0d%0aHost:%20RIVAL", "/v1/billing\\..\\RIVAL\\balance",
             "/v1/billing/balance;org=RIVAL", "http://RIVAL/v1/billing/balance", "/v1/billing/%zz", "/../../../v1/billing/RIVAL"),
    # The admin API is not on this listener.
    *refused("/admin/v1/orgs", "/admin/v1/orgs/RIVAL", "/admin/v1/orgs/RIVAL/ledger",
             "/v1/billing/../../admin/v1/orgs/RIVAL/balance", "/Admin/v1/orgs/RIVAL/balance",
             "//admin/v1/orgs/RIVAL/balance", "/metrics", "/V1/billing/balance", status=404),
    # An absolute target with the requested host is read by its path.
    Attempt("http://test/v1/billing/balance", 200),
    # Not a billing page: forwarded and charged like any call of the route it matches.
    *(Attempt(target, 200) for target in ("/v1/BILLING/balance", "/v1/billings/RIVAL/balance",
                                          "/v1/agents/AGENT/billing/balance")),
    *(Attempt(f"/v1/billing/{page}", 405, method=method)
      for method in ("POST", "PUT", "DELETE", "PATCH") for page in ("balance", "ledger", "top_ups")),
    *(Attempt("/v1/billing/top_ups/TOP_UP", 404, method=method) for method in ("POST", "DELETE")),
]

HEADERS = [
    *(Attempt("/v1/billing/balance", 200, headers={name: "RIVAL"})
      for name in ("X-Org", "X-Org-Id", "X-Organization-Id", "OpenAI-Organization", "X-Tenant",
                   "X-Account", "X-Tollgate-Org", "X-Forwarded-For", "X-Forwarded-Host", "X-User",
                   "X-Forwarded-User", "Referer", "Cookie", "From", "If-None-Match", "Range",
                   "Accept", "Accept-Language", "X-Request-Id", "Idempotency-Key")),
    *(Attempt("/v1/billing/usage?group_by=agent,conversation,key", 200, headers=headers)
      for headers in ({"X-Agent-Id": "AGENT"}, {"X-Conversation-Id": "CONVERSATION"},
                      {"X-Agent-Id": "AGENT", "Accept": "text/csv"})),
    *(Attempt("/v1/billing/balance", 400, headers={name: value})
      for name, value in (("X-Original-URL", "/admin/v1/orgs/RIVAL/balance"),
                          ("X-Rewrite-URL", "/admin/v1/orgs/RIVAL/balance"),
                          ("X-HTTP-Method-Override", "POST"))),
    # What has not the form of a key does not count beside one.
    Attempt("/v1/billing/balance", 200, headers={"x-api-key": "KEY_ID"}),
    Attempt("/v1/billing/balance", 200, headers={"x-api-key": "HASH"}),
]

KEYS = [
    *(Attempt("/v1/billing/balance", 401, key=key)
      for key in ("", "KEY_ID", "RIVAL", "HASH", "REVOKED_KEY", "SHORTER_KEY", "LONGER_KEY",
                  "UPPER_KEY", "SWAPPED_KEY", "tollgate:key:HASH", "MY_KEY,KEY_ID", "*")),
    *(Attempt(f"/admin/v1/orgs{path}", 401, listener="admin")
      for path in ("", "/RIVAL", "/RIVAL/balance", "/RIVAL/usage", "/RIVAL/ledger", "/RIVAL/keys",
                   "/RIVAL/grants", "/RIVAL/holds", "/RIVAL/top_ups", "/RIVAL/statements",
                   "/RIVAL/projection", "/RIVAL/webhooks", "/RIVAL/webhooks/WEBHOOK",
                   "/RIVAL/webhooks/WEBHOOK/dead_letters", "/MINE/balance", "/MINE/webhooks")),
    *(Attempt(f"/admin/v1/orgs/RIVAL/{what}", 401, method=method, listener="admin")
      for method, what in (("POST", "grants"), ("POST", "keys"), ("DELETE", "keys/KEY_ID"),
                           ("POST", "top_ups"), ("PUT", ""), ("POST", "webhooks"),
                           ("PUT", "webhooks/WEBHOOK"), ("DELETE", "webhooks/WEBHOOK"),
                           *(("POST", f"webhooks/WEBHOOK/{verb}")
                             for verb in ("rotate", "retry", "test", "dead_letters/1-0/resend")))),
    *(Attempt(f"/{page}", 401, listener="admin")
      for page in ("v1/billing/balance", "v1/billing/ledger", "RIVAL", "admin", "orgs/RIVAL/balance")),
]

GROUPS = {"parameters": PARAMETERS, "paths": PATHS, "headers": HEADERS, "keys": KEYS}
