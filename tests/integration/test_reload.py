#!/usr/bin/env python3
"""Reloading: what changes, what stays, what is said about it, and that no client notices (threats.md R11, R12).

SALLYPORT_RELOADS and SALLYPORT_RELOAD_RATE make the run under load longer and denser.
"""
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time
import unittest

from reload_run import SteadyLoad
from support import PATIENCE, PROGRAM, ROOT, ChangedGateway, Client, free_port, run, trusting_context, wait_until

RELOADS = int(os.environ.get("SALLYPORT_RELOADS", "12"))
RATE = int(os.environ.get("SALLYPORT_RELOAD_RATE", "100"))
SUBJECT_RULE = """sp.rule { name = "WORD", stage = "message", run = function(tx)
  if tx.msg.subject == "%s" then return sp.reject(550, "5.7.1", "%s is refused") end
end }
"""


class ReloadTest(ChangedGateway):
    reloads = 0  # by reload(), of this test

    def serve(self, **more):
        self.folder.chmod(0o777)  # the gateway makes its log anew there
        self.upstream = self.sink()
        self.file = self.configuration(self.upstream.port, **more)
        return self.start_gateway(self.file)

    def listen(self, *ports):
        self.set("listen", [{"address": f"127.0.0.1:{port}", "tls": "starttls"} for port in ports])

    def command(self, *arguments):
        return run([PROGRAM, *arguments, "-c", self.file])

    def reload(self):
        """A reload that is taken; gives the line about it."""
        done = self.command("reload")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^configuration [0-9a-f]{16} is in force: [^\n]*\n$")
        self.reloads += 1
        self.assertEqual(self.wait_for_log("reloaded", self.reloads)[-1]["config"], done.stdout.split()[1])
        return done.stdout

    def refused_reload(self):
        """One that is not; gives what it says on stderr."""
        done = self.command("reload")
        self.assertEqual((done.returncode, done.stdout), (78, ""))
        self.assertIn("nothing has changed", done.stderr)
        return done.stderr


class Taken(ReloadTest):
    def test_limits_and_tenants(self):
        self.serve()
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<user@other.example>", 550)
        self.set("limits", {"sessions_per_ip": 10000, "recipients": 1})
        self.set("tenants", {"other": {"domains": ["other.example"], "upstream": "default"}})
        self.assertIn("limits.recipients", self.reload())
        client.ask("RCPT TO:<user@other.example>", 550)  # the mail was begun before
        client.ask("QUIT", 221)
        client = self.client()
        client.mail(recipient="user@other.example")
        client.ask("RCPT TO:<second@other.example>", 452)
        client.message("Subject: x\r\n\r\ny")
        self.assertEqual(self.upstream.wait_for(1)[0][0]["rcpt"], ["TO:<user@other.example>"])
        self.assertIn("no setting changed", self.reload())

    def test_a_renewed_certificate(self):
        self.serve()

        def certificate_of(client):
            certificate = client.starttls().socket.getpeercert(binary_form=True)
            self.addCleanup(client.socket.close)  # which is another one now
            return certificate

        before = self.client()
        old = certificate_of(before)
        renewed = self.folder / "renewed"
        run([ROOT / "certs/make-dev-certs.sh", renewed, "mx.test.example"], check=True)
        for name in ("fullchain.pem", "privkey.pem"):
            (self.certificate() / name).write_bytes((renewed / name).read_bytes())
        self.assertEqual(certificate_of(self.client()), old)
        self.reload()
        self.assertNotEqual(certificate_of(self.client()), old)
        before.ask("EHLO client.example", 250)
        self.deliver(before)
        (self.certificate() / "privkey.pem").write_text("no key\n")
        self.assertRegex(self.refused_reload(), rf"(?m)^{self.file}:\d+:\d+: error: .*privkey\.pem")
        self.assertNotEqual(certificate_of(self.client()), old)

    def test_tickets_end_with_a_reload(self):
        self.serve()
        context = trusting_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # the ticket comes with the handshake

        def handshake(session):
            client = self.client()
            client.ask("STARTTLS", 220)
            client.socket = context.wrap_socket(client.socket, server_hostname="mx.test.example", session=session)
            client.ask("EHLO client.example", 250)
            client.ask("QUIT", 221)
            with client.socket as done:
                return done.session, done.session_reused

        ticket, _ = handshake(None)
        self.assertTrue(handshake(ticket)[1])
        self.reload()
        self.assertFalse(handshake(ticket)[1])

    def test_rules_change_for_mails_that_begin_afterwards(self):
        rules = self.rules(SUBJECT_RULE % ("old", "old"))
        self.serve(policy={"mode": "off", "rules": {"mode": "enforce", "path": rules}})
        client = self.client()
        self.deliver(client, "old", 550)
        client.mail()
        self.rules(SUBJECT_RULE % ("new", "new"))
        self.assertIn("no setting changed", self.reload())
        client.message("Subject: old\r\n\r\nhello", 550)
        self.deliver(client, "old", 250)
        self.deliver(client, "new", 550)
        self.rules("this is no Lua\n")
        self.assertRegex(self.refused_reload(), rf"(?m)^{rules}/rules\.lua:2:\d+: error: ")
        self.deliver(client, "new", 550)

    def test_a_setting_that_takes_a_restart(self):
        self.serve()
        self.set("workers", 2)
        self.set("limits", {"sessions_per_ip": 10000, "hops": 50})
        said = self.reload()
        self.assertRegex(said, r"limits\.hops.*; at the next start: workers\n$")
        self.assertEqual(self.log_lines("reloaded")[-1]["needs_restart"], "workers")
        done = self.command("config", "diff")
        self.assertEqual((done.returncode, done.stdout), (1, "workers: 1 -> 2 (restart)\n"))
        self.set("workers", 1)
        self.assertNotIn("next start", self.reload())
        self.assertEqual(self.command("config", "diff").returncode, 0)

    def test_upstreams_change(self):
        self.serve()
        before = self.client()
        before.mail()
        second = self.sink()
        self.set("upstreams", {"default": {"servers": [f"127.0.0.1:{second.port}"]}})
        self.reload()
        before.message("Subject: begun before\r\n\r\nhello")
        self.upstream.wait_for(1)
        self.deliver(before)
        second.wait_for(1)
        wait_until("no connection to the old server", lambda: self.stats()["sallyport_upstream_open"] == 1)


