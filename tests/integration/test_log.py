"""The log of the running program: its forms and targets, one that takes nothing, and the rights of its thread."""
import datetime
import fcntl
import json
import mmap
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

from support import PATIENCE, PROGRAM, Client, GatewayTest, accepts, parse_log_line, run, wait_until

F_SETPIPE_SZ = 1031


class NobodyReads(GatewayTest):
    """stderr is a pipe with room for a few lines."""

    def start_with_pipe(self):
        self.upstream = self.sink()
        file = self.configuration(self.upstream.port, log={"target": "stderr"})
        reading, writing = os.pipe()
        fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
        self.reading = os.fdopen(reading, "rb")
        self.addCleanup(self.reading.close)
        gateway = subprocess.Popen([PROGRAM, "run", "-c", file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=writing)
        os.close(writing)
        self.addCleanup(gateway.wait, PATIENCE)
        self.addCleanup(gateway.kill)
        wait_until("the gateway", lambda: accepts(self.port) or gateway.poll() is not None)
        self.assertIsNone(gateway.poll())
        return gateway

    def deliver(self, mails):
        with Client(self.port) as client:
            client.greet()
            for number in range(mails):
                client.mail(sender=f"ann{number}@sender.example")
                client.message("Subject: x\r\n\r\ny")
            client.ask("QUIT", 221)

    def test_mail_flows_and_the_end_comes(self):
        gateway = self.start_with_pipe()
        self.deliver(60)
        self.assertEqual(len(self.upstream.wait_for(60)), 60)
        gateway.terminate()
        self.assertEqual(gateway.wait(PATIENCE), 0)

    def test_the_lines_come_when_the_reader_does(self):
        gateway = self.start_with_pipe()
        self.deliver(60)
        text = []
        reader = threading.Thread(target=lambda: text.append(self.reading.read()))
        reader.start()
        self.deliver(1)
        gateway.terminate()
        self.assertEqual(gateway.wait(PATIENCE), 0)
        reader.join()
        lines = [parse_log_line(line) for line in text[0].decode().splitlines()]
        self.assertEqual([line["from"] for line in lines if line["event"] == "transaction"],
                         [f"<ann{number}@sender.example>" for number in [*range(60), 0]])
        self.assertEqual([line["event"] for line in lines if line["event"] != "transaction"],
                         ["ready", "stopping", "stopped"])


class Threads(GatewayTest):
    def test_each_thread_has_given_up_new_privileges(self):
        gateway = self.gateway(self.sink().port, workers=2)
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.wait_for_log()
        tasks = {path.name: dict(line.split(":\t", 1) for line in (path / "status").read_text().splitlines()
                                 if ":\t" in line)
                 for path in pathlib.Path(f"/proc/{gateway.pid}/task").iterdir()}
        self.assertIn("log", [status["Name"] for status in tasks.values()])
        self.assertEqual({status["Name"]: status["NoNewPrivs"] for status in tasks.values()
                          if status["NoNewPrivs"] != "1"}, {})


# What a client may say of itself, with octets that end a field, a line or a string, or that make a terminal show something else.
HOSTILE = [b'x" event=transaction verdict=relay ip=203.0.113.77', b'"}{"event.action":"transaction"', b"\xff\xfe\x80", b"a\\",
           "\u202e\u2028\u0085".encode(), b"\x1b[2J\x07", b"\\u0022,\\n", b"l" * 400]


class Folder(GatewayTest):
    def test_one_that_was_removed(self):
        logs = self.folder / "logs"
        logs.mkdir()
        os.chown(logs, 65534, 65534)
        file = self.configuration(self.sink().port, log={"target": f"file:{logs}/gate.log"})
        gateway = self.start("gateway", [PROGRAM, "run", "-c", file])
        wait_until("the gateway", lambda: accepts(self.port) and "event=ready" in (logs / "gate.log").read_text())
        shutil.rmtree(logs)
        gateway.signal(signal.SIGHUP)
        wait_until("that it is said", lambda: "cannot open the log" in gateway.output())
        logs.mkdir()
        os.chown(logs, 65534, 65534)
        self.assertEqual(run([PROGRAM, "reload", "-c", file]).returncode, 0)
        # By Landlock the process knows the folder of its start alone; the next one knows this.
        wait_until("the log, or how it comes back", lambda: (logs / "gate.log").exists() or "`sallyport upgrade` takes that" in gateway.output())
        self.assertEqual(run([PROGRAM, "upgrade", "-c", file]).returncode, 0)
        wait_until("the log", lambda: (logs / "gate.log").exists() and "event=ready" in (logs / "gate.log").read_text())


class Hostile(GatewayTest):
    def provoke(self):
        """Sends all of it, in every place that a log line tells of."""
        for octets in HOSTILE:
            with Client(self.port, source="127.0.0.9") as client:
                client.expect(220)
                client.send(b"EHLO " + octets + b"\r\n")
                client.reply()
                client.ask("EHLO client.example", 250)
                quoted = b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"@bad.example'
                client.send(b"MAIL FROM:<" + quoted + b">\r\n")
                if client.reply().startswith("250"):
                    client.send(b"RCPT TO:<" + quoted.replace(b"bad.example", b"test.example") + b">\r\n")
                    client.reply()
                    client.ask("RSET", 250)
                client.mail()
                client.message(b"Subject: " + octets + b"\r\nMessage-ID: <" + octets + b">\r\n\r\ny")
                client.send(b"QUIT\r\n")
                client.rest()


class Ecs(Hostile):
    """`[log] schema = "ecs"`: every line is JSON under the names of the Elastic Common Schema."""

    def test_every_line_end_to_end(self):
        self.gateway(self.sink("--reject-rcpt", "nobody@").port, log={"format": "json", "schema": "ecs"},
                     tls={"cert": self.certificate()})
        with Client(self.port, source="127.0.0.8") as client:
            client.greet()
            client.starttls()
            client.ask("EHLO client.example", 250)
            client.mail()
            client.message("Subject: x\r\n\r\ny")
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<nobody@test.example>", 550)
            client.ask("QUIT", 221)
        self.provoke()
        self.assertEqual(self.gateway_process.stop(), 0)
        octets = (self.folder / "gateway.log").read_bytes()
        lines = [json.loads(line) for line in octets.decode("utf-8", "strict").splitlines()]
        self.assertEqual(octets.count(b"\n"), len(lines))
        self.assertNotRegex(octets, rb"[\x00-\x09\x0b-\x1f\x7f]")
        for line in lines:
            self.assertEqual(line["ecs.version"][:2], "8.")
            self.assertIn(line["log.level"], ("debug", "info", "warning", "error"))
            datetime.datetime.strptime(line["@timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")
            self.assertEqual((line["event.module"], line["event.dataset"]), ("sallyport", "sallyport.log"))
            self.assertIn(line["event.kind"], ("event", "state"))
            for name in line:  # nothing that ECS does not know, but below our own name
                self.assertRegex(name, r"\A(@timestamp|message|(ecs|log|event|network|source|email|rule|tls|error|service|file|sallyport)\.[a-z0-9_.]+)\Z")
        self.assertEqual([line["event.action"] for line in lines if line["event.category"] == ["process"]],
                         ["ready", "stopping", "stopped"])
        relayed = next(line for line in lines if line["event.action"] == "transaction")
        expected = {"event.outcome": "success", "event.category": ["email"], "network.protocol": "smtp", "source.ip": "127.0.0.8",
                    "email.from.address": ["ann@sender.example"], "email.to.address": ["user@test.example"], "event.code": "250",
                    "tls.established": True, "tls.version_protocol": "tls", "sallyport.verdict": "relay", "sallyport.tenant": "default"}
        self.assertEqual({name: relayed.get(name) for name in expected}, expected)
        self.assertGreaterEqual(relayed["event.duration"], 0)
        refused = next(line for line in lines if line["event.action"] == "recipient")
        self.assertEqual((refused["event.outcome"], refused["event.code"], refused["email.to.address"]),
                         ("failure", "550", ["nobody@test.example"]))
        self.assertRegex(refused["event.id"], r"\A\w{8,}\Z")
        mails = [line for line in lines if line["event.action"] == "transaction" and line["source.ip"] == "127.0.0.9"]
        self.assertGreaterEqual(len(mails), len(HOSTILE))
        self.assertEqual({line["source.ip"] for line in lines if "source.ip" in line}, {"127.0.0.8", "127.0.0.9"})
        senders = {address for line in mails for address in line.get("email.from.address", [])}
        self.assertTrue(any("verdict=relay" in sender for sender in senders), senders)

    def test_a_report_reads_it(self):
        self.gateway(self.sink().port, log={"format": "json", "schema": "ecs"})
        self.provoke()
        self.gateway_process.stop()
        done = subprocess.run([PROGRAM, "report", "--json", self.folder / "gateway.log"], capture_output=True, check=True)
        numbers = json.loads(done.stdout)
        self.assertEqual(numbers["unreadable"], 0)
        self.assertGreaterEqual(numbers["mails"]["relay"], len(HOSTILE))


class OwnJournal:
    """A socket that takes entries as the systemd journal does."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        os.chmod(path, 0o777)
        self.socket.settimeout(PATIENCE)
        self.entries = []

    def close(self):
        self.socket.close()

    def take(self):
        """One entry more."""
        octets, descriptors, _, _ = socket.recv_fds(self.socket, 1 << 20, 4)
        for descriptor in descriptors:
            with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as memory:
                octets = memory[:]
            os.close(descriptor)
        self.entries.append(self.parse(octets))
        return self.entries[-1]

    @staticmethod
    def parse(octets):
        """As journald reads it: NAME=value, or NAME, the length of the value in 64 bits, and the value."""
        fields = []
        while octets:
            line, end, octets = octets.partition(b"\n")
            if not end:
                raise AssertionError(f"an entry without its end: {line!r}")
            name, equals, value = line.partition(b"=")
            if not equals:
                length = struct.unpack("<Q", octets[:8])[0]
                value, octets = octets[8:8 + length], octets[8 + length + 1:]
            if not re.fullmatch(rb"[A-Z][A-Z0-9_]{0,63}", name):
                raise AssertionError(f"{name!r} names no field")
            fields.append((name.decode(), value))
        return fields

    def until(self, event):
        while True:
            entry = dict(self.take())
            if entry.get("SALLYPORT_EVENT") == event.encode():
                return entry


class Journal(Hostile):
    """Entries with fields, to a socket of the test's own."""

    def serve(self, **more):
        self.journal = OwnJournal(self.folder / "journal.socket")
        self.addCleanup(self.journal.close)
        self.upstream = self.sink()
        file = self.configuration(self.upstream.port, log={"target": f"journal:{self.folder}/journal.socket"}, **more)
        self.gateway_process = self.start("gateway", [PROGRAM, "run", "-c", file])
        self.journal.until("ready")

    def test_lines_are_entries_with_fields(self):
        self.serve()
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<>", 250)
            client.ask("RCPT TO:<user@test.example>", 250)
            client.ask("RCPT TO:<other@test.example>", 250)
            client.message("Subject: x\r\n\r\ny")
            client.ask("QUIT", 221)
        self.journal.until("transaction")
        entry = self.journal.entries[-1]
        fields = dict(entry)
        self.assertEqual((fields["PRIORITY"], fields["SYSLOG_IDENTIFIER"], fields["SALLYPORT_VERDICT"], fields["SALLYPORT_IP"]),
                         (b"6", b"sallyport", b"relay", b"127.0.0.1"))
        self.assertEqual([value for name, value in entry if name == "SALLYPORT_TO"], [b"user@test.example", b"other@test.example"])
        self.assertEqual(fields["SALLYPORT_FROM"], b"")
        # The message is the line that other targets get, and has the same in it.
        line = parse_log_line(fields["MESSAGE"].decode())
        self.assertEqual(line["id"], fields["SALLYPORT_ID"].decode())
        for name, value in line.items():
            if name not in ("time", "level", "from", "to", "symbols"):
                self.assertEqual(fields[f"SALLYPORT_{name.upper()}"].decode(), value, name)

    def test_words_of_peers_make_no_field(self):
        self.serve()
        self.provoke()
        self.gateway_process.signal(signal.SIGTERM)
        self.journal.until("stopped")  # a queue of the kernel holds ten entries, and the rest comes as these are taken
        self.assertEqual(self.gateway_process.wait(), 0)
        ours = [entry for entry in self.journal.entries if (b"127.0.0.9") == dict(entry).get("SALLYPORT_IP")]
        self.assertGreaterEqual(len(ours), len(HOSTILE))
        for entry in self.journal.entries:
            names = [name for name, _ in entry]
            for once in ("MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "SALLYPORT_EVENT"):
                self.assertEqual(names.count(once), 1, entry)
            for name, value in entry:
                self.assertNotRegex(value.decode("utf-8", "strict"), "[\x00-\x1f\x7f-\x9f\u2028\u202e]", name)

    def test_a_journal_that_stands_still_holds_up_no_mail(self):
        self.serve(limits={"sessions_per_ip": 100000})
        with Client(self.port) as client:
            client.greet()
            for number in range(400):
                client.mail(sender=f"ann{number}@sender.example")
                client.message("Subject: x\r\n\r\ny")
            client.ask("QUIT", 221)
        self.assertEqual(len(self.upstream.wait_for(400)), 400)
        senders = []
        end = time.monotonic() + PATIENCE
        while len(senders) < 400 and time.monotonic() < end:
            senders.append(self.journal.until("transaction")["SALLYPORT_FROM"].decode())
        self.assertEqual(senders, [f"ann{number}@sender.example" for number in range(400)])

    def test_a_journal_that_is_not_there_is_said_at_the_start(self):
        file = self.configuration(1, log={"target": f"journal:{self.folder}/nothing"})
        done = subprocess.run([PROGRAM, "run", "-c", file], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("cannot reach the journal", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
