#!/usr/bin/env python3
"""Filters on libsallyport-milter in bad weather: no memory, no disk, many MTAs at once, MTAs that die, an end under traffic,
and Postfix with little patience."""
import contextlib
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from failing_memory import SHIM, Memory
from milter_mta import CONNECT, MAIL, OFFER, RCPT, Filter, do, packet
from postfix_server import Postfix
from support import PATIENCE, Client, GatewayTest, free_port, tool, wait_until

CHANGES = b"addheader|X-Long-Name-Of-A-Field|a value of some octets;insheader|0|X-Another|" + b"y" * 200 + b";addrcpt|<archive@test.example>;" \
    b"replacebody|140000;getsymval|i;setreply|451|4.7.1|Come again in a quarter of an hour;return|4"
# One message, step by step: what is sent, and whether an answer follows. The last answer is the message's verdict.
STEPS = [((b"O", OFFER), True), ((b"D", b"Cj\0mx.test.example\0{daemon_name}\0the name of a daemon\0"), False), (CONNECT, True),
         ((b"H", b"client.of.some.example\0"), True), ((b"D", b"Mi\0QUEUE-ID-OF-SOME-LENGTH\0"), False), (MAIL, True), (RCPT, True), ((b"T",), True),
         ((b"L", b"Subject\0a subject of some octets\0"), True), ((b"N",), True), ((b"B", b"x" * 30000), True),
         (do(b"E", b"eom", CHANGES), False), ((b"E",), True)]


def message(running, steps=tuple(STEPS)):
    """The answers to each step up to the connection's end, which comes early when the filter gives up."""
    heard = []
    # Reset: closed with a command unread.
    with contextlib.suppress(EOFError, ConnectionError), running.connect() as mta:
        for command, is_answered in steps:
            if is_answered:
                heard.append(mta.say(*command))
            else:
                mta.send(command)
    return heard


