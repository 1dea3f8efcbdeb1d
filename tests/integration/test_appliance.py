#!/usr/bin/env python3
"""The appliance without a machine: its questions and what is no answer, the files that come of answers (with the real `sallyport init`), and
what its image is made of. That it boots is the business of appliance_boot.py, which takes longer."""
import contextlib
import importlib.machinery
import importlib.util
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import tty
import unittest
from types import SimpleNamespace

from support import PROGRAM, ROOT, GatewayTest, free_port, run, tool, wait_until

try:
    import yaml
except ImportError:
    yaml = None

FOLDER = ROOT / "packaging/appliance"
sys.path[:0] = [str(FOLDER / "setup"), str(FOLDER)]
os.environ["SALLYPORT"] = str(PROGRAM)

import answers  # noqa: E402
import apply  # noqa: E402
import bios_loader  # noqa: E402
import consoles  # noqa: E402
import dialogue  # noqa: E402
from system import Failed, System  # noqa: E402

loader = importlib.machinery.SourceFileLoader("sallyport_appliance", str(FOLDER / "setup/sallyport-appliance"))
program = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
loader.exec_module(program)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC3V4vA1xDk2Lz5bS8tZVwPzK0aBmAVqhvJ1kSyk0SkN you@example.com"


class Answers(unittest.TestCase):
    def refuses(self, take, *texts):
        for text in texts:
            with self.subTest(text), self.assertRaises(answers.Wrong):
                take(text)

    def test_names(self):
        self.assertEqual(answers.host_name(" MX1.Example.com. "), "mx1.example.com")
        self.refuses(answers.host_name, "", "mx1", "mx1..example.com", "-mx.example.com", "mx_1.example.com", "192.0.2.1", "mx1.example.com x",
                     "mx1.exa\tmple.com", 'mx1.example.com"', "a" * 64 + ".example.com", "mx1.example." + "a." * 130 + "com", "m\u00fc.example.com")

    def test_domains(self):
        self.assertEqual(answers.domains("example.com, *.example.org m\u00fcller.example"), ["example.com", "*.example.org", "m\u00fcller.example"])
        self.refuses(answers.domains, "", ",", "example", "*", "*.com", "exam ple.com x", "a.*.example", 'example.com"]', "example..com")

    def test_name_and_domains(self):
        self.assertEqual(answers.name_and_domains("mx1.example.com"), ("mx1.example.com", ["example.com"]))
        self.assertEqual(answers.name_and_domains("mx1.example.com  example.org a.example"), ("mx1.example.com", ["example.org", "a.example"]))
        self.refuses(answers.name_and_domains, "", "example.com", "mx1 example.com", "mx1.example.com example")

    def test_mail_servers(self):
        for text in ("10.0.0.5", "10.0.0.5:25", "mail", "mail.example.internal:2525", "[2001:db8::5]", "[2001:db8::5]:25"):
            self.assertEqual(answers.upstream(f" {text} "), text)
        self.refuses(answers.upstream, "", "10.0.0", "10.0.0.256", "10.0.0.5:0", "10.0.0.5:65536", "10.0.0.5:smtp", "2001:db8::5", "[10.0.0.5]",
                     "mail..example", "-mail", "mail server", 'mail"', "mail:25:25", "http://mail")

    def test_networks(self):
        self.assertEqual(answers.network(" DHCP "), [])
        self.assertEqual(answers.network(""), [])
        both = answers.network("192.0.2.10/24 192.0.2.1 192.0.2.53, 2001:db8::10/64 fe80::1")
        self.assertEqual([str(own) for own, _, _ in both], ["192.0.2.10/24", "2001:db8::10/64"])
        self.assertEqual([str(server) for server in both[0][2]], ["192.0.2.53"])
        self.refuses(answers.network, "static", "192.0.2.10", "192.0.2.10/24", "192.0.2.10 192.0.2.1 192.0.2.53", "192.0.2.10/24 192.0.2.1",
                     "192.0.2.10/33 192.0.2.1 192.0.2.1", "192.0.2.0/24 192.0.2.1 192.0.2.1", "192.0.2.255/24 192.0.2.1 192.0.2.1",
                     "192.0.2.10/24 192.0.2.10 192.0.2.1", "192.0.2.10/24 198.51.100.1 192.0.2.1", "192.0.2.10/24 2001:db8::1 192.0.2.1",
                     "192.0.2.10/24 192.0.2.1 dns.example", "127.0.0.1/8 127.0.0.2 127.0.0.3", "0.0.0.0/0 192.0.2.1 192.0.2.1",
                     "192.0.2.10/24 192.0.2.1 192.0.2.53, 192.0.2.11/24 192.0.2.1 192.0.2.53", "192.0.2.10/24 192.0.2.1 192.0.2.53,")

    def test_administrators(self):
        self.assertEqual(answers.administrator(f" {KEY} "), KEY)
        self.assertEqual(answers.administrator(""), "")
        self.refuses(answers.administrator, "hunter2hunter2", KEY[:40], KEY.replace("ssh-ed25519", "ssh-rsa"), KEY.replace("AAAAC3", "AAA*C3"),
                     "-----BEGIN OPENSSH PRIVATE KEY-----", f'command="x" {KEY}', "ssh-dss AAAAB3NzaC1kc3M=", f"{KEY}\n{KEY}")
        with self.assertRaisesRegex(answers.Wrong, "private key"):
            answers.administrator("-----BEGIN OPENSSH PRIVATE KEY-----")

    def test_a_key_that_openssh_has_made(self):
        for kind in ("ed25519", "ecdsa", "rsa"):
            with contextlib.ExitStack() as stack:
                folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
                if shutil.which("ssh-keygen") is None:
                    self.skipTest("ssh-keygen is not installed")
                run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", folder / "key"])
                text = (folder / "key.pub").read_text().strip()
                self.assertEqual(answers.administrator(text), text)

    def test_passwords(self):
        self.assertEqual(answers.password("correct horse"), "correct horse")
        self.refuses(answers.password, "", "short", "eleven char", "with:colon in it", "with\ttab in it")

    def test_a_file_is_what_was_written(self):
        found = {"network": "dhcp", "hostname": "mx1.example.com", "domains": "example.com", "upstream": "10.0.0.5:25", "administrator": KEY,
                 "mode": "shadow", "reboot": "never", "repository": "https://deb.example.net/s bookworm main", "repository_key": "/etc/k.asc"}
        self.assertEqual(answers.read(answers.written(found)), found)
        self.assertEqual(answers.read('# a comment\n\n domains = "example.com" \nmode =\n'), {"domains": "example.com"})

    def test_wrong_lines_are_named(self):
        for text, said in (("hostname = mx1.example.com\nupstram = x\n", "line 2: unknown key upstram, did you mean upstream?"),
                           ("domains\n", "line 1: expected key = value"), ("mode = shadow\nmode = shadow\n", "line 2: .* second time"),
                           ("network = static\n", "line 1: expected dhcp"), ("upstream = a\\b\n", "line 1: .*backslash"),
                           ("reboot = 25:00\n", "time of day"), ("repository = https://deb.example.net\n", "URL SUITE"),
                           ("password_hash = hunter2\n", "shadow")):
            with self.subTest(text), self.assertRaisesRegex(answers.Wrong, said):
                answers.read(text)


