"""What the integration tests share: the built program, real servers and clients on loopback, all stopped by their own pid.

Every test has a folder of its own, deleted afterwards, and ports of its own. Nothing leaves 127.0.0.0/8.
"""
import atexit
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SALLYPORT", ROOT / "build/release/sallyport")).resolve()
PATIENCE = float(os.environ.get("SALLYPORT_TEST_PATIENCE", "20"))  # seconds; sanitizers need more


# The first line of a gateway that serves, as text, as JSON and in the Elastic Common Schema.
READY = re.compile(rb'event(?:\.action)?"?[=:]"?ready')

# Below the kernel's own ephemeral ports: no outgoing connection of another test takes one of these in between.
PORTS = range(12000, 32000)


def reserve_port(port):
    """True when no other test of this machine has this port, nor takes it before this process has ended."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        # With SO_REUSEPORT two gateways would share a port in silence; an abstract name cannot be shared.
        mark.bind(f"\0sallyport-test-port-{port}")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        mark.close()
        return False
    mark.detach()  # open until this process ends
    return True


def free_port(also=()):
    """A port nobody has, with those at the distances in `also` free too."""
    while True:
        port = random.choice(PORTS)
        if all(reserve_port(port + distance) for distance in (0, *also)):
            return port


def wait_until(what, condition, patience=PATIENCE):
    """Polls until the condition gives something true, and gives that."""
    end = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.01)


def accepts(port, host="127.0.0.1"):
    with contextlib.suppress(OSError):
        socket.create_connection((host, port), timeout=1).close()
        return True
    return False


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped


def tool(name):
    """The path of a program of a package that ./dev installs."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin")
    if not found:
        raise AssertionError(f"{name} is missing; ./dev test installs it")
    return found


def run(argv, patience=60, **options):
    """Runs a program to its end; gives its status, and as text what it wrote."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, errors="replace", timeout=patience,
                          **options)


def children_of(pid):
    """The processes that a process has started and that have not been waited for."""
    with contextlib.suppress(OSError):
        return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]
    return []


def is_admin(pid):
    """Whether this is the process for figures and health that a gateway keeps beside the one that serves."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1:2] == [b"admin"]
    return False


def is_alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


class Process:
    """A program started by a test: its output in files, its end by its own pid, at the latest with this process."""

    def __init__(self, name, argv, folder, **options):
        self.name = name
        self.supervises = "run" in argv and str(argv[-1]).endswith(".toml")  # `sallyport run -c FILE`
        self.out = folder / f"{name}.out"
        self.err = folder / f"{name}.err"
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            **options)
        atexit.register(self.stop)

    @property
    def pid(self):
        """Of the process that serves. That of `sallyport run` only supervises it; signals and ends are sent there."""
        if not self.supervises:
            return self.process.pid
        found = wait_until("the serving process", lambda: [child for child in children_of(self.process.pid) if not is_admin(child)]
                           or not self.is_running())
        return found[0] if isinstance(found, list) else self.process.pid

    def output(self):
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def is_running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        return self.process.wait(patience)

    def stop(self):
        atexit.unregister(self.stop)
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        return self.process.returncode

    def kill(self):
        serving = children_of(self.process.pid) if self.supervises else []
        self.process.kill()
        self.process.wait(10)
        for pid in serving:  # the kernel kills it with the other
            wait_until("the end of the serving process", lambda pid=pid: not is_alive(pid))


