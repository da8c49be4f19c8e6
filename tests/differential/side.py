"""One build at work: a Tollgate with a Redis, an upstream and a clock of its own."""
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import recording
import transcript
from client import Client
from normalise import Normaliser
from upstream import Conversation, Upstream

from support.http import BROKEN_OFF, call
from support.process import Process, Redis, free_port, shifted_clock, wait_until
from support.tollgate import ADMIN_TOKEN, SHIPPED_CONFIG, Admin

# Ten minutes past an hour, in the middle of a month: no hour, day or cycle ends while the requests are sent.
NOW = datetime(2027, 3, 10, 12, 10, tzinfo=timezone.utc)
BESIDE = ("calls of nobody, in the log", "metrics")  # what is compared for each group as a whole
CRASHED = "TOLLGATE HAS ENDED"
IDLE = "metric: tollgate_connections 0"
ORG = re.compile(r'"org":"([^"]*)"')


class Side:
    def __init__(self, program, configuration):
        self.directory = tempfile.mkdtemp(prefix="tollgate-differential-")
        self.started = []
        try:
            self.start(Path(program).resolve(), configuration)
        except BaseException:
            self.stop()
            raise

    def start(self, program, configuration):
        clock = shifted_clock(self.directory, NOW)
        self.redis = self.keep(Redis(self.directory, run_with=clock))
        self.upstream = self.keep(Upstream())
        self.addresses = {"data": f"127.0.0.1:{free_port()}", "admin": f"127.0.0.1:{free_port()}"}
        self.access_log = Path(self.directory) / "access.log"
        self.read_from = 0  # of the access log
        self.program, self.config = program, Path(self.directory) / "tollgate.yaml"
        self.config.write_text(self.configuration(configuration))
        self.admin = Admin(self.addresses["admin"])
        self.command = [*clock, program, "run", "--config", self.config]
        self.start_tollgate()
        self.metrics_before = self.quiet_metrics()

    def start_tollgate(self):
        self.tollgate = self.keep(Process("tollgate", self.command, self.directory, self.environment()))
        self.tollgate.wait_ready(self.is_ready)

    def keep(self, started):
        self.started.append(started)
        return started

    def stop(self):
        for each in reversed(self.started):
            try:
                each.stop()
            except AssertionError:
                pass  # it has ended badly: end() tells so
        shutil.rmtree(self.directory, ignore_errors=True)

    def end(self):
        """How this build ends: its books must be right, and it must go when it is told to."""
        lines = [f"verify: status {self.verify()}"]
        try:
            self.tollgate.stop()
        except AssertionError as error:
            lines.append(str(error).splitlines()[0])
        return lines

    def configuration(self, name):
        if name != "shipped":
            return (recording.HERE / f"{name}.yaml").read_text()
        return SHIPPED_CONFIG.read_text() + f"\nthreads: 1\nlog: {{ access: {self.access_log} }}\n"

    def environment(self):
        upstream = f"http://{self.upstream.address}"
        return {"TOLLGATE_LISTEN": self.addresses["data"], "TOLLGATE_ADMIN_LISTEN": self.addresses["admin"],
                "TOLLGATE_ADMIN_TOKEN": ADMIN_TOKEN, "TOLLGATE_STORE": self.redis.url, "TOLLGATE_JOURNAL": "off",
                "TOLLGATE_OPENAI_URL": upstream, "TOLLGATE_ANTHROPIC_URL": upstream, "TOLLGATE_PLATFORM_URL": upstream,
                "OPENAI_API_KEY": "openai-key", "ANTHROPIC_API_KEY": "anthropic-key",
                "TOLLGATE_PLATFORM_KEY": "platform-key", "TOLLGATE_PLATFORM_SECRET": "platform-secret",
                "UPSTREAM": upstream, "ACCESS_LOG": str(self.access_log), "SPOOL": self.directory}

    def is_ready(self):
        try:
            return call(self.admin.address, "GET", "/readyz", timeout=2).status == 200
        except BROKEN_OFF:
            return False

    def verify(self):
        """Whether every balance follows from its ledger: the exit status."""
        return subprocess.run([self.program, "verify", "--config", self.config], stdout=subprocess.DEVNULL, timeout=60,
                              env={**os.environ, **self.environment()}).returncode

    # --- a group

    def run(self, group):
        """{case: lines}, and last what the group did to the metrics and the access log."""
        normalisers = {}
        results = {case.name: self.survive(case, normalisers) for case in group.cases}
        metrics, before = self.quiet_metrics(), self.metrics_before
        self.metrics_before = metrics
        rest = []
        by_org = {case.org: case.name for case in group.cases}
        for line in self.new_log_lines():
            found = ORG.search(line)
            case = by_org.get(found[1]) if found else None
            if case and case in normalisers:
                results[case] += transcript.log_lines([line], normalisers[case])
            else:
                rest += transcript.log_lines([line], Normaliser(self.names({})))
        results[BESIDE[0]] = rest
        results[BESIDE[1]] = self.metric_lines(metrics, before)
        return results

    def metric_lines(self, *pages):
        return [Normaliser({}).text(line) for line in transcript.metric_lines(*pages)]

    def first_metrics(self):
        """Before anything was called: every name, and what stands at nought."""
        return self.metric_lines(self.metrics_before)

    def new_log_lines(self):
        text = self.access_log.read_text(errors="backslashreplace")
        lines, self.read_from = text[self.read_from:].splitlines(), len(text)
        return lines

    def metrics(self):
        return call(self.admin.address, "GET", "/metrics").body.decode()

    def quiet_metrics(self):
        """When nothing is under way and they stay as they are: they follow what happens by a tick."""
        last = []

        def unchanged():
            last.append(self.metrics())
            before, now = (transcript.metric_lines(page) for page in (["", *last][-2], last[-1]))
            return before == now and IDLE in now
        with contextlib.suppress(TimeoutError):  # what is still under way is seen in them
            wait_until(unchanged, "the metrics to stay as they are", timeout=10, every=0.15)
        return last[-1]

    # --- a case

    def survive(self, case, normalisers):
        """A build that crashes is a difference; the next case finds it started again."""
        try:
            return self.run_case(case, normalisers)
        except (AssertionError, *BROKEN_OFF):
            wait_until(lambda: not self.tollgate.running(), f"{case.name}: Tollgate to have ended", timeout=5)
            status = self.tollgate.popen.returncode
            self.tollgate.stop(any_status=True)
            self.start_tollgate()
            return [f"{CRASHED}, status {status}"]

    def run_case(self, case, normalisers):
        variables = {"admin_token": ADMIN_TOKEN, "org": case.org, "upstream_address": self.upstream.address,
                     "upstream_url": f"http://{self.upstream.address}", **self.new_account(case)}
        normalisers[case.name] = normaliser = Normaliser(self.names(variables))
        conversation = Conversation(case, variables)
        self.upstream.begin(conversation)
        client = Client(conversation, self.addresses, lambda: self.wait_until_settled(case))
        try:
            client.run()
        except BROKEN_OFF as error:
            client.seen.append((f"{type(error).__name__}", None))
        try:
            self.come_to_rest(case, conversation)
        except TimeoutError as error:
            conversation.problems.append(str(error))
        lines = transcript.client_lines(client.seen, normaliser, case.ignore_body)
        lines += transcript.upstream_lines(conversation.arrived, normaliser)
        lines += [f"PROBLEM {problem}" for problem in conversation.problems]
        if conversation.answers:
            lines.append(f"upstream: {len(conversation.answers)} answers were not asked for")
        if case.account != "none":
            pages = [self.admin.request("GET", f"/orgs/{case.org}/{page}").body
                     for page in ("balance", "ledger?limit=1000")]
            lines += transcript.account_lines(*pages, normaliser)
        return lines

    def names(self, variables):
        return {self.addresses["data"]: "<data>", self.addresses["admin"]: "<admin>",
                self.upstream.address: "<upstream>", variables.get("key", ""): "<key>"}

    def new_account(self, case):
        account = recording.account_of(case)
        if account is None:
            return {"key": "tg_nobody"}
        credits, fields = account
        self.admin.put_org(case.org, **fields)
        if credits != "0":
            self.admin.grant(case.org, credits)
        made = self.admin.create_key(case.org)
        return {"key": made["key"], "key_id": made["id"]}

    def wait_until_settled(self, case):
        if case.account != "none":
            wait_until(lambda: self.admin.balance(case.org)["held"] == 0, f"{case.name}: no hold is left", every=0.005)

    def come_to_rest(self, case, conversation):
        wait_until(self.upstream.at_rest, f"{case.name}: the upstream to be at rest", every=0.002)
        if any(step.kind in ("leave", "close") for step in case.steps):
            for _ in range(2):  # the gauge follows by a tick
                time.sleep(0.06)
                wait_until(lambda: "\ntollgate_connections 0\n" in self.metrics(), f"{case.name}: the client is gone")
        self.wait_until_settled(case)
        if conversation.closed_here:
            wait_until(self.knows_what_is_closed, f"{case.name}: closed connections leave the pool", every=0.06)

    def knows_what_is_closed(self):
        idle = re.findall(r"^tollgate_upstream_connections_(?:idle|active)\{.*\} (\d+)$", self.metrics(), re.M)
        return sum(map(int, idle)) == len(self.upstream.alive)
