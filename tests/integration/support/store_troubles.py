"""The kinds of store trouble of test_store_trouble.py: how each begins and ends, and what has to be seen meanwhile.

`begin` and `end` get the world: a real Redis, a proxy in front of it, and a Tollgate. Faults that a real Redis can
have are made in the Redis; the proxy makes the others.
"""
import os
import re
import signal
import threading
from dataclasses import dataclass, field
from typing import Callable

from .faulty_store import split_replies

UNAVAILABLE = frozenset({503})


@dataclass
class Trouble:
    name: str
    begin: Callable
    end: Callable = lambda world: None
    causes: frozenset = frozenset()        # in /readyz and in the log; empty: the store is ready throughout
    statuses: frozenset = UNAVAILABLE      # of calls, once the trouble is seen
    unknown: bool = False                  # operations may be applied whose reply is lost: voids are due
    redis: tuple = ()                      # options of the server
    user: str = ""                         # of the store's URL
    persistent: bool = False
    by_name: bool = False                  # the URL has a name instead of an address
    heals_alone: float = 0                 # ends by itself this long after `begin`
    accounts_lost: bool = False
    instant: bool = False                  # over at once: nobody may have seen it
    quiet_begin: bool = False              # without calls: the replica has everything
    seen_first: bool = False               # and calls begin only when the trouble has been seen
    proxied: bool = False
    prepare: Callable = field(default=lambda world: None)


def causes(*names):
    return frozenset(names)


def config(**options):
    def change(world):
        for name, value in options.items():
            world.redis.command("CONFIG", "SET", name.replace("_", "-"), value)
    return change


def command(*arguments):
    return lambda world: world.redis.command(*arguments)


def both(*steps):
    def change(world):
        for step in steps:
            step(world)
    return change


# --- a real Redis --------------------------------------------------------------------------------


def fail_to_save(world):
    """A directory stands where the snapshot has to be written, so a background save fails."""
    os.makedirs(os.path.join(world.directory, "taken"), exist_ok=True)
    config(save="3600 1")(world)
    world.redis.command("SET", "changed", "1")
    world.redis.command("BGSAVE")
    world.wait_until(lambda: b"rdb_last_bgsave_status:err" in world.redis.command("INFO", "persistence"),
                     "the save to fail")


def save_again(world):
    config(stop_writes_on_bgsave_error="no", save="")(world)


def run_a_script(world):
    """Another client's script that does not end; Redis answers BUSY from the 10th millisecond on."""
    world.redis.command("CONFIG", "SET", "busy-reply-threshold", "10")

    def run():
        try:
            world.redis.command("EVAL", "while true do end", "0", timeout=120)
        except OSError:
            pass
    world.thread = threading.Thread(target=run, daemon=True)
    world.thread.start()


def end_the_script(world):
    world.redis.command("SCRIPT", "KILL")
    world.thread.join()


def forbid(world):
    world.redis.command("ACL", "SETUSER", "sidecar", "-hdel")


def forbid_get(world):
    """Only a new connection sends it."""
    world.redis.command("ACL", "SETUSER", "sidecar", "-get")
    world.redis.command("CLIENT", "KILL", "USER", "sidecar")


def change_password(world):
    world.redis.command("ACL", "SETUSER", "sidecar", "resetpass", ">other")
    world.redis.command("CLIENT", "KILL", "USER", "sidecar")


def restore_password(world):
    world.redis.command("ACL", "SETUSER", "sidecar", "resetpass", ">secret")


def add_user(world):
    world.redis.command("ACL", "SETUSER", "sidecar", "on", ">secret", "~tollgate:*", "+@all", "-role")


def add_user_without_role(world):
    """It may send `INFO`, like one of `-@admin`."""
    add_user(world)
    config(replica_read_only="no")(world)


def take_all_places(world):
    """One connection is kept, to raise the limit again."""
    world.keeper = world.redis.connect()
    world.redis.command("CONFIG", "SET", "maxclients", "1", over=world.keeper)
    world.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes", over=world.keeper)


def give_places(world):
    world.redis.command("CONFIG", "SET", "maxclients", "1000", over=world.keeper)
    world.keeper.close()


