"""Mail flows while everything happens at once: servers, names and clients misbehave, the gateway is stopped and continued,
reloaded, ended and followed by another, over and over. In the end it must be as if nothing had been; see ledger.py.

The seed decides who does what; the moments are the machine's own.
"""
import os
import pathlib
import random
import signal
import threading
import time

from chaos.clients import Client
from chaos.ledger import Ledger
from chaos.name_server import SlowNameServer
from chaos.servers import MOODS, Server
from support import PATIENCE, PROGRAM, ROOT, free_port, parse_log_line, run, toml, wait_until
from support import Client as PoliteClient

LONG_PATIENCE = 4 * PATIENCE
DRAIN = 5  # seconds
ROUTES = {"test.example": "default", "second.example": "second", "lmtp.example": "lmtp"}
RULES = """sp.rule { name = "LOOKS", stage = "message", score = 0.1, mode = "%s", run = function(tx)
  return tx.msg.subject == "never"
end }
"""


def links_of(process):
    """What a process's descriptors stand for."""
    folder = pathlib.Path(f"/proc/{process}/fd")
    return [os.readlink(descriptor) for descriptor in folder.iterdir()]


class ChaosRun:
    """One run; `test` is a GatewayTest, which starts and stops what is needed."""

    def __init__(self, test, seconds, clients, seed, most_growth):
        """Seconds of chaos; `most_growth` is MiB."""
        self.test, self.seconds, self.seed, self.most_growth = test, seconds, seed, most_growth
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self.patience = LONG_PATIENCE
        self.domains = list(ROUTES)
        self.over, self.gate = threading.Event(), threading.Event()
        self.gateways = 0
        self.leaving = []  # (process, latest end)
        self.rotations = 0
        self.gateway = None  # the one that serves; none while a successor starts
        self.workers = self.dice.randint(2, 4)
        self.clients = [Client(self, number) for number in range(clients)]

    # -- the surroundings --

    def prepare(self):
        test, seed = self.test, self.seed
        test.folder.chmod(0o777)  # the gateway makes its log anew there
        ours = test.certificate()
        theirs = test.folder / "upstream-certificate"
        run([ROOT / "certs/make-dev-certs.sh", theirs, "upstream.example"], check=True)
        (theirs / "fullchain.pem").chmod(0o644)
        theirs.chmod(0o755)
        names = {
            "client.example": {"A": ["127.0.0.1"]}, "sender.example": {
                "A": ["127.0.0.1"], "MX": [[10, "sender.example"]], "TXT": ["v=spf1 ip4:127.0.0.0/8 -all"]},
            "_dmarc.sender.example": {"TXT": ["v=DMARC1; p=none"]}, "2.0.0.127.bl.example": {"A": ["127.0.0.2"]},
            "9.0.0.127.bl.example": {"A": ["127.0.0.2"]}, "servers.example": {"A": ["127.0.0.1"]},
        }
        names |= {f"{n}.0.0.127.in-addr.arpa": {"PTR": ["client.example"]} for n in range(2, 30)}
        self.names = SlowNameServer(test, names, 2, seed)
        test.addCleanup(self.names.close)
        self.servers = {name: Server(self.ledger, name, seed, theirs)
                        for name in ("one", "two", "three", "secure", "lmtp")}
        for server in self.servers.values():
            test.addCleanup(server.stop_listening)
        self.theirs, self.port, self.implicit_port, self.third_port = theirs, free_port(), free_port(), free_port()
        self.certificate = ours
        self.file = test.folder / "sallyport.toml"
        self.write_configuration()

    def write_configuration(self, at_rest=False):
        """One of many, all of which serve; what differs is what a reload may change. At rest it has always as many sockets."""
        dice = self.dice
        one, two, three, secure, lmtp = (f"127.0.0.1:{server.port}" for server in self.servers.values())
        of_all = {"connection_idle": "2s", "health_interval": "1s", "connection_mails": 20}
        first = [f"servers.example:{self.servers['one'].port}", two, three]
        dice.shuffle(first)
        listen = [{"address": f"127.0.0.1:{self.port}", "tls": "starttls"},
                  {"address": f"127.0.0.1:{self.implicit_port}", "tls": "implicit"}]
        listen += [{"address": f"127.0.0.1:{self.third_port}", "tls": "starttls"}] * (dice.random() < 0.5 and not at_rest)
        modes = ["enforce", "enforce", "shadow"]
        self.test.rules(RULES % dice.choice(modes))
        settings = {
            "hostname": "mx.test.example", "workers": self.workers, "user": "nobody", "listen": listen,
            "tls": {"cert": self.certificate}, "state": {"path": self.test.folder / "state"},
            "log": {"target": f"file:{self.test.folder}/gateway.log"},
            "dns": {"servers": [f"127.0.0.1:{self.names.port}"], "timeout": "2s", "cache_entries": 200, "failure_ttl": "1s"},
            "limits": {"sessions_per_ip": 10000, "memory_per_message": "64KiB", "unknown_recipients": 1000,
                       "unknown_recipients_close": 1000, "recipients": dice.choice([10, 100])},
            "timeouts": {"greeting": "8s", "command": "6s", "handshake": "6s", "data_block": "6s", "data_total": "30s",
                         "upstream_connect": "4s", "upstream_reply": "4s", "final_reply": "12s", "policy": "3s",
                         "drain": f"{DRAIN}s"},
            "upstreams": {
                "default": {"servers": first[:dice.randint(2, 3)], "max_connections": dice.randint(3, 6), **of_all,
                            "balance": dice.choice(["least-sessions", "failover"]),
                            "hide": dice.choice([[], ["CHUNKING"]]), "tls": dice.choice(["off", "opportunistic"])},
                "second": {"servers": [secure], "max_connections": dice.randint(3, 6), **of_all, "tls": "verify",
                           "tls_ca": self.theirs / "fullchain.pem", "tls_name": "upstream.example"},
                "lmtp": {"servers": [lmtp], "protocol": "lmtp", "max_connections": dice.randint(3, 6), **of_all,
                         "tls": "opportunistic"},
            },
            "tenants": {upstream: {"domains": [domain], "upstream": upstream} for domain, upstream in ROUTES.items()},
            "policy": {
                "mode": "enforce", "dnsbl": {"zones": {"bl.example": {"score": 1.0}}},
                "rate": {"connect_per_ip": "1000000/1m", "mail_per_ip": "1000000/1m",
                         "rcpt_per_sender_domain": "1000000/1m", "rcpt_per_ip": "1000000/1m"},
                "rdns": {"mode": dice.choice(modes), "score": 0.1}, "rules": {"path": self.test.folder / "rules"},
                "dmarc": {"report": {"enabled": True, "from": "dmarc@test.example", "upstream": "default"}},
            },
        }
        self.file.write_text("".join(f"{key} = {toml(value)}\n" for key, value in settings.items()))

    # -- the gateways --

    def start_gateway(self):
        """One more. While its predecessor ends, a start may be refused for a while, with a status that says so."""
        log = self.test.folder / "gateway.log"

        def start():
            seen = log.stat().st_size if log.exists() else 0
            self.gateways += 1
            process = self.test.start(f"gateway-{self.gateways}", [PROGRAM, "run", "-c", self.file])
            wait_until("event=ready", lambda: not process.is_running() or (
                log.exists() and b" event=ready " in log.read_bytes()[seen:]), LONG_PATIENCE)
            if process.is_running():
                return process
            self.ledger.count(f"start refused with {process.process.returncode}: {process.output().strip()[:100]}")
            if not self.leaving or process.process.returncode not in (74, 75):
                raise AssertionError(f"no start: {process.process.returncode}, {process.output()}")
            self.look_at_leaving()
            time.sleep(0.2)
            return None

        self.gateway = wait_until("a start", start, LONG_PATIENCE)

    def hand_over(self, number):
        """The end of a gateway, each second time asked for twice, and the start of the next one meanwhile. Every third time
        the old one is stopped for a while."""
        dice, old, self.gateway = self.dice, self.gateway, None
        self.leaving.append((old, time.monotonic() + DRAIN + LONG_PATIENCE))
        old.signal(dice.choice([signal.SIGTERM, signal.SIGTERM, signal.SIGINT]))
        time.sleep(dice.choice([0, 0.05, 0.5]))
        if number % 3 == 0:
            self.stand_still(old, dice.uniform(0.5, 1.5))
        self.start_gateway()
        if number % 2 == 0:
            time.sleep(dice.uniform(0, 2))
            self.signal(old, signal.SIGTERM)
            self.ledger.count("second TERM")
        self.ledger.count("hand-over")

    def signal(self, gateway, number):
        if gateway.is_running():
            gateway.signal(number)

    def stand_still(self, gateway, seconds):
        self.ledger.count("stop")
        self.signal(gateway, signal.SIGSTOP)
        time.sleep(seconds)
        self.signal(gateway, signal.SIGCONT)

    def look_at_leaving(self):
        for process, latest in list(self.leaving):
            if not process.is_running():
                self.leaving.remove((process, latest))
                if process.process.returncode != 0:
                    self.ledger.surprise(f"{process.name} ended with {process.process.returncode}: {process.output()[-3000:]}")
            elif time.monotonic() > latest:
                self.ledger.surprise(f"{process.name} does not end")
                process.kill()
        if self.gateway and not self.gateway.is_running():
            raise AssertionError(f"{self.gateway.name} died: {self.gateway.process.returncode}: {self.gateway.output()[-6000:]}")

    # -- what happens --

    def disturb(self, until):
        """One thing after the other, until that moment."""
        dice = self.dice
        while time.monotonic() < until:
            self.look_at_leaving()
            for _ in range(3):
                self.change_mood()
            dice.choices([self.change_mood, self.stop, self.reload, self.reload_badly, self.hang_up, self.ask, self.rotate],
                         [5, 3, 2, 1, 1, 2, 1])[0]()
            time.sleep(max(0, min(dice.expovariate(2), until - time.monotonic())))

    def change_mood(self):
        server = self.dice.choice(list(self.servers.values()))
        mood = self.dice.choice(list(MOODS))
        others = [s for s in self.servers.values() if s is not server and s.mood in ("well", "flaky", "slow")]
        server.set_mood(mood if len(others) >= 3 else "well")

    def stop(self):
        self.stand_still(self.gateway, self.dice.uniform(0.5, 2))

    def command(self, *arguments, codes=(0,)):
        done = run([PROGRAM, *arguments, "-c", self.file], patience=LONG_PATIENCE)
        if done.returncode not in codes:
            self.ledger.surprise(f"{arguments}: {done.returncode} {done.stdout[-500:]} {done.stderr[-500:]}")
        self.ledger.count(f"{arguments[0]}: {done.returncode}")

    def reload(self):
        if self.dice.random() < 0.5:
            run(["touch", self.certificate / "fullchain.pem"])
        self.write_configuration()
        self.command("reload")

    def reload_badly(self):
        good = self.file.read_text()
        self.file.write_text(good + "wokers = 3\n")
        self.command("reload", codes=(78,))
        self.file.write_text(good)

    def hang_up(self):
        self.write_configuration()
        self.gateway.signal(signal.SIGHUP)

    def ask(self):
        self.command(self.dice.choice(["stats", "upstreams", "lists"]))

    def rotate(self):
        """As logrotate does it."""
        self.rotations += 1
        log = self.test.folder / "gateway.log"
        log.rename(f"{log}.{self.rotations}")
        self.command("reload")
        wait_until("the new log", log.exists)

    # -- the account --

    def run(self):
        """Everything; gives the Ledger."""
        self.prepare()
        self.start_gateway()
        threads = [threading.Thread(target=client.work, daemon=True) for client in self.clients]
        for thread in threads:
            thread.start()
        self.gate.set()
        try:
            self.live()
        finally:
            self.over.set()
            self.gate.set()
        for thread in threads:
            thread.join(LONG_PATIENCE)
        if any(thread.is_alive() for thread in threads):
            self.ledger.surprise("a client does not come to its end")
        if self.gateway.stop() != 0:
            self.ledger.surprise(f"the last one did not end well: {self.gateway.output()[-6000:]}")
        self.look_at_spool()
        self.read_logs()
        return self.ledger

    def live(self):
        """Half of the time through several lives; the other half in one, which is then compared with how it was before."""
        begin = time.monotonic()
        lives = max(2, round(self.seconds / 15))
        for number in range(lives):
            self.disturb(begin + self.seconds / 2 * (number + 1) / lives)
            self.hand_over(number)
        self.disturb(begin + self.seconds * 0.6)
        before = self.come_to_rest()
        self.disturb(begin + self.seconds)
        after = self.come_to_rest(len(before[0]))
        figures = f"descriptors {len(before[0])} -> {len(after[0])}, resident {before[1]:.1f} -> {after[1]:.1f} MiB"
        if len(after[0]) > len(before[0]) or after[1] > before[1] + self.most_growth:
            self.ledger.surprise(f"{figures}; before: {sorted(before[0])}; after: {sorted(after[0])}")
        self.ledger.figures = figures

    def come_to_rest(self, most_descriptors=None):
        """No client, all servers well: everything goes back to nothing, and mail flows at once. Then it goes on. Gives the
        descriptors, whose number may take a while to come down to most_descriptors, and the resident MiB."""
        self.gate.clear()
        self.names.is_well = True
        for server in self.servers.values():
            server.set_mood("well")
        self.write_configuration(at_rest=True)
        self.command("reload")
        wait_until("the end of those before", lambda: self.look_at_leaving() or not self.leaving, LONG_PATIENCE)
        self.check_nobody_is_there()
        for domain in self.domains:
            self.check_mail_flows(domain)
        self.check_nobody_is_there()
        end = time.monotonic() + PATIENCE
        descriptors = min((self.descriptors() for _ in range(10)), key=len)
        while most_descriptors and len(descriptors) > most_descriptors and time.monotonic() < end:
            descriptors = self.descriptors()
        figures = descriptors, self.resident()
        self.names.is_well = False
        self.gate.set()
        return figures

    def check_nobody_is_there(self):
        gauges = ["sessions", "tls_sessions", "upstream_open", "upstream_idle"]

        def is_empty():
            """Connections to servers come and go: questions for their health leave some that are idle."""
            time.sleep(0.2)
            self.stats = self.test.stats()
            sessions, secured, used, idle = (self.stats[f"sallyport_{gauge}"] for gauge in gauges)
            return sessions == 0 and secured == 0 and used == idle <= len(self.servers)

        try:
            wait_until("the end of all sessions", is_empty, LONG_PATIENCE)
        except AssertionError:
            self.ledger.surprise(f"still there: { {gauge: self.stats[f'sallyport_{gauge}'] for gauge in gauges} }")

    def check_mail_flows(self, domain):
        """First one mail, as soon as a server counts as up again; then several at once, none of which may fail."""
        replies = []

        def is_delivered(number):
            with PoliteClient(self.port) as client:
                client.greet()
                client.ask("MAIL FROM:<calm@sender.example>", 250)
                client.send(f"RCPT TO:<user@{domain}>\r\n")
                if (reply := client.reply()).startswith("250"):
                    client.ask("DATA", 354)
                    client.send("From: <calm@sender.example>\r\nSubject: calm\r\nX-Calm: 1\r\n\r\nx\r\n.\r\n")
                    reply = client.reply()
                if not reply.startswith("250") and number > 0:
                    self.ledger.surprise(f"at rest, to {domain}: {reply}")
                replies.append(reply)
                return reply.startswith("250")

        try:
            wait_until(f"mail to {domain}", lambda: is_delivered(0), PATIENCE)
        except AssertionError as error:
            self.ledger.surprise(f"at rest: {error}; {replies[-3:]}; {run([PROGRAM, 'upstreams', '-c', self.file]).stdout}")
            return
        threads = [threading.Thread(target=is_delivered, args=(number,)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def descriptors(self):
        """What each stands for, without those of connections to servers, which come and go, and of the pipes to the program that
        tells a sanitizer the names of functions, which is started when the first of its reports is suppressed."""
        time.sleep(0.1)
        to_servers = {f"0100007F:{server.port:04X}" for server in self.servers.values()}
        for attempt in range(10):
            lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()
            inodes = {f"socket:[{line.split()[9]}]" for line in lines if line.split()[2] in to_servers}
            try:
                return [link for link in links_of(self.gateway.pid) if link not in inodes | self.links_to_symbolizer()]
            except PermissionError:
                return []
            except FileNotFoundError:
                continue
        return []

    def links_to_symbolizer(self):
        tasks = pathlib.Path(f"/proc/{self.gateway.pid}/task").glob("*/children")
        children = [child for task in tasks for child in task.read_text().split()]
        symbolizers = [child for child in children if "symbolizer" in pathlib.Path(f"/proc/{child}/comm").read_text()]
        return {link for child in symbolizers for link in links_of(child) if link.startswith("pipe:")}

    def resident(self):
        status = pathlib.Path(f"/proc/{self.gateway.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def look_at_spool(self):
        left = os.listdir(self.test.folder / "state" / "spool")
        if left:
            self.ledger.surprise(f"left in the spool: {left}")

    def read_logs(self):
        lines = []
        for file in sorted(self.test.folder.glob("gateway.log*")):
            text = file.read_text(errors="replace")
            if "mistake in the program" in text:
                self.ledger.surprise([line for line in text.splitlines() if "mistake in the program" in line][:5])
            lines += [parse_log_line(line) for line in text.splitlines()]
        for line in lines:
            if line.get("event") == "fault":
                self.ledger.count(f"fault {line['kind']}")
                self.ledger.samples.setdefault(line["kind"], line)
                if line["kind"] in ("internal", "spool", "state", "log", "resource"):
                    self.ledger.surprise(line)
            elif "lost" in line.get("event", "") or "dropped" in line.get("event", ""):
                self.ledger.surprise(line)
        self.ledger.settle([line for line in lines if "calm@sender.example" not in line.get("from", "")])
