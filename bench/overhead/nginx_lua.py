"""Contender: nginx + Lua + Redis, reserving and settling every call."""
from contender import HERE, Contender, is_listening, start_redis
from nginx import start_nginx

GRANT_MICRO = 4 * 10**15


def account(number):
    return f"bench:{{bench-{number}}}:account"


class NginxLua(Contender):
    name = "nginx_lua"
    label = "nginx + Lua + Redis: reserve and settle"

    def start(self, setup):
        self.redis = start_redis(setup, "redis-lua")
        self.keys = [f"bench-key-{number}" for number in range(1, setup.organizations + 1)]
        for number in range(1, setup.organizations + 1):
            self.redis.command("HSET", account(number), "granted", GRANT_MICRO)
        self.address = setup.free_address()
        self.process = start_nginx(setup.directory, self.name, HERE / "nginx_lua/nginx.conf.in",
                                   setup.proxy_core, env={"REDIS_SOCKET": self.redis.socket_path,
                                        "ORGANIZATIONS": str(setup.organizations)},
                                   LISTEN=self.address, UPSTREAM=setup.upstream)
        self.process.wait_ready(lambda: is_listening(self.address))

    def settled_micro(self):
        settled = (self.redis.command("HGET", account(number + 1), "settled") for number in range(len(self.keys)))
        return sum(int(each) for each in settled if each.isdigit())  # missing for an organization without a call
