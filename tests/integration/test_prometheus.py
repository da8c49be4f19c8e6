"""The queries and alerts of deploy/prometheus, in Debian's Prometheus, after calls that end in every way."""
import json
import re
import subprocess
import threading
import urllib.parse
from pathlib import Path

import yaml
from support.http import call
from support.process import Process, free_port, wait_until
from support.stack import StackTest
from support.tollgate import ROUTES, route

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
WINDOW = 300  # of the queries: rate() of a counter that grew by n is about n / 300 per second


class Prometheus(Process):
    def __init__(self, directory, target):
        config = yaml.safe_load((DEPLOY / "scrape.yaml").read_text())
        config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
        config["rule_files"] = [str(DEPLOY / "rules.yaml")]
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
        path = Path(directory) / "prometheus.yml"
        path.write_text(yaml.safe_dump(config))
        self.address = f"127.0.0.1:{free_port()}"
        super().__init__("prometheus", ["prometheus", f"--config.file={path}", f"--web.listen-address={self.address}",
                                        f"--storage.tsdb.path={directory}/tsdb", "--log.level=warn"], directory)
        self.wait_ready(self.is_ready)

    def is_ready(self):
        try:
            return call(self.address, "GET", "/-/ready", timeout=2).status == 200
        except OSError:
            return False

    def get(self, path, **query):
        reply = call(self.address, "GET", f"/api/v1/{path}?{urllib.parse.urlencode(query)}").json()
        assert reply["status"] == "success", reply
        return reply["data"]

    def ask(self, query):
        """(labels, value) of each element of the answer."""
        return [(each["metric"], float(each["value"][1])) for each in self.get("query", query=query)["result"]]


class Questions(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate(
            upstreams={"sample": {"url": f"http://{cls.upstream.address}"},
                       "dead": {"url": f"http://127.0.0.1:{free_port()}"}},
            routes=[{**route("dead", "api", {"path": "/dead/**"}), "upstream": "dead"}, *ROUTES],
            archive={"files": f"{cls.directory}/archive"})

    def calls(self, count):
        for _ in range(count):
            self.assertEqual(self.tollgate.chat(self.key).status, 200)
            self.assertEqual(self.tollgate.call("GET", "/dead/x", self.key).status, 502)
            self.assertEqual(self.tollgate.chat(self.poor).status, 402)

    def test_every_question_has_its_answer(self):
        admin = self.tollgate.admin
        self.key, self.poor = admin.new_customer("acme", credits=10_000), admin.new_customer("poor")
        self.calls(1)  # now each of the counters exists
        prometheus = self.start(Prometheus(self.directory, admin.address))
        seen = 'count_over_time(up{job="tollgate"}[1m]) >= 2'
        wait_until(lambda: prometheus.ask(seen), "two scrapes")
        slow = threading.Thread(target=self.tollgate.call, args=("GET", "/v1/slow", self.key),
                                kwargs={"headers": {"x-sample-head-delay-ms": "6000"}})
        slow.start()
        self.calls(20)
        text = (DEPLOY / "README.md").read_text()
        queries = re.findall(r"```promql\n(.*?)\n```", text, re.S)
        self.assertEqual(len(queries), 9)
        requests, overhead, credits, refusals, healthy, store, failures, holds, lag = queries

        def grown(query, **labels):
            """What a counter has grown by; Prometheus extrapolates up to the window's ends."""
            return sum(value for found, value in prometheus.ask(query) if labels.items() <= found.items()) * WINDOW
        wait_until(lambda: grown(requests, route="chat-gpt-4", status="2xx") >= 18, "the calls to be scraped")
        self.assertAlmostEqual(grown(requests, route="dead", status="5xx"), 20, delta=8)
        self.assertAlmostEqual(grown(credits, action="llm"), 200, delta=80)
        self.assertAlmostEqual(grown(refusals, route="chat-gpt-4", code="insufficient_credits"), 20, delta=8)
        self.assertEqual(grown(refusals, route="dead"), 0)
        self.assertEqual([value for _, value in prometheus.ask(holds)], [1])
        self.assertEqual([value for _, value in prometheus.ask(healthy)], [1])
        for query, most in ((overhead, 1), (store, 1), (lag, 30)):
            [(_, value)] = prometheus.ask(query)
            self.assertTrue(0 <= value < most, (query, value))
        self.assertAlmostEqual(grown(failures, upstream="dead", cause="refused"), 20, delta=8)
        slow.join()

        # The rules are loaded, and none of their expressions fails. The dead upstream is noticed.
        rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
        self.assertEqual(len(rules), len(yaml.safe_load((DEPLOY / "rules.yaml").read_text())["groups"][0]["rules"]))
        for _ in range(40):  # more than one in ten seconds, in the mean of five minutes
            self.assertEqual(self.tollgate.call("GET", "/dead/x", self.key).status, 502)
        wait_until(lambda: {each["labels"]["alertname"] for each in prometheus.get("alerts")["alerts"]}
                   >= {"TollgateUpstreamUnreachable"}, "the alert")
        health = {rule["name"]: rule["health"] for rule in prometheus.get("rules")["groups"][0]["rules"]}
        self.assertEqual(set(health.values()), {"ok"}, json.dumps(health))
        used = {name for rule in rules for name in re.findall(r"tollgate_[a-z_]+", rule["query"])}
        used |= {name for query in queries for name in re.findall(r"tollgate_[a-z_]+", query)}
        known = call(admin.address, "GET", "/metrics").body.decode()
        missing = {name for name in used if f"# TYPE {re.sub('_(total|bucket)$', '', name)} " not in known}
        self.assertEqual(missing, set())

    def test_promtool_accepts_the_files(self):
        for arguments in (["check", "rules", DEPLOY / "rules.yaml"], ["check", "config", DEPLOY / "scrape.yaml"]):
            done = subprocess.run(["promtool", *arguments], text=True, capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