def descriptors_for(test, count):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < count:
        test.skipTest("too few descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the filter gets it too


@unittest.skipUnless(SHIM, "the malloc that fails is not built (a sanitizer has its own)")
class ShortOfMemory(unittest.TestCase):
    """R7: a connection may end, but no verdict is given that rests on what could not be had."""

    def test_it_lives_and_tells_no_untruth(self):
        with tempfile.TemporaryDirectory() as folder:
            memory = Memory(pathlib.Path(folder, "memory"))
            with Filter(more=memory.environment) as running:
                whole = message(running)
                self.assertEqual([answer[:1] for answer in whole[-1]], [b"h", b"i", b"+", b"b", b"b", b"b", b"y"])
                ended_early = 0
                for every in 101, 47, 29, 19, 13, 7, 5, 3, 2, 1:
                    with self.subTest(every=every):
                        before = memory.failed()
                        with memory.failing(every):
                            for _ in range(20):
                                heard = message(running)
                                self.assertEqual(heard, whole[:len(heard)])
                                ended_early += len(heard) < len(whole)
                        self.assertFalse(running.is_over())
                        self.assertGreater(memory.failed(), before)
                        self.assertEqual(message(running), whole)
                self.assertGreater(ended_early, 20)
                self.assertEqual(running.stop(), 0)
                # Each message that was begun came to its verdict or was aborted.
                lines = running.lines()
                begun = sum(line.startswith("envfrom") for line in lines)
                self.assertGreaterEqual(lines.count("eom") + lines.count("abort"), begun)


class ManyMtas(unittest.TestCase):
    def test_five_hundred_at_once_whose_callbacks_block(self):
        descriptors_for(self, 2000)
        with Filter() as running, contextlib.ExitStack() as all_of_them:
            mtas = [all_of_them.enter_context(running.connect()) for _ in range(500)]
            for mta in mtas:
                mta.send((b"O", OFFER), do(b"C", b"connect", b"sleep|300"), CONNECT, MAIL, RCPT, (b"E",))
            for mta in mtas:
                self.assertEqual([mta.answer()[:1] for _ in range(5)], [b"O", b"c", b"c", b"c", b"c"])
            self.assertEqual(running.notes().count("\neom"), 500)

    def test_those_that_die_in_the_middle(self):
        beginnings = [b"", packet(b"O", OFFER), packet(b"O", OFFER) + packet(*CONNECT)]
        in_message = packet(b"O", OFFER) + packet(*CONNECT) + packet(*MAIL)
        beginnings += [in_message, in_message + packet(*RCPT) + packet(b"B", b"x" * 60000), in_message + packet(*RCPT) + packet(b"B", b"x" * 1000)[:500]]
        with Filter() as running:
            with running.connect() as first:
                first.open()
            running.wait_for_closes(1)
            before = running.descriptors()
            child = os.fork()
            if child == 0:
                with contextlib.suppress(BaseException):
                    mtas = []
                    for number in range(60):
                        mtas.append(running.connect())
                        mtas[-1].socket.sendall(beginnings[number % len(beginnings)])
                        if number % 4 == 1:  # others leave answers unread
                            mtas[-1].socket.recv(1)
                    signal.pause()
                os._exit(1)
            try:
                # Of the one before, and of each other one.
                wait_until("all are in the middle", lambda: running.notes().count("\nenvfrom") == 31)
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            running.wait_for_closes(61)
            self.assertEqual(running.lines().count("abort"), 31)
            wait_until("their descriptors are closed", lambda: running.descriptors() == before)
            self.assertEqual(message(running)[-1][-1][:1], b"y")

    def test_a_stop_under_traffic_leaves_no_message_half_judged(self):
        for how in "signal", "callback":
            with self.subTest(how), Filter() as running:
                steps = [step for step in STEPS if step[0][0] != b"D"]
                verdicts, connections = [], []

                def drive():
                    while True:
                        try:
                            mta = running.connect()
                        except OSError:
                            return
                        connections.append(1)
                        with mta, contextlib.suppress(EOFError, ConnectionError):
                            for command, _ in steps:
                                answers = mta.say(*command)
                            verdicts.append(answers[-1])

                drivers = [threading.Thread(target=drive) for _ in range(8)]
                for driver in drivers:
                    driver.start()
                wait_until("there is traffic", lambda: len(verdicts) > 100)
                if how == "signal":
                    running.process.send_signal(signal.SIGTERM)
                else:
                    with running.connect() as mta:
                        mta.say(b"O", OFFER)
                        mta.send(do(b"C", b"connect", b"stop"), CONNECT)
                        mta.rest()
                self.assertEqual(running.process.wait(PATIENCE), 0)
                for driver in drivers:
                    driver.join()
                lines = running.lines()
                self.assertEqual(set(verdicts), {b"c"})
                eoms = lines.count("eom")
                self.assertEqual(sum(line.startswith("envfrom") for line in lines), eoms + lines.count("abort"))
                # An end that comes before xxfi_eom's answer is out is possible, one for each driver at most.
                self.assertLessEqual(len(verdicts), eoms)
                self.assertLessEqual(eoms, len(verdicts) + len(drivers))
                self.assertLessEqual(running.closes(), len(connections) + 1)
                self.assertGreaterEqual(running.closes(), len(verdicts))


class Timeouts(unittest.TestCase):
    def test_the_longest_is_no_short_one(self):
        with Filter("timeout=2147483647") as running, running.connect() as mta:
            mta.open()
            # Longer than the library takes to look for connections that are overdue.
            mta.socket.settimeout(8)
            with self.assertRaises(TimeoutError):
                mta.socket.recv(1)
            mta.socket.settimeout(PATIENCE)
            self.assertEqual(mta.say(*RCPT), [b"c"])


class FullDisk(unittest.TestCase):
    def test_a_socket_that_cannot_be_made(self):
        with tempfile.TemporaryDirectory() as folder:
            inside = [tool("unshare"), "--mount", "sh", "-c", f'mount -t tmpfs -o nr_inodes=1 tmpfs {folder} && exec "$@"', "sh"]
            if subprocess.run([*inside, "true"], capture_output=True).returncode:
                self.skipTest("no file systems of its own here")
            with Filter(place=f"unix:{folder}/socket", inside=inside) as running:
                self.assertEqual(running.process.wait(PATIENCE), 66)
                self.assertIn("opensocket: -1", running.notes())


class PostfixInFront(GatewayTest):
    """A real MTA, over each kind of socket, and with less patience than the filter takes time."""

    def postfix(self, place, more=""):
        return Postfix(self, more=f"smtpd_milters = {place}\nmilter_default_action = tempfail\n{more}")

    def wait_for(self, running, callback, count):
        wait_until(f"{count} of {callback}", lambda: running.lines().count(callback) >= count)
        self.assertEqual(running.lines().count(callback), count)

    def mail(self, client, number=1):
        client.mail("ann@sender.example", "user@test.example")
        client.message(f"From: <ann@sender.example>\r\nSubject: {number}\r\n\r\ntext\r\n")

    def test_over_each_kind_of_socket(self):
        places = [("unix:{}", None)]
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            places.append(("inet6:{}@[::1]", "inet:[::1]:{}"))
        places.append(("inet:{}@127.0.0.1", "inet:127.0.0.1:{}"))
        for ours, theirs in places:
            with self.subTest(ours), contextlib.ExitStack() as stack:
                port = free_port()
                where = self.folder / f"socket-{port}" if theirs is None else port
                running = stack.enter_context(Filter(place=ours.format(where)))
                if theirs is None:
                    self.folder.chmod(0o755)
                    where.chmod(0o777)
                postfix = self.postfix((theirs or ours).format(where), "inet_protocols = all\n")
                with Client(postfix.port) as client:
                    client.greet()
                    for number in range(3):
                        self.mail(client, number)
                    client.send("QUIT\r\n")
                self.wait_for(running, "eom", 3)
                self.assertEqual(running.lines().count("abort"), 0)
                self.assertEqual(running.stop(), 0)

    def test_that_gives_up_early(self):
        port = free_port()
        with Filter(place=f"inet:{port}@127.0.0.1") as running:
            place = f"inet:127.0.0.1:{port}"
            hasty = self.postfix(place, "milter_command_timeout = 1s\nmilter_mail_macros = i {do_envfrom}\n"
                                 "milter_macro_defaults = {do_envfrom}=sleep|4000\n")
            other = self.postfix(place)
            with Client(hasty.port) as client, Client(other.port) as quick:
                client.greet()
                quick.greet()
                client.send("MAIL FROM:<ann@sender.example>\r\n")
                wait_until("the callback runs", lambda: running.notes().count("\nenvfrom") == 1)
                self.mail(quick)  # which nobody holds up meanwhile
                self.assertTrue(client.reply().startswith("451 4.7.1"))
                quick.send("QUIT\r\n")
            self.wait_for(running, "abort", 1)
            self.wait_for(running, "eom", 1)
            self.assertEqual(running.stop(), 0)

    def test_that_is_killed_in_the_middle(self):
        port = free_port()
        with Filter(place=f"inet:{port}@127.0.0.1") as running:
            postfix = self.postfix(f"inet:127.0.0.1:{port}", "service_throttle_time = 1s\n")
            wait_until("what asked whether Postfix is there has left", lambda: running.closes() == 1)
            before = running.descriptors()
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(Client(postfix.port)) for _ in range(5)]
                for client in clients:
                    client.greet()
                    client.mail("ann@sender.example", "user@test.example")
                wait_until("all are in a message", lambda: running.notes().count("\nenvrcpt") == len(clients))
                for pid in smtpds_of(postfix):
                    os.kill(pid, signal.SIGKILL)
                self.wait_for(running, "abort", len(clients))
            wait_until("the descriptors are closed", lambda: running.descriptors() == before)
            with Client(postfix.port) as client:
                client.greet()
                self.mail(client)
            self.assertEqual(running.stop(), 0)


def smtpds_of(postfix):
    master = int((postfix.folder / "queue/pid/master.pid").read_text())
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text().rsplit(")", 1)
            if fields[0].endswith("(smtpd") and int(fields[1].split()[1]) == master:
                yield int(process.name)


if __name__ == "__main__":
    unittest.main()
