#!/usr/bin/env python3
"""`sallyport upgrade`: the program on the disk takes the place of the one that serves, and no client notices (threats.md R11, R12, I1).

SALLYPORT_UPGRADES and SALLYPORT_UPGRADE_RATE make the run under load longer and denser.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.request

from reload_run import SteadyLoad
from support import (PATIENCE, PROGRAM, ChangedGateway, Client, accepts, children_of, free_port, is_admin, is_alive, run, wait_until)
from test_supervisor import SocketUnits

UPGRADES = int(os.environ.get("SALLYPORT_UPGRADES", "6"))
RATE = int(os.environ.get("SALLYPORT_UPGRADE_RATE", "100"))


class UpgradeTest(ChangedGateway):
    expects_deaths = True

    def install(self, source=PROGRAM):
        """Puts a program where the gateway's is, as a package does: another file under the same name."""
        (self.folder / "bin").mkdir(exist_ok=True)
        new = self.folder / "bin/sallyport.new"
        shutil.copy(source, new)
        new.rename(self.folder / "bin/sallyport")

    def serve(self, **more):
        self.folder.chmod(0o777)
        self.upstream = self.sink()
        self.install()
        self.file = self.configuration(self.upstream.port, **more)
        self.running = self.start("gateway", [self.folder / "bin/sallyport", "run", "-c", self.file])
        self.wait_for_log("ready")
        return self.running

    def serving(self):
        """The process that serves: it has put its name into the state directory's lock."""
        return int((self.folder / "state/lock").read_text().split()[0])

    def processes_of_gateway(self):
        return [child for child in children_of(self.running.process.pid) if not is_admin(child)]

    def begin_upgrade(self, command="upgrade"):
        command = subprocess.Popen([PROGRAM, command, "-c", self.file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(command.communicate)
        return command

    def upgrade(self):
        """One that is taken; gives the process that serves now."""
        before = self.serving()
        done = run([PROGRAM, "upgrade", "-c", self.file])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^version \S+ serves; ")
        return wait_until("the one that serves now", lambda: self.serving() != before and self.serving())

    def refused_upgrade(self, status):
        before = self.serving()
        done = run([PROGRAM, "upgrade", "-c", self.file])
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertIn("nothing has changed", done.stderr)
        self.assertEqual(self.serving(), before)
        self.assertEqual(self.processes_of_gateway(), [before])
        self.deliver(self.client())
        return done.stderr

    def hold_up_starts(self):
        """From now on a start takes seconds: it asks a DNS server that says nothing."""
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(PATIENCE)
        self.addCleanup(silent.close)
        self.silent = silent
        self.set("dns", {"servers": [f"127.0.0.1:{silent.getsockname()[1]}"], "timeout": "5s"})
        self.set("upstreams", {"default": {"servers": [f"127.0.0.1:{self.upstream.port}", "slow.example:25"], "balance": "failover"}})

    def successor(self):
        """The process that is to take over, when it has read its files and is held up."""
        self.silent.recv(1000)
        before = self.serving()
        return wait_until("a successor", lambda: [child for child in self.processes_of_gateway() if child != before])[0]


class Taken(UpgradeTest):
    def test_a_session_goes_on_and_everything_is_of_the_new_program(self):
        running = self.serve(workers=2)
        client = self.client()
        client.mail()
        before = self.serving()
        self.install()
        new = self.upgrade()
        self.assertNotEqual(new, before)
        for process in (running.process.pid, new):
            self.assertTrue(os.path.samefile(f"/proc/{process}/exe", self.folder / "bin/sallyport"), process)
        self.assertTrue(is_alive(before))
        client.message("Subject: begun before\r\n\r\nhello")
        self.deliver(client)
        self.deliver(self.client())
        client.ask("QUIT", 221)
        wait_until("the end of the one before", lambda: not is_alive(before))
        self.assertEqual([line["cut"] for line in self.log_lines("stopped")], ["0"])
        self.assertEqual(len(self.log_lines("ready")), 2)
        self.assertEqual(self.log_lines("handed_over")[0]["sessions"], "1")
        self.assertEqual(len(self.log_lines("transaction")), 3)
        self.assertEqual(self.log_lines("fault"), [])
        self.assertEqual(self.stats()["sallyport_sessions"], 1)
        self.assertEqual(running.stop(), 0)

    def test_the_new_one_is_replaced_when_it_dies_and_hands_over_again(self):
        running = self.serve()
        self.install()
        dead = self.upgrade()
        os.kill(dead, signal.SIGKILL)
        self.deliver(self.client())
        wait_until("another one", lambda: self.serving() != dead)
        self.assertEqual(self.wait_for_log("restarted")[0]["detail"], "signal 9 (Killed)")
        for _ in range(3):
            self.install()
            self.upgrade()
            self.deliver(self.client())
        self.assertEqual(run([PROGRAM, "reload", "-c", self.file]).returncode, 0)
        self.assertEqual(running.stop(), 0)
        self.assertFalse(accepts(self.port))

    def test_addresses_and_workers_change_with_it(self):
        self.serve(workers=2)
        self.set("workers", 5)
        self.upgrade()
        for _ in range(20):
            self.deliver(self.client())
        old, new = self.port, free_port()
        client = self.client()
        waiting = [socket.create_connection(("127.0.0.1", old), timeout=PATIENCE) for _ in range(20)]
        self.set("listen", [{"address": f"127.0.0.1:{new}", "tls": "starttls"}])
        self.set("workers", 3)
        self.upgrade()
        self.deliver(self.client(new))
        self.deliver(client)
        for one in waiting:
            with Client(connection=one) as patient:
                patient.expect(220)
        wait_until("nobody at the old address", lambda: not accepts(old))
        os.kill(self.serving(), signal.SIGKILL)
        self.deliver(self.client(new))
        self.assertFalse(accepts(old))
        self.set("workers", 1)
        self.upgrade()
        for _ in range(20):
            self.client(new)

    def test_several_drain_and_the_oldest_ends_when_they_are_too_many(self):
        running = self.serve()
        clients = []
        for count in range(5):
            clients.append(self.client())
            if count > 0:
                clients[-1].mail()
            self.upgrade()
        clients[0].expect(421)
        wait_until("the end of the oldest", lambda: len(self.processes_of_gateway()) == 5)
        for client in clients[1:]:
            self.deliver_rest(client)
        self.assertEqual(running.stop(), 0)

    def deliver_rest(self, client):
        client.message("Subject: x\r\n\r\nhello")
        client.ask("QUIT", 221)


class Refused(UpgradeTest):
    def test_programs_that_are_none(self):
        self.serve()
        nothing = self.folder / "nothing"
        for octets, mode in ((b"", 0o755), (b"no program\n", 0o755), (PROGRAM.read_bytes()[:100000], 0o755), (PROGRAM.read_bytes(), 0o644)):
            nothing.write_bytes(octets)
            nothing.chmod(mode)
            self.install(nothing)
            self.assertRegex(self.refused_upgrade(75), "cannot be executed|before it was ready")
        self.install("/bin/false")
        self.assertIn("it ended before it was ready: exit status 1", self.refused_upgrade(75))
        (self.folder / "bin/sallyport").unlink()
        self.assertIn(f"cannot open {self.folder}/bin/sallyport", self.refused_upgrade(75))
        os.kill(self.serving(), signal.SIGKILL)  # what runs does not need its file
        self.deliver(self.client())
        self.install()
        self.upgrade()

    def test_a_configuration_that_cannot_be_served(self):
        running = self.serve()
        good = self.file.read_text()
        for bad, words in (("nonsense = 1\n", r"sallyport\.toml:1:1: error: "),
                           ("".join(f"nonsense{i} = {i}\n" for i in range(100)), r"sallyport\.toml:100:1: error: ")):
            self.file.write_text(bad + good)
            self.assertRegex(self.refused_upgrade(78), words)
        self.file.write_text(good)
        with socket.create_server(("127.0.0.1", free_port())) as taken:
            port = taken.getsockname()[1]
            self.set("listen", [{"address": f"127.0.0.1:{p}"} for p in (self.port, port)])
            self.assertIn(f"cannot bind 127.0.0.1:{port}", self.refused_upgrade(75))
        self.upgrade()
        self.client(port)
        self.assertEqual(running.stop(), 0)

    def test_nobody_serves(self):
        file = self.configuration(free_port())
        done = run([PROGRAM, "upgrade", "-c", file])
        self.assertEqual(done.returncode, 69)
        self.assertIn("cannot be reached", done.stderr)


class Patience(UpgradeTest):
    def test_one_that_never_becomes_ready(self):
        """It has a minute, in which what serves goes on serving."""
        self.serve()
        text = self.file.read_text()
        self.hold_up_starts()
        before, began = self.serving(), time.monotonic()
        command = self.begin_upgrade()
        successor = self.successor()
        os.kill(successor, signal.SIGSTOP)
        self.file.write_text(text)
        reload = self.begin_upgrade("reload")
        while command.poll() is None and time.monotonic() - began < 80:
            self.deliver(self.client())
            time.sleep(0.5)
        out, said = command.communicate()
        self.assertEqual((command.returncode, out), (75, ""))
        self.assertIn("it was not ready within 1m", said)
        self.assertIn("nothing has changed", said)
        self.assertGreaterEqual(time.monotonic() - began, 59)
        self.assertFalse(is_alive(successor))
        self.assertEqual((self.serving(), self.processes_of_gateway()), (before, [before]))
        self.assertEqual((reload.communicate()[1], reload.returncode), ("", 0), "what has waited is done")
        self.upgrade()
        self.deliver(self.client())


class Meanwhile(UpgradeTest):
    """What happens while the new one starts, or the old one sees its last sessions off."""

    def test_the_end_is_asked_for(self):
        running = self.serve()
        client = self.client()
        client.mail()
        client.ask("DATA", 354)
        self.hold_up_starts()
        command = self.begin_upgrade()
        successor = self.successor()
        running.signal(signal.SIGTERM)
        client.send("Subject: x\r\n\r\nhello\r\n.\r\n")
        client.expect(250)
        self.assertEqual(running.wait(), 0)
        out, said = command.communicate()
        self.assertEqual((command.returncode, out), (75, ""))
        self.assertIn("asked to end", said)
        self.assertFalse(is_alive(successor))
        self.assertFalse(accepts(self.port))

    def test_the_new_one_is_killed(self):
        running = self.serve()
        before = self.serving()
        text = self.file.read_text()
        self.hold_up_starts()
        self.set("workers", 4)
        with SteadyLoad(self.port, 50, PATIENCE) as load:
            command = self.begin_upgrade()
            successor = self.successor()
            time.sleep(0.5)
            os.kill(successor, signal.SIGKILL)
            said = command.communicate()[1]
        self.assertEqual(dict(load.result.failures), {})
        self.assertEqual(command.returncode, 75)
        self.assertIn("signal 9", said)
        self.assertEqual(self.serving(), before)
        self.deliver(self.client())
        self.file.write_text(text)
        self.assertEqual(run([PROGRAM, "reload", "-c", self.file]).returncode, 0)
        self.upgrade()
        self.assertEqual(running.stop(), 0)

    def test_another_version_is_installed(self):
        """The one that has begun to take over does, and the next upgrade takes the one that came meanwhile."""
        running = self.serve()
        text = self.file.read_text()
        self.install()
        self.hold_up_starts()
        command = self.begin_upgrade()
        self.successor()
        self.file.write_text(text)
        self.install()
        self.assertEqual(command.communicate()[1], "")
        self.assertEqual(command.returncode, 0)
        self.upgrade()
        self.deliver(self.client())
        self.assertEqual(running.stop(), 0)

    def test_the_old_one_is_killed(self):
        running = self.serve()
        text = self.file.read_text()
        self.install()
        self.hold_up_starts()
        command = self.begin_upgrade()
        successor = self.successor()
        self.file.write_text(text)
        os.kill(self.serving(), signal.SIGKILL)
        with Client(self.port) as client:
            client.greet()
            self.deliver(client)  # by another one, until the new one is ready
        self.assertNotEqual(self.serving(), successor)
        command.communicate()
        self.assertEqual(command.returncode, 69)
        wait_until("the successor has the place", lambda: self.serving() == successor)
        wait_until("one process", lambda: self.processes_of_gateway() == [successor])
        self.deliver(self.client())
        self.stats()
        self.assertEqual(running.stop(), 0)

    def test_a_reload_waits_and_is_the_new_ones(self):
        self.serve()
        self.hold_up_starts()
        command = self.begin_upgrade()
        successor = self.successor()
        self.set("limits", {"sessions_per_ip": 10000, "recipients": 1})
        reload = self.begin_upgrade("reload")
        self.running.signal(signal.SIGHUP)
        again = self.begin_upgrade()
        self.assertEqual(command.communicate()[1], "")
        self.assertEqual(reload.communicate()[1], "")
        self.assertEqual(again.communicate()[1], "")
        self.assertEqual([command.returncode, reload.returncode, again.returncode], [0, 0, 0])
        self.assertNotEqual(self.serving(), successor)
        client = self.client()
        client.mail()
        client.ask("RCPT TO:<second@test.example>", 452)

    def test_the_end_is_asked_for_while_one_drains(self):
        running = self.serve(workers=2)
        idle, busy = self.client(), self.client()
        busy.mail()
        self.upgrade()
        fresh = self.client()
        fresh.mail()
        for client in (busy, fresh):
            client.ask("DATA", 354)
        running.signal(signal.SIGTERM)
        idle.expect(421)
        for client in (busy, fresh):
            client.send("Subject: x\r\n\r\nhello\r\n.\r\n")
            client.expect(250)
        self.assertEqual(running.wait(), 0)
        self.assertEqual([line["cut"] for line in self.log_lines("stopped")], ["0", "0"])

    def test_one_that_drains_is_killed(self):
        running = self.serve()
        client = self.client()
        before = self.serving()
        new = self.upgrade()
        os.kill(before, signal.SIGKILL)
        self.assertTrue(client.is_closed())
        self.deliver(self.client())
        self.assertEqual(self.serving(), new)
        self.assertEqual(running.stop(), 0)
        self.assertIn("seeing its last sessions off has ended: signal 9", running.output())

    def test_the_log_is_opened_anew_by_both(self):
        running = self.serve()
        client = self.client()
        self.upgrade()
        log = self.folder / "gateway.log"
        log.rename(self.folder / "gateway.log.1")
        running.signal(signal.SIGHUP)
        self.wait_for_log("reloaded")
        self.deliver(client)
        self.deliver(self.client())
        self.wait_for_log("transaction", 2)

    def test_time_is_over(self):
        self.serve(timeouts={"drain": "1s"})
        before = self.serving()
        idle = self.client()
        self.upgrade()
        idle.expect(421)
        wait_until("its end", lambda: not is_alive(before))


class Figures(UpgradeTest):
    """What is counted while two serve is in the figures of the one that has the place, each event once."""

    def setUp(self):
        super().setUp()
        self.admin_port = free_port()

    def figures(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=20) as response:
            lines = response.read().decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    def wait_for(self, **wanted):
        def are_there():
            figures = self.figures()
            return all(figures.get("sallyport_" + name) == value for name, value in wanted.items()) and figures
        try:
            return wait_until(wanted, are_there)
        except AssertionError:
            self.fail(f"{wanted}: {[line for line in self.figures().items() if line[0].partition('{')[0] in ['sallyport_' + n for n in wanted]]}")

    def test_sessions_of_the_one_before_are_seen_to_their_end(self):
        (self.folder / "rules").mkdir()
        (self.folder / "rules/a.lua").write_text("local sp = require 'sallyport'\n"
                                                 "sp.rule { name = 'SEEN', stage = 'message', run = function(tx) return true end }\n")
        self.serve(workers=2, admin={"listen": f"127.0.0.1:{self.admin_port}"}, policy={"rules": {"mode": "enforce", "path": self.folder / "rules"}})
        wait_until("the admin process", lambda: accepts(self.admin_port))
        first, second = self.client(), self.client()
        self.deliver(first)
        self.deliver(first)
        told = self.wait_for(relayed_total=2, draining_processes=0, draining_sessions=0)
        self.assertEqual(told['sallyport_rule_seconds_count{rule="SEEN"}'], 2)
        self.upgrade()
        told = self.wait_for(draining_processes=1, draining_sessions=2, sessions=0, relayed_total=0)
        self.assertGreater(told["sallyport_draining_memory_bytes"], 1 << 20)
        self.deliver(first)
        self.deliver(self.client())
        told = self.wait_for(relayed_total=2, transactions_total=2, draining_sessions=2)
        self.assertEqual(told['sallyport_rule_seconds_count{rule="SEEN"}'], 2)
        self.assertIn("sessions of 1 processes before this one: 2", run([PROGRAM, "top", "-c", self.file]).stdout)
        first.ask("QUIT", 221)
        self.wait_for(draining_sessions=1, relayed_total=2)

        # A third has the place, and each tells it what it has not told the second.
        self.upgrade()
        told = self.wait_for(draining_processes=2, draining_sessions=2, relayed_total=0)
        second.mail()
        second.message("Subject: the last thing that it does\r\n\r\nhello")
        second.ask("QUIT", 221)
        told = self.wait_for(draining_processes=1, draining_sessions=1, relayed_total=1)
        self.assertEqual(told["sallyport_mail_seconds_count"], 1)
        self.assertEqual(told['sallyport_tenant_mails_total{tenant="default",verdict="relay"}'], 1)
        os.kill([child for child in self.processes_of_gateway() if child != self.serving()][0], signal.SIGKILL)
        self.wait_for(draining_processes=0, draining_sessions=0, relayed_total=1)
        self.deliver(self.client())
        self.wait_for(relayed_total=2)


    def test_one_that_has_been_asked_to_end_tells_the_one_that_comes(self):
        running = self.serve(admin={"listen": f"127.0.0.1:{self.admin_port}"})
        wait_until("the admin process", lambda: accepts(self.admin_port))
        client = self.client()
        client.mail()
        client.ask("DATA", 354)
        running.signal(signal.SIGTERM)
        self.wait_for_log("stopping")
        self.start("another gateway", [self.folder / "bin/sallyport", "run", "-c", self.file])
        self.wait_for_log("ready", 2)
        self.wait_for(draining_processes=1, draining_sessions=1, relayed_total=0)
        client.send("Subject: x\r\n\r\nhello\r\n.\r\n")
        client.expect(250)
        self.assertEqual(running.wait(), 0)
        wait_until("the admin process of the other", lambda: accepts(self.admin_port))
        self.wait_for(draining_processes=0, draining_sessions=0, relayed_total=1)
        self.deliver(self.client())
        self.wait_for(relayed_total=2)


class OnSocketsOfSystemd(SocketUnits):
    test_a_socket_that_nobody_names_is_an_error = None
    test_it_serves_on_sockets_of_systemd_through_deaths_and_ends = None

    def test_they_go_on(self):
        sink = self.sink()
        file = self.configuration(sink.port, workers=2)
        gateway = self.launch(file, f"127.0.0.1:{self.port}")
        self.wait_for_log("ready")
        for count in range(2):
            done = run([PROGRAM, "upgrade", "-c", file])
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.deliver(str(count))
        os.kill(int((self.folder / "state/lock").read_text().split()[0]), signal.SIGKILL)
        self.deliver("after a death")
        self.assertEqual(len(sink.wait_for(3)), 3)
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)


class UnderLoad(UpgradeTest):
    def test_no_client_notices(self):
        running = self.serve(workers=2)
        self.upgrade()
        wait_until("the end of the first", lambda: len(self.processes_of_gateway()) == 1)
        count_descriptors = lambda: len(os.listdir(f"/proc/{running.process.pid}/fd"))
        descriptors = count_descriptors()
        with SteadyLoad(self.port, RATE, PATIENCE) as load:
            time.sleep(1)
            for turn in range(UPGRADES):
                if turn % 2 == 0:
                    self.install()
                    self.upgrade()
                else:
                    self.assertEqual(run([PROGRAM, "reload", "-c", self.file]).returncode, 0)
                time.sleep(0.1)
            time.sleep(0.5)
        print(f"{UPGRADES} upgrades and reloads in turn: {load.result}")
        self.assertEqual(dict(load.result.failures), {})
        self.assertGreater(load.result.sent, UPGRADES * RATE / 10)
        wait_until("the end of all but one", lambda: len(self.processes_of_gateway()) == 1)
        wait_until("no descriptor more than before", lambda: count_descriptors() <= descriptors)
        self.assertEqual(running.stop(), 0)
        lines = self.log_lines("transaction")
        self.assertEqual({line["verdict"] for line in lines}, {"relay"})
        senders = [line["from"] for line in lines]
        self.assertEqual(len(senders), load.result.sent)
        self.assertEqual(len(set(senders)), load.result.sent, "a line each")
        self.assertEqual([line["cut"] for line in self.log_lines("stopped") if line["cut"] != "0"], [])
        self.assertEqual(self.log_lines("log_lost"), [])


del SocketUnits  # it has its own file

if __name__ == "__main__":
    unittest.main()