def toml(value):
    """A Python value as TOML; dictionaries become inline tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{k}" = {toml(v)}' for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return json.dumps(str(value) if isinstance(value, pathlib.Path) else value)


class GatewayTest(unittest.TestCase):
    """A test with a folder, and what it starts."""
    expects_deaths = False  # of serving processes, which their supervisor replaces

    def setUp(self):
        if not PROGRAM.is_file():
            self.fail(f"{PROGRAM} is not built (SALLYPORT names another program)")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-test-"))
        self.folder.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.processes = []
        self.addCleanup(self.stop_all)

    def stop_all(self):
        for process in reversed(self.processes):
            process.stop()
            text = process.output()
            if " takes its place " in text and not self.expects_deaths:
                self.fail(f"{process.name}: {text[-6000:]}")
            for sign in ("ERROR: AddressSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "LeakSanitizer"):
                if sign in text:
                    self.fail(f"{process.name}: {text[-6000:]}")

    def start(self, name, argv, **options):
        process = Process(name, argv, self.folder, **options)
        self.processes.append(process)
        return process

    # ---- servers ----

    def certificate(self, name="mx.test.example"):
        folder = self.folder / "certs"
        if not folder.exists():
            subprocess.run([ROOT / "certs/make-dev-certs.sh", folder, name], check=True, capture_output=True)
            if os.geteuid() == 0:
                for path in [folder, *folder.rglob("*")]:
                    shutil.chown(path, "nobody")
        return folder

    def sink(self, *arguments, port=None, host="127.0.0.1"):
        """A `sallyport sink` that stores its messages; gives an object with port and messages()."""
        port = port or free_port()
        name = f"sink-{port}" if host == "127.0.0.1" else f"sink-{host.replace(':', '_')}-{port}"
        store = self.folder / name
        store.mkdir(exist_ok=True)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        process = self.start(name, [PROGRAM, "sink", "--listen", address, "--dump", store, "--quiet", *arguments])
        wait_until("the sink", lambda: accepts(port, host) or not process.is_running())
        self.assertTrue(process.is_running(), process.output())
        return Sink(process, port, store)

    def dns(self, records, *options):
        """An authoritative DNS server with these records (the schema of the corpora); gives its port."""
        zone = self.folder / "zone.json"
        zone.write_text(json.dumps(records))
        log = self.folder / "dns.log"
        process = self.start("dns", [sys.executable, ROOT / "tests/support/dns_server.py", zone, "--log", log, *options])
        line = wait_until("the DNS server", lambda: process.out.read_text() or not process.is_running())
        self.assertTrue(isinstance(line, str) and line.startswith("ready"), process.output())
        return int(line.split()[1])

    def configuration(self, upstreams, **more):
        """A configuration file for an upstream of this port or list of ports, of these settings, or for several by name; `more`
        are further top-level tables, or None for one that is to be left out."""
        settings = {
            "hostname": "mx.test.example",
            "domains": ["test.example"],
            "workers": 1,
            "user": "nobody",
            "state": {"path": self.folder / "state"},
            "log": {"target": f"file:{self.folder}/gateway.log"},
            "policy": {"mode": "off"},
            "limits": {"sessions_per_ip": 10000},
        }
        if isinstance(upstreams, dict):
            has_names = all(isinstance(value, dict) for value in upstreams.values())
            settings["upstreams"] = upstreams if has_names else {"default": upstreams}
        else:
            ports = upstreams if isinstance(upstreams, list) else [upstreams]
            settings["upstreams"] = {"default": {"servers": [f"127.0.0.1:{p}" for p in ports], "balance": "failover"}}
        self.port = free_port()
        settings["listen"] = [{"address": f"127.0.0.1:{self.port}", "tls": "starttls"}]
        for key, value in more.items():
            if isinstance(value, dict) and isinstance(settings.get(key), dict):
                settings[key] = {**settings[key], **value}
            else:
                settings[key] = value
        if "tls" not in settings:
            settings["tls"] = {"cert": self.certificate()}
        file = self.folder / "sallyport.toml"
        file.write_text("".join(f"{key} = {toml(value)}\n" for key, value in settings.items() if value is not None))
        return file

    def gateway(self, upstreams, **more):
        """A running gateway in front of these upstreams."""
        file = self.configuration(upstreams, **more)
        return self.start_gateway(file)

    def start_gateway(self, file):
        log = self.folder / "gateway.log"
        seen = log.stat().st_size if log.exists() else 0
        process = self.start("gateway", [PROGRAM, "run", "-c", file])
        ready = wait_until("event=ready", lambda: not process.is_running() or (
            log.exists() and READY.search(log.read_bytes()[seen:])))
        self.assertTrue(ready and process.is_running(), process.output())
        self.gateway_process = process
        return process

    def wait_for_ehlo(self, keyword, port=None):
        def offered():
            with Client(port or self.port) as client:
                client.expect(220)
                return keyword in client.ask("EHLO waits.example", 250)
        wait_until(f"{keyword} in the EHLO reply", offered)

    def rules(self, text, name="rules"):
        """A directory with one file of Lua rules."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "rules.lua").write_text('local sp = require "sallyport"\n' + text)
        return folder

    def log_lines(self, event="transaction"):
        """The log's lines of an event, as dictionaries of their fields."""
        log = self.folder / "gateway.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        whole = text[:text.rfind("\n") + 1].split("\n")[:-1]
        return [fields for line in whole if (fields := parse_log_line(line)).get("event") == event]

    def wait_for_log(self, event="transaction", count=1):
        return wait_until(f"{count} log lines {event}",
                          lambda: (lines := self.log_lines(event)) and len(lines) >= count and lines)

    def stats(self, *options):
        """The counters of the running gateway: what `sallyport stats --json` says."""
        done = run([PROGRAM, "stats", "-c", self.folder / "sallyport.toml", "--json", *options])
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def violations(self, kind):
        return self.stats()[f'sallyport_violations_total{{kind="{kind}"}}']

    def faults(self, kind):
        return self.stats()[f'sallyport_faults_total{{kind="{kind}"}}']


