#!/usr/bin/env python3
"""Filters on libsallyport-milter: the same binary on it and on libmilter, threads, the process's end, and hostile MTAs."""
import contextlib
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from milter_mta import (CONNECT, DEBIANS, LIBRARY, MAIL, OFFER, RCPT, Filter, Mta, do, packet)
from support import PATIENCE, free_port, wait_until

HELO = (b"H", b"client\0")
SETREPLY = (b"setreply|550|NULL|a;setreply|550|4.1.1|a;setreply|250|NULL|a;setreply|55|NULL|a;setreply|5500|NULL|a;"
            b"setreply|550|5.1|a;setreply|550|5.1.1|NULL;setreply|550|5.1000.1|x;setreply|550|5.1.1x|x;"
            b"setreply|550|NULL|NULL;setreply|550|5.1.1|a%%b;setreply|550|6.1.1|a;setreply|450|5.1.1|" + b"a" * 981)
CHANGES = (b"addheader||x;addheader|a|NULL;addheader|a|b\n\tc;addheader|a: b|c;insheader|-1|a|b;insheader|7|a|b;"
           b"chgheader|a|-1|b;chgheader|a|0|NULL;chgfrom|NULL|a;chgfrom|<a>|NULL;chgfrom|<a>|A=B;addrcpt|NULL;addrcpt|<a>;"
           b"addrcpt_par|<a>|NULL;addrcpt_par|<a>|B=C;delrcpt|NULL;delrcpt|<x>;quarantine|NULL;quarantine|q;replacenull|1;"
           b"replacenull|0;replacenull|-1;replacebody|10;replacebody|140000;progress;setsymlist|0|x")
GETSYMVAL = b"getsymval|i;getsymval|{i};getsymval|yy;getsymval|{yy};getsymval|j;getsymval|{j};getsymval|k;getsymval|{_}"


def at_rcpt(commands):
    return do(b"R", b"envrcpt", commands)