class Console:
    """What somebody types, line by line, and what was said."""

    def __init__(self, *lines):
        self.lines, self.said, self.secret = list(lines), "", []

    def say(self, text):
        self.said += text

    def ask(self, prompt):
        self.say(prompt)
        return self.lines.pop(0)

    def ask_in_secret(self, prompt):
        self.secret.append(self.lines[0])
        return self.ask(prompt)


class Questions(unittest.TestCase):
    def test_four(self):
        console = Console("", "mx1.example.com", "10.0.0.5", KEY, "")
        found = dialogue.ask(console, {})
        self.assertEqual(found, {"network": "dhcp", "hostname": "mx1.example.com", "domains": "example.com", "upstream": "10.0.0.5",
                                 "administrator": KEY})
        self.assertEqual(console.lines, [])
        self.assertEqual(re.findall(r"^(\d) of 4\. ", console.said, re.M), ["1", "2", "3", "4"])

    def test_a_wrong_answer_is_asked_again(self):
        console = Console("static", "192.0.2.10/24 192.0.2.1 192.0.2.53", "mx1", "mx1.example.com example.org", "", "10.0.0.5", "nonsense", KEY, "")
        found = dialogue.ask(console, {})
        self.assertEqual((found["network"], found["domains"]), ("192.0.2.10/24 192.0.2.1 192.0.2.53", "example.org"))
        self.assertIn("is no full name of a host", console.said)
        self.assertIn("is no type of key", console.said)

    def test_a_password_is_typed_twice_and_kept_as_a_hash(self):
        console = Console("dhcp", "mx1.example.com", "10.0.0.5", "", "short", "correct horse", "correct house", "correct horse", "correct horse", "")
        found = dialogue.ask(console, {})
        self.assertEqual(answers.password_hash(found["password_hash"]), found["password_hash"])
        self.assertNotIn("administrator", found)
        self.assertEqual(len(console.secret), 5)
        self.assertNotIn("correct", console.said + answers.written(found))

    def test_what_was_meant_otherwise_is_asked_again(self):
        console = Console("", "mx1.example.com", "10.0.0.5", KEY, "n", "", "", "10.0.0.6", "", "")
        found = dialogue.ask(console, {})
        self.assertEqual((found["hostname"], found["upstream"], found["administrator"]), ("mx1.example.com", "10.0.0.6", KEY))

    def test_former_answers_are_what_an_empty_line_stands_for(self):
        former = {"network": "192.0.2.10/24 192.0.2.1 192.0.2.53", "hostname": "mx1.example.com", "domains": "a.example b.example",
                  "upstream": "10.0.0.5:25", "administrator": KEY, "mode": "shadow"}
        self.assertEqual(dialogue.ask(Console("", "", "", "", ""), former), former)


