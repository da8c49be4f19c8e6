"""A store that answers late: passes everything on, and holds back what the store says for a while."""
import asyncio
import threading


class SlowStore:
    """Listens on a unix socket in front of another one, in a thread of its own."""

    def __init__(self, path, target, delay):
        self.path, self._target, self._delay = path, target, delay
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    @property
    def url(self):
        return f"unix://{self.path}"

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_unix_server(self._serve, self.path))
        started.set()
        self._loop.run_forever()

    async def _serve(self, reader, writer):
        store_reader, store_writer = await asyncio.open_unix_connection(self._target)
        await asyncio.gather(self._pass(reader, store_writer, 0), self._pass(store_reader, writer, self._delay))

    async def _pass(self, reader, writer, delay):
        try:
            while data := await reader.read(1 << 16):
                if delay:
                    self._loop.call_later(delay, writer.write, data)
                else:
                    writer.write(data)
        except OSError:
            pass
        self._loop.call_later(delay, writer.close)

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