# What MTAs say after their offer. The answers and the filter's notes must be the same on both libraries. What libmilter
# does by mistake is left out: answers said twice when a verdict falls on a last piece of the body, an unknown command
# inside a message that breaks its order, texts without an end, a reply of no lines.
EXCHANGES = {
    "nothing": [],
    "a message": [CONNECT, HELO, MAIL, RCPT, (b"T",), (b"L", b"Subject\0x\n\ty\0"), (b"N",), (b"B", b"line\r\n"),
                  (b"B", b"x" * 65535), (b"E",), (b"Q",)],
    "two messages": [CONNECT, HELO, MAIL, RCPT, (b"E", b"last"), HELO, MAIL, RCPT, (b"A",), MAIL, (b"Q",)],
    "quit in a message": [CONNECT, MAIL, (b"Q",)],
    "the end in a header": [CONNECT, MAIL, RCPT, (b"L", b"a\0b\0")],
    "reuse, and nothing": [CONNECT, MAIL, (b"K",), (b"Q",)],
    "the wrong order": [CONNECT, CONNECT, MAIL, CONNECT, HELO, (b"O", OFFER), MAIL, RCPT, (b"T",), RCPT, (b"L", b"a\0b\0"),
                        MAIL, RCPT, (b"N",), (b"L", b"a\0b\0"), MAIL, RCPT, (b"B", b"x"), (b"N",), (b"E",)],
    "no connection": [MAIL, HELO],
    "aborts": [CONNECT, (b"A",), HELO, MAIL, RCPT, (b"L", b"a\0b\0"), (b"A",), MAIL, (b"A",), (b"A",), HELO],
    "an unknown command": [CONNECT, (b"U", b"FOO\0"), HELO],
    "an unknown letter": [CONNECT, MAIL, (b"Z",), HELO],
    "a name without end": [CONNECT, (b"H", b"")],
    "more behind a name": [CONNECT, (b"H", b"abc\0def\0"), (b"M", b"")],
    "an empty path": [CONNECT, (b"M", b"\0"), (b"R", b"<a>\0NOTIFY=NEVER\0ORCPT=rfc822;a\0")],
    "more in a header": [CONNECT, MAIL, RCPT, (b"L", b"a\0b\0c\0"), (b"L", b"a\0")],
    "a header without a name": [CONNECT, MAIL, RCPT, (b"L", b"\0b\0")],
    "data where none are": [CONNECT, MAIL, RCPT, (b"T", b"x"), (b"N", b"y"), (b"E",), (b"A", b"x"), (b"Q", b"x")],
    "a family that is none": [(b"C", b"h\0X\0\0a\0")],
    "an address that is none": [(b"C", b"h\0004\0\0a\0")],
    "a path": [(b"C", b"h\0L\0\0/a/b\0")],
    "IPv6": [(b"C", b"h\0006\0\x01IPv6:2001:db8::1\0")],
    "IPv4 in IPv6": [(b"C", b"h\0006\0\x01::ffff:1.2.3.4\0")],
    "only a host": [(b"C", b"h\0")],
    "an unknown address": [(b"C", b"h\0Uxxx")],
    "accept at MAIL": [CONNECT, do(b"M", b"envfrom", b"return|3"), MAIL, RCPT, (b"N",), MAIL, (b"A",), MAIL],
    "reject at the connection": [do(b"C", b"connect", b"return|1"), CONNECT, HELO],
    "discard at the header": [CONNECT, do(b"M", b"header", b"return|2"), MAIL, RCPT, (b"L", b"a\0b\0"), (b"N",), (b"E",), MAIL],
    "skip": [CONNECT, do(b"M", b"body", b"return|8"), MAIL, RCPT, (b"B", b"x"), (b"E",)],
    "no reply": [CONNECT, do(b"M", b"envfrom", b"return|7"), MAIL, RCPT, (b"E",)],
    "a verdict that is none": [CONNECT, do(b"M", b"envfrom", b"return|99"), MAIL, RCPT, (b"E",)],
    "replies": [CONNECT, MAIL, at_rcpt(SETREPLY + b";return|1"), RCPT, at_rcpt(b"return|4"), RCPT,
                at_rcpt(b"setreply|550|5.1.1|NULL;return|1"), RCPT, at_rcpt(b"setreply|550|NULL|NULL;return|1"), RCPT,
                at_rcpt(b"setreply|450|4.1.1|" + b"a" * 980 + b";return|1"), RCPT, at_rcpt(b"return|4"), RCPT, RCPT],
    "replies of lines": [CONNECT, MAIL, at_rcpt(b"setmlreply|450|NULL|a|b%%c;return|4"), RCPT,
                         at_rcpt(b"setmlreply|450|NULL|" + b"|".join([b"x"] * 33) + b";return|4"), RCPT,
                         at_rcpt(b"setmlreply|550|5.7.1|" + b"|".join([b"x"] * 32) + b";return|1"), RCPT,
                         at_rcpt(b"setmlreply|550|2.7.1|a;return|1"), RCPT, at_rcpt(b"setmlreply|250|5.7.1|a;return|1"), RCPT],
    "changes": [CONNECT, MAIL, RCPT, do(b"E", b"eom", CHANGES), (b"E",)],
    "changes too early": [CONNECT, MAIL, RCPT, do(b"N", b"eoh", CHANGES), (b"N",), (b"E",)],
    "changes in an abort": [CONNECT, do(b"M", b"abort", CHANGES.replace(b"progress;", b"")), MAIL, (b"A",)],
    "macros": [(b"D", b"Cj\0mx\0_\0peer\0"), CONNECT, (b"D", b"Mi\0one\0{yy}\0two\0j\0\0"), do(b"H", b"helo", GETSYMVAL), HELO,
               MAIL, (b"D", b"Mi\0one\0{yy}\0two\0j\0\0"), MAIL, do(b"R", b"envrcpt", GETSYMVAL), RCPT,
               do(b"T", b"data", GETSYMVAL), (b"T",), (b"D", b"Ni\0header\0{do_eoh}\0" + GETSYMVAL + b"\0"), (b"N",),
               (b"D", b"Ei\0end\0{do_eom}\0" + GETSYMVAL + b"\0"), (b"E",), (b"D", b"Ei\0next\0"),
               do(b"M", b"envfrom", GETSYMVAL), MAIL],
    "macros of other letters": [CONNECT, (b"D", b"La\0b\0"), (b"D", b"Ua\0b\0"), (b"D", b"Za\0b\0"), (b"D", b"C"),
                                (b"D", b"Hodd"), HELO, (b"D", b""), HELO],
}
NEW = (6, 0x1FF, 0x1FFFFF)
# Offers, and the filter's answer to them: words for the filter, its deeds in xxfi_negotiate, the offer.
NEGOTIATIONS = {
    "version 1": ((), None, (1, 0x1FF, 0x1FFFFF)),
    "version 2": (("flags=1",), None, (2, 0x3F, 0x7F)),
    "version 2 of nothing": (("flags=1",), None, (2, 0, 0)),
    "version 7": (("negotiate=1",), None, (7, 0xFFF, 0x701FFFFF)),
    "less than flags": ((), None, (6, 1, 0x1FFFFF)),
    "callbacks left out": (("negotiate=1", "without=eoh,unknown,data"), None, NEW),
    "all left out": (("without=connect,helo,envfrom,envrcpt,header,eoh,body,eom,unknown,data",), None, NEW),
    "lists": (("negotiate=1",), "setsymlist|3|i {x};setsymlist|3|j;setsymlist|7|a;setsymlist|0|NULL;setsymlist|1|j", NEW),
    "everything": (("negotiate=1", "without=eoh"), "return|10;actions|0", NEW),
    "silent": (("negotiate=1",), "options|0xfd080", NEW),
    "silent before an old MTA": (("negotiate=1",), "options|0xfd080", (6, 0x1FF, 0x7F)),
    "a blank in front": (("negotiate=1",), "options|0x100000", NEW),
    "what is not offered": (("negotiate=1",), "options|0x100000", (6, 0x1FF, 0x7F)),
    "actions not offered": (("negotiate=1",), "actions|0x40", (6, 0x3F, 0x7F)),
    "refused": (("negotiate=1",), "return|1", NEW),
}
# Beginnings of sessions, each to be followed by every command. Unknown commands are left out, which break libmilter's order.
ORDERS = [b"", b"C", b"CH", b"CM", b"CMR", b"CMT", b"CMRT", b"CMRTL", b"CMRTLN", b"CMRTLNB", b"CMRTLNBE", b"CMRL", b"CMRN", b"CMRB",
          b"CMRE", b"CMN", b"CML", b"CMB", b"CMA", b"CMRTA", b"CMREH"]
