#!/usr/bin/env python3
"""How fast is it here? Load through the gateway to Postfix's smtp-sink, beside the same load without a gateway.

    ./dev bench                 relay and checks at 50 and 200 sessions, and idle sessions
    ./dev bench relay idle      only these
    ./dev bench content         how fast the parts of mails are found, what rules cost, both without a gateway around it; and what a mail of
                                20 KiB with HTML costs the gateway, without and with a look inside; and how long mails take beside rules
                                that never end, and beside ten thousand that wait
    ./dev bench milter_library  one filter on libsallyport-milter and on libmilter: messages a second, CPU, memory of idle connections
    ./dev bench milter          what asking one milter costs us per message: one that only wants to hear of the end, and one that hears it all
    ./dev bench milter_service  a Postfix in front has SPF, DKIM and DMARC judged by us, and by opendkim with opendmarc: CPU (as root)
    ./dev bench tenants         mails of one tenant, while another one sends as many, and ten times as many: its p99 below 1.25 times
    ./dev bench slow            200 mails a second, without and beside 5,000 clients that are slow in every state: p99 below twice, PSS below 512 MiB
    ./dev bench soak [MINUTES]  30 minutes with a fault each 20 seconds: descriptors do not add up, and RSS grows by no more than 1 MiB an hour,
                                as the median slope between rounds of all kinds of fault, after two of them as a warm-up
    ./dev bench kill            2,000 messages while the gateway is killed 40 times: is anything lost?
    ./dev bench reload          100 reloads, good and bad in turn, under 300 connections a second: does anybody notice?
    ./dev bench upgrade         100 upgrades and reloads in turn, under 300 connections a second: does anybody notice?
    ./dev bench chaos           ten minutes of servers, names and clients that misbehave, stops, reloads, ends: is all accounted for?

CPU microseconds per message are what to compare, and ratios within one run: other users of the machine hardly move them.
Each figure is the median of --repeats interleaved runs.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")
GATEWAY, SINK, DNS = 25925, 25926, 25953
# The rules that are shipped and look at a mail's sender, recipients and content.
TWELVE = ["ARC_FORWARDER", "ATTACHMENT_NAMES", "BOUNCE_TO_MANY", "EXECUTIVE_NAME", "EXTERNAL_TAG", "LISTED_LINKS", "LOOKALIKE_DOMAIN",
          "MASS_BCC", "NEW_SENDER_TO_FINANCE", "REPLY_TO_ELSEWHERE", "SENDER_RATE", "THREAD_HIJACK"]


def with_children(pid):
    """The gateway is two processes, one of which supervises the other."""
    pids = [pid]
    for one in pids:
        for task in pathlib.Path(f"/proc/{one}/task").iterdir():
            pids += [int(child) for child in (task / "children").read_text().split()]
    return pids


def cpu_seconds(pid):
    """What all threads of a process and of its children have used, to the nanosecond where the kernel says it so."""
    total = 0.0
    for task in (task for one in with_children(pid) for task in pathlib.Path(f"/proc/{one}/task").iterdir()):
        try:
            total += int((task / "schedstat").read_text().split()[0]) / 1e9
        except (OSError, IndexError):
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def rss_kib(pid):
    total = 0
    for one in with_children(pid):
        for line in pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def wait_for(port):
    end = time.monotonic() + 15
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
                if s.recv(10).startswith(b"220"):
                    return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"nothing greets on port {port}")


class Bench:
    def __init__(self, args):
        self.args = args
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-bench-"))
        self.folder.chmod(0o755)
        self.started = []
        self.dns = None
        self.silent = None
        self.milters = {}  # by the mode of the gateway that asks it

    def start(self, argv, **options):
        process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        self.started.append(process)
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self):
        for process in self.started:
            if process.poll() is None:
                self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def certificate(self):
        folder = self.folder / "certs"
        if not folder.exists():
            subprocess.run([ROOT / "certs/make-dev-certs.sh", folder, "mx.rcpt.example"], check=True, capture_output=True)
        return folder

    def sink(self, port=SINK):
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = self.start([shutil.which("smtp-sink") or "/usr/sbin/smtp-sink", *user, f"127.0.0.1:{port}", "4096"])
        wait_for(port)
        return process

    def serve_dns(self):
        """A name server that knows no names."""
        if self.dns is None:
            (self.folder / "zone.json").write_text("{}")
            self.dns = self.start([sys.executable, ROOT / "tests/support/dns_server.py", self.folder / "zone.json", "--port", DNS])
            time.sleep(0.5)
        if self.dns.poll() is not None:
            sys.exit("the DNS server does not run")

    def silent_dns(self):
        """The port of a name server that hears questions and answers none."""
        if self.silent is None:
            self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.silent.bind(("127.0.0.1", 0))
        return self.silent.getsockname()[1]

    def rules(self, name, text):
        """A folder of this name with one file of rules."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "bench.lua").write_text('local sp = require "sallyport"\n' + text)
        return folder

    def gateway(self, mode):
        policy = '[policy]\nmode = "off"\n'
        if mode == "endless":
            rules = self.rules(
                "endless", 'sp.rule { name = "ENDLESS", stage = "message", score = 1, run = function(tx)\n'
                '  while tx.msg.subject == "endless" do end\nend }\n')
            # So much that none of them is stopped while others are measured.
            policy += f'[policy.rules]\nmode = "enforce"\npath = "{rules}"\ncpu = "10s"\ncpu_per_mail = "10s"\n'
        if mode == "waiting":
            rules = self.rules(
                "waiting", 'sp.rule { name = "WAITING", stage = "rcpt", on_error = "skip", run = function(tx)\n'
                '  if tx.rcpt.user == "waiting" then sp.dns.a("silent.example") end\nend }\n')
            # They wait until others have been measured: nobody answers.
            policy = (f'[dns]\nservers = ["127.0.0.1:{self.silent_dns()}"]\ntimeout = "60s"\n[timeouts]\npolicy = "120s"\n' + policy +
                      f'[policy.rules]\nmode = "enforce"\npath = "{rules}"\n')
        if mode in ("checks", "outside", "inside"):
            rules = self.rules(
                "rules", 'sp.rule { name = "BENCH", stage = "message", score = 1, run = function(tx)\n'
                '  return tx.msg.subject == "never"\nend }\n')
            self.serve_dns()
            policy = ('[dns]\nservers = ["127.0.0.1:%d"]\n[policy.dnsbl]\nzones."bl.example".score = 9.0\n'
                      '[policy.rate]\nconnect_per_ip = "100000000/1m"\nmail_per_ip = "100000000/1m"\n'
                      'rcpt_per_ip = "100000000/1m"\nproven_mail_per_ip = "100000000/1m"\nrcpt_per_sender_domain = "100000000/1m"\n[policy.rules]\npath = "%s"\n' % (DNS, rules))
            if mode == "outside":
                policy += '[policy.content]\nmode = "off"\n'
            if mode == "inside":
                names = ", ".join(f'"{name}"' for name in TWELVE)
                policy += (f'shipped = [{names}]\nlists.LISTED_LINKS.entries = ["dbl.example"]\n'
                           'lists.SENDER_RATE.entries = ["100000000/1m"]\nlists.EXECUTIVE_NAME.entries = ["Eve Boss"]\n'
                           '[policy.url_lists]\nzones."dbl.example".score = 5.0\n')
        if mode in self.milters:
            policy += f'[[policy.milters]]\naddress = "unix:{self.milters[mode].path}"\nmode = "enforce"\n'
        state = self.folder / f"state-{mode}"
        route = f'domains = ["rcpt.example"]\nupstream = "127.0.0.1:{SINK}"\n'
        tables = ""
        if mode == "tenants":
            route = ""
            tables = "".join(f'[upstreams.{name}]\nservers = ["127.0.0.1:{port}"]\n[tenants.{name}]\ndomains = ["{domain}"]\nupstream = "{name}"\n'
                             for name, port, domain in (("a", SINK + 1, "a.example"), ("b", SINK, "rcpt.example")))
        file = self.folder / f"{mode}.toml"
        file.write_text(f"""hostname = "mx.rcpt.example"
{route}workers = 1
user = "nobody"
[[listen]]
address = "127.0.0.1:{GATEWAY}"
[tls]
cert = "{self.certificate()}"
[limits]
sessions = 20000
sessions_per_ip = 20000
[state]
path = "{state}"
[log]
target = "file:{self.folder}/{mode}.log"
{policy}{tables}""")
        process = self.start([self.args.program, "run", "-c", file])
        wait_for(GATEWAY)
        return process

    def load(self, port, *options):
        out = subprocess.run([str(self.args.load), f"127.0.0.1:{port}", *map(str, options)], capture_output=True, text=True)
        if not out.stdout:
            sys.exit(f"the load generator failed: {out.stderr}")
        return json.loads(out.stdout)

    def measure(self, name, port, process, parallel, tls, content=None):
        options = ["--parallel", parallel, *(["--starttls"] if tls else []), *(["--content", content] if content else [])]
        self.load(port, "--sessions", parallel * 4, *options)
        before = cpu_seconds(process.pid)
        result = self.load(port, "--sessions", self.args.sessions, *options)
        result["cpu_us"] = (cpu_seconds(process.pid) - before) / max(1, result["messages"]) * 1e6
        result["name"] = name
        return result

    def run_loads(self, modes):
        rows = {}
        for _ in range(self.args.repeats):
            sink = self.sink()
            for parallel in (50, 200):
                rows.setdefault(("direct", parallel), []).append(self.measure("direct", SINK, sink, parallel, False))
            for mode, tls in modes:
                gateway = self.gateway(mode)
                for parallel in (50, 200):
                    name = mode + ("+tls" if tls else "")
                    rows.setdefault((name, parallel), []).append(self.measure(name, GATEWAY, gateway, parallel, tls))
                self.stop(gateway)
            self.stop(sink)
        print(f"{'':14}{'sessions':>9}{'msg/s':>9}{'cpu us/msg':>12}{'of direct':>11}{'p50 ms':>9}{'p99 ms':>9}{'failed':>8}")
        for (name, parallel), results in rows.items():
            def mid(key, of=None):
                return statistics.median(r[key] for r in (of or results))
            direct = rows["direct", parallel]
            print(f"{name:14}{parallel:9}{mid('messages_per_s'):9.0f}{mid('cpu_us'):12.1f}"
                  f"{mid('cpu_us') / mid('cpu_us', direct):10.2f}x{mid('p50_ms'):9.2f}{mid('p99_ms'):9.2f}"
                  f"{sum(r['failed'] for r in results):8}")
        print("direct: the load generator speaks to smtp-sink itself, and the CPU is the sink's")

    def newsletter(self):
        file = self.folder / "newsletter.eml"
        file.write_bytes(subprocess.run([self.args.program.parent / "content_load", "newsletter"], capture_output=True, check=True).stdout)
        return file

    def run_inside(self):
        """A mail of 20 KiB with HTML, with the checks that look at it from outside, and with parts, URLs and the twelve rules."""
        newsletter = self.newsletter()
        cpu = {"outside": [], "inside": []}
        for _ in range(self.args.repeats):
            sink = self.sink()
            for mode, of_mode in cpu.items():
                gateway = self.gateway(mode)
                result = self.measure(mode, GATEWAY, gateway, 50, False, newsletter)
                if result["failed"]:
                    sys.exit(f"{mode}: {result['failed']} mails failed: {result['first_error']}")
                of_mode.append(result["cpu_us"])
                self.stop(gateway)
            self.stop(sink)
        outside, inside = (statistics.median(cpu[mode]) for mode in ("outside", "inside"))
        print(f"a mail of {newsletter.stat().st_size} octets with HTML: {outside:.0f} us of CPU with the checks from outside, {inside:.0f} us with parts, "
              f"URLs and the twelve rules: {inside - outside:.0f} us for the look inside")

    def run_beside_endless(self):
        """Mails one after the other, without and with four mails beside them whose rule does not end; all on one worker."""
        endless = self.folder / "endless.eml"
        endless.write_bytes(b"From: <ann@sender.example>\r\nTo: <user@rcpt.example>\r\nSubject: endless\r\n\r\ntext\r\n")
        self.run_beside("endless", "4 mails with endless rules", ["--parallel", 4, "--sessions", 4, "--content", endless], 0.5)

    def run_beside_waiting(self):
        """The same beside ten thousand mails whose rule waits for an answer that does not come."""
        count = 10_000
        self.run_beside("waiting", f"{count} mails whose rules wait", ["--parallel", count, "--sessions", count, "--to", "waiting@rcpt.example"], 15)

    def run_beside(self, mode, words, others_options, seconds):
        """`seconds`: until the others are all there."""
        p50, p99 = {"alone": [], "beside": []}, {"alone": [], "beside": []}
        for _ in range(max(3, self.args.repeats)):
            sink = self.sink()
            gateway = self.gateway(mode)
            self.load(GATEWAY, "--sessions", 50, "--parallel", 1)
            for when in ("alone", "beside"):
                others = None
                if when == "beside":
                    others = self.start([self.args.load, f"127.0.0.1:{GATEWAY}", *others_options])
                    time.sleep(seconds)
                result = self.load(GATEWAY, "--sessions", 200, "--parallel", 1)
                if result["failed"]:
                    sys.exit(f"{when}: {result['failed']} mails failed: {result['first_error']}")
                if others and others.poll() is not None:
                    sys.exit(f"{mode}: the others have ended")
                p50[when].append(result["p50_ms"])
                p99[when].append(result["p99_ms"])
                if others:
                    others.kill()
                    others.wait()
            self.stop(gateway)
            self.stop(sink)
        middle = {when: (statistics.median(p50[when]), statistics.median(p99[when])) for when in p50}
        times = statistics.median(beside / alone for alone, beside in zip(p99["alone"], p99["beside"]))
        print(f"mails one after the other: p50 {middle['alone'][0]:.2f} ms, p99 {middle['alone'][1]:.2f} ms; beside {words}: "
              f"p50 {middle['beside'][0]:.2f} ms, p99 {middle['beside'][1]:.2f} ms, {times:.1f} times as long")

    def make_milters(self):
        """They are threads of this program, so that only our side counts."""
        sys.path.insert(0, str(ROOT / "tests/integration"))
        from scripted_milter import ScriptedMilter
        all_declined, all_silent = 0x37F, 0x400 | 0x80 | 0xF000 | 0x10000 | 0x40000 | 0x80000
        self.milters = {"no-op": ScriptedMilter(self.folder / "no-op.sock", options=all_declined),
                        "silent": ScriptedMilter(self.folder / "silent.sock", {letter: b"" for letter in "CHMRTLNB"}, options=all_silent),
                        "answering": ScriptedMilter(self.folder / "answering.sock")}
        for milter in self.milters.values():
            milter.keeps_notes = False

    def run_milter(self):
        self.make_milters()
        cpu = {mode: [] for mode in ("relay", *self.milters)}
        for _ in range(self.args.repeats):
            sink = self.sink()
            for mode, of_mode in cpu.items():
                gateway = self.gateway(mode)
                result = self.measure(mode, GATEWAY, gateway, 20, False)
                if result["failed"]:
                    sys.exit(f"{mode}: {result['failed']} mails failed: {result['first_error']}")
                of_mode.append(result["cpu_us"])
                self.stop(gateway)
            self.stop(sink)
        plain = statistics.median(cpu["relay"])
        what = {"no-op": "that hears of the end alone", "silent": "that hears all and answers at the end", "answering": "that answers each command"}
        print(f"a message: {plain:.0f} us of CPU without a milter")
        for mode, words in what.items():
            print(f"{statistics.median(cpu[mode]) - plain:8.0f} us more for one {words}")

    def at_rate(self, rate, seconds, recipient="user@rcpt.example", *more):
        return [self.args.load, f"127.0.0.1:{GATEWAY}", "--rate", rate, "--sessions", int(rate * seconds), "--to", recipient, *more]

    def run_tenants(self):
        """Two tenants with a server each. What tenant B's mails take, while A sends as many, and ten times as many."""
        rate, seconds, times = 30, 8, 10
        p50, p99 = {1: [], times: []}, {1: [], times: []}
        sinks = [self.sink(), self.sink(SINK + 1)]
        gateway = self.gateway("tenants")
        self.load(GATEWAY, "--sessions", 500, "--parallel", 10)
        for _ in range(max(5, self.args.repeats)):
            for factor in (1, times):
                others = self.start(self.at_rate(rate * factor, seconds + 2, "user@a.example"))
                time.sleep(1)
                done = subprocess.run([str(a) for a in self.at_rate(rate, seconds)], capture_output=True, text=True)
                result = json.loads(done.stdout)
                if result["failed"] or others.wait(60) != 0:
                    sys.exit(f"mails failed: {result['first_error'] or 'of tenant A'}")
                p50[factor].append(result["p50_ms"])
                p99[factor].append(result["p99_ms"])
        for factor, whole in p99.items():
            print(f"{rate} mails a second of tenant B, {rate * factor} of tenant A: p50 {statistics.median(p50[factor]):.2f} ms, "
                  f"p99 {statistics.median(whole):.2f} ms")
        ratio = statistics.median(many / few for few, many in zip(p99[1], p99[times]))
        print(f"B's p99 beside ten times as much of A's: {ratio:.2f} times (median of {len(p99[1])} interleaved runs)")
        for process in (gateway, *sinks):
            self.stop(process)
        return ratio < 1.25

    def run_slow(self):
        """Mails at a rate, without and beside clients that are slow in every way."""
        rate, seconds, count = 200, 15, 5000
        p99 = {"alone": [], "beside": []}
        most = 0
        for _ in range(3):
            sink, gateway = self.sink(), self.gateway("slow")
            self.load(GATEWAY, "--sessions", 500, "--parallel", 10)
            for when, of_when in p99.items():
                slow = None
                if when == "beside":
                    slow = subprocess.Popen([self.args.load.parent / "slow_clients", f"127.0.0.1:{GATEWAY}", str(count)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                    self.started.append(slow)
                    if not slow.stdout.readline().startswith(b"slow "):
                        sys.exit("the slow clients have not begun")
                done = subprocess.run([str(a) for a in self.at_rate(rate, seconds)], capture_output=True, text=True)
                result = json.loads(done.stdout)
                if result["failed"]:
                    sys.exit(f"{when}: {result['failed']} mails failed: {result['first_error']}")
                of_when.append(result["p99_ms"])
                if slow:
                    most = max(most, rss_kib(gateway.pid))
                    slow.stdin.close()
                    slow.wait(30)
            self.stop(gateway)
            self.stop(sink)
        ratio = statistics.median(beside / alone for alone, beside in zip(p99["alone"], p99["beside"]))
        print(f"{rate} mails a second: p99 {statistics.median(p99['alone']):.2f} ms alone, {statistics.median(p99['beside']):.2f} ms beside "
              f"{count} slow clients: {ratio:.2f} times; PSS {most / 1024:.0f} MiB")
        return ratio < 2 and most < 512 * 1024

    def run_for_profile(self):
        """The loads that a profile is made of: what most mails need counts most."""
        newsletter = self.newsletter()
        sink = self.sink()
        loads = [("relay", ["--sessions", 6000]), ("relay", ["--sessions", 1000, "--messages", 10]),
                 ("relay", ["--sessions", 1000, "--size", 200_000]), ("relay", ["--sessions", 2000, "--starttls"]),
                 ("checks", ["--sessions", 6000]), ("checks", ["--sessions", 1000, "--starttls"]),
                 ("inside", ["--sessions", 3000, "--content", newsletter])]
        self.make_milters()
        loads += [(mode, ["--sessions", 1000]) for mode in self.milters]
        for mode, options in loads:
            gateway = self.gateway(mode)
            result = self.load(GATEWAY, "--parallel", 20, *options)
            self.stop(gateway)
            if result["failed"]:
                sys.exit(f"{mode}: {result['failed']} mails failed: {result['first_error']}")
            print(f"{mode} {' '.join(map(str, options))}: {result['messages']} mails", flush=True)
        self.stop(sink)

    def run_idle(self):
        sink = self.sink()
        print(f"{'idle sessions':>14}{'PSS MiB':>10}{'KiB each':>10}")
        for tls in (False, True):
            gateway = self.gateway("relay")
            self.load(GATEWAY, "--sessions", 200, *(["--starttls"] if tls else []))
            time.sleep(1)
            base = rss_kib(gateway.pid)
            print(f"{0:14}{base / 1024:10.1f}")
            for count in (1000, 5000):
                holder = subprocess.Popen([str(self.args.load), f"127.0.0.1:{GATEWAY}", "--idle", "--parallel", str(count),
                                           *(["--starttls"] if tls else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                line = holder.stdout.readline().decode().strip()
                time.sleep(1)
                used = rss_kib(gateway.pid)
                holder.stdin.close()
                holder.wait(30)
                if line != f"idle {count}":
                    sys.exit(f"wanted {count} idle sessions, got: {line}")
                print(f"{count:14}{used / 1024:10.1f}{(used - base) / count:10.2f}{'  TLS' if tls else ''}")
                time.sleep(1)
            self.stop(gateway)
        self.stop(sink)


def run_long_form(program, test, **sizes):
    """Not how fast, but how true: the long form of an integration test."""
    file, *which = test.split(":")
    done = subprocess.run([sys.executable, ROOT / f"tests/integration/{file}.py", *which],
                          env={**sizes, **os.environ, "SALLYPORT": str(program)})
    if done.returncode != 0:
        sys.exit(done.returncode)


def run_content(program):
    """Beside the program stand content_load, which reads mails from memory in one thread, and lua_rules, which runs rules."""
    print(f"{'mail':28}{'MB/s':>9}{'mails/s':>10}{'KiB beyond it':>15}")
    for line in subprocess.run([program.parent / "content_load"], capture_output=True, text=True, check=True).stdout.splitlines():
        name, speed, mails, memory = line.split()
        print(f"{name:28}{speed:>9}{mails:>10}{memory:>15}")
    print("rules, microseconds of CPU each:")
    subprocess.run([program.parent / "lua_rules"], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", choices=["relay", "checks", "tls", "idle", "content", "milter", "milter_library", "milter_service", "tenants", "slow", "soak", "kill", "reload", "upgrade", "chaos", "profile", []],
                        help="by default all but content, milter, milter_library, milter_service, tenants, slow, soak, kill, reload, upgrade, chaos and profile")

    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--load", type=pathlib.Path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=5000, help="sessions (of one message) per run")
    words = sys.argv[1:]
    minutes = "30"
    if "soak" in words and words[-1].isdigit() and words[-2] == "soak":
        minutes = words.pop()
    args = parser.parse_args(words)
    args.program, args.load = args.program.resolve(), args.load.resolve()
    what = args.what or ["relay", "checks", "tls", "idle"]
    if "kill" in what:
        run_long_form(args.program, "test_kill", SALLYPORT_KILL_MESSAGES="2000", SALLYPORT_KILLS="40")
    if "reload" in what:
        run_long_form(args.program, "test_reload:UnderLoad", SALLYPORT_RELOADS="100", SALLYPORT_RELOAD_RATE="300")
    if "upgrade" in what:
        run_long_form(args.program, "test_upgrade:UnderLoad", SALLYPORT_UPGRADES="100", SALLYPORT_UPGRADE_RATE="300")
    if "soak" in what:
        run_long_form(args.program, "test_soak", SALLYPORT_SOAK_MINUTES=minutes)
    if "chaos" in what:
        run_long_form(args.program, "test_chaos", SALLYPORT_CHAOS_SECONDS="600", SALLYPORT_CHAOS_CLIENTS="60")
    if "content" in what:
        run_content(args.program)
    if "milter_library" in what:
        subprocess.run([sys.executable, ROOT / "tests/bench/milter_library.py", "--build", args.program.parent], check=True)
        what.remove("milter_library")
        if not what:
            return
    if "milter_service" in what:
        environment = {**os.environ, "SALLYPORT": str(args.program), "SALLYPORT_TEST_PATIENCE": "60"}
        subprocess.run([sys.executable, ROOT / "tests/bench/milter_service.py"], env=environment, check=True)
        what.remove("milter_service")
        if not what:
            return
    bench = Bench(args)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        modes = [m for m in (("relay", False), ("checks", False), ("relay", True))
                 if ("tls" if m[1] else m[0]) in what]
        if modes:
            bench.run_loads(modes)
        if "content" in what:
            bench.run_inside()
            bench.run_beside_endless()
            bench.run_beside_waiting()
        if "milter" in what:
            bench.run_milter()
        if "profile" in what:
            bench.run_for_profile()
        if "idle" in what:
            bench.run_idle()
        held = [bench.run_tenants() if one == "tenants" else bench.run_slow() for one in ("tenants", "slow") if one in what]
    finally:
        bench.close()
    if not all(held):
        sys.exit("not as it has to be")


main()