class ChangedGateway(GatewayTest):
    """A gateway whose configuration, at `file`, or program changes while clients come and go."""

    def set(self, key, value):
        """Gives a top-level key of the configuration's file another value; None takes it out."""
        lines = [line for line in self.file.read_text().splitlines(keepends=True) if not line.startswith(f"{key} = ")]
        if value is not None:
            lines.append(f"{key} = {toml(value)}\n")
        self.file.write_text("".join(lines))

    def client(self, port=None):
        client = Client(port or self.port)
        self.addCleanup(client.socket.close)
        client.greet()
        return client

    def deliver(self, client, subject="x", code=250, recipient="user@test.example"):
        client.mail(recipient=recipient)
        return client.message(f"Subject: {subject}\r\n\r\nhello", code)


class Sink:
    def __init__(self, process, port, store):
        self.process, self.port, self.store = process, port, store

    def messages(self):
        """All messages so far: (envelope, content octets), in order of arrival."""
        found = []
        for envelope in sorted(self.store.glob("*.json")):
            found.append((json.loads(envelope.read_text()), envelope.with_suffix(".eml").read_bytes()))
        return found

    def wait_for(self, count):
        return wait_until(f"{count} messages in the sink", lambda: len(self.messages()) >= count and self.messages())


LOG_FIELD = re.compile(r' ([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)')


def parse_log_line(line):
    """The fields of a line, all as text: `time level key=value ...` with values quoted where needed, or a JSON object."""
    if line.startswith("{"):
        fields = {key: value if isinstance(value, str) else json.dumps(value) for key, value in json.loads(line).items()}
        return {"event": fields["event.action"], **fields} if "event.action" in fields else fields
    time_and_level = re.match(r"(\S+) (\S+)", line)
    fields = {"time": time_and_level[1], "level": time_and_level[2]}
    at = time_and_level.end()
    while at < len(line):
        field = LOG_FIELD.match(line, at)
        if not field:
            raise AssertionError(f"not a field of a log line: {line[at:]!r}")
        if field[1] in fields:
            raise AssertionError(f"{field[1]} stands twice in {line!r}")
        fields[field[1]] = json.loads(field[2]) if field[2].startswith('"') else field[2]
        at = field.end()
    return fields


