"""A killed Tollgate loses no credits: its holds expire, and the other sidecars continue."""
import asyncio
import json
import time
from datetime import datetime, timezone

from support.http import AsyncClient
from support.process import Redis, shifted_clock, wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration

CHAT = json.dumps({"model": "gpt-4", "stream": True, "messages": []}).encode()


def chat_headers(key, **more):
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **more}


def slow_stream(seconds):
    return {"x-sample-chunks": str(seconds * 10), "x-sample-delay-ms": "100"}


async def open_call(tollgate, headers):
    client = await AsyncClient.open(tollgate.address)
    await client.send("POST", "/v1/chat/completions", headers, CHAT)
    return client


class Crash(StackTest):
    def start_pair(self):
        holds = {"timeout": "3s", "sweep_every": "500ms"}
        return self.start_tollgate(holds=holds), self.start_tollgate(holds=holds)

    def test_holds_of_a_killed_sidecar_expire(self):
        victim, survivor = self.start_pair()
        key = survivor.admin.new_customer("crash", credits=100)
        asyncio.run(self.kill_in_mid_stream(victim, survivor, key))

        balance = wait_until(lambda: self.balance_without_holds(survivor, "crash"),
                             "the holds of the killed Tollgate to expire", timeout=15)
        # Three calls broken in mid-stream and two before their head were given back completely; the call through the
        # survivor, longer than any hold's timeout, was charged once.
        self.assertEqual(balance["settled"], 10)
        self.assertEqual(balance["available"], 90)
        types = [entry["type"] for entry in survivor.admin.ledger("crash")]
        self.assertEqual(types.count("expire"), 5)
        self.assertEqual(types.count("settle"), 1)
        survivor.verify()
        self.assertEqual(survivor.chat(key).status, 200)

    async def kill_in_mid_stream(self, victim, survivor, key):
        surviving = await open_call(survivor, chat_headers(key, **slow_stream(8)))
        streaming = [await open_call(victim, chat_headers(key, **slow_stream(30)))
                     for _ in range(3)]
        waiting = [await open_call(victim, chat_headers(key, **{"x-sample-head-delay-ms": "30000"}))
                   for _ in range(2)]
        for client in streaming:
            status, headers = await client.read_head()
            self.assertEqual(status, 200)
            await anext(client.read_pieces(headers))
        await asyncio.to_thread(wait_until, lambda: survivor.admin.balance("crash")["held"] == 60, "all six holds")

        victim.kill()

        self.assertEqual(survivor.admin.balance("crash")["held"], 60)
        reply = await surviving.read_reply()
        self.assertEqual(reply.status, 200)
        self.assertIn(b"[DONE]", reply.body)
        for client in streaming + waiting + [surviving]:
            client.close()

    def test_a_sidecar_with_a_slow_clock_and_nothing_to_do_sees_that_they_have(self):
        """Time is the store's, also for a sidecar that has had no call from which to learn it."""
        ahead = shifted_clock(self.directory, datetime.fromtimestamp(time.time() + 3 * 3600, timezone.utc))
        redis = self.start(Redis(self.directory, "ahead", run_with=ahead))

        def sidecar(name):
            config = configuration(redis.url, self.upstream.address, holds={"timeout": "2s", "sweep_every": "200ms"})
            return self.start(Tollgate(self.directory, config, name))
        victim = sidecar("victim")
        key = victim.admin.new_customer("behind", credits=100)
        asyncio.run(self.leave_a_hold(victim, key))
        idle = sidecar("idle")
        self.assertEqual(self.settled_balance(idle, "behind")["available"], 100)

    async def leave_a_hold(self, victim, key):
        client = await open_call(victim, chat_headers(key, **slow_stream(30)))
        await client.read_head()
        victim.kill()
        client.close()

    def test_renewed_holds_outlive_their_timeout(self):
        tollgate, _ = self.start_pair()
        key = tollgate.admin.new_customer("renewed", credits=10)
        # The second call must find the credits held during the whole first call.
        asyncio.run(self.stream_and_try_again(tollgate, key))
        self.assertEqual(self.settled_balance(tollgate, "renewed")["settled"], 10)
        tollgate.verify()

    async def stream_and_try_again(self, tollgate, key):
        streaming = await open_call(tollgate, chat_headers(key, **slow_stream(6)))
        for _ in range(5):  # longer than any hold's timeout
            await asyncio.sleep(1)
            other = await open_call(tollgate, chat_headers(key))
            self.assertEqual((await other.read_reply()).status, 402)
            other.close()
        self.assertIn(b"[DONE]", (await streaming.read_reply()).body)
        streaming.close()
