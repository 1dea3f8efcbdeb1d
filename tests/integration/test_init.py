#!/usr/bin/env python3
"""`sallyport init`: what it writes runs, what does not work is named with its cure, and nothing is written over."""
import os
import pty
import select
import shutil
import socket
import subprocess
import time
import unittest

from support import PATIENCE, PROGRAM, Client, GatewayTest, free_port, run, tool

NAME = "mx.test.example"


class Init(GatewayTest):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "etc/sallyport.toml"
        self.port = free_port()

    def records(self, **more):
        return {"test.example": {"MX": [[10, NAME]]}, NAME: {"A": ["127.0.0.1"]}, **more}

    def options(self, upstream, dns=None, **more):
        given = {"hostname": NAME, "domain": "test.example", "upstream": f"127.0.0.1:{upstream}",
                 "cert": self.certificate(), "listen": f"127.0.0.1:{self.port}", "state": self.folder / "state",
                 "log": f"file:{self.folder}/gateway.log", **more}
        if dns:
            given["dns"] = f"127.0.0.1:{dns}"
        return [part for key, value in given.items() if value is not None for part in (f"--{key}", value)]

    def init(self, *arguments):
        return run([PROGRAM, "init", "-c", self.file, *arguments])

    def assert_finding(self, done, kind, topic, text, cure=""):
        lines = done.stdout.splitlines()
        for number, line in enumerate(lines):
            if line.startswith(kind) and f"{topic}: " in line and text in line:
                if kind != "ok":
                    self.assertIn("cure: ", lines[number + 1])
                    self.assertIn(cure, lines[number + 1])
                return
        self.fail(f"no {kind} about {topic} with {text!r} in:\n{done.stdout}{done.stderr}")

    def test_everything_works_and_the_configuration_runs(self):
        upstream = self.sink()
        done = self.init(*self.options(upstream.port, self.dns(self.records())))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for topic, text in (("port", "is free"), ("certificate", "the key fits"), ("upstream", "answers"),
                            ("dns", "the DNS server answers"), ("mx", "mail for test.example is led here"),
                            ("dns", "is an address of this host")):
            self.assert_finding(done, "ok", topic, text)
        self.assertTrue(done.stdout.endswith(f"wrote {self.file}\n"))
        with open(self.file, "a") as file:
            file.write('\n[policy]\nmode = "off"\n')
        text = self.file.read_text()
        self.file.write_text('user = "nobody"\n' + text)
        checked = run([PROGRAM, "check", "-c", self.file])
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.start_gateway(self.file)
        with Client(self.port) as client:
            client.greet()
            client.starttls()
            client.ask("EHLO client.example", 250)
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.assertEqual(len(upstream.wait_for(1)), 1)

    def test_it_never_writes_over_a_file_without_force(self):
        self.file.parent.mkdir()
        self.file.write_text("mine\n")
        options = self.options(self.sink().port, self.dns(self.records()))
        done = self.init(*options)
        self.assertEqual(done.returncode, 64)
        self.assertIn("--force", done.stderr)
        self.assertEqual(self.file.read_text(), "mine\n")
        # Neither through a link that leads nowhere.
        self.file.unlink()
        self.file.symlink_to(self.folder / "elsewhere")
        self.assertEqual(self.init(*options).returncode, 64)
        self.assertFalse((self.folder / "elsewhere").exists())
        self.file.unlink()
        self.file.write_text("mine\n")
        self.assertEqual(self.init(*options, "--force").returncode, 0)
        self.assertIn(NAME, self.file.read_text())

    def test_what_lies_beside_the_file_stays_and_nothing_is_left_there(self):
        beside = {self.file.parent / f"sallyport.toml.{end}" for end in ("new", "tmp", "bak", "old")}
        self.file.parent.mkdir()
        for one in beside:
            one.write_text("mine\n")
        options = self.options(self.sink().port, self.dns(self.records()))
        for force in ((), ("--force",)):
            done = self.init(*options, *force)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(set(self.file.parent.iterdir()), {self.file, *beside})
            self.assertEqual({one.read_text() for one in beside}, {"mine\n"})
        self.assertEqual(self.init(*options).returncode, 64)
        self.assertEqual(set(self.file.parent.iterdir()), {self.file, *beside})

    def test_a_server_that_is_away_is_a_problem_and_no_obstacle(self):
        done = self.init(*self.options(free_port(), self.dns(self.records())))
        self.assertEqual(done.returncode, 1)
        self.assert_finding(done, "problem", "upstream", "cannot take mail from here", "start it")
        self.assertEqual(run([PROGRAM, "check", "-c", self.file]).returncode, 0)

    def test_a_server_that_refuses(self):
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        pid = os.fork()
        if pid == 0:
            for _ in range(5):
                peer, _address = listening.accept()
                peer.sendall(b"554 5.7.1 not you\r\n")
                peer.close()
            os._exit(0)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, 9)
        done = self.init(*self.options(listening.getsockname()[1], self.dns(self.records())))
        self.assertEqual(done.returncode, 1)
        self.assert_finding(done, "problem", "upstream", "554", "look into its log")

    def test_dns_that_does_not_answer(self):
        done = self.init(*self.options(self.sink().port, free_port()))
        self.assertEqual(done.returncode, 1)
        self.assert_finding(done, "problem", "dns", "no answer about test.example", "run a resolver on this host")

    def test_dns_that_has_an_address_for_every_name(self):
        lying = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        lying.bind(("127.0.0.1", 0))
        self.addCleanup(lying.close)
        pid = os.fork()
        if pid == 0:
            while True:
                question, peer = lying.recvfrom(4096)
                end = question.index(b"\0", 12) + 5
                is_for_address = question[end - 4:end - 2] == b"\0\1"
                answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_for_address else b""
                lying.sendto(question[:2] + b"\x81\x80\0\1\0" + bytes([is_for_address]) + b"\0\0\0\0" + question[12:end] + answer, peer)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, 9)
        done = self.init(*self.options(self.sink().port, lying.getsockname()[1]))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assert_finding(done, "problem", "dns", "DNS lists would list everybody", "unbound")

    def test_nothing_is_claimed_about_names_when_dns_does_not_answer(self):
        done = self.init(*self.options(self.sink().port, free_port()))
        self.assertNotIn("has no address in DNS", done.stdout)
        self.assertNotIn("has no MX record", done.stdout)

    def test_where_the_mx_records_lead(self):
        records = self.records(**{"test.example": {"MX": [[10, "other.example"]]}, "other.example": {"A": ["192.0.2.9"]}})
        upstream, dns = self.sink().port, self.dns(records)
        done = self.init(*self.options(upstream, dns))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assert_finding(done, "notice", "mx", "is led to other.example, not here", f"MX 10 {NAME}.")

    def test_what_the_gateway_could_not_start_with_is_not_written(self):
        upstream, dns = self.sink().port, self.dns(self.records())
        taken = socket.create_server(("127.0.0.1", self.port))
        done = self.init(*self.options(upstream, dns))
        taken.close()
        self.assertEqual(done.returncode, 1)
        self.assert_finding(done, "error", "port", "in use", "--listen")
        self.assertIn("nothing was written", done.stderr)
        self.assertFalse(self.file.exists())
        done = self.init(*self.options(upstream, dns, cert=self.folder / "none"))
        self.assert_finding(done, "error", "certificate", "none", "certbot")
        self.assertFalse(self.file.exists())
        # The key of another certificate.
        run([tool("openssl"), "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
             self.certificate() / "privkey.pem"])
        done = self.init(*self.options(upstream, dns))
        self.assert_finding(done, "error", "certificate", "key")
        self.assertFalse(self.file.exists())

    def test_a_certificate_for_another_name_or_of_the_past(self):
        upstream, dns = self.sink().port, self.dns(self.records())
        done = self.init(*self.options(upstream, dns, hostname="other.test.example"))
        self.assert_finding(done, "notice", "certificate", "not for other.test.example")
        folder = self.folder / "expired"
        folder.mkdir()
        made = run([tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-days", "-2",
                    "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"])
        if made.returncode == 0:
            done = self.init(*self.options(upstream, dns, cert=folder), "--force")
            self.assert_finding(done, "notice", "certificate", "expired")

    def test_each_cure_fits_its_certificate(self):
        upstream = self.sink().port
        good = self.certificate()
        for name, spoil, text, cure in (
                ("mixed", lambda folder: run([tool("openssl"), "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", folder / "privkey.pem"]),
                 "does not belong to", "both of the same renewal"),
                ("junk", lambda folder: (folder / "fullchain.pem").write_text("hello\n"), "no certificate in it", "BEGIN CERTIFICATE"),
                ("encrypted", lambda folder: run([tool("openssl"), "pkey", "-in", good / "privkey.pem", "-aes256", "-passout", "pass:x", "-out", folder / "privkey.pem"]),
                 "is encrypted", "openssl pkey"),
                ("open", lambda folder: (folder / "privkey.pem").chmod(0o644), "open to others", "do so")):
            folder = self.folder / name
            shutil.copytree(good, folder)
            spoil(folder)
            if name != "open":
                (folder / "privkey.pem").chmod(0o600)
            done = self.init(*self.options(upstream, cert=folder), "--offline")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assert_finding(done, "error", "certificate", text, cure)
            self.assertFalse(self.file.exists())
        done = self.init(*self.options(upstream, cert=good / "fullchain.pem"), "--offline")
        self.assertEqual(done.returncode, 64)
        self.assertIn("is a file: name the directory", done.stderr)

    def test_its_own_door_as_the_mail_server(self):
        done = self.init(*self.options(self.port), "--offline")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assert_finding(done, "error", "upstream", f"127.0.0.1:{self.port}", "--upstream")
        self.assertFalse(self.file.exists())

    def test_what_has_its_default_is_called_by_its_name(self):
        """Neither the port nor the user was given, so that no line of the new file is about them."""
        options = self.options(self.sink().port, listen=None)
        if os.geteuid() == 0:
            try:
                taken = socket.create_server(("::", 25), family=socket.AF_INET6)
            except OSError:
                self.skipTest("port 25 is not to be had")
            with taken:
                done = self.init(*options, "--offline")
            self.assert_finding(done, "error", "port", "[::]:25", "--listen")
        else:
            done = self.init(*options, "--offline")
            self.assert_finding(done, "notice", "port", "[::]:25")
        if "there is no user" in done.stdout:
            self.assert_finding(done, "notice", "user", "sallyport", "adduser")

    def test_folders_that_cannot_be_written(self):
        upstream = self.sink().port
        blocked = self.folder / "blocked"
        blocked.write_text("a file\n")
        done = self.init(*self.options(upstream, state=blocked), "--offline")
        self.assert_finding(done, "error", "state", "is not a directory", "--state")
        done = self.init(*self.options(upstream, log=f"file:{blocked}/gateway.log"), "--offline")
        self.assert_finding(done, "error", "log", "there is no directory", "--log")
        done = run([PROGRAM, "init", "-c", blocked / "sallyport.toml", *self.options(upstream), "--offline"])
        self.assertEqual(done.returncode, 74, done.stderr)
        self.assertIn(f"{blocked}/sallyport.toml: Not a directory", done.stderr)

    def test_wrong_answers_are_named_with_what_was_expected(self):
        for name, value, text in (("hostname", "mx1", '"mx1" is none: expected the full name'), ("domain", "ann@example.com", '"ann@example.com" is no domain; expected'),
                                  ("upstream", "127.0.0.1:99999", '"127.0.0.1:99999" is none: expected'), ("upstream", "http://mail", '"http://mail" is none: expected'),
                                  ("dns", "ns.example.com", '"ns.example.com" is no address of a DNS server'), ("listen", "25", '"25" is no address to listen at')):
            answers = {"hostname": NAME, "domain": "test.example", "upstream": "127.0.0.1:9", "cert": "none", name: value}
            done = self.init(*(part for key, answer in answers.items() for part in (f"--{key}", answer)), "--offline")
            self.assertEqual(done.returncode, 64, done.stdout)
            self.assertIn(text, done.stderr)
        done = self.init(*self.options(free_port()), "--state", "/again")
        self.assertEqual(done.returncode, 64)
        self.assertIn("--state is given more than once", done.stderr)

    def test_answers_from_a_file(self):
        answers = self.folder / "answers"
        answers.write_text(f"hostname = {NAME}\ndomains = test.example, second.example\nupstream = 127.0.0.1:{self.sink().port}\n"
                           f"listen = 127.0.0.1:{self.port}\nstate = {self.folder}/state\nmode = shadow\n")
        done = self.init("--answers", answers, "--offline")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_finding(done, "notice", "certificate", "STARTTLS is not offered")
        shown = run([PROGRAM, "config", "show", "-c", self.file]).stdout
        self.assertIn("second.example", shown)
        self.assertIn('mode = "shadow"', self.file.read_text())
        answers.write_bytes(b"\xef\xbb\xbf" + answers.read_bytes().replace(b", second.example", b"\r\ndomain = second.example\r\ndomain = third.example"))
        self.assertEqual(self.init("--answers", answers, "--offline", "--force").returncode, 0)
        self.assertIn('domains = ["test.example", "second.example", "third.example"]', self.file.read_text())
        answers.write_text("hostname = mx1.test.example\nhostname = mx2.test.example\n")
        wrong = self.init("--answers", answers, "--force")
        self.assertEqual(wrong.returncode, 65)
        self.assertIn("line 2: hostname is given more than once", wrong.stderr)
        answers.write_text("hostnam = x\n")
        wrong = self.init("--answers", answers, "--force")
        self.assertEqual(wrong.returncode, 65)
        self.assertIn("did you mean hostname?", wrong.stderr)

    def test_what_is_missing_is_named_when_nobody_can_be_asked(self):
        done = self.init("--hostname", NAME)
        self.assertEqual(done.returncode, 64)
        self.assertIn("--domain", done.stderr)
        self.assertFalse(self.file.exists())

    def test_a_person_at_a_terminal(self):
        upstream = self.sink().port
        main, other = pty.openpty()
        process = subprocess.Popen([PROGRAM, "init", "-c", self.file, "--offline", "--listen", f"127.0.0.1:{self.port}",
                                    "--state", self.folder / "state"], stdin=other, stdout=other, stderr=other)
        os.close(other)
        self.addCleanup(os.close, main)
        seen = b""
        answers = [(b"Full name", b"nonsense\n"), (b"expected the full name", f"{NAME}\n".encode()),
                   (b"Domains", b"test.example\n"), (b"Your mail server", f"127.0.0.1:{upstream}\n".encode()),
                   (b"Directory", b"\n"), (b"DNS servers", b"\n"), (b"wrote", b"")]
        end = time.monotonic() + PATIENCE
        for question, answer in answers:
            while question not in seen:
                self.assertLess(time.monotonic(), end, seen)
                if select.select([main], [], [], 0.2)[0]:
                    try:
                        seen += os.read(main, 4096)
                    except OSError:
                        self.fail(seen.decode())
            os.write(main, answer)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertIn(NAME, self.file.read_text())


if __name__ == "__main__":
    unittest.main()