class Client:
    """SMTP octet by octet, for what smtplib is too polite to send."""

    def __init__(self, port=None, host="127.0.0.1", source=None, connection=None):
        self.socket = connection or socket.create_connection((host, port), timeout=PATIENCE,
                                                             source_address=(source, 0) if source else None)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets if isinstance(octets, bytes) else octets.encode("latin-1"))

    def line(self):
        while b"\r\n" not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(f"closed, after {self.buffer!r}")
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def reply(self):
        """The lines of one reply, joined by newlines, codes and all."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def expect(self, code):
        reply = self.reply()
        if not reply.startswith(str(code)):
            raise AssertionError(f"expected {code}, got {reply!r}")
        return reply

    def ask(self, command, code):
        self.send(command + "\r\n")
        return self.expect(code)

    def greet(self, name="client.example"):
        self.expect(220)
        return self.ask(f"EHLO {name}", 250)

    def starttls(self):
        self.ask("STARTTLS", 220)
        self.socket = trusting_context().wrap_socket(self.socket, server_hostname="mx.test.example")
        return self

    def rest(self):
        """Everything up to the end of the connection."""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65536):
                self.buffer += piece
        text, self.buffer = self.buffer, b""
        return text.decode("latin-1")

    def is_closed(self):
        """True when the other side has ended the connection, without another octet."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def mail(self, sender="ann@sender.example", recipient="user@test.example"):
        self.ask(f"MAIL FROM:<{sender}>", 250)
        self.ask(f"RCPT TO:<{recipient}>", 250)

    def message(self, content, code=250):
        self.ask("DATA", 354)
        self.send(content + b"\r\n.\r\n" if isinstance(content, bytes) else content + "\r\n.\r\n")
        return self.expect(code)


class SClient:
    """openssl s_client -starttls smtp, driven reply by reply."""

    def __init__(self, test, port, *options, commands=False):
        argv = [tool("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-crlf", "-starttls", "smtp", *options]
        # Its own commands are lines that begin with Q or R, as QUIT and RCPT do.
        argv += [] if commands else ["-nocommands", "-ign_eof"]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        test.addCleanup(self.stop)
        self.text = ""

    def read_until(self, pattern):
        """Reads on to the pattern; gives everything since the last call."""
        os.set_blocking(self.process.stdout.fileno(), False)

        def more():
            piece = self.process.stdout.read()
            self.text += (piece or b"").decode("latin-1")
            return re.search(pattern, self.text) or piece == b""

        wait_until(f"{pattern!r} from s_client", more)
        text, self.text = self.text, ""
        if not re.search(pattern, text):
            raise AssertionError(f"s_client ended without {pattern!r}:\n{text}")
        return text

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, command, code):
        self.type(command)
        return self.read_until(rf"(?m)^{code} .*\r?\n")

    def stop(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def trusting_context():
    """TLS as most mail servers do it: whoever answers is believed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def our_header(content):
    """The fields that the gateway put on top, unfolded, as (name, value); the rest is what the client sent."""
    fields, rest = [], content
    while True:
        line, _, after = rest.partition(b"\r\n")
        if line.startswith((b"\t", b" ")):
            name, value = fields.pop()
            fields.append((name, value + line.decode("latin-1")))
        elif fields and fields[-1][0] == "Received":
            return fields, rest
        elif line.startswith((b"X-Sallyport-", b"Authentication-Results: ", b"Received-SPF: ", b"Received: ")):
            fields.append(tuple(line.decode("latin-1").split(": ", 1)))
        else:
            raise AssertionError(f"our header does not end with a Received field: {content[:1000]!r}")
        rest = after


def below_our_header(content):
    """What the client sent: everything below the fields that the gateway put on top."""
    return our_header(content)[1]