EVERYTHING = [CONNECT, HELO, MAIL, RCPT, (b"T",), (b"L", b"a\0b\0"), (b"N",), (b"B", b"x"), (b"E",)]


def transcript(running, offer, commands):
    """What the MTA hears, and what the filter writes down, of one connection. All commands are sent at once, so that no
    answer is waited for that does not come."""
    before = len(running.lines())
    closes = running.closes()
    with running.connect() as mta:
        try:
            mta.send((b"O", struct.pack(">III", *offer)), *commands)
            mta.socket.shutdown(socket.SHUT_WR)
            heard = mta.rest()
        except OSError:
            heard = b"(reset)"  # it has closed with commands unread
    running.wait_for_closes(closes + 1)
    return heard, running.lines()[before:]


def transcripts(library):
    found = {}
    with Filter(library=library) as running:
        for name, commands in EXCHANGES.items():
            found[name] = transcript(running, NEW, commands)
    for name, (words, deeds, offer) in NEGOTIATIONS.items():
        with Filter(*words, library=library, negotiate=deeds) as running:
            found[name] = transcript(running, offer, EVERYTHING)
    return found


class SameAsLibmilter(unittest.TestCase):
    maxDiff = None

    def test_the_transcripts(self):
        if not DEBIANS.exists():
            self.skipTest("no libmilter1.0.1 here")
        ours, theirs = transcripts(LIBRARY), transcripts(None)
        for name, (heard, notes) in theirs.items():
            with self.subTest(name):
                self.assertEqual(ours[name][1], notes)
                if b"(reset)" not in (ours[name][0], heard):
                    self.assertEqual(ours[name][0], heard)
        self.assertEqual(len(ours), len(EXCHANGES) + len(NEGOTIATIONS))

    def test_the_order_of_commands(self):
        if not DEBIANS.exists():
            self.skipTest("no libmilter1.0.1 here")
        commands = {b"C": CONNECT, b"H": HELO, b"M": MAIL, b"R": RCPT, b"L": (b"L", b"a\0b\0"), b"B": (b"B", b"x"), b"O": (b"O", OFFER)}
        filters = [((), None), (("negotiate=1", "without=envrcpt,header"), "options|0"), (("negotiate=1", "without=data,eoh"), "options|0"),
                   (("negotiate=1",), "options|0x8"), (("negotiate=1",), "options|0x278")]
        for words, deeds in filters:
            with Filter(*words, negotiate=deeds) as ours, Filter(*words, negotiate=deeds, library=None) as theirs:
                for beginning in ORDERS:
                    for following in b"CHMRTLNBEAO":
                        letters = [bytes([letter]) for letter in beginning + bytes([following])]
                        said = [commands.get(letter, (letter,)) for letter in letters]
                        with self.subTest(words=words, letters=letters):
                            self.assertEqual(transcript(ours, NEW, said), transcript(theirs, NEW, said))

    def test_a_connection_that_is_used_again(self):
        for library in [LIBRARY] + ([None] if DEBIANS.exists() else []):
            with self.subTest(library), Filter(library=library) as running, running.connect() as mta:
                mta.say(b"O", OFFER)
                mta.send(do(b"C", b"connect", b"setpriv|5"))
                mta.say(*CONNECT)
                mta.say(*MAIL)
                mta.say(*RCPT)
                mta.say(b"E")
                mta.send((b"K",))  # which libmilter takes after a message only
                running.wait_for_closes(1)
                mta.send((b"D", b"C{do_connect}\0getpriv;getsymval|j;setpriv|6\0"))
                mta.say(*CONNECT)
                mta.send((b"Q",))
                running.wait_for_closes(2)
                self.assertEqual(running.lines(), [
                    "connect host.test 4 1.2.3.4 12345", "  setpriv: 0", "envfrom <a@b>", "envrcpt <r@b>", "eom", "close 5",
                    "connect host.test 4 1.2.3.4 12345", "  getpriv: 0", "  getsymval j: (null)", "  setpriv: 0", "close 6"])

    def test_the_functions_that_filters_find(self):
        def functions(library):
            listed = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
            return sorted(line.split()[-1] for line in listed.splitlines())

        ours = functions(LIBRARY / "libmilter.so.1.0.1")
        self.assertEqual(len(ours), 26)
        self.assertTrue(all(name.startswith("smfi_") for name in ours), ours)  # nothing else, and no versions
        if DEBIANS.exists():
            self.assertEqual(ours, [name for name in functions(DEBIANS) if name.startswith("smfi_")])

    def test_the_name_inside(self):
        listed = subprocess.run(["readelf", "-d", LIBRARY / "libmilter.so.1.0.1"], capture_output=True, text=True, check=True)
        self.assertRegex(listed.stdout, r"SONAME.*\[libmilter\.so\.1\.0\.1\]")


