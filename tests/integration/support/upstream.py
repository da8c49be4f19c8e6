"""The sample upstream, and its counts of requests."""
from .http import call
from .process import BUILD_DIR, Process


class SampleUpstream(Process):
    def __init__(self, directory, name="upstream", listen="127.0.0.1:0"):
        super().__init__(name, [BUILD_DIR / "tollgate-sample-upstream", "--listen", listen],
                         directory)
        self.wait_ready(lambda: self.log().startswith("listening on ") and self.log().endswith("\n"))
        self.address = self.log().split()[2]

    def stats(self):
        """{"requests", "in_flight", "aborted", "by_path"}"""
        return call(self.address, "GET", "/sample/stats").json()

    def reset_stats(self):
        return call(self.address, "DELETE", "/sample/stats").json()
