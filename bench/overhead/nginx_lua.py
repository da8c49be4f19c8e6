"""Contender: nginx + Lua + Redis, reserving and settling every call."""
from contender import HERE, Contender, is_listening, start_redis
from nginx import start_nginx

GRANT_MICRO = 4 * 10**15


class NginxLua(Contender):
    name = "nginx_lua"
    label = "nginx + Lua + Redis: reserve and settle"

    def start(self, setup):
        self.redis = start_redis(setup, "redis-lua")
        self.redis.command("HSET", "bench:{bench}:account", "granted", GRANT_MICRO)
        self.address = setup.free_address()
        self.process = start_nginx(setup.directory, self.name, HERE / "nginx_lua/nginx.conf.in",
                                   setup.proxy_core, env={"REDIS_SOCKET": self.redis.socket_path},
                                   LISTEN=self.address, UPSTREAM=setup.upstream)
        self.process.wait_ready(lambda: is_listening(self.address))

    def settled_micro(self):
        return int(self.redis.command("HGET", "bench:{bench}:account", "settled") or 0)