class Threads(unittest.TestCase):
    def test_a_callback_that_blocks_holds_up_nobody_else(self):
        with Filter() as running:
            blocked = [running.connect() for _ in range(30)]
            for mta in blocked:
                mta.say(b"O", OFFER)
                mta.send(do(b"C", b"connect", b"sleep|600000"), CONNECT)
            wait_until("all block", lambda: running.notes().count("connect host.test") == len(blocked))
            with running.connect() as other:
                other.open()
                other.say(*RCPT)
                self.assertEqual(other.say(b"E"), [b"c"])
            self.assertLess(running.threads(), len(blocked) + 10)
            for mta in blocked:
                mta.socket.close()

    def test_callbacks_of_one_connection_follow_each_other(self):
        with Filter() as running, running.connect() as mta:
            mta.send((b"O", OFFER), CONNECT, do(b"M", b"envfrom", b"sleep|100;getpriv"), MAIL, do(b"R", b"envrcpt", b"sleep|50;getpriv"),
                     *[RCPT] * 5, (b"E",), (b"Q",))
            mta.rest()
            running.wait_for_closes(1)
            deeds = ["  sleep: 0", "  getpriv: 0"]
            self.assertEqual(running.lines(), ["connect host.test 4 1.2.3.4 12345", "envfrom <a@b>", *deeds,
                                               *["envrcpt <r@b>", *deeds] * 5, "eom", "close 0"])

    def test_idle_connections_cost_no_thread(self):
        with Filter() as running:
            idle = [running.connect() for _ in range(400)]
            for mta in idle:
                mta.open()
            # A few more than the fewest may have been busy at once.
            self.assertLess(running.threads(), 20)
            for mta in idle:
                mta.say(*RCPT)
                self.assertEqual(mta.say(b"E"), [b"c"])
                mta.socket.close()
            running.wait_for_closes(len(idle))


