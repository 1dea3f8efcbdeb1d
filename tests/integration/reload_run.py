"""Mail flows through a gateway whose configuration is reloaded over and over, good and bad in turn; nobody notices.

Clients connect at a steady rate, whether or not those before them are done, and each delivers one message; only where
the machine cannot keep up at all, and a second's worth of them is under way, they wait. What a client meets that it would
not have met without reloads is a failure: a connection refused or reset, a 4xx or 5xx, an end before its time.
"""
import asyncio
import collections
import dataclasses
import threading
import time


@dataclasses.dataclass
class LoadResult:
    sent: int = 0
    failures: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    slowest: float = 0.0
    seconds: float = 0.0

    def __str__(self):
        return (f"{self.sent} mails accepted, {self.sent / self.seconds:.0f}/s, {sum(self.failures.values())} failed, "
                f"the slowest took {self.slowest:.2f} s")


class SteadyLoad:
    """Sessions at a rate, each with one mail, from a thread of their own, until stop()."""

    def __init__(self, port, rate, patience):
        self.port, self.rate, self.patience = port, rate, patience
        self.result = LoadResult()
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    async def run(self):
        begin = started = time.monotonic()
        count, sessions = 0, set()
        while not self.is_over.is_set():
            await asyncio.sleep(max(0.0, begin + count / self.rate - time.monotonic()))
            while len(sessions) >= self.rate:
                await asyncio.wait(sessions, return_when=asyncio.FIRST_COMPLETED)
                begin = max(begin, time.monotonic() - count / self.rate)  # what could not be sent is not made up for
            count += 1
            session = asyncio.create_task(self.session(count))
            sessions.add(session)
            session.add_done_callback(sessions.discard)
        await asyncio.gather(*sessions)
        self.result.seconds = time.monotonic() - started

    async def session(self, number):
        begin = time.monotonic()
        step = "connect"
        try:
            async with asyncio.timeout(self.patience):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    for step, command, code in (
                            ("greeting", b"", b"220"), ("EHLO", b"EHLO load.example\r\n", b"250"),
                            ("MAIL", b"MAIL FROM:<%d@load.example>\r\n" % number, b"250"),
                            ("RCPT", b"RCPT TO:<user@test.example>\r\n", b"250"), ("DATA", b"DATA\r\n", b"354"),
                            ("content", b"Subject: %d\r\n\r\nhello\r\n.\r\n" % number, b"250"),
                            ("QUIT", b"QUIT\r\n", b"221")):
                        writer.write(command)
                        line = b"   -"
                        while line[3:4] == b"-":
                            line = await reader.readline()
                        if not line.startswith(code):
                            raise ValueError(line.decode(errors="replace").strip() or "the end")
                finally:
                    writer.close()
            self.result.sent += 1
            self.result.slowest = max(self.result.slowest, time.monotonic() - begin)
        except (OSError, ValueError, TimeoutError) as error:
            self.result.failures[f"{step}: {str(error) or type(error).__name__}"] += 1