class Terminals(unittest.TestCase):
    """Two consoles at once, as terminals."""

    def setUp(self):
        self.ends, paths = [], []
        for _ in range(2):
            outside, inside = pty.openpty()
            tty.setraw(inside)
            self.addCleanup(os.close, outside)
            self.addCleanup(os.close, inside)
            self.ends.append(outside)
            paths.append(os.ttyname(inside))
        self.is_over = False
        self.consoles = consoles.Consoles([*paths, "/dev/null", "/dev/none-such"], lambda: self.is_over)
        self.addCleanup(self.consoles.close)

    def shown(self, end, text):
        seen = b""

        def more():
            nonlocal seen
            seen += os.read(end, 4096)
            return text.encode() in seen
        wait_until(text, more)
        return seen.decode()

    def asked(self, question):
        got = []
        thread = threading.Thread(target=lambda: got.append(question()))
        thread.start()
        return got, thread

    def test_whoever_types_first_answers(self):
        got, thread = self.asked(lambda: [self.consoles.ask("one? "), self.consoles.ask("two? ")])
        for end in self.ends:
            self.shown(end, "one? ")
        os.write(self.ends[1], b"mistaje\x7f\x7fke\r")
        for end in self.ends:
            self.shown(end, "two? ")
        os.write(self.ends[0], b"second\r")
        thread.join(20)
        self.assertEqual(got, [["mistake", "second"]])

    def test_a_secret_is_not_shown(self):
        got, thread = self.asked(lambda: [self.consoles.ask_in_secret("secret? "), self.consoles.ask("open? ")])
        self.shown(self.ends[0], "secret? ")
        os.write(self.ends[0], b"correct horse\r")
        self.assertNotIn("horse", self.shown(self.ends[0], "open? "))
        os.write(self.ends[0], b"said\r")
        self.shown(self.ends[0], "said")
        thread.join(20)
        self.assertEqual(got, [["correct horse", "said"]])

    def test_it_gives_up_when_it_is_answered_elsewhere(self):
        self.is_over = True
        with self.assertRaises(consoles.Gone):
            self.consoles.ask("one? ")

    def test_no_console(self):
        with self.assertRaises(consoles.Gone):
            consoles.Consoles([]).ask("one? ")