def resident_growth(library, connections):
    """KiB that the filter has more with so many connections at rest than without one."""
    macros = (b"D", b"Cj\0mx.test.example\0{daemon_name}\0smtpd\0{daemon_addr}\000127.0.0.1\0v\0Postfix 3.7.11\0")

    def resident():
        status = pathlib.Path(f"/proc/{running.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the filter gets it too
    with Filter(library=library) as running, contextlib.ExitStack() as all_of_them:
        before = resident()
        for _ in range(connections):
            mta = all_of_them.enter_context(running.connect())
            mta.say(b"O", OFFER)
            mta.send(macros)
            mta.say(*CONNECT)
        return resident() - before


class Memory(unittest.TestCase):
    def test_idle_connections_cost_a_quarter_of_libmilters_memory(self):
        if not DEBIANS.exists():
            self.skipTest("no libmilter1.0.1 here")
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 6000:
            self.skipTest("too few descriptors here")
        ours, theirs = (resident_growth(library, 5000) for library in (LIBRARY, None))
        # A quarter on a machine at rest; on a busy one a few more workers are started.
        self.assertLessEqual(ours, theirs / 3, f"{ours} and {theirs} KiB")


class Ends(unittest.TestCase):
    def test_a_signal_lets_a_message_come_to_its_verdict(self):
        for how in signal.SIGTERM, signal.SIGHUP:
            with self.subTest(how), Filter() as running, running.connect() as idle, running.connect() as busy:
                idle.say(b"O", OFFER)
                idle.say(*CONNECT)
                busy.open()
                running.process.send_signal(how)
                self.assertEqual(idle.rest(), b"")
                busy.say(*RCPT)
                self.assertEqual(busy.say(b"E"), [b"c"])
                self.assertEqual(busy.rest(), b"")
                self.assertEqual(running.process.wait(PATIENCE), 0)
                self.assertEqual(running.closes(), 2)
                self.assertNotIn("abort", running.notes())
                self.assertIn("main: 0", running.notes())

    def test_an_interrupt_aborts_messages(self):
        with Filter() as running, running.connect() as mta:
            mta.open()
            self.assertEqual(running.stop(signal.SIGINT), 0)
            self.assertEqual(running.lines()[-2:], ["abort", "close 0"])

    def test_a_message_is_not_waited_for_without_end(self):
        with Filter() as running, running.connect() as mta:
            mta.open()
            self.assertEqual(running.stop(), 0)
            self.assertEqual(running.lines()[-2:], ["abort", "close 0"])

    def test_a_callback_is_not_waited_for_without_end(self):
        with Filter() as running, running.connect() as mta:
            mta.say(b"O", OFFER)
            mta.send(do(b"C", b"connect", b"sleep|600000"), CONNECT)
            wait_until("it blocks", running.lines)
            self.assertEqual(running.stop(), 0)

    def test_a_callback_can_stop_the_filter(self):
        with Filter() as running, running.connect() as mta:
            mta.say(b"O", OFFER)
            mta.send(do(b"C", b"connect", b"stop;stop"), CONNECT)
            self.assertEqual(mta.answer(), b"c")
            self.assertEqual(mta.rest(), b"")
            self.assertEqual(running.process.wait(PATIENCE), 0)
            self.assertEqual(running.lines()[-3:], ["  stop: 0", "  stop: 0", "close 0"])

    def test_stops_its_own_process_only(self):
        port = free_port()
        with Filter("twice=1", place=f"inet:{port}@127.0.0.1") as running:
            with Mta(("127.0.0.1", port)) as mta:
                mta.say(b"O", OFFER)
                mta.send(do(b"C", b"connect", b"stop"), CONNECT)
                self.assertEqual(mta.answer(), b"c")
                self.assertEqual(mta.rest(), b"")
            wait_until("one of them has stopped", lambda: "main: 0" in running.notes())
            for _ in range(3):
                with Mta(("127.0.0.1", port)) as mta:
                    mta.open()

    def test_nobody_can_connect_while_it_stops(self):
        port = free_port()
        with Filter(place=f"inet:{port}@127.0.0.1") as running, Mta(("127.0.0.1", port)) as mta:
            mta.open()
            running.process.send_signal(signal.SIGTERM)

            def is_refused():
                try:
                    Mta(("127.0.0.1", port)).socket.close()
                except ConnectionRefusedError:
                    return True
                except ConnectionResetError:
                    pass  # it came in the very moment
                return False

            wait_until("connections are refused", is_refused)
            mta.say(*RCPT)
            self.assertEqual(mta.say(b"E"), [b"c"])
            self.assertEqual(running.process.wait(PATIENCE), 0)


class Places(unittest.TestCase):
    def status(self, place, *words):
        with Filter(*words, place=place) as running:
            if "opensocket: 0" in running.notes():
                running.stop()
            return running.process.wait(PATIENCE), running.notes()

    def test_of_each_form(self):
        with tempfile.TemporaryDirectory() as folder:
            for prefix in "", "unix:", "local:":
                path = f"{folder}/{prefix[:1]}socket"
                with Filter(place=prefix + path), Mta(path) as mta:
                    mta.open()
        for form in "inet:{}", "inet:{}@127.0.0.1", "inet:{}@[127.0.0.1]", "inet:{}@localhost":
            port = free_port()
            with self.subTest(form), Filter(place=form.format(port)), Mta(("127.0.0.1", port)) as mta:
                mta.open()

    def test_of_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("no IPv6 here")
        for form in "inet6:{}@[::1]", "inet6:{}@::1":
            port = free_port()
            with self.subTest(form), Filter(place=form.format(port)):
                with socket.create_connection(("::1", port), PATIENCE) as client:
                    client.sendall(packet(b"O", OFFER))
                    self.assertEqual(len(client.recv(17)), 17)

    def test_that_are_none(self):
        for place in ("tcp:1", "inet:", "inet:x y@127.0.0.1", "inet:25@", "unix:", "/nowhere/at/all", "unix:/" + "x" * 108):
            with self.subTest(place):
                status, notes = self.status(place)
                self.assertEqual(status, 66)
                self.assertIn("opensocket: -1", notes)
        self.assertEqual(self.status("")[0], 66)

    def test_an_old_socket_goes_and_another_file_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "socket")
            with socket.socket(socket.AF_UNIX) as old:
                old.bind(str(path))
            with Filter(place=f"unix:{path}"), Mta(str(path)) as mta:
                mta.open()
            path.unlink(missing_ok=True)
            path.write_text("precious")
            self.assertEqual(self.status(f"unix:{path}")[0], 66)
            self.assertEqual(path.read_text(), "precious")

    def test_settings_that_are_none(self):
        _, notes = self.status(f"inet:{free_port()}@127.0.0.1", "timeout=0", "backlog=0", "maxdata=1000", "maxdata=2000")
        self.assertIn("settimeout: -1\nsetbacklog: -1\nsetmaxdatasize: 65535\nsetmaxdatasize: 1000\n", notes)


