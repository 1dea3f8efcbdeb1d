#!/usr/bin/env python3
"""The appliance as a virtual machine: started by BIOS and set up by four answers over the serial line, started by UEFI and set up by a NoCloud
seed; each time mail goes through it from outside. `./dev test appliance` builds the image and runs this; SALLYPORT_APPLIANCE names one.

qemu has KVM where a guest gets as far with it as its boot loader, and else does all in software, which takes minutes. The machines' network is
qemu's own: they reach the host's loopback at 10.0.2.2, and are reached at ports that qemu forwards from 127.0.0.1. All of it, qemu and these
tests, runs in a network that has loopback alone, where a server of the tests answers for DNS: no name of the outside is ever found.

What has been reached is told as it comes, and what the system says of itself when something has not.
"""
import contextlib
import functools
import os
import pathlib
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from support import GatewayTest, free_port, run, tool, wait_until

IMAGE = os.environ.get("SALLYPORT_APPLIANCE", "")
ACCELERATION = os.environ.get("SALLYPORT_APPLIANCE_ACCELERATION", "")  # kvm or tcg; empty: found out
FIRMWARE = pathlib.Path("/usr/share/OVMF")
FIRST_PATIENCE = 60  # seconds with KVM to the first octet, which the firmware or GRUB writes
KVM_PATIENCE = 180   # and to the first word of the kernel or a question
PATIENCE = 2400      # seconds for what a machine does in software while others use the processors
CONTRADICTION = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n" + "".join(
    f"Content-Transfer-Encoding: {name}\r\n" for name in ("base64", "quoted-printable"))  # whom is a reader to believe?
APART = "SALLYPORT_APPLIANCE_APART"
DNS = "10.0.2.9"     # qemu asks whom its host's resolv.conf names
OPTIONS = ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=120"]


