"""The Debian packages: built, installed with answers given beforehand, run, replaced by a newer version under traffic, purged.

They are installed by dpkg over this system, in an overlay of it that is gone afterwards, and in a network of its own. So it takes root.
"""
import os
import pathlib
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from support import children_of, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSIDE = "SALLYPORT_PACKAGE_TEST_INSIDE"
UNITS = ["sallyport.service", "sallyport.sallyport-admin.service"]
ANSWERS = ('sallyport sallyport/hostname string mx1.example.com\n'
           'sallyport sallyport/domains string example.com *.example.com\n'
           'sallyport sallyport/upstream string 127.0.0.1:2600\n')


def sh(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def why_not():
    """Why it cannot be tried here; nothing when it can."""
    if os.geteuid() != 0:
        return "it takes root"
    for program in ("dpkg-buildpackage", "dh", "lintian", "unshare", "setpriv", "rsync", "systemd-socket-activate"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    look = ("d=$(mktemp -d) && mount -t tmpfs tmpfs $d && mkdir $d/u $d/w $d/r && "
            "mount -t overlay overlay -o lowerdir=/,upperdir=$d/u,workdir=$d/w $d/r && mount -t proc proc $d/r/proc && ip link set lo up")
    done = subprocess.run(["unshare", "--mount", "--net", "sh", "-c", look], capture_output=True, text=True)
    return f"no overlay or network of its own can be had: {done.stderr.strip()}" if done.returncode else ""


class Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_it_exposes_little(self):
        for unit in UNITS:
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", ROOT / "packaging/debian" / unit],
                                  capture_output=True, text=True)
            level = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
            self.assertTrue(level, done.stderr)
            self.assertLessEqual(float(level[1]), 1.5, unit)

    def test_each_directive_is_known(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        for unit in [*UNITS, "sallyport.socket"]:
            done = subprocess.run(["systemd-analyze", "verify", ROOT / "packaging/debian" / unit], capture_output=True, text=True)
            said = [line for line in done.stderr.splitlines()
                    if unit in line and not any(word in line for word in ("not executable", "'man ", "sallyport.service not found"))]
            self.assertEqual(said, [], unit)


class Package(unittest.TestCase):
    def test_from_its_installation_to_its_purge(self):
        reason = why_not()
        if reason:
            self.skipTest(reason)
        done = subprocess.run([ROOT / "dev", "deb"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.check_documentation()
        done = subprocess.run(["unshare", "--mount", "--net", sys.executable, __file__, "Life"], env={**os.environ, INSIDE: "1"},
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-6000:])


    def check_documentation(self):
        """The site, on the disk and known to doc-base, and nothing of it in the package of the program."""
        [deb] = (ROOT / "build/deb").glob("sallyport-doc_*_all.deb")
        with tempfile.TemporaryDirectory() as place:
            sh("dpkg-deb", "-x", deb, place)
            html = pathlib.Path(place) / "usr/share/doc/sallyport/html"
            for page in ("index.html", "replies.html", "settings.html", "figures.html", "style.css", "search-index.js"):
                self.assertTrue((html / page).is_file(), page)
            self.assertEqual(list(html.rglob("*.gz")), [], "pages lead to the files as they are")
            base = (pathlib.Path(place) / "usr/share/doc-base/sallyport-doc.sallyport").read_text()
            self.assertIn("Index: /usr/share/doc/sallyport/html/index.html\n", base)
            self.assertIn("Relaying denied", (html / "replies.html").read_text())
        [program] = (ROOT / "build/deb").glob("sallyport_*.deb")
        self.assertNotIn("/html/", sh("dpkg-deb", "-c", program))


@unittest.skipUnless(INSIDE in os.environ, "part of Package, which starts it in an overlay")
class Life(unittest.TestCase):
    def setUp(self):
        sh("ip", "link", "set", "lo", "up")
        sh("mount", "--make-rprivate", "/")
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-package-"))
        sh("mount", "-t", "tmpfs", "tmpfs", self.place)
        for name in ("upper", "work", "root"):
            (self.place / name).mkdir()
        self.root = self.place / "root"
        sh("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={self.place}/upper,workdir={self.place}/work", self.root)
        sh("mount", "-t", "proc", "proc", self.root / "proc")
        sh("mount", "--rbind", "/dev", self.root / "dev")
        (self.root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\n[ $2 = reload ] || exit 101\n")
        (self.root / "usr/sbin/policy-rc.d").chmod(0o755)
        self.deb = next((ROOT / "build/deb").glob("sallyport_*.deb"))
        shutil.copy(self.deb, self.root / "tmp/first.deb")
        self.documentation = next((ROOT / "build/deb").glob("sallyport-doc_*.deb"))
        shutil.copy(self.documentation, self.root / "tmp/first-doc.deb")
        self.started = []

    def tearDown(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def chroot(self, *words, **options):
        return sh("chroot", self.root, "env", "DEBIAN_FRONTEND=noninteractive", *words, **options)

    def start(self, *words):
        process = subprocess.Popen(["chroot", str(self.root), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def start_as_the_unit_does(self):
        unit = (self.root / "usr/lib/systemd/system/sallyport.service").read_text()
        words = re.search(r"^ExecStart=(.*)$", unit, re.M)[1].split()
        user = re.search(r"^User=(.*)$", unit, re.M)[1]
        socket = (self.root / "usr/lib/systemd/system/sallyport.socket").read_text()
        address = re.search(r"^ListenStream=(.*)$", socket, re.M)[1]
        # It listens as systemd does, and starts the gateway when the first client comes.
        return self.start("systemd-socket-activate", f"--listen={address}", "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
                          "--bounding-set=-all", "--no-new-privs", *words)

    def send(self):
        with smtplib.SMTP("127.0.0.1", 25, timeout=10) as client:
            client.sendmail("ann@sender.example", ["bob@example.com"], "From: ann@sender.example\r\nSubject: one\r\n\r\ntext\r\n")

    def wait_for_mail(self):
        end = time.monotonic() + 20
        while True:
            try:
                return self.send()
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def newer_version(self, deb, name):
        """The same with a higher number, unpacked."""
        unpacked = self.place / name
        sh("dpkg-deb", "-R", deb, unpacked)
        control = unpacked / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: (.*)$", r"Version: \g<1>+newer", control.read_text(), flags=re.M))
        return unpacked

    def pack(self, unpacked):
        sh("dpkg-deb", "-b", unpacked, self.root / f"tmp/{unpacked.name}.deb")

    def test_it(self):
        self.chroot("debconf-set-selections", input=ANSWERS)
        self.chroot("dpkg", "-i", "/tmp/first.deb")
        file = self.root / "etc/sallyport/sallyport.toml"
        written = file.read_text()
        self.assertIn('hostname = "mx1.example.com"\ndomains = ["example.com", "*.example.com"]\nupstream = "127.0.0.1:2600"\n', written)
        self.assertEqual(oct(file.stat().st_mode & 0o777), "0o640")
        self.assertIn("sallyport", (self.root / "etc/passwd").read_text())
        self.chroot("sallyport", "check", "-c", "/etc/sallyport/sallyport.toml")
        for there in ("usr/share/man/man8/sallyport.8.gz", "usr/share/man/man5/sallyport.toml.5.gz", "usr/share/man/man7/sallyport-replies.7.gz",
                      "usr/share/bash-completion/completions/sallyport", "etc/logrotate.d/sallyport", "etc/apparmor.d/sallyport",
                      "usr/lib/sysusers.d/sallyport.conf", "usr/share/sallyport/sallyport-deploy"):
            self.assertTrue((self.root / there).exists(), there)

        self.start("sallyport", "sink", "--listen", "127.0.0.1:2600")
        gateway = self.start_as_the_unit_does()
        self.wait_for_mail()
        self.pack(self.newer_version(self.deb, "newer"))
        failed, sent, is_over = [], [], threading.Event()

        def traffic():
            while not is_over.wait(0.2):  # below the rates that a stranger may have
                try:
                    self.send()
                    sent.append(1)
                except (OSError, smtplib.SMTPException) as error:
                    failed.append(error)

        thread = threading.Thread(target=traffic)
        thread.start()
        try:
            self.chroot("dpkg", "-i", "/tmp/newer.deb")
        finally:
            is_over.set()
            thread.join()
        self.assertEqual(failed[:3], [])
        self.assertGreater(len(sent), 2)
        self.assertIsNone(gateway.poll())
        wait_until("the end of the one before", lambda: len(children_of(gateway.pid)) == 1)
        for process in (gateway.pid, *children_of(gateway.pid)):
            self.assertTrue(os.path.samefile(f"/proc/{process}/exe", self.root / "usr/bin/sallyport"), "the new program serves")
        self.send()
        self.assertEqual(file.read_text(), written, "what the administrator has is his")
        gateway.terminate()
        self.assertEqual(gateway.wait(20), 0)
        gateway = self.start_as_the_unit_does()
        self.wait_for_mail()
        gateway.terminate()
        self.assertEqual(gateway.wait(20), 0)

        self.assertTrue((self.root / "var/lib/sallyport/state.db").exists())
        self.chroot("dpkg", "--purge", "sallyport")
        for gone in ("etc/sallyport", "var/lib/sallyport", "var/log/sallyport", "usr/bin/sallyport", "etc/logrotate.d/sallyport"):
            self.assertFalse((self.root / gone).exists(), gone)

    def test_the_documentation_comes_and_goes_by_itself(self):
        """It shares a folder with the program's package, and neither takes the other's files along."""
        folder = self.root / "usr/share/doc/sallyport"
        self.chroot("dpkg", "-i", "/tmp/first-doc.deb")  # the program is not installed, and need not be
        self.assertTrue((folder / "html/index.html").is_file())
        self.assertFalse((folder / "guides").exists())
        self.chroot("debconf-set-selections", input=ANSWERS.replace("mx1.example.com", ""))
        self.chroot("dpkg", "-i", "/tmp/first.deb")
        self.assertEqual(self.chroot("dpkg", "--verify", "sallyport", "sallyport-doc"), "")
        newer = self.newer_version(self.documentation, "newer-doc")
        (newer / "usr/share/doc/sallyport/html/replies.html").rename(newer / "usr/share/doc/sallyport/html/renamed.html")
        self.pack(newer)
        self.chroot("dpkg", "-i", "/tmp/newer-doc.deb")
        self.assertTrue((folder / "html/renamed.html").is_file())
        self.assertFalse((folder / "html/replies.html").exists())
        self.chroot("dpkg", "--purge", "sallyport-doc")
        self.assertFalse((folder / "html").exists())
        self.assertFalse((self.root / "usr/share/doc-base/sallyport-doc.sallyport").exists())
        self.assertTrue((folder / "guides").is_dir())
        self.chroot("dpkg", "-i", "/tmp/first-doc.deb")
        self.chroot("dpkg", "--purge", "sallyport")
        self.assertTrue((folder / "html/index.html").is_file())
        self.chroot("dpkg", "--purge", "sallyport-doc")
        self.assertFalse(folder.exists())

    def test_what_somebody_types_is_a_text_and_nothing_else(self):
        typed = ANSWERS.replace("mx1.example.com", 'mx1.example.com"\\ #')
        self.chroot("debconf-set-selections", input=typed)
        self.chroot("dpkg", "-i", "/tmp/first.deb")  # told, and installed all the same
        written = (self.root / "etc/sallyport/sallyport.toml").read_text()
        self.assertTrue(written.startswith('hostname = "mx1.example.com\\"\\\\ #"\n'), written[:100])
        done = subprocess.run(["chroot", self.root, "sallyport", "check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 78)

    def test_without_answers_nothing_is_written(self):
        self.chroot("debconf-set-selections", input=ANSWERS.replace("mx1.example.com", ""))
        self.chroot("dpkg", "-i", "/tmp/first.deb")
        self.assertFalse((self.root / "etc/sallyport/sallyport.toml").exists())


if __name__ == "__main__":
    unittest.main()
