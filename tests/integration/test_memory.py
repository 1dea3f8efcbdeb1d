"""A gateway that runs out of memory, over and over: it puts off, hangs up, and lives; what it acknowledges is there."""
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import time
import unittest

from failing_memory import SHIM, Memory
from support import PROGRAM, Client, GatewayTest, free_port, run, toml, wait_until

# Each so manieth allocation fails; one takes all of them.
RATES = [4001, 997, 499, 251, 127, 61, 31, 13, 5, 2, 1]


@unittest.skipUnless(SHIM, "the malloc that fails is not built (a sanitizer has its own)")
class ShortOfMemory(GatewayTest):
    def setUp(self):
        super().setUp()
        self.upstream = self.sink("--reject-rcpt", "^nobody@")
        self.memory = Memory(self.folder / "memory")
        (self.folder / "memory").chmod(0o666)
        dns = self.dns({})
        rules = self.rules('sp.rule { name = "LOOKS", stage = "message", score = 1, run = function(tx)\n'
                           '  return tx.msg.subject == "never" end }\n')
        file = self.configuration(
            self.upstream.port, dns={"servers": [f"127.0.0.1:{dns}"]},
            limits={"sessions_per_ip": 10000, "memory_per_message": "64KiB"},
            policy={"mode": "enforce", "dnsbl": {"zones": {"bl.example": {"score": 9.0}}},
                    "rate": {"connect_per_ip": "100000/1m", "mail_per_ip": "100000/1m"}, "rules": {"path": rules}})
        self.start_with_failing_memory(file)
        self.sent, self.acknowledged, self.wrong = 0, set(), []

    def start_with_failing_memory(self, file):
        os.environ |= self.memory.environment
        try:
            self.start_gateway(file)
        finally:
            del os.environ["LD_PRELOAD"], os.environ["SALLYPORT_FAILING_MALLOC"]

    def mail(self, client, by_bdat, octets, recipients):
        """One mail; True once it is acknowledged. A refusal for good is a mistake: there is nothing wrong with it."""
        self.sent += 1
        number = self.sent
        client.send(f"MAIL FROM:<{number}@sender.example>\r\n")
        replies = [client.reply()]
        for recipient in recipients:
            client.send(f"RCPT TO:<{recipient}@test.example>\r\n")
            replies.append(client.reply())
        content = f"From: <ann@sender.example>\r\nSubject: {number}\r\nMessage-ID: <{number}@sender.example>\r\n\r\n".encode()
        content += b"A line of a message.\r\n" * (octets // 22)
        if by_bdat:
            client.send(f"BDAT {len(content)} LAST\r\n".encode() + content)
        else:
            client.send("DATA\r\n")
            replies.append(client.reply())
            if replies[-1].startswith("354"):
                client.send(content + b".\r\n")
        if by_bdat or replies[-1].startswith("354"):
            replies.append(client.reply())
            if replies[-1].startswith("250"):
                self.acknowledged.add(number)
        # After a MAIL or RCPT that had to be put off, what follows is out of order.
        untimely = any(reply.startswith("4") for reply in replies)
        for reply in replies:
            if reply[0] not in "234" and "No such user" not in reply and not (untimely and reply[:3] in ("503", "554")):
                self.wrong.append(replies)
        return number in self.acknowledged

    def session(self, number):
        with Client(self.port) as client:
            if not client.reply().startswith("220"):
                return False
            client.ask("EHLO client.example", 250)
            if number % 3 == 0:
                client.starttls()
                client.ask("EHLO client.example", 250)
            recipients = [["user"], ["user", "second"], ["nobody", "user"]][number % 3 if number % 2 else 0]
            return self.mail(client, number % 2 == 0, 200_000 if number % 5 == 0 else 1000, recipients)

    def test_it_lives_and_tells_the_truth(self):
        for every in RATES:
            with self.subTest(every=every):
                before = self.memory.failed()
                with self.memory.failing(every):
                    for number in range(20):
                        # Hung up on, or put off before the mail.
                        with contextlib.suppress(OSError, EOFError, AssertionError):
                            self.session(number)
                self.assertTrue(self.gateway_process.is_running(), self.gateway_process.output()[-2000:])
                self.assertGreater(self.memory.failed(), before)
                self.assertEqual(self.wrong, [])
                # Whatever has failed may be passed over for a moment; then all is as ever.
                wait_until("a mail to be taken", lambda: self.session(1))
                for number in range(6):
                    self.assertTrue(self.session(number), number)
        self.assertEqual(self.gateway_process.stop(), 0, self.gateway_process.output())
        stored = [int(envelope["mail"].split("<")[1].split("@")[0]) for envelope, _ in self.upstream.messages()]
        self.assertEqual(self.acknowledged - set(stored), set(), "acknowledged and lost")
        self.assertEqual(len(stored), len(set(stored)), "stored twice")
        self.assertEqual(os.listdir(self.folder / "state" / "spool"), [])

    def test_a_reload_that_is_said_to_be_taken_is_taken_by_every_worker(self):
        self.assertEqual(self.gateway_process.stop(), 0)
        file = self.folder / "sallyport.toml"
        plain = file.read_text().replace("workers = 1", "workers = 3")
        file.write_text(plain)
        self.start_with_failing_memory(file)
        outcomes = set()
        for number, every in enumerate([100000, 30011, 20011, 10007, 7001, 5003, 3001, 2003] * 4):
            name = f"mx{number}.test.example"
            file.write_text(plain.replace("mx.test.example", name))
            with self.memory.failing(every):
                done = run([PROGRAM, "reload", "-c", file])
            outcomes.add(done.returncode)
            if done.returncode != 0:
                continue
            for _ in range(12):
                with Client(self.port) as client:
                    self.assertIn(f" {name} ", client.expect(220), every)
        self.assertIn(0, outcomes)
        self.assertTrue(self.gateway_process.is_running())
        done = run([PROGRAM, "reload", "-c", file])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.gateway_process.stop(), 0, self.gateway_process.output())

    def test_an_address_that_a_worker_has_no_memory_for_is_served_by_the_others(self):
        """And nobody waits in vain at the socket that was made for that worker. The next reload makes it another one."""
        self.assertEqual(self.gateway_process.stop(), 0)
        file = self.folder / "sallyport.toml"
        file.write_text(file.read_text().replace("workers = 1", "workers = 2"))
        self.start_with_failing_memory(file)
        plain = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith("listen = ")]
        other = free_port()
        listeners = [{"address": f"127.0.0.1:{port}", "tls": "starttls"} for port in (self.port, other)]
        file.write_text("".join(plain) + f"listen = {toml(listeners)}\n")
        with self.memory.failing(1, "worker2"):
            done = run([PROGRAM, "reload", "-c", file])
        self.assertIn("1 of 2 workers had no memory for it", done.stderr)
        self.assertNotIn("nothing has changed", done.stderr)
        self.assertIn("is in force", done.stdout)
        self.assertEqual(done.returncode, 75)
        for _ in range(16):
            with Client(other) as client:
                client.expect(220)
        done = run([PROGRAM, "reload", "-c", file])
        self.assertEqual(done.returncode, 0, done.stderr)
        workers = set()
        for _ in range(32):
            with Client(other) as client:
                client.expect(220)
                listed = run([PROGRAM, "sessions", "--json", "-c", file]).stdout
                workers |= {session["worker"] for session in json.loads(listed)["sessions"]}
        self.assertEqual(workers, {1, 2})
        self.assertEqual(self.gateway_process.stop(), 0, self.gateway_process.output())

    def test_no_signal_is_lost(self):
        supervising = self.gateway_process.process.pid
        file = self.folder / "sallyport.toml"
        file.write_text(file.read_text().replace("mx.test.example", "other.test.example"))
        with self.memory.failing(1):
            os.kill(supervising, signal.SIGHUP)
            time.sleep(1)

        def is_reloaded():
            with Client(self.port) as client:
                return " other.test.example " in client.expect(220)
        wait_until("the reload that was asked for", is_reloaded)
        with self.memory.failing(1):
            os.kill(supervising, signal.SIGTERM)
            time.sleep(1)
        self.assertEqual(wait_until("the end", lambda: self.gateway_process.process.poll() is not None), True)
        self.assertEqual(self.gateway_process.process.returncode, 0, self.gateway_process.output())

    def test_nothing_is_used_that_ends_the_process_for_lack_of_memory(self):
        listed = subprocess.run(["nm", "-D", "--undefined-only", PROGRAM], capture_output=True, text=True, check=True).stdout
        self.assertIn("pthread_setspecific", listed)
        self.assertNotIn("__cxa_thread_atexit", listed, "a thread_local with a destructor: see gateway/base/per_thread.h")
        self.assertNotIn("18directory_iteratorC", listed, "it throws where it must not: see gateway/base/directory.h")

    def test_it_lives_while_it_comes_to_hold_more_sockets_than_ever(self):
        """What grows with a descriptor's number grows at a few of them: the lack has to come at each of its allocations."""
        clients = []
        for every in itertools.islice(itertools.cycle([5, 6, 7, 8, 9, 10, 11, 13, 17, 23, 1009]), 12000):
            client = socket.socket()
            client.settimeout(10)
            # Those who are turned away leave their number to the next one.
            with self.memory.failing(every), contextlib.suppress(OSError):
                client.connect(("127.0.0.1", self.port))
                if client.recv(4).startswith(b"220"):
                    clients.append(client)
            if client not in clients[-1:]:
                client.close()
            if len(clients) == 600:
                break
        self.assertTrue(self.gateway_process.is_running(), self.gateway_process.output()[-2000:])
        self.assertEqual(len(clients), 600)
        for client in clients:
            client.close()
        wait_until("a mail to be taken", lambda: self.session(1))
        self.assertEqual(self.gateway_process.stop(), 0, self.gateway_process.output())


if __name__ == "__main__":
    unittest.main()
