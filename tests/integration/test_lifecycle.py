"""SIGTERM drains: no request is cut, no hold is left. SIGHUP reloads completely or not at all."""
import asyncio
import json
import os
import re
import signal
import time

from support.http import AsyncClient, call
from support.process import wait_until
from support.stack import StackTest
from support.tollgate import RATES, configuration


class Lifecycle(StackTest):
    def test_sigterm_lets_calls_finish(self):
        tollgate, other = self.start_tollgate(), self.start_tollgate()
        key = tollgate.admin.new_customer("drained", credits=1_000)
        asyncio.run(self.drain(tollgate, key))
        self.assertEqual(tollgate.popen.wait(20), 0)
        balance = other.admin.balance("drained")
        self.assertEqual((balance["held"], balance["settled"]), (0, 200))
        other.verify()

    async def drain(self, tollgate, key):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json",
                   "x-sample-chunks": "40", "x-sample-delay-ms": "100"}
        body = json.dumps({"model": "gpt-4", "stream": True, "messages": []}).encode()
        clients = [await AsyncClient.open(tollgate.address) for _ in range(20)]
        for client in clients:
            await client.send("POST", "/v1/chat/completions", headers, body)
        heads = [await client.read_head() for client in clients]

        tollgate.popen.send_signal(signal.SIGTERM)
        await self.wait_until_refused(tollgate)
        self.assertTrue(tollgate.running(), "calls are still under way")
        for client, (status, headers) in zip(clients, heads):
            self.assertEqual(status, 200)
            text = b"".join([piece async for piece in client.read_pieces(headers)])
            self.assertIn(b"[DONE]", text)
            client.close()

    async def wait_until_refused(self, tollgate):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                (await AsyncClient.open(tollgate.address)).close()
            except OSError:
                return
            await asyncio.sleep(0.05)
        self.fail("connections are still accepted")

    def test_sighup_changes_prices_and_a_bad_file_changes_nothing(self):
        config = configuration(self.redis.url, self.upstream.address)
        tollgate = self.start_tollgate(listen=config["listen"], admin=config["admin"])
        key = tollgate.admin.new_customer("reloaded", credits=1_000)

        def charged():
            return tollgate.chat(key).headers["x-credits-charged"]

        self.assertEqual(charged(), "10")
        config["rates"] = {**RATES, "gpt-4": {"credits": 12.5, "per": "request"}}
        tollgate.write_config(config)
        tollgate.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: charged() == "12.5", "the new price")

        tollgate.write_config({**config, "nonsense": True})
        tollgate.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "nonsense" in tollgate.log(), "the complaint in the log")
        self.assertEqual(charged(), "12.5")

    def test_metering_that_is_switched_off_is_never_silent(self):
        """At a reload, a start and a check; and /metrics has it as long as it lasts."""
        config = configuration(self.redis.url, self.upstream.address, journal=f"{self.directory}/metering-journal")
        tollgate = self.start_tollgate(**config)
        key = tollgate.admin.new_customer("unmetered", credits=10)

        def metering():
            page = call(tollgate.admin.address, "GET", "/metrics").body.decode()
            return int(re.search(r"^tollgate_metering (\d)$", page, re.M)[1])

        def reload(expected, **changes):
            reloads = tollgate.log().count("configuration reloaded")
            tollgate.write_config({**config, **changes})
            tollgate.popen.send_signal(signal.SIGHUP)
            wait_until(lambda: tollgate.log().count("configuration reloaded") == reloads + 1, "the reload")
            self.assertEqual(metering(), expected)

        warning = "metering: off: every call is forwarded, without a key and without a charge"
        self.assertEqual((metering(), tollgate.chat(key).status), (1, 200))
        self.assertNotIn(warning, tollgate.log())
        for times in (1, 2):  # a second reload does not hide it
            reload(0, metering="off")
            self.assertEqual(tollgate.log().count(warning), times)
            self.assertEqual(tollgate.chat(None).status, 200)
        checked = tollgate.command("check")
        self.assertEqual((checked.returncode, checked.stderr.count(warning)), (0, 1), checked.stderr)
        reload(1)
        self.assertEqual((tollgate.log().count(warning), tollgate.chat(key).status), (2, 402))
        self.assertNotIn("there is no journal", tollgate.log())

        tollgate.stop()
        tollgate = self.start_tollgate(**{**config, "metering": "off"})
        self.assertEqual((metering(), tollgate.log().count(warning)), (0, 1))
        reload(1)
        self.assertEqual(tollgate.chat(key).status, 402)
        self.assertEqual(tollgate.log().count("metering was off at the start: there is no journal until a restart"), 1)

    def test_sighup_with_a_fifo_in_place_of_the_file_stops_nothing(self):
        tollgate = self.start_tollgate()
        tollgate.config_path.unlink()
        os.mkfifo(tollgate.config_path)
        tollgate.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "it is not a regular file" in tollgate.log(), "the complaint")
        self.assertIn("RELOAD FAILED", tollgate.log())
        self.assertEqual(call(tollgate.admin.address, "GET", "/readyz", timeout=5).status, 200)

    def test_sighup_with_files_that_are_not_there(self):
        config = configuration(self.redis.url, self.upstream.address)
        tollgate = self.start_tollgate(listen=config["listen"], admin=config["admin"])
        key = tollgate.admin.new_customer("files", credits=1_000)
        for number, changes in enumerate((
                {"upstreams": {**config["upstreams"], "far": {"url": "https://127.0.0.1:1", "ca_file": "/none.pem"}}},
                {"webhooks": {"ca_file": "/none.pem"}},
                {"tls": {"certificate": "/none.pem", "key": "/none.pem"}},
                {"log": {"access": "/dev/null/access.log"}}), 1):
            tollgate.write_config({**config, **changes})
            tollgate.popen.send_signal(signal.SIGHUP)
            wait_until(lambda: tollgate.log().count("RELOAD FAILED") == number, f"a complaint about {changes}")
            self.assertEqual(tollgate.chat(key).status, 200)
