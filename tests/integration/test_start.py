#!/usr/bin/env python3
"""Starting on a machine as it is: ports that are taken, directories of others, links, capabilities, limits, a damaged database."""
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import unittest

from support import PROGRAM, Client, GatewayTest, free_port, run, tool, wait_until

IS_ROOT = os.geteuid() == 0
OTHER = 7011  # the uid of nobody in particular


def listen(address, port, family=socket.AF_INET, shared=True):
    """A listener that lets others of the same user in, as mail servers set it."""
    other = socket.socket(family)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    other.bind((address, port))
    other.listen(8)
    return other


class Ports(GatewayTest):
    def listening_at(self, *addresses):
        file = self.configuration(free_port(), workers=3)
        text = re.sub(r'"listen" = .*|listen = .*', "", file.read_text())
        file.write_text(text + "".join(f'[[listen]]\naddress = "{address}"\n' for address in addresses))
        return file

    def test_another_program_in_every_form(self):
        for theirs, family, ours in (("127.0.0.3", socket.AF_INET, "127.0.0.3:{}"), ("0.0.0.0", socket.AF_INET, "127.0.0.1:{}"),
                                     ("127.0.0.1", socket.AF_INET, "0.0.0.0:{}"), ("::", socket.AF_INET6, "[::1]:{}"),
                                     ("::1", socket.AF_INET6, "[::]:{}")):
            for shared in (True, False):
                port, free = free_port(), free_port()
                address = ours.format(port)
                with listen(theirs, port, family, shared):
                    done = run([PROGRAM, "run", "-c", self.listening_at(f"127.0.0.1:{free}", address)])
                self.assertEqual(done.returncode, 74, (theirs, ours, done.stderr))
                self.assertIn(f"{address}: it is in use, ", done.stderr)
                self.assertIn(f"(process {os.getpid()})", done.stderr)

    def test_of_two_gateways_that_start_at_once_one_serves(self):
        for _ in range(3):
            port = free_port()
            file = self.listening_at(f"127.0.0.1:{port}")
            gateways = []
            for number in range(2):
                own = self.folder / f"two-{number}.toml"
                own.write_text(file.read_text().replace(f"{self.folder}/state", f"{self.folder}/state-{number}")
                               .replace(f"{self.folder}/gateway.log", f"{self.folder}/gateway-{number}.log"))
                gateways.append(self.start(f"gateway-{number}", [PROGRAM, "run", "-c", own]))
            loser = wait_until("the end of one", lambda: [one for one in gateways if not one.is_running()])[0]
            self.assertEqual(loser.wait(), 74)
            winner, = (one for one in gateways if one is not loser)
            with Client(port) as client:
                client.expect(220)
            self.assertTrue(winner.is_running())
            winner.stop()

    def test_own_addresses_may_overlap(self):
        port = free_port()
        self.start_gateway(self.listening_at(f"127.0.0.1:{port}", f"0.0.0.0:{port}"))
        for host in ("127.0.0.1", "127.0.0.9"):
            with Client(port, host) as client:
                client.expect(220)

    def test_a_successor_starts_while_a_drain_lasts(self):
        upstream = self.sink()
        first = self.gateway(upstream.port, workers=2, policy={"mode": "off", "dmarc": {"mode": "enforce", "report": {
            "enabled": True, "from": "reports@test.example"}}})
        with Client(self.port) as slow:
            slow.greet()
            slow.mail()
            slow.ask("DATA", 354)
            slow.send("From: ann@sender.example\r\nSubject: slow\r\n\r\nfirst half\r\n")
            first.process.terminate()
            second = self.start_gateway(self.folder / "sallyport.toml")
            self.assertTrue(first.is_running())
            with Client(self.port) as client:
                client.greet()
                client.mail()
                client.message("From: ann@sender.example\r\nSubject: new\r\n\r\ny")
            self.assertEqual(self.stats()["sallyport_relayed_total"], 1)  # of the second: the socket is his
            slow.send("second half\r\n.\r\n")
            slow.expect(250)
        self.assertEqual(first.wait(), 0)
        self.assertEqual(self.stats()["sallyport_relayed_total"], 1)
        self.assertTrue(second.is_running())
        self.assertEqual(len(upstream.wait_for(2)), 2)


