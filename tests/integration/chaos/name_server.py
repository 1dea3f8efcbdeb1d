"""The name server of the chaos run: it answers truly, but late, not at all, with SERVFAIL, or with a stranger's answer first."""
import asyncio
import json
import random
import sys
import threading

from support import PATIENCE, ROOT, free_port

sys.path.insert(0, str(ROOT / "tests/support"))
import dns_server  # noqa: E402

SERVFAIL = 2


class SlowNameServer(asyncio.DatagramProtocol):
    """Serves from a thread of its own; `is_well` makes it a good one."""

    def __init__(self, test, records, ttl, seed):
        file = test.folder / "zone.json"
        file.write_text(json.dumps(records))
        self.server = dns_server.Server(dns_server.Zone(file, "NXDOMAIN", "utf8", ttl), None)
        self.dice = random.Random(f"{seed} names")
        self.is_well = False
        self.port = free_port()
        self.loop = asyncio.new_event_loop()
        self.is_over = asyncio.Event()
        self.serving = threading.Event()
        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(self.serve()), daemon=True)
        self.thread.start()
        if not self.serving.wait(PATIENCE):
            raise AssertionError("the name server does not serve")

    def close(self):
        self.loop.call_soon_threadsafe(self.is_over.set)
        self.thread.join(PATIENCE)

    async def serve(self):
        self.transport, _ = await self.loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", self.port))
        listener = await asyncio.start_server(self.serve_by_tcp, "127.0.0.1", self.port)
        self.serving.set()
        await self.is_over.wait()
        self.transport.close()
        listener.close()

    def fate(self):
        """Seconds until the answer, and what comes then; nothing: no answer."""
        if self.is_well:
            return 0, "answer"
        chance = self.dice.random()
        if chance < 0.03:
            return None
        delay = self.dice.uniform(0, 0.01) if self.dice.random() < 0.8 else self.dice.expovariate(3)
        return min(delay, 3), "SERVFAIL" if chance < 0.08 else "spoofed" if chance < 0.1 else "answer"

    def respond(self, packet, transport):
        fate = self.fate()
        if fate is None:
            return None, []
        delay, what = fate
        answer = self.server.respond(packet, transport)
        if answer is None:
            return None, []
        if what == "SERVFAIL":
            return delay, [dns_server.Query(packet).reply(SERVFAIL)]
        if what == "spoofed" and transport == "udp":
            return delay, [bytes([answer[0] ^ 255]) + answer[1:], answer]
        return delay, [answer]

    def datagram_received(self, packet, sender):
        delay, answers = self.respond(packet, "udp")
        for answer in answers:
            self.loop.call_later(delay, self.transport.sendto, answer, sender)

    async def serve_by_tcp(self, reader, writer):
        try:
            while True:
                octets = int.from_bytes(await reader.readexactly(2), "big")
                delay, answers = self.respond(await reader.readexactly(octets), "tcp")
                if not answers:
                    break
                await asyncio.sleep(delay)
                writer.write(len(answers[0]).to_bytes(2, "big") + answers[0])
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