def load_slowly(world):
    """Killed, and started again with so many keys that it is loading for a while."""
    for i in range(200):
        world.redis.command("SET", f"filler:{i}", "x" * 100)
    world.redis.command("SAVE")
    world.redis.kill()
    world.restart_redis("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024", wait=False)


def promote(world):
    """The address moves to the replica, which is a master now; open connections stay with the old one."""
    def offset(redis):
        return re.search(rb"master_repl_offset:(\d+)", redis.command("INFO", "replication"))[1]
    world.wait_until(lambda: offset(world.redis) == offset(world.second), "the replica to have everything")
    world.second.command("REPLICAOF", "NO", "ONE")
    world.proxy.target = world.second.socket_path
    world.redis.command("REPLICAOF", "127.0.0.1", "1")


def prepare_replica(world):
    world.start_second()
    world.redis.command("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    world.second.command("REPLICAOF", "127.0.0.1", world.port)
    world.wait_until(lambda: b"master_link_status:up" in world.second.command("INFO", "replication"),
                     "the replica to follow")


REAL = [
    Trouble("memory full", config(maxmemory="1"), config(maxmemory="0"), causes("out_of_memory")),
    Trouble("no replicas", config(min_replicas_to_write="1"), config(min_replicas_to_write="0"),
            causes("no_replicas")),
    Trouble("disk error", fail_to_save, save_again, causes("disk_error"), redis=("--dbfilename", "taken")),
    Trouble("busy script", run_a_script, end_the_script, causes("busy", "timed_out"), unknown=True),
    Trouble("demoted", command("REPLICAOF", "127.0.0.1", "1"), command("REPLICAOF", "NO", "ONE"), causes("replica")),
    Trouble("demoted, master down", both(config(replica_serve_stale_data="no"), command("REPLICAOF", "127.0.0.1", "1")),
            command("REPLICAOF", "NO", "ONE"), causes("replica")),
    Trouble("demoted, role not allowed", command("REPLICAOF", "127.0.0.1", "1"), command("REPLICAOF", "NO", "ONE"),
            causes("replica"), user="sidecar:secret@", prepare=add_user),
    Trouble("demoted, takes writes", command("REPLICAOF", "127.0.0.1", "1"), command("REPLICAOF", "NO", "ONE"),
            causes("replica"), redis=("--replica-read-only", "no")),
    Trouble("demoted, writes, no role", command("REPLICAOF", "127.0.0.1", "1"), command("REPLICAOF", "NO", "ONE"),
            causes("replica"), user="sidecar:secret@", prepare=add_user_without_role),
    Trouble("replica promoted", promote, causes=causes("replica"), heals_alone=0.01, instant=True,
            prepare=prepare_replica, quiet_begin=True, proxied=True),
    Trouble("command forbidden", forbid, command("ACL", "SETUSER", "sidecar", "+hdel"), causes("no_permission"),
            user="sidecar:secret@", prepare=add_user, quiet_begin=True, seen_first=True),
    Trouble("GET forbidden", forbid_get, command("ACL", "SETUSER", "sidecar", "+get"), causes("closed", "no_permission"),
            user="sidecar:secret@", prepare=add_user, unknown=True),
    Trouble("password changed", change_password, restore_password, causes("closed", "no_auth"),
            user="sidecar:secret@", prepare=add_user, unknown=True),
    Trouble("hang", lambda world: os.kill(world.redis.pid, signal.SIGSTOP),
            lambda world: os.kill(world.redis.pid, signal.SIGCONT), causes("timed_out"), unknown=True),
    Trouble("killed and restarted", lambda world: world.redis.kill(), lambda world: world.restart_redis(),
            causes("closed", "unreachable"), persistent=True, unknown=True),
    Trouble("loading", load_slowly, lambda world: world.wait_until_loaded(),
            causes("closed", "unreachable", "loading", "timed_out"), unknown=True, quiet_begin=True),
    Trouble("clients paused", command("CLIENT", "PAUSE", "2000"), causes=causes("timed_out"), heals_alone=2.0,
            unknown=True),
    Trouble("clients killed", command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
            causes=causes("closed"), statuses=frozenset({200, 503}), heals_alone=0.01, instant=True, unknown=True),
    Trouble("too many clients", take_all_places, give_places, causes("closed", "too_many"), unknown=True),
    Trouble("emptied", command("FLUSHALL"), lambda world: world.new_account(), statuses=frozenset({200, 401, 402, 503}), accounts_lost=True),
    Trouble("functions flushed", command("FUNCTION", "FLUSH"), statuses=frozenset({200})),
    Trouble("scripts flushed", command("SCRIPT", "FLUSH"), statuses=frozenset({200})),
]


# --- the proxy in front of it ---------------------------------------------------------------------


def refuse(world):
    world.proxy.accept(False)
    world.proxy.reset_all()


def be_silent(world):
    world.proxy.answers = False
    world.proxy.reset_all()


def speak(world):
    world.proxy.answers = True


def remove_name(world):
    os.remove(world.names_file)
    world.proxy.reset_all()


def alter(function):
    def change(world):
        world.proxy.alter = lambda data: function(world, data)
    return change


MASTER = b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"


def answer_instead(text):
    """The proxy answers every command on data; the store does not get it. It answers ROLE, too, which comes together
    with one on data: the replies stay in order."""
    answers = {b"AUTH": None, b"SELECT": None, b"TIME": None, b"ROLE": MASTER}

    def change(world):
        world.proxy.instead = lambda name: answers.get(name, text)
    return change


def answer_one_with_ok(name):
    """New connections are answered so, too."""
    def change(world):
        answers = {b"ROLE": MASTER, name: b"+OK\r\n"}
        world.proxy.instead = answers.get
        world.proxy.reset_all()
    return change


def honest(world):
    world.proxy.alter = world.proxy.instead = None
    world.proxy.delay = 0.0


def half(world, data):
    """The first half of each reply; the rest never comes."""
    return data[:len(data) // 2]


def broken(world, data):
    """A reset after some bytes, in one of four."""
    return None if world.proxy.chance.random() < 0.25 else data


def answer_scripts_with(text):
    """Another answer to what is answered with text: scripts that have run."""
    return alter(lambda world, data: b"".join(text if reply.startswith(b"$") else reply
                                              for reply in split_replies(data)))


def slow(seconds):
    def change(world):
        world.proxy.delay = seconds
    return change


PROXIED = [
    Trouble("address refuses", refuse, lambda world: world.proxy.accept(True), causes("closed", "unreachable"),
            unknown=True),
    Trouble("accepted, never answered", be_silent, speak, causes("closed", "timed_out"), unknown=True),
    Trouble("name does not resolve", remove_name, lambda world: world.add_name(), causes("closed", "name_unknown"),
            by_name=True, unknown=True),
    Trouble("half a reply", alter(half), honest, causes("timed_out", "malformed"), unknown=True),
    Trouble("garbage", alter(lambda world, data: b"HTTP/1.1 400 Bad Request\r\n\r\n"), honest, causes("malformed"),
            unknown=True),
    Trouble("resets at random bytes", alter(broken), honest, causes("closed"),
            statuses=frozenset({200, 503}), unknown=True),
    Trouble("slow, 50 ms", slow(0.05), honest, statuses=frozenset({200})),
    Trouble("slow, 2 s", slow(2.0), honest, causes("timed_out"), unknown=True),
    Trouble("CLUSTERDOWN", answer_instead(b"-CLUSTERDOWN Hash slot not served\r\n"), honest, causes("cluster_down")),
    Trouble("MOVED", answer_instead(b"-MOVED 3999 127.0.0.1:6381\r\n"), honest, causes("cluster_down")),
    Trouble("LOADING", answer_instead(b"-LOADING Redis is loading the dataset in memory\r\n"), honest,
            causes("loading")),
    Trouble("MASTERDOWN", answer_instead(b"-MASTERDOWN Link with MASTER is down\r\n"), honest, causes("replica")),
    Trouble("NOAUTH", answer_instead(b"-NOAUTH Authentication required.\r\n"), honest, causes("no_auth")),
    Trouble("TIME is no time", answer_one_with_ok(b"TIME"), honest, causes("closed", "malformed"), unknown=True),
    Trouble("check is no time", answer_one_with_ok(b"FCALL"), honest, causes("closed", "malformed"), unknown=True),
    Trouble("error after a script ran", answer_scripts_with(b"-ERR boom script: f, on @user_function:1.\r\n"), honest,
            unknown=True, statuses=frozenset({200, 503})),
]

for each in PROXIED:
    each.proxied = True
ALL = REAL + PROXIED