def ownership(path):
    status = path.lstat()
    return status.st_uid, status.st_gid, status.st_mode & 0o7777


@unittest.skipUnless(IS_ROOT, "what root does at a start is the matter")
class Ownership(GatewayTest):
    def try_start(self, **settings):
        """Starts the gateway; gives "ready", or its exit status and what it said."""
        file = self.configuration(free_port(), **settings)
        log = self.folder / "gateway.log"
        log.unlink(missing_ok=True)
        process = self.start("gateway", [PROGRAM, "run", "-c", file])
        wait_until("a decision", lambda: not process.is_running() or (log.exists() and "event=ready" in log.read_text()))
        said = process.output()
        return "ready" if process.is_running() else (process.stop(), said)

    def test_a_directory_in_use_is_never_given_away(self):
        for number, (uid, mode) in enumerate(((OTHER, 0o700), (OTHER, 0o777), (0, 0o755), (0, 0o700))):
            theirs = self.folder / f"theirs-{number}"
            (theirs / "queue").mkdir(parents=True)
            (theirs / "queue/mail").write_text("theirs")
            for path in (theirs / "queue/mail", theirs / "queue", theirs):
                os.chown(path, uid, uid)
            theirs.chmod(mode)
            before = [ownership(path) for path in (theirs, theirs / "queue", theirs / "queue/mail")]
            came = self.try_start(state={"path": theirs})
            self.assertEqual([ownership(path) for path in (theirs, theirs / "queue", theirs / "queue/mail")], before)
            if mode != 0o777:
                self.assertEqual(came[0], 74, came)
                self.assertIn("state.path", came[1])
            self.stop_all()

    def test_one_that_is_missing_or_empty_is_given_to_the_user(self):
        nobody = pwd.getpwnam("nobody")
        (self.folder / "empty").mkdir(mode=0o755)
        (self.folder / "real").mkdir()
        (self.folder / "linked").symlink_to("real")  # the administrator's own, in a directory of root's
        for name, mode in (("missing", 0o750), ("empty", 0o755), ("linked", None)):
            self.assertEqual(self.try_start(state={"path": self.folder / name}), "ready", name)
            status = (self.folder / name).stat()
            self.assertEqual((status.st_uid, status.st_gid), (nobody.pw_uid, nobody.pw_gid))
            if mode is not None:
                self.assertEqual(status.st_mode & 0o7777, mode)
            self.stop_all()

    def test_an_empty_one_in_which_everybody_may_write_stays_as_it_is(self):
        everybodys = self.folder / "everybodys"
        everybodys.mkdir()
        everybodys.chmod(0o1777)  # as /var/tmp
        before = ownership(everybodys)
        self.assertEqual(self.try_start(state={"path": everybodys}), "ready")
        self.assertEqual(ownership(everybodys), before)

    def test_links_of_the_user_lead_root_nowhere(self):
        nobody = pwd.getpwnam("nobody").pw_uid
        for number, place in enumerate(("state", "state/spool", "state/control.sock", "state/state.db", "logs/gateway.log", "logs")):
            home = self.folder / f"home-{number}"
            victims = self.folder / f"victims-{number}"
            for folder in (home, victims, victims / "directory"):
                folder.mkdir()
            (victims / "file").write_text("root's own\n")
            os.chown(home, nobody, nobody)
            for name in {"state", "logs"} - {place}:
                (home / name).mkdir()
                os.chown(home / name, nobody, nobody)
            is_file = place.endswith((".log", ".sock", ".db"))
            (home / place).symlink_to(victims / ("file" if is_file else "directory"))
            os.chown(home / place, nobody, nobody, follow_symlinks=False)
            victim = [victims, victims / "directory", victims / "file"]
            before = [ownership(path) for path in victim]
            log = {} if "logs" not in place else {"log": {"target": f"file:{home}/logs/gateway.log"}}
            came = self.try_start(state={"path": home / "state"}, policy={"mode": "off", "dmarc": {
                "mode": "enforce", "report": {"enabled": True, "from": "reports@test.example"}}}, **log)
            self.stop_all()
            self.assertNotEqual(came, "ready", place)
            self.assertIn(came[0], (74, 78), place)
            self.assertEqual([ownership(path) for path in victim], before, place)
            self.assertEqual((victims / "file").read_text(), "root's own\n", place)
            self.assertEqual(list((victims / "directory").iterdir()), [], place)

    def test_a_log_with_a_second_name_is_refused(self):
        logs = self.folder / "logs"
        logs.mkdir()
        (self.folder / "victim").write_text("root's own\n")
        os.link(self.folder / "victim", logs / "gateway.log")
        shutil.chown(logs, "nobody")
        came = self.try_start(log={"target": f"file:{logs}/gateway.log"})
        self.assertEqual(came[0], 78, came)
        self.assertIn("hard link", came[1])
        self.assertEqual((self.folder / "victim").read_text(), "root's own\n")

    def test_capabilities_given_to_it_are_gone(self):
        nobody = pwd.getpwnam("nobody").pw_uid
        file = self.configuration(free_port(), user="nobody", workers=2)
        copy = self.folder / "sallyport"
        shutil.copy(PROGRAM, copy)
        copy.chmod(0o755)
        for folder in (self.folder / "state", self.folder / "logs"):
            folder.mkdir()
            os.chown(folder, nobody, nobody)
        file.write_text(file.read_text().replace(f"{self.folder}/gateway.log", f"{self.folder}/logs/gateway.log"))
        log = self.folder / "logs/gateway.log"
        for how in (["--reuid", "nobody", "--clear-groups", "--inh-caps", "+net_bind_service,+chown", "--ambient-caps",
                     "+net_bind_service,+chown"], ["--inh-caps", "+net_raw"]):
            process = self.start("gateway", [tool("setpriv"), *how, copy, "run", "-c", file])
            wait_until("ready", lambda: not process.is_running() or (log.exists() and "event=ready" in log.read_text()))
            for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
                status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
                for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                    self.assertEqual(int(status[name], 16), 0, (how, name))
                self.assertEqual(status["NoNewPrivs"], "1")
            self.assertEqual(process.stop(), 0, process.output())
            log.unlink()