class Applied(GatewayTest):
    """What becomes of answers, below a root of the test's; commands of the system are written down, openssl and sallyport are real."""

    def setUp(self):
        super().setUp()
        self.root = self.folder / "root"
        self.commands = []
        self.system = System(self.root, self.execute)
        self.said = ""
        card = self.root / "sys/class/net/ens3"
        (card / "device").mkdir(parents=True)
        (card / "carrier").write_text("1\n")
        (self.root / "sys/class/net/lo").mkdir()
        self.system.write("/etc/hosts", "127.0.0.1 localhost\n")
        self.found = {"network": "dhcp", "hostname": "mx1.example.com", "domains": "example.com *.example.com", "upstream": f"127.0.0.1:{free_port()}",
                      "administrator": KEY, "listen": f"127.0.0.1:{free_port()}", "state": str(self.folder / "state"), "dns": f"127.0.0.1:{free_port()}"}

    def execute(self, words, **options):
        self.commands.append((words, options.get("input")))
        if words[0] == "openssl" or words[0] == str(PROGRAM):
            return subprocess.run(words, **options)
        status = 1 if words[0] == "id" else 0
        return SimpleNamespace(returncode=status, stdout="", stderr="")

    def say(self, text):
        self.said += text

    def carry_out(self, **more):
        found = {key: value for key, value in {**self.found, **more}.items() if value is not None}
        apply.everything(found, self.system, self.say)
        return found

    def names(self):
        return [words[0] for words, _ in self.commands]

    def test_the_configuration_passes_check(self):
        self.carry_out()
        file = self.root / "etc/sallyport/sallyport.toml"
        text = file.read_text()
        self.assertIn('hostname = "mx1.example.com"', text)
        self.assertIn('domains = ["example.com", "*.example.com"]', text)
        key = self.root / "etc/sallyport/tls/mx1.example.com/privkey.pem"
        self.assertEqual(oct(key.stat().st_mode & 0o777), "0o640")
        self.assertEqual(oct(file.stat().st_mode & 0o777), "0o640")
        names = run([tool("openssl"), "x509", "-noout", "-ext", "subjectAltName", "-in", key.with_name("fullchain.pem")]).stdout
        self.assertIn("DNS:mx1.example.com", names)
        if os.geteuid() == 0:
            file.write_text('user = "nobody"\n' + text)
            for path in [key, *key.parents]:
                if path == self.folder.parent:
                    break
                shutil.chown(path, "nobody")
        file.chmod(0o644)
        done = run([PROGRAM, "check", file])
        self.assertEqual(done.returncode, 0, done.stderr)
        # Nobody listens at the server's address: told, and no reason to write nothing.
        self.assertIn("problem  upstream", self.said)
        self.assertEqual(self.commands[-1][0], ["systemctl", "start", "sallyport.service"])
        self.assertTrue(self.system.has(apply.SET_UP))
        self.assertEqual(answers.read(self.system.read(apply.ANSWERS)), self.found)
        self.assertEqual(oct(self.system.path(apply.ANSWERS).stat().st_mode & 0o777), "0o600")

    def test_what_the_gateway_cannot_start_with_is_told_and_leaves_nothing(self):
        with self.assertRaisesRegex(Failed, "nothing was written"):
            self.carry_out(certificate="/none/such")
        self.assertFalse(self.system.has(apply.CONFIGURATION))
        self.assertFalse(self.system.has(apply.SET_UP))
        self.assertNotIn("systemctl", self.names())
        # ssh works all the same: network and administrator came first.
        self.assertIn("useradd", self.names())
        self.assertIn(KEY, self.system.read("/home/admin/.ssh/authorized_keys"))

    def test_a_configuration_that_is_there_stays(self):
        self.system.write(apply.CONFIGURATION, "mine\n")
        self.carry_out()
        self.assertEqual(self.system.read(apply.CONFIGURATION), "mine\n")
        self.assertNotIn(str(PROGRAM), self.names())
        # It is enough by itself, too.
        self.carry_out(hostname=None, domains=None, upstream=None)
        self.assertTrue(apply.forget_configuration(self.system).endswith("sallyport.toml.before-1"))
        self.system.write(apply.CONFIGURATION, "next\n")
        self.assertTrue(apply.forget_configuration(self.system).endswith("sallyport.toml.before-2"))
        with self.assertRaisesRegex(Failed, "lacks hostname, domains, upstream"):
            self.carry_out(hostname=None, domains=None, upstream=None)

    def test_names(self):
        self.carry_out()
        self.assertEqual(self.system.read("/etc/hostname"), "mx1.example.com\n")
        self.assertEqual(self.system.read("/etc/hosts"), "127.0.0.1 localhost\n")
        self.carry_out(hostname=f"mx1.{'a' * 60}.example.com", certificate=str(self.root / "etc/sallyport/tls/mx1.example.com"))
        self.assertEqual(self.system.read("/etc/hostname"), "mx1\n")

    def test_networks(self):
        self.carry_out(network="192.0.2.10/24 192.0.2.1 192.0.2.53 192.0.2.54, 2001:db8::10/64 fe80::1")
        text = self.system.read(apply.NETWORK)
        self.assertEqual(text.split("[Match]")[1].split(), ["Name=ens3", "[Network]", "Address=192.0.2.10/24", "Gateway=192.0.2.1", "DNS=192.0.2.53",
                                                            "DNS=192.0.2.54", "Address=2001:db8::10/64", "Gateway=fe80::1", "IPv6AcceptRA=no"])
        self.carry_out(network="dhcp")
        self.assertFalse(self.system.has(apply.NETWORK))
        # Without an answer cloud-init's word is left alone.
        self.commands.clear()
        self.carry_out(network=None)
        self.assertNotIn("networkctl", self.names())

    def test_administrators(self):
        self.carry_out()
        folder = self.root / "home/admin/.ssh"
        self.assertEqual([oct(path.stat().st_mode & 0o777) for path in (folder, folder / "authorized_keys")], ["0o700", "0o600"])
        self.assertIn("NOPASSWD", self.system.read("/etc/sudoers.d/90-sallyport"))
        self.assertNotIn("chpasswd", self.names())
        hashed = dialogue.hash_of("correct horse")
        self.carry_out(password_hash=hashed, administrator=None)
        self.assertIn((["chpasswd", "--encrypted"], f"admin:{hashed}\n"), self.commands)
        self.assertFalse(self.system.has("/etc/sudoers.d/90-sallyport"))
        # A second time adds no second key.
        self.carry_out()
        self.assertEqual(self.system.read("/home/admin/.ssh/authorized_keys"), KEY + "\n")

    def test_updates(self):
        self.carry_out()
        self.assertFalse(self.system.has("/etc/apt/sources.list.d/sallyport.sources"))
        own = {"repository": "https://user@deb.example.net:8443/sallyport bookworm main", "repository_key": "/etc/sallyport/archive.asc"}
        with self.assertRaisesRegex(Failed, "repository_key"):
            self.carry_out(**own)
        self.system.write(own["repository_key"], "a key\n")
        self.carry_out(**own, reboot="04:15")
        self.assertEqual(self.system.read("/etc/apt/sources.list.d/sallyport.sources").splitlines(),
                         ["Types: deb", "URIs: https://user@deb.example.net:8443/sallyport", "Suites: bookworm", "Components: main",
                          "Signed-By: /etc/sallyport/archive.asc"])
        self.assertIn('"site=deb.example.net"', self.system.read("/etc/apt/apt.conf.d/53sallyport-repository"))
        self.assertIn('Automatic-Reboot-Time "04:15"', self.system.read("/etc/apt/apt.conf.d/53sallyport-reboot"))
        self.carry_out(reboot="never")
        self.assertFalse(self.system.has("/etc/apt/apt.conf.d/53sallyport-repository"))
        self.assertIn('Automatic-Reboot "false"', self.system.read("/etc/apt/apt.conf.d/53sallyport-reboot"))

    def first_boot(self, *lines):
        console = Console(*lines)
        console.close = lambda: None
        kept = consoles.Consoles, consoles.devices
        consoles.Consoles, consoles.devices = lambda *_: console, lambda: ["/dev/tty1", "/dev/ttyS0"]
        try:
            self.assertEqual(program.first_boot(self.system), 0)
        finally:
            consoles.Consoles, consoles.devices = kept
        self.assertEqual(console.lines, [])
        return console.said

    def given(self, *keys):
        self.system.write(apply.ANSWERS, answers.written({key: self.found[key] for key in keys}))

    def test_the_first_start_asks(self):
        # What is in the file beside the questions' answers is kept.
        self.given("listen", "state", "dns")
        said = self.first_boot("dhcp", "mx1.example.com example.com *.example.com", self.found["upstream"], KEY, "")
        self.assertIn("1 of 4", said)
        self.assertEqual(answers.read(self.system.read(apply.ANSWERS)), self.found)
        self.assertIn(["systemctl", "start", "--no-block", "getty@tty1.service"], [words for words, _ in self.commands])
        self.assertIn(["systemctl", "start", "--no-block", "serial-getty@ttyS0.service"], [words for words, _ in self.commands])
        self.commands.clear()
        self.first_boot()
        self.assertEqual(self.commands, [])

    def test_the_first_start_with_answers_asks_nothing(self):
        self.given("hostname", "domains", "upstream", "listen", "state", "dns")
        self.assertNotIn("of 4", self.first_boot())
        self.assertTrue(self.system.has(apply.SET_UP))

    def test_a_former_disk_is_taken_over(self):
        former = self.folder / "former"
        for name in ("etc", "state", "log"):
            (former / name).mkdir(parents=True)
            (self.root / apply.STATE.lstrip("/") / name).mkdir(parents=True)
        (former / "etc/answers").write_text(answers.written(self.found))
        (former / "etc/sallyport.toml").write_text("mine\n")
        (former / "state/state.db").write_text("remembered")
        (self.root / "etc").mkdir(exist_ok=True)
        (self.root / "etc/sallyport").symlink_to(self.root / apply.STATE.lstrip("/") / "etc")

        def execute(words, **options):
            if words[0] == "lsblk":
                listed = "/dev/vda4 sallyport-state /srv/sallyport\n/dev/vda3 sallyport-root /\n/dev/vdb4 sallyport-state \n/dev/vdb3 other \n"
                return SimpleNamespace(returncode=0, stdout=listed, stderr="")
            if words[0] == "mount":
                self.assertIn("/dev/vdb4", words)
                shutil.copytree(former, words[-1], dirs_exist_ok=True)
            if words[0] == "cp":
                return subprocess.run(words, **options)
            return self.execute(words, **options)
        self.system.execute = execute
        said = self.first_boot()
        self.assertIn("whose state is on /dev/vdb4", said)
        self.assertNotIn("of 4", said)
        self.assertEqual(self.system.read(apply.CONFIGURATION), "mine\n")
        self.assertEqual(self.system.read(f"{apply.STATE}/state/state.db"), "remembered")
        self.assertEqual(answers.read(self.system.read(apply.ANSWERS)), self.found)
        self.assertIn("umount", self.names())
        self.assertIn("useradd", self.names())
        self.assertTrue(self.system.has(apply.SET_UP))

    def test_the_first_start_with_wrong_answers_names_them_and_asks(self):
        self.system.write(apply.ANSWERS, "upstram = 10.0.0.5\n")
        port = self.found["listen"]
        kept = apply.everything
        apply.everything = lambda found, system, say: kept({**found, "listen": port, "state": self.found["state"], "dns": self.found["dns"]}, system, say)
        self.addCleanup(setattr, apply, "everything", kept)
        said = self.first_boot("", "mx1.example.com", "127.0.0.1:9", KEY, "")
        self.assertIn("did you mean upstream?", said)
        self.assertTrue(self.system.has(apply.SET_UP))