class HostileMtas(unittest.TestCase):
    """Threats.md F9."""

    def test_cost_one_close_each(self):
        with Filter() as running:
            ends = [b"", b"\0", b"\0\0\0\0", b"\0\0\0\x01", b"\xff\xff\xff\xffO", struct.pack(">I", 65537) + b"B", b"GET / HTTP/1.0\r\n\r\n",
                    packet(b"Z"), packet(b"O", b"short"), packet(b"O", OFFER) + packet(b"D"),
                    packet(b"O", OFFER) + packet(b"C", b"x" * 65535)]
            for count, octets in enumerate(ends, 1):
                with self.subTest(octets[:20]), running.connect() as mta:
                    mta.socket.sendall(octets)
                    mta.socket.shutdown(socket.SHUT_WR)
                    try:
                        mta.rest()
                    except ConnectionResetError:
                        pass  # closed with octets unread
                    running.wait_for_closes(count)
                    self.assertEqual(running.lines(), ["close 0"] * count)
            with running.connect() as mta:
                mta.open()

    def test_the_largest_packet_is_taken_in_pieces_of_any_size(self):
        with Filter() as running, running.connect() as mta:
            mta.open()
            mta.say(*RCPT)
            whole = packet(b"B", b"x" * 65535)
            for piece in whole[:3], whole[3:4], whole[4:5], whole[5:40000], whole[40000:]:
                mta.socket.sendall(piece)
                time.sleep(0.05)
            self.assertEqual(mta.answer(), b"c")
            self.assertIn("body 65535 octets", running.lines())

    def test_a_set_limit_holds(self):
        with Filter("maxdata=1000") as running, running.connect() as mta:
            mta.open()
            mta.say(*RCPT)
            self.assertEqual(mta.say(b"B", b"x" * 1000), [b"c"])
            mta.send((b"B", b"x" * 1001))
            with self.assertRaises((EOFError, ConnectionResetError)):
                mta.answer()
            running.wait_for_closes(1)
            self.assertEqual(running.lines()[-2:], ["abort", "close 0"])

    def test_a_silent_one_is_given_up(self):
        with Filter("timeout=1") as running, running.connect() as idle, running.connect() as slow:
            idle.open()
            slow.say(b"O", OFFER)
            slow.socket.sendall(b"\0\0\0")  # and never a whole packet
            self.assertEqual(idle.rest(), b"")
            self.assertEqual(slow.rest(), b"")
            self.assertEqual(sorted(running.lines()[-3:]), ["abort", "close 0", "close 0"])

    def test_one_that_trickles_is_given_up(self):
        with Filter("timeout=1") as running, running.connect() as slow:
            slow.say(b"O", OFFER)
            octets = iter(packet(b"B", b"x" * 60000))

            def is_closed():
                try:
                    slow.socket.sendall(bytes([next(octets)]))
                except OSError:
                    return True
                return False

            wait_until("it is closed", is_closed)
            self.assertEqual(running.lines(), ["settimeout: 0", "close 0"])

    def test_one_that_never_reads_holds_up_nobody(self):
        with Filter("timeout=1") as running, running.connect() as deaf, running.connect() as other:
            deaf.open()
            deaf.say(*RCPT)
            deaf.send(do(b"E", b"eom", b"replacebody|20000000;addheader|a|b"), (b"E",))
            other.open()
            running.wait_for_closes(1)  # of the deaf one, when it has read nothing for the time set
            self.assertIn("  replacebody: -1", running.lines())
            self.assertIn("  addheader: -1", running.lines())


if __name__ == "__main__":
    unittest.main()