class Listeners(ReloadTest):
    def test_they_come_and_go(self):
        self.serve(workers=2)
        second = free_port()
        self.listen(self.port, second)
        self.reload()
        clients = [self.client(second) for _ in range(10)]
        self.listen(self.port)
        self.assertIn("listen[1].address", self.reload())
        with self.assertRaises(ConnectionRefusedError):
            Client(second)
        for client in clients:
            self.deliver(client)
            client.ask("QUIT", 221)
        self.listen(second)
        self.reload()
        self.deliver(self.client(second))
        with self.assertRaises(ConnectionRefusedError):
            Client(self.port)

    def test_nobody_who_has_connected_is_cut_off(self):
        self.serve(workers=2)
        second = free_port()
        self.listen(self.port, second)
        self.reload()
        self.listen(self.port)
        reload = subprocess.Popen([PROGRAM, "reload", "-c", self.file], stdout=subprocess.PIPE)
        clients = []

        def serve_first():
            with clients.pop(0) as client:
                client.greet()
                client.ask("QUIT", 221)

        try:
            while reload.poll() is None:
                clients.append(Client(second))
                if len(clients) > 200:
                    serve_first()
                time.sleep(0.001)
        except (ConnectionRefusedError, TimeoutError):
            pass  # too late; what may not be is a reset
        reload.communicate()
        self.assertEqual(reload.returncode, 0)
        self.assertGreater(len(clients), 0)
        while clients:
            serve_first()

    def test_an_address_that_cannot_be_bound(self):
        self.serve()
        taken = free_port()
        with socket.create_server(("127.0.0.1", taken)):
            self.listen(self.port, taken)
            self.set("limits", {"sessions_per_ip": 10000, "recipients": 1})
            said = self.refused_reload()
        self.assertRegex(said, rf"(?m)^{self.file}:\d+:\d+: error: cannot bind 127\.0\.0\.1:{taken}: .*another program")
        client = self.client()
        client.mail()
        client.ask("RCPT TO:<second@test.example>", 250)

    @unittest.skipIf(os.geteuid() != 0 or int(pathlib.Path(
        "/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 1, "the gateway gives nothing up")
    def test_a_port_of_root_takes_a_restart(self):
        self.serve()
        self.listen(self.port, 1)
        self.assertRegex(self.refused_reload(), r"error: cannot bind 127\.0\.0\.1:1: .*restart it")


class Refused(ReloadTest):
    def check_old_stays(self, client):
        self.deliver(client)
        self.deliver(self.client())
        client.mail()
        client.ask("RSET", 250)

    def test_a_bad_file_changes_nothing_and_says_why(self):
        self.serve()
        client = self.client()
        good = self.file.read_text()
        self.set("tls", {"cert": "nowhere"})
        good_but_certificate = self.file.read_text()
        self.file.write_text(good_but_certificate + "[limitz]\nhops = 3\n")
        line = good.count("\n") + 1
        said = self.refused_reload()
        self.assertRegex(said, rf"(?m)^{self.file}:{line}:\d+: error: .*limitz.*limits")
        self.assertRegex(said, rf"(?m)^{self.file}:\d+:\d+: error: .*nowhere")
        errors = [line for line in said.splitlines() if ": error: " in line]
        logged = self.wait_for_log("fault", len(errors))
        self.assertEqual([(line["kind"], line["detail"]) for line in logged], [("reload_failed", e) for e in errors])
        self.assertEqual(self.faults("reload_failed"), 1)
        self.check_old_stays(client)
        self.file.write_text(good + "domains = [\n")
        self.assertRegex(self.refused_reload(), rf"(?m)^{self.file}:\d+:\d+: error: ")
        self.assertEqual(self.faults("reload_failed"), 2)
        self.check_old_stays(client)
        self.file.unlink()
        self.file.with_suffix(".new").write_text(good)
        self.gateway_process.signal(signal.SIGHUP)
        wait_until("the third failure", lambda: len([line for line in self.log_lines("fault")
                                                     if "cannot read" in line.get("detail", "")]) == 1)
        self.file.with_suffix(".new").rename(self.file)
        self.check_old_stays(client)
        self.assertEqual(self.log_lines("reloaded"), [])
        self.reload()

    def test_no_daemon(self):
        self.file = self.configuration(free_port())
        done = self.command("reload")
        self.assertEqual((done.returncode, done.stdout), (69, ""))
        self.assertIn("control.sock", done.stderr)


class Signals(ReloadTest):
    def test_hangup_reloads_and_opens_the_log_anew(self):
        process = self.serve()
        client = self.client()
        client.mail()
        log = self.folder / "gateway.log"
        log.rename(self.folder / "gateway.log.1")
        self.set("limits", {"sessions_per_ip": 10000, "recipients": 1})
        process.signal(signal.SIGHUP)
        self.wait_for_log("reloaded")
        self.reloads += 1
        client.message("Subject: x\r\n\r\ny")
        self.wait_for_log("transaction")
        self.assertNotIn("event=transaction", (self.folder / "gateway.log.1").read_text())
        client.mail()
        client.ask("RCPT TO:<second@test.example>", 452)
        log.rename(self.folder / "gateway.log.2")
        self.reloads = 0
        self.reload()

    def test_other_signals_do_nothing(self):
        process = self.serve()
        client = self.client()
        client.mail()
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            process.signal(number)
        client.message("Subject: x\r\n\r\ny")
        self.assertTrue(process.is_running())
        self.assertEqual(self.log_lines("reloaded"), [])


class Together(ReloadTest):
    def test_several_at_once(self):
        process = self.serve(workers=2)
        started = [subprocess.Popen([PROGRAM, "reload", "-c", self.file], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                   for _ in range(5)]
        for _ in range(5):
            process.signal(signal.SIGHUP)
        for one in started:
            one.communicate(timeout=PATIENCE)
            self.assertEqual(one.returncode, 0)
        self.deliver(self.client())

    def test_a_shutdown_during_a_reload(self):
        process = self.serve(workers=2)
        second = free_port()
        self.listen(self.port, second)
        self.reload()
        self.listen(self.port)
        reload = subprocess.Popen([PROGRAM, "reload", "-c", self.file], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        time.sleep(0.1)
        process.signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 0)
        reload.wait(PATIENCE)


class UnderLoad(ReloadTest):
    def test_no_client_notices(self):
        self.rules("")
        self.serve(workers=2, policy={"mode": "off", "rules": {"mode": "enforce", "path": self.folder / "rules"}})
        good = self.file.read_text()
        second = free_port()
        certificates = []
        for name in ("a", "b"):
            certificates.append(self.folder / f"certificate-{name}")
            run([ROOT / "certs/make-dev-certs.sh", certificates[-1], "mx.test.example"], check=True)

        def make_good(number):
            self.file.write_text(good)
            self.set("limits", {"sessions_per_ip": 10000, "recipients": 100 + number})
            self.set("tenants", {f"tenant{number}": {"domains": [f"t{number}.example"], "upstream": "default"}})
            self.rules(SUBJECT_RULE % (f"refused{number}", number))
            self.listen(*([self.port, second] if number % 2 else [self.port]))
            for name in ("fullchain.pem", "privkey.pem"):
                (self.certificate() / name).write_bytes((certificates[number % 2] / name).read_bytes())

        def make_bad(number):
            if number % 2:
                self.rules("this is no Lua\n")
            else:
                self.file.write_text(self.file.read_text() + "wokers = 3\n")

        taken = refused = 0
        slowest = 0.0
        with SteadyLoad(self.port, RATE, patience=PATIENCE) as load:
            time.sleep(1)
            for number in range(RELOADS // 2):
                make_good(number)
                begin = time.monotonic()
                self.reload()
                slowest = max(slowest, time.monotonic() - begin)
                taken += 1
                make_bad(number)
                self.assertRegex(self.refused_reload(), r"(?m)^\S+:\d+:\d+: error: ")
                refused += 1
            time.sleep(1)
        print(f"{taken} reloads taken, {refused} refused, the slowest took {slowest:.2f} s; {load.result}")
        self.assertEqual(load.result.failures, {})
        self.assertGreater(load.result.sent, RATE)
        self.assertEqual(self.faults("reload_failed"), refused)
        self.assertEqual(len(self.upstream.wait_for(load.result.sent)), load.result.sent)


if __name__ == "__main__":
    unittest.main()