class Image(unittest.TestCase):
    """What the image is made of."""

    def test_scripts_are_well_formed(self):
        self.assertEqual(run(["bash", "-n", FOLDER / "build"]).returncode, 0)
        usage = run([FOLDER / "build"])
        self.assertEqual((usage.returncode, "build SALLYPORT.deb IMAGE.qcow2" in usage.stderr), (64, True))
        self.assertEqual(program.main(["no-such"]), 64)
        listed = run([ROOT / "dev", "help"]).stderr
        self.assertRegex(listed, r"(?m)^  appliance\t")

    def test_the_packages_that_the_gateway_needs_are_fetched_with_the_others(self):
        if shutil.which("dpkg-deb") is None:
            self.skipTest("dpkg-deb is not installed")
        with tempfile.TemporaryDirectory() as folder:
            (control := pathlib.Path(folder) / "x/DEBIAN/control").parent.mkdir(parents=True)
            control.write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@localhost>\nPre-Depends: dpkg (>= 1)\n"
                               "Depends: libuv1 (>= 1.33.1), debconf (>= 0.5) | debconf-2.0, ca-certificates\nDescription: x\n")
            deb = pathlib.Path(folder) / "x.deb"
            self.assertEqual(run(["dpkg-deb", "-b", control.parent.parent, deb]).returncode, 0)
            done = run([FOLDER / "build", "--packages", deb], env={**os.environ, "APPLIANCE_PACKAGES": "certbot unbound"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split()[-6:], ["dpkg", "libuv1", "debconf", "ca-certificates", "certbot", "unbound"])
        self.assertTrue({"linux-image-amd64", "grub-cloud-amd64", "cloud-init", "unattended-upgrades"} <= set(done.stdout.split()))

    def test_a_bios_finds_grub_and_the_partition_table_stays(self):
        disk = ROOT / "build" / f"bios-{os.getpid()}.img"
        disk.parent.mkdir(exist_ok=True)
        self.addCleanup(disk.unlink)
        disk.write_bytes(bytes(0x1b8) + b"T" * 70 + b"\x55\xaa" + bytes(512 * 2048 * 2 - 512))
        boot, core = b"\xeb" * 510 + b"\x55\xaa", bytearray(os.urandom(30000))
        with open(disk, "r+b") as file:
            bios_loader.install(file, boot, bytes(core), 2048, 2048)
        image = disk.read_bytes()
        self.assertEqual(image[0x1b8:0x1fe], b"T" * 70)
        self.assertEqual(struct.unpack_from("<Q", image, 0x5c), (2048,))
        struct.pack_into("<Q", core, 0x1f4, 2049)
        self.assertEqual(image[2048 * 512:2048 * 512 + len(core)], bytes(core))
        with open(disk, "r+b") as file:
            for bad in ((b"x" * 512, core, 2048, 2048), (boot, core, 2048, 10), (boot, b"x" * 512, 2048, 2048)):
                with self.assertRaises(ValueError):
                    bios_loader.install(file, *bad)

    def test_units(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        unit = FOLDER / "files/etc/systemd/system/sallyport-first-boot.service"
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if unit.name in line and "not executable" not in line]
        self.assertEqual(said, [])
        for place, word in ((unit, f"!{apply.SET_UP}"), (unit.parent / "getty@.service.d/50-sallyport.conf", apply.SET_UP),
                            (unit.parent / "serial-getty@.service.d/50-sallyport.conf", apply.SET_UP),
                            (unit.parent / "sallyport.socket.d/50-appliance.conf", apply.CONFIGURATION)):
            self.assertIn(f"ConditionPathExists={word}\n", place.read_text())

    def test_the_packet_filter_lets_mail_and_ssh_in(self):
        text = (FOLDER / "files/etc/nftables.conf").read_text()
        self.assertEqual(re.findall(r"tcp dport (\d+)", re.sub(r"#.*", "", text)), ["25", "22"])
        self.assertIn("hook input priority filter; policy drop;", text)
        if shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin") and os.geteuid() == 0:
            looked = run(["unshare", "--net", "nft", "--check", "--file", FOLDER / "files/etc/nftables.conf"])
            self.assertEqual(looked.returncode, 0, looked.stderr)

    def test_ssh_takes_keys_alone(self):
        text = (FOLDER / "files/etc/ssh/sshd_config.d/50-sallyport.conf").read_text()
        for line in ("PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin no"):
            self.assertIn(f"{line}\n", text)

    def test_apt_reads_what_it_is_told(self):
        done = run(["apt-config", "-c", FOLDER / "files/etc/apt/apt.conf.d/52sallyport-upgrades", "dump"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('APT::Periodic::Unattended-Upgrade "1";', done.stdout)
        patterns = re.findall(r'Unattended-Upgrade::Origins-Pattern:: "(.*)";', done.stdout)
        self.assertEqual(len(patterns), 3)
        self.assertTrue(all(pattern.startswith("origin=Debian,") for pattern in patterns), patterns)

    @unittest.skipIf(yaml is None, "python3-yaml is not installed; nothing reads user data")
    def test_user_data_of_the_guide_suffices(self):
        guide = (ROOT / "packaging/guides/appliance.md").read_text()
        [text] = re.findall(r"^```yaml\n(#cloud-config\n.*?)^```$", guide, re.M | re.S)
        data = yaml.safe_load(text)
        [file] = data["write_files"]
        self.assertEqual((file["path"], file["permissions"]), (apply.ANSWERS, "0600"))
        found = {**answers.read(file["content"]), "hostname": answers.host_name(data["fqdn"])}
        self.assertEqual(apply.missing(found, System("/none-such")), [])
        [key] = data["ssh_authorized_keys"]
        self.assertEqual(answers.administrator(key), key)
        config = yaml.safe_load((FOLDER / "files/etc/cloud/cloud.cfg.d/50_sallyport.cfg").read_text())
        self.assertEqual((config["ssh_pwauth"], config["system_info"]["default_user"]["name"]), (False, apply.ADMINISTRATOR))

    def test_the_page_has_every_answer_and_every_variable(self):
        page = (FOLDER / "README.md").read_text()
        table = page.partition("## Answers")[2].partition("\n## ")[0]
        self.assertEqual(set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.M)))), set(answers.KEYS))
        used = set(re.findall(r"\$\{(APPLIANCE_\w+)", (FOLDER / "build").read_text()))
        self.assertEqual(set(re.findall(r"`(APPLIANCE_\w+)`", page)), used)


if __name__ == "__main__":
    unittest.main()