class Limits(GatewayTest):
    def refused(self, limit, **settings):
        file = self.configuration(free_port(), **settings)
        done = run([tool("prlimit"), limit, PROGRAM, "run", "-c", file])
        self.assertEqual(done.returncode, 75, done.stderr)
        log = self.folder / "gateway.log"
        self.assertNotIn("ready", log.read_text() if log.exists() else "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stderr

    def test_too_few_open_files(self):
        for files, workers in ((40, 8), (64, 16), (200, 50)):
            self.assertRegex(self.refused(f"--nofile={files}", workers=workers),
                             rf"too few open files .*{workers} workers need at least \d+.*limit is {files}")

    def test_the_soft_limit_is_raised_and_one_too_low_is_told(self):
        for files, is_enough in ((400, False), (2000, True)):
            file = self.configuration(free_port(), limits={"sessions": 500})
            process = self.start("gateway", [tool("prlimit"), f"--nofile=64:{files}", PROGRAM, "run", "-c", file])
            log = self.folder / "gateway.log"
            wait_until("ready", lambda: log.exists() and "event=ready" in log.read_text())
            with open(f"/proc/{process.pid}/limits") as limits:
                self.assertRegex(limits.read(), rf"Max open files +{files} +{files} ")
            self.assertEqual(process.stop(), 0, process.output())
            self.assertEqual("500 sessions may need" in log.read_text(), not is_enough, log.read_text())
            log.unlink()

    def test_too_few_threads(self):
        for threads, workers in ((2, 1), (5, 4), (9, 40)):
            self.assertRegex(self.refused(f"--nproc={threads}", workers=workers), rf"too few threads .*{workers} workers need")

    def test_every_thread_is_one_it_knows_of(self):
        # One that a library starts by itself, at some later moment, may be refused then; libuv's pool ends the process for that.
        upstream = self.sink()
        gateway = self.gateway(upstream.port, workers=2, policy={"mode": "off", "dmarc": {"mode": "enforce", "report": {
            "enabled": True, "from": "reports@test.example"}}})
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.message("From: ann@sender.example\r\nSubject: x\r\n\r\ny")
        done = run([PROGRAM, "reload", "-c", self.folder / "sallyport.toml"])  # a job of the work pool
        self.assertEqual(done.returncode, 0, done.stderr)
        tasks = [task for task in pathlib.Path(f"/proc/{gateway.pid}/task").iterdir() if task.name != str(gateway.pid)]
        names = sorted((task / "comm").read_text().strip() for task in tasks)
        self.assertEqual(names, ["lists", "log", "store", "work", "work", "work", "work", "worker1", "worker2"])

    def try_limit(self, limit, file):
        """The exit status and stderr of a start under this limit; 0 stands for one that says `ready`, serves a client and ends in order."""
        log = self.folder / "gateway.log"
        log.unlink(missing_ok=True)
        self.tries = getattr(self, "tries", 0) + 1  # each has an output of its own
        name = f"limit{limit}-{self.tries}"
        process = self.start(name, [tool("prlimit"), limit, PROGRAM, "run", "-c", file])
        wait_until("ready or the end", lambda: not process.is_running() or (log.exists() and "event=ready" in log.read_text()))
        if process.is_running():
            with Client(self.port) as client:
                client.greet()
                client.ask("QUIT", 221)
            self.assertEqual(process.stop(), 0, (limit, process.output()))
            return 0, ""
        self.assertNotIn("event=ready", log.read_text() if log.exists() else "", limit)
        return process.wait(), process.output()

    def descend(self, limits, workers=2):
        """Each of these limits leads to `ready` and service, to exit status 75 with one sentence, or to the loader's own refusal (127).
        Gives the statuses that came about."""
        file = self.configuration(free_port(), workers=workers)
        seen = set()
        for limit in limits:
            status, said = self.try_limit(limit, file)
            self.assertIn(status, (0, 75, 127), (limit, said))
            if status == 75:
                self.assertEqual(len(said.splitlines()), 1, (limit, said))
                self.assertNotIn("mistake", said, limit)
            seen.add(status)
        return seen

    def test_every_number_of_open_files(self):
        self.assertLessEqual({0, 75}, self.descend([f"--nofile={files}" for files in (*range(3, 36), *range(36, 66, 3))]))

    def test_every_number_of_threads(self):
        # How many are enough depends on what else runs as this user.
        self.assertIn(75, self.descend([f"--nproc={threads}" for threads in range(1, 15)]))

    def test_threads_of_others_that_come_and_go(self):
        # What is left then changes between the look at the limit and the start of each thread.
        code = ("import os, random, threading, time\n"
                "if os.getuid() == 0: os.setuid(65534)\n"
                "end = time.monotonic() + 60\n"
                "while time.monotonic() < end and os.getppid() != 1:\n"
                "    threads = [threading.Thread(target=time.sleep, args=(random.random() / 20,)) for _ in range(random.randint(0, 6))]\n"
                "    for thread in threads: thread.start()\n"
                "    for thread in threads: thread.join()\n")
        other = subprocess.Popen([sys.executable, "-c", code])
        try:
            self.assertLessEqual(self.descend([f"--nproc={6 + number % 10}" for number in range(40)]), {0, 75})
        finally:
            other.kill()
            other.wait()

    def test_little_address_space(self):
        self.assertLessEqual({0, 75}, self.descend([f"--as={mebibytes << 20}" for mebibytes in (*range(20, 400, 40), *range(500, 1100, 50), 1200, 1500)]))

    def test_little_memory_for_data(self):
        seen = self.descend([f"--data={mebibytes << 20}" for mebibytes in (1, 4, *range(10, 300, 20), 400, 500)])
        self.assertLessEqual({0, 75}, seen)

    def test_a_limit_of_file_sizes_ends_nothing(self):
        self.assertEqual(self.try_limit("--fsize=0:0", self.configuration(free_port()))[0] in (0, 74), True)

    def test_a_small_one_is_enough_for_few_workers(self):
        file = self.configuration(free_port(), workers=2)
        process = self.start("gateway", [tool("prlimit"), "--nofile=64", PROGRAM, "run", "-c", file])
        wait_until("ready", lambda: not process.is_running() or
                   ((self.folder / "gateway.log").exists() and "event=ready" in (self.folder / "gateway.log").read_text()))
        with Client(self.port) as client:
            client.expect(220)


class Files(GatewayTest):
    """How many sessions there may be where open files are few."""

    def serve(self, files, workers):
        self.upstream = self.sink()
        file = self.configuration(self.upstream.port, workers=workers, limits={"memory_per_message": "4KiB", "sessions_per_ip": 1000})
        log = self.folder / "gateway.log"
        log.unlink(missing_ok=True)
        gateway = self.start("gateway", [tool("prlimit"), f"--nofile={files}:{files}", PROGRAM, "run", "-c", file])
        wait_until("ready", lambda: not gateway.is_running() or (log.exists() and "event=ready" in log.read_text()))
        self.assertTrue(gateway.is_running(), gateway.output())

    def come_in(self, each=lambda client: None):
        """Clients one after another, until one is greeted no more: it is the last that is given."""
        clients = []
        for _ in range(300):
            clients.append(Client(self.port))
            self.addCleanup(clients[-1].socket.close)
            clients[-1].socket.settimeout(2)
            try:
                clients[-1].greet()
            except TimeoutError:
                clients[-1].socket.settimeout(60)
                return clients
            clients[-1].socket.settimeout(60)
            each(clients[-1])
        self.fail("all are accepted")

    def test_whoever_has_begun_a_mail_has_the_files_for_all_of_it(self):
        for files, workers, least in ((128, 1, 20), (180, 2, 30)):
            self.serve(files, workers)
            *clients, waiting = self.come_in(Client.mail)
            self.assertGreaterEqual(len(clients), least)
            for client in clients:
                client.ask("DATA", 354)
                client.send("From: ann@sender.example\r\nSubject: spooled\r\n\r\n" + "0123456789\r\n" * 4000)  # in a file
            for client in clients:
                client.send(".\r\n")
                client.expect(250)
            self.assertEqual(self.stats()['sallyport_faults_total{kind="resource"}'], 0)
            self.assertEqual(self.stats()['sallyport_faults_total{kind="spool"}'], 0)
            for client in clients[:8]:
                client.ask("QUIT", 221)
            waiting.greet()  # has waited for that
            self.stop_all()
            self.processes.clear()

    def test_those_without_a_mail_are_promised_less(self):
        self.serve(128, 1)
        clients = self.come_in()
        self.assertGreaterEqual(len(clients), 46)
        for client in clients[:3]:
            client.mail()
            client.message("From: ann@sender.example\r\nSubject: x\r\n\r\ny")


class OneDirectory(GatewayTest):
    """One state directory, and more gateways than one."""

    def configurations(self, count):
        files = []
        for number in range(count):
            file = self.configuration(free_port(), log={"target": f"file:{self.folder}/gateway-{number}.log"})
            files.append(file.rename(self.folder / f"gateway-{number}.toml"))
        return files

    def is_ready(self, number):
        log = self.folder / f"gateway-{number}.log"
        return log.exists() and "event=ready" in log.read_text()

    def test_of_many_that_start_at_once_one_wins(self):
        for attempt in range(5):
            files = self.configurations(4)
            for log in self.folder.glob("gateway-*.log"):
                log.unlink()
            gateways = [self.start(f"gateway-{attempt}-{number}", [PROGRAM, "run", "-c", file])
                        for number, file in enumerate(files)]
            wait_until("three ends", lambda: sum(one.is_running() for one in gateways) == 1)
            winner, = (number for number, one in enumerate(gateways) if one.is_running())
            wait_until("ready", lambda: self.is_ready(winner))
            for number, one in enumerate(gateways):
                if number != winner:
                    self.assertEqual(one.wait(), 74)
                    self.assertIn("another gateway works in", one.output())
                    self.assertFalse(self.is_ready(number))
            done = run([PROGRAM, "stats", "-c", files[winner]])  # its socket is in its place
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(gateways[winner].stop(), 0)

    def test_one_that_serves_is_named_and_goes_on(self):
        first, second = self.configurations(2)
        gateway = self.start("gateway-0", [PROGRAM, "run", "-c", first])
        wait_until("ready", lambda: self.is_ready(0))
        done = run([PROGRAM, "run", "-c", second])
        self.assertEqual(done.returncode, 74)
        self.assertIn(f"(process {gateway.pid})", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertEqual(run([PROGRAM, "stats", "-c", first]).returncode, 0)
        gateway.kill()  # lets go of the lock, and leaves the socket's file
        self.start("gateway-1", [PROGRAM, "run", "-c", second])
        wait_until("ready", lambda: self.is_ready(1))

    def test_one_that_drains_hands_over_to_one_of_two(self):
        files = self.configurations(3)
        upstream = self.sink()
        files[0].write_text(re.sub(r"127\.0\.0\.1:\d+(?=\"\], \"balance)", f"127.0.0.1:{upstream.port}", files[0].read_text()))
        port = int(re.search(r'"address" = "127\.0\.0\.1:(\d+)"', files[0].read_text())[1])
        first = self.start("gateway-0", [PROGRAM, "run", "-c", files[0]])
        wait_until("ready", lambda: self.is_ready(0))
        with Client(port) as slow:
            slow.greet()
            slow.mail()
            slow.ask("DATA", 354)
            first.process.terminate()
            wait_until("the drain", lambda: "event=stopping" in (self.folder / "gateway-0.log").read_text())
            others = [self.start(f"gateway-{number}", [PROGRAM, "run", "-c", files[number]]) for number in (1, 2)]
            wait_until("one end", lambda: sum(one.is_running() for one in others) == 1)
            wait_until("ready", lambda: self.is_ready(1) or self.is_ready(2))
            self.assertTrue(first.is_running())
            slow.send("Subject: x\r\n\r\ny\r\n.\r\n")
            slow.expect(250)
        self.assertEqual(first.wait(), 0)
        winner = 1 if self.is_ready(1) else 2
        self.assertEqual(run([PROGRAM, "stats", "-c", files[winner]]).returncode, 0)

    def test_a_socket_path_that_is_too_long(self):
        state = self.folder / ("x" * 60) / ("y" * 60)
        state.parent.mkdir()
        state.parent.chmod(0o777)
        done = run([PROGRAM, "run", "-c", self.configuration(free_port(), state={"path": state})])
        self.assertEqual(done.returncode, 74)
        self.assertIn("1 to 107 octets", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)


@unittest.skipUnless(IS_ROOT, "a file system of its own takes root")
class Room(GatewayTest):
    """The state directory on a small file system of its own, as it is found at a start."""

    def start_on(self, octets, *commands):
        """Starts on a tmpfs of this size, after these commands; gives the exit status and what was said, ("ready", "") where it serves."""
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        file = self.configuration(free_port(), user="nobody")
        log = self.folder / "gateway.log"
        log.unlink(missing_ok=True)
        self.folder.chmod(0o777)  # for the log
        script = ["set -e", f"mount -t tmpfs -o size={octets},mode=0755 tmpfs {state}", f"chown nobody {state}", f"cd {state}",
                  *commands, f"cd {self.folder}", f"exec {PROGRAM} run -c {file}"]
        self.tries = getattr(self, "tries", 0) + 1
        process = self.start(f"gateway-{self.tries}", [tool("unshare"), "--mount", "sh", "-c", "; ".join(script)])
        wait_until("a decision", lambda: not process.is_running() or (log.exists() and "event=ready" in log.read_text()))
        if process.is_running():
            self.assertEqual(process.stop(), 0, process.output())
            return "ready", ""
        return process.wait(), process.output()

    def good_database(self):
        """Of a gateway that has ended in order."""
        self.gateway(free_port(), user="nobody").stop()
        return self.folder / "state/state.db"

    def test_enough_for_little(self):
        self.assertEqual(self.start_on(1 << 20), ("ready", ""))

    def test_too_small_or_full(self):
        fill = "dd if=/dev/zero of=fill bs=4k 2>/dev/null || true"
        for octets, *commands in ((12 << 10,), (4 << 10,), (64 << 10, fill), (64 << 10, "touch state.db", "chown nobody state.db", fill)):
            status, said = self.start_on(octets, *commands)
            self.assertEqual(status, 74, (octets, commands, said))
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertIn(str(self.folder / "state"), said)
            self.assertRegex(said, r"has room for \d+ KiB|No space left", said)

    def test_full_beside_a_good_database(self):
        database = self.good_database()
        copy = self.folder / "copy.db"
        shutil.copy(database, copy)
        copying, after = self.folder / "copying", self.folder / "after"
        copying.mkdir()
        shutil.rmtree(self.folder / "state")
        # Whoever comes after it finds what the start has left.
        commands = [f"cp {copy} state.db", "chown nobody state.db", "dd if=/dev/zero of=fill bs=4k 2>/dev/null || true",
                    f"(sleep 2; cp state.db* {copying}; mv {copying} {after}) & true"]
        status, said = self.start_on(64 << 10, *commands)
        self.assertEqual(status, 74, said)
        wait_until("the copy", after.exists)
        self.assertEqual(sorted(one.name for one in after.iterdir() if "damaged" in one.name), [], "nothing is set aside")
        self.assertEqual((after / "state.db").read_bytes(), copy.read_bytes())

    def test_read_only(self):
        for commands in ([], ["mkdir spool", "chown nobody spool", "touch lock state.db", "chown nobody lock state.db"]):
            status, said = self.start_on(1 << 20, *commands, f"cd {self.folder}", f"mount -o remount,ro {self.folder}/state")
            self.assertEqual(status, 74, said)
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertRegex(said.lower(), "read-only file system")
            self.assertNotIn("chown", said)


class State(GatewayTest):
    def test_a_damaged_database_is_set_aside(self):
        upstream = self.sink()
        settings = dict(policy={"mode": "off", "dmarc": {"mode": "enforce", "report": {"enabled": True,
                                                                                      "from": "reports@test.example"}}})
        self.gateway(upstream.port, **settings).stop()
        state = self.folder / "state"
        good = (state / "state.db").read_bytes()
        for number, damaged in enumerate((b"\0" * 300 + good[300:], good[:5000], b"SQLite format 3\0" + b"?" * 8000), 1):
            (state / "state.db").write_bytes(damaged)
            for one in state.glob("state.db-*"):
                one.unlink()
            gateway = self.start_gateway(self.folder / "sallyport.toml")
            kept = list(state.glob("state.db.damaged-*"))
            self.assertEqual(len([one for one in kept if not one.name.endswith(("-wal", "-shm"))]), number)
            self.assertIn(damaged, [one.read_bytes() for one in kept])
            faults = self.log_lines("fault")
            self.assertEqual(len(faults), number)
            self.assertEqual(faults[-1]["kind"], "state")
            self.assertIn("state.db.damaged-", faults[-1]["detail"])
            with Client(self.port) as client:
                client.greet()
                client.mail()
                client.message("From: ann@sender.example\r\nSubject: x\r\n\r\ny")
            gateway.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