def stay_on_loopback():
    """Starts these tests anew in a network of their own, which has loopback and no way out, and 127.0.0.1 for DNS."""
    file, name = tempfile.mkstemp(prefix="sallyport-test-")
    os.write(file, b"nameserver 127.0.0.1\n")
    words = [tool("unshare"), "--net", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    os.environ[APART] = "yes"
    os.execv(words[0], [*words, "sh", "-c", f'{tool("ip")} link set lo up && mount --bind {name} /etc/resolv.conf && rm {name} && exec "$@"',
                        "sh", sys.executable, *sys.argv])


def told(test):
    """Tells what is wrong in there, when something is: the serial line says nothing of units that wait or fail."""
    @functools.wraps(test)
    def telling(self):
        try:
            test(self)
        except Exception:
            command = "cat /proc/uptime; systemctl list-jobs --no-pager; systemctl --failed --no-pager; sudo journalctl -b -n 100 --no-pager"
            with contextlib.suppress(subprocess.TimeoutExpired):
                said = run(self.by_ssh("-i", self.key, command=command), patience=300)
                self.reached(f"no further; it says:\n{said.stdout}{said.stderr}")
            raise
    return telling


class Machine:
    """A virtual machine on an overlay of the image: what it writes to its serial line, and a way to type there."""

    def __init__(self, test, acceleration, *options):
        self.folder = test.folder
        self.disk = self.folder / "disk.qcow2"
        if not self.disk.exists():  # larger than the image: the state grows
            test.assertEqual(run([tool("qemu-img"), "create", "-q", "-f", "qcow2", "-b", os.path.realpath(IMAGE), "-F", "qcow2", self.disk,
                                  "9G"]).returncode, 0)
        self.smtp, self.ssh = test.smtp, test.ssh
        line = self.folder / "serial"
        line.unlink(missing_ok=True)
        network = f"user,id=net,ipv6=off,dns={DNS},hostfwd=tcp:127.0.0.1:{self.smtp}-:25,hostfwd=tcp:127.0.0.1:{self.ssh}-:22"
        self.process = test.start(f"qemu-{acceleration}", [
            tool("qemu-system-x86_64"), "-machine", "q35", "-accel", acceleration, "-cpu", "host" if acceleration == "kvm" else "max,la57=off", "-m", "2048",
            "-smp", "2", "-display", "none", "-nodefaults", "-monitor", "none", "-chardev", f"socket,id=line,path={line},server=on,wait=on,logfile={self.folder}/serial.log,logappend=on", "-serial",
            "chardev:line", "-device", "virtio-rng-pci", "-netdev", network, "-device", "virtio-net-pci,netdev=net,romfile=",
            "-drive", f"file={self.disk},if=virtio,format=qcow2,cache=unsafe", *options])
        wait_until("the serial line", lambda: line.exists() or not self.process.is_running())
        self.line = socket.socket(socket.AF_UNIX)
        test.addCleanup(self.line.close)
        self.line.connect(str(line))
        self.written, self.seen = "", 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with contextlib.suppress(OSError):
            while octets := self.line.recv(4096):
                self.written += octets.decode(errors="replace").replace("\r", "")

    def expect(self, pattern, patience=PATIENCE):
        """Waits for the pattern behind what was expected before."""
        def found():
            match = re.compile(pattern).search(self.written, self.seen)
            if match:
                self.seen = match.end()
            elif not self.process.is_running():
                raise AssertionError(f"qemu has ended: {self.process.output()[-2000:]}\n{self.written[-3000:]}")
            return match
        end = time.monotonic() + patience
        while not (match := found()):
            if time.monotonic() > end:
                raise AssertionError(f"waited {patience} s in vain for {pattern!r} behind:\n{self.written[-4000:]}")
            time.sleep(0.2)
        return match

    def type(self, text):
        self.line.sendall(text.encode() + b"\r")

    def answer(self, question, text):
        self.expect(question)
        self.expect("> ")
        self.type(text)

    def stop(self):
        self.process.stop()
        self.line.close()


@unittest.skipUnless(IMAGE, "SALLYPORT_APPLIANCE names no image; ./dev test appliance makes one")
class Booted(GatewayTest):
    def setUp(self):
        super().setUp()
        self.assertIn(APART, os.environ, "to be started as a program, which gives it a network of its own")
        self.begun = time.monotonic()
        self.smtp, self.ssh = free_port(), free_port()
        self.upstream = self.sink()
        self.key = self.folder / "key"
        self.assertEqual(run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", self.key]).returncode, 0)
        self.public_key = self.key.with_suffix(".pub").read_text().strip()

    def machine(self, *options, first_words="Linux version|1 of 4|Taking over|login: |Cloud-init v|Setting up"):
        """One that has come beyond its boot loader, by KVM or without."""
        global ACCELERATION
        kinds = [ACCELERATION] if ACCELERATION else ["kvm", "tcg"] if os.access("/dev/kvm", os.R_OK | os.W_OK) else ["tcg"]
        for kind in kinds:
            machine = Machine(self, kind, *options)
            try:
                if kind != kinds[-1]:
                    machine.expect("(?s).", FIRST_PATIENCE)
                machine.expect(first_words, PATIENCE if kind == kinds[-1] else KVM_PATIENCE)
                ACCELERATION = kind
                machine.seen = 0
                self.reached(f"a system, with {kind}")
                return machine
            except AssertionError:
                machine.stop()
                if kind == kinds[-1]:
                    raise
                self.processes.remove(machine.process)
                for name in ("disk.qcow2", "variables.fd"):
                    (self.folder / name).unlink(missing_ok=True)
                if "variables.fd" in str(options):
                    self.uefi()

    def answer_names(self, records):
        """Nothing else is at this port here: this network is the tests' own."""
        self.dns(records, "--port", "53")

    def reached(self, what):
        """Where others use the processors, what the machine has computed says more than the time."""
        computed = 0
        for process in self.processes:
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{process.process.pid}/stat").read_text().rpartition(")")[2].split()
                computed += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        print(f"  {time.monotonic() - self.begun:5.0f} s, computed {computed:4.0f} s: {what}", file=sys.stderr, flush=True)

    def uefi(self):
        variables = self.folder / "variables.fd"
        if not variables.exists():
            shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", variables)
        return ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.fd", "-drive", f"if=pflash,format=raw,file={variables}"]

    def by_ssh(self, *options, command):
        """Commands share a connection: each new one is a second or more of computing in there."""
        return ["ssh", *OPTIONS, *options, "-p", self.ssh, "-o", f"UserKnownHostsFile={self.folder}/known", "-o", f"ControlPath={self.folder}/way",
                "admin@127.0.0.1", command]

    def log_in(self):
        """Until sshd is there, qemu takes a connection and cuts it off. And sshd gives 30 seconds (LoginGraceTime), which a machine that gets
        little of the processors may need for a handshake. So there is another try."""
        words = self.by_ssh("-i", self.key, "-o", "ControlMaster=auto", "-o", "ControlPersist=yes", command="true")
        wait_until("a login by ssh", lambda: run(words, patience=PATIENCE).returncode == 0 or time.sleep(2), PATIENCE)

    def inside(self, command, status=0, patience=PATIENCE):
        """What a command of the administrator writes, by ssh."""
        if run(self.by_ssh("-O", "check", command="")).returncode != 0:
            self.log_in()
        done = run(self.by_ssh("-i", self.key, command=command), patience=patience)
        self.assertEqual(done.returncode, status, f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def is_served(self):
        with contextlib.suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", self.smtp, timeout=60):
            return True
        return False

    def client(self):
        return smtplib.SMTP("127.0.0.1", self.smtp, local_hostname="client.example", timeout=300)

    def send(self, text, sender="ann@sender.example", recipient="bob@example.com", tls=True):
        """(code, reply) of the first command that is refused, or of the end of the content."""
        with self.client() as client:
            client.ehlo()
            if tls:
                self.assertTrue(client.has_extn("starttls"))
                client.starttls(context=ssl._create_unverified_context())
                client.ehlo()
            for step in (lambda: client.mail(sender), lambda: client.rcpt(recipient)):
                code, reply = step()
                if code >= 400:
                    return code, reply.decode()
            code, reply = client.data(f"From: <{sender}>\r\nTo: <{recipient}>\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n{text}")
            return code, reply.decode()

    def demo(self, count):
        """Mail in the clear and by TLS arrives, one for nobody's domain and one that can be read in two ways do not."""
        wait_until("the gateway at port 25", self.is_served, PATIENCE)
        self.assertEqual(self.send("Subject: by TLS\r\n\r\nhello\r\n")[0], 250)
        self.assertEqual(self.send("Subject: in the clear\r\n\r\nhello\r\n", recipient="eve@example.org", tls=False)[0], 250)
        relaying = self.send("Subject: no\r\n\r\nno\r\n", recipient="x@elsewhere.example")
        self.assertEqual(relaying[0], 550)
        self.assertIn("Relaying denied", relaying[1])
        unclear = self.send(f"Subject: unclear\r\n{CONTRADICTION}\r\naGVsbG8=\r\n")
        self.assertEqual(unclear[0], 550, unclear)
        self.assertIn("5.6.0", unclear[1])
        arrived = [content for _, content in self.upstream.wait_for(count)]
        self.assertEqual(len(arrived), count)
        for content, subject, how in zip(arrived[-2:], (b"by TLS", b"in the clear"), (b"ESMTPS", b"ESMTP")):
            self.assertIn(b"Subject: " + subject, content)
            self.assertRegex(content, rb"X-Sallyport-Id: \w+")
            self.assertRegex(content, rb"with " + how + rb"\b")
        self.reached("mail in, through and refused")

    def sound(self):
        """The system is as README.md says."""
        self.assertEqual(self.inside("systemctl --failed --no-legend --plain").strip(), "")
        self.assertIn("ok:", self.inside("sudo sallyport check 2>&1"))
        self.assertRegex(self.inside("sudo sallyport upstreams"), r"\bup\b")
        rules = self.inside("sudo nft list ruleset")
        self.assertIn("policy drop", rules)
        self.assertEqual(re.findall(r"tcp dport (\d+)", rules), ["25", "22"])
        self.assertEqual(self.inside("cat /proc/swaps").count("\n"), 1)
        self.assertIn("(enforce)", self.inside("sudo cat /proc/$(systemctl show -P MainPID sallyport)/attr/current"))
        self.assertEqual(self.inside("awk '/^Uid/ { print $2 }' /proc/$(systemctl show -P MainPID sallyport)/status"), self.inside("id -u sallyport"))
        places = self.inside("findmnt --noheadings --output TARGET,SOURCE --list")
        for place in ("/etc/sallyport", "/var/lib/sallyport", "/var/log/sallyport"):
            self.assertRegex(places, rf"(?m)^{place} +/dev/\w+\[/\w+\]$")
        # The image has 8 GiB, the disk 9, the system 5.
        self.assertGreater(int(self.inside("df --output=size --block-size=1M /srv/sallyport | tail -1")), 3400)
        settings = self.inside("sudo sshd -T")
        for line in ("passwordauthentication no", "permitrootlogin no", "kbdinteractiveauthentication no"):
            self.assertIn(line, settings)
        self.assertRegex(self.inside("sudo unattended-upgrade --dry-run --debug 2>&1"), r"Allowed origins are: .*label=Debian-Security")
        self.assertEqual(self.inside("systemctl is-enabled apt-daily-upgrade.timer unattended-upgrades").split(), ["enabled", "enabled"])
        self.reached("a sound system")

    def password_is_refused(self):
        def is_refused():
            done = run(self.by_ssh("-o", "PubkeyAuthentication=no", "-o", "ControlPath=none", command="true"), patience=PATIENCE)
            self.assertNotEqual(done.returncode, 0)
            return "Permission denied (publickey)" in done.stderr or time.sleep(2)  # as in log_in()
        wait_until("the refusal of a password", is_refused, PATIENCE)

    @told
    def test_by_bios_with_four_answers(self):
        self.answer_names({})
        machine = self.machine()
        machine.answer("1 of 4", "static")
        self.reached("the first question")
        machine.expect("expected dhcp")
        machine.answer("", f"10.0.2.15/24 10.0.2.2 {DNS}")
        machine.answer("2 of 4", "mx1.example.com example.com example.org")
        machine.answer("3 of 4", f"10.0.2.2:{self.upstream.port}")
        machine.answer("4 of 4", self.public_key)
        machine.answer("admin, by ssh", "")
        machine.expect("Sallyport takes mail for example.com example.org")
        self.reached("what it takes mail for")
        machine.expect("login: ")
        self.demo(2)
        self.assertEqual(self.inside("test -d /sys/firmware/efi && echo uefi || echo bios").strip(), "bios")
        self.assertEqual(self.inside("hostname --fqdn").strip(), "mx1.example.com")
        self.sound()
        self.password_is_refused()
        # What Debian's package does when a new GRUB comes, and a new kernel.
        self.inside("sudo /var/lib/dpkg/info/grub-cloud-amd64.postinst triggered && sudo update-grub")
        self.reached("its loader written anew")
        # It starts anew by itself, with everything, and asks nothing.
        state = self.inside("sudo stat -c %i /var/lib/sallyport/state.db").strip()
        seen = len(machine.written)
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.inside("sudo systemctl reboot", patience=60)
        run(self.by_ssh("-O", "exit", command="exit"))
        machine.seen = seen
        machine.expect("login: ")
        self.reached("the login after a new start")
        self.demo(4)
        self.assertNotIn("1 of 4", machine.written[seen:])
        self.assertEqual(self.inside("sudo stat -c %i /var/lib/sallyport/state.db").strip(), state)

    def seed(self, user_data):
        """A small disk for cloud-init's NoCloud."""
        image = self.folder / "seed.img"
        for name, text in (("user-data", user_data), ("meta-data", "instance-id: test\n")):
            (self.folder / name).write_text(text)
        with open(image, "wb") as file:
            file.truncate(2 << 20)
        self.assertEqual(run([tool("mkfs.vfat"), "-n", "CIDATA", image]).returncode, 0)
        self.assertEqual(run([tool("mcopy"), "-i", image, self.folder / "user-data", self.folder / "meta-data", "::"]).returncode, 0)
        return ["-drive", f"file={image},if=virtio,format=raw,readonly=on"]

    @told
    def test_by_uefi_with_a_seed(self):
        if not (FIRMWARE / "OVMF_CODE_4M.fd").exists():
            self.skipTest("ovmf is not installed")
        self.answer_names({"bank.example": {"TXT": ["v=spf1 -all"], "MX": [[10, "mx.bank.example"]], "A": ["192.0.2.7"]},
                           "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=reject"]},
                           "sender.example": {"MX": [[10, "mx.sender.example"]], "A": ["192.0.2.8"]}})
        machine = self.machine(*self.uefi(), *self.seed(f"""#cloud-config
fqdn: mx1.example.com
ssh_authorized_keys:
  - {self.public_key}
write_files:
  - path: /etc/sallyport/answers
    permissions: "0600"
    content: |
      domains = example.com example.org
      upstream = 10.0.2.2:{self.upstream.port}
      dns = 10.0.2.2:53
"""))
        machine.expect("Sallyport takes mail for example.com example.org")
        self.reached("what it takes mail for")
        self.assertNotIn("1 of 4", machine.written)
        self.demo(2)
        forged = self.send("Subject: your account\r\n\r\nhello\r\n", sender="ann@bank.example")
        self.assertEqual(forged[0], 550, forged)
        self.assertIn("5.7.1", forged[1])
        self.assertEqual(self.inside("test -d /sys/firmware/efi && echo uefi || echo bios").strip(), "uefi")
        self.assertEqual(self.inside("hostname --fqdn").strip(), "mx1.example.com")
        self.sound()
        self.password_is_refused()
        self.assertIn("status: done", self.inside("cloud-init status --wait"))
        self.assertNotIn("WARNING", machine.written)


if __name__ == "__main__":
    if IMAGE and APART not in os.environ:
        stay_on_loopback()
    unittest.main()
