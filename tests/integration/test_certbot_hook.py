#!/usr/bin/env python3
"""The deploy hook for certbot, with renewals made up by openssl, in front of a running gateway: what is served changes, and no
connection ends; what is wrong changes nothing."""
import contextlib
import grp
import os
import pwd
import shutil
import ssl
import stat
import threading
import unittest

from support import PROGRAM, ROOT, Client, GatewayTest, run, tool

HOOK = ROOT / "packaging/certbot/sallyport-deploy"
IS_ROOT = os.geteuid() == 0


class CertbotHook(GatewayTest):
    def setUp(self):
        super().setUp()
        self.place = self.folder / "etc with spaces/tls/mx 1"
        self.place.parent.mkdir(parents=True)
        self.number = 0

    # ---- what certbot does ----

    def renew(self, name="mx.test.example", days=90, key=None):
        """A lineage as certbot keeps it: live/NAME holds links into archive/NAME. Gives the folder and the certificate's text."""
        self.number += 1
        base = self.folder / "lets encrypt"
        live, archive = base / "live" / name, base / "archive" / name
        for folder in (live, archive):
            folder.mkdir(parents=True, exist_ok=True)
        chain, secret = (archive / f"{kind}{self.number}.pem" for kind in ("fullchain", "privkey"))
        if key is None:
            self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", secret)
        else:
            shutil.copy(key, secret)
        secret.chmod(0o600)
        self.openssl("req", "-x509", "-new", "-key", secret, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                     "-set_serial", 1000 + self.number, "-days", days, "-out", chain)
        for kind in ("fullchain", "privkey"):
            link = live / f"{kind}.pem"
            link.unlink(missing_ok=True)
            link.symlink_to(f"../../archive/{name}/{kind}{self.number}.pem")
        return live

    def certify(self, key, chain, begin, end):
        """A certificate for this key and this time, of past or future."""
        place = self.folder / "authority"
        place.mkdir(exist_ok=True)
        (place / "index.txt").write_text("")
        (place / "openssl.cnf").write_text(
            f"[ca]\ndefault_ca = here\n[here]\ndatabase = {place}/index.txt\nnew_certs_dir = {place}\nrand_serial = yes\n"
            "default_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n")
        self.openssl("req", "-new", "-key", key, "-subj", "/CN=mx.test.example", "-out", place / "request.pem")
        self.openssl("ca", "-config", place / "openssl.cnf", "-batch", "-selfsign", "-keyfile", key, "-in",
                     place / "request.pem", "-startdate", begin, "-enddate", end, "-notext", "-out", chain)

    @staticmethod
    def openssl(*arguments):
        done = run([tool("openssl"), *arguments])
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout

    def hook(self, lineage, **more):
        environment = {**os.environ, "RENEWED_LINEAGE": str(lineage), "RENEWED_DOMAINS": "mx.test.example",
                       "SALLYPORT": str(PROGRAM), "SALLYPORT_TLS_DIR": str(self.place),
                       "SALLYPORT_CONFIG": str(self.folder / "sallyport.toml"), **more}
        environment = {key: value for key, value in environment.items() if value is not None}
        return run(["/bin/sh", HOOK], env=environment)

    def deploy(self, lineage, **more):
        done = self.hook(lineage, **more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def refused(self, lineage, *words, **more):
        """The hook refuses this, with a sentence, and nothing has changed on the disk or at the door."""
        before, served = self.tree(), self.served()
        done = self.hook(lineage, **more)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(self.tree(), before)
        self.assertEqual(self.served(), served)

    # ---- what is seen ----

    def tree(self):
        """Every name below the place, with its kind, mode and content."""
        found = {}
        for path in self.place.rglob("*"):
            status = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found[str(path.relative_to(self.place))] = (status.st_mode, status.st_uid, status.st_gid, content)
        return found

    def serial(self, file):
        return int(self.openssl("x509", "-in", file, "-noout", "-serial").strip().partition("=")[2], 16)

    def served(self):
        """The serial number of the certificate that a new client is shown."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with Client(self.port) as client:
            client.greet()
            client.ask("STARTTLS", 220)
            client.socket = context.wrap_socket(client.socket)
            shown = ssl.DER_cert_to_PEM_cert(client.socket.getpeercert(True))
            file = self.folder / "shown.pem"
            file.write_text(shown)
            return self.serial(file)

    def serve(self, **tls):
        """The first certificate is installed by the hook while no gateway runs; then one starts with it."""
        self.upstream = self.sink()
        self.configuration(self.upstream.port, tls={"cert": self.place, **tls})
        said = self.deploy(self.renew()).stdout
        self.assertIn("no gateway is running", said)
        self.start_gateway(self.folder / "sallyport.toml")
        self.assertEqual(self.served(), 1001)

    # ---- tests ----

    def test_a_renewal_is_served_and_no_connection_ends(self):
        self.serve()
        plain, encrypted = Client(self.port), Client(self.port)
        with plain, encrypted:
            plain.greet()
            plain.mail()
            plain.ask("DATA", 354)
            plain.send("Subject: half\r\n\r\nof it")
            encrypted.greet()
            encrypted.starttls()
            for expected in (1002, 1003, 1004):
                self.deploy(self.renew())
                self.assertEqual(self.served(), expected)
            plain.send(" and the rest\r\n.\r\n")
            plain.expect(250)
            encrypted.ask("EHLO client.example", 250)
            encrypted.mail()
            encrypted.message("Subject: x\r\n\r\ny")
            encrypted.ask("QUIT", 221)
        self.assertEqual(len(self.upstream.wait_for(2)), 2)
        # The one before is kept, and no more keys than that.
        self.assertEqual(len(list((self.place / ".versions").iterdir())), 2)
        if IS_ROOT:
            group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_gid
            key = (self.place / "privkey.pem").stat()
            self.assertEqual((stat.S_IMODE(key.st_mode), key.st_uid, key.st_gid), (0o640, 0, group))

    def test_again_with_the_same(self):
        self.serve()
        lineage = self.renew()
        for _ in range(3):
            self.deploy(lineage)
            self.assertEqual(self.served(), 1002)
        self.assertLessEqual(len(list((self.place / ".versions").iterdir())), 2)
        self.assertEqual(sorted(path.name for path in self.place.iterdir()),
                         [".current", ".lock", ".versions", "fullchain.pem", "privkey.pem"])

    def test_what_is_wrong_changes_nothing(self):
        self.serve()
        lineage = self.renew()
        self.deploy(lineage)
        chain, key = ((lineage / f"{kind}.pem").resolve() for kind in ("fullchain", "privkey"))
        other = self.folder / "other.pem"
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other)
        locked = self.folder / "locked.pem"
        self.openssl("pkey", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked)
        good = {chain: chain.read_bytes(), key: key.read_bytes()}
        for what, file, content, word in (
            ("another key", key, other.read_bytes(), "is not the key"),
            ("an encrypted key", key, locked.read_bytes(), "without a password"),
            ("an empty key", key, b"", "no key"),
            ("half a key", key, good[key][:80], "no key"),
            ("no key", key, None, "privkey.pem is missing"),
            ("an empty chain", chain, b"", "no certificate"),
            ("half a chain", chain, good[chain][:200], "no certificate"),
            ("no chain", chain, None, "fullchain.pem is missing"),
        ):
            with self.subTest(what):
                file.unlink() if content is None else file.write_bytes(content)
                self.refused(lineage, word)
                for path, octets in good.items():
                    path.write_bytes(octets)
        with self.subTest("a broken certificate below the first"):
            chain.write_bytes(good[chain] + good[chain][:200])
            self.refused(lineage, "the former one is in place again")
            chain.write_bytes(good[chain])
        with self.subTest("expired"):
            self.certify(key, chain, "20200101000000Z", "20200401000000Z")
            self.refused(lineage, "has expired")
        with self.subTest("of the future"):
            self.certify(key, chain, "20990101000000Z", "20990401000000Z")
            self.refused(lineage, "not valid before 2099-01-01")
            chain.write_bytes(good[chain])
        with self.subTest("no lineage"):
            self.refused("", "RENEWED_LINEAGE")
            self.refused(self.folder / "nowhere", "holds the certificate of")
        with self.subTest("another lineage for the same folder"):
            self.refused(self.renew("www.test.example"), "holds the certificate of")
        with self.subTest("a configuration that is not there"):
            self.refused(lineage, "nothing was installed", SALLYPORT_CONFIG="/nowhere/sallyport.toml")
        self.deploy(lineage)

    def test_a_configuration_that_was_wrong_before(self):
        """The certificate is good: it is kept for the day on which the mistake is mended."""
        other = self.certificate()
        self.serve(sni={"mx.other.example": {"cert": other}})
        away = other.rename(self.folder / "away")
        done = self.hook(self.renew())
        self.assertEqual(done.returncode, 1)
        self.assertIn("mend that", done.stderr)
        self.assertEqual(self.served(), 1001)
        away.rename(other)
        self.assertEqual(run([PROGRAM, "reload", "-c", self.folder / "sallyport.toml"]).returncode, 0)
        self.assertEqual(self.served(), 1002)

    def test_files_that_were_there_before(self):
        """A folder that somebody filled by hand is taken over."""
        self.upstream = self.sink()
        first = self.renew()
        self.place.mkdir()
        for name in ("fullchain.pem", "privkey.pem"):
            shutil.copy(first / name, self.place / name)
            if IS_ROOT:
                shutil.chown(self.place / name, "nobody")
        self.gateway(self.upstream.port, tls={"cert": self.place})
        self.assertEqual(self.served(), 1001)
        lineage = self.renew()
        good = (lineage / "privkey.pem").read_bytes()
        (lineage / "privkey.pem").resolve().write_bytes(b"")
        self.assertNotEqual(self.hook(lineage).returncode, 0)
        self.assertEqual(self.serial(self.place / "fullchain.pem"), 1001)
        (lineage / "privkey.pem").resolve().write_bytes(good)
        self.deploy(lineage)
        self.assertEqual(self.served(), 1002)

    def test_never_a_chain_with_another_key(self):
        """Whoever takes the folder behind the link once finds a pair in it, at every moment of a renewal."""
        self.serve()
        done, wrong, seen = threading.Event(), [], set()

        def public(arguments):
            return run([tool("openssl"), *arguments]).stdout

        def look():
            while not done.is_set():
                with contextlib.suppress(FileNotFoundError):
                    folder = (self.place / ".current").resolve(strict=True)
                    chain = public(["x509", "-in", folder / "fullchain.pem", "-noout", "-pubkey"])
                    key = public(["pkey", "-in", folder / "privkey.pem", "-pubout"])
                    seen.add(chain)
                    if chain and key and chain != key:
                        wrong.append(folder)
                for name in ("fullchain.pem", "privkey.pem"):
                    if not (self.place / name).exists():
                        wrong.append(name)

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            for _ in range(4):
                self.deploy(self.renew())
        finally:
            done.set()
            watcher.join()
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(len(seen), 2)

    def test_certificates_of_other_services_are_left_alone(self):
        """In renewal-hooks/deploy it runs for every certificate of the host; keys of others are not copied."""
        self.serve()
        before = self.tree()
        done = self.deploy(self.renew("www.test.example"), SALLYPORT_TLS_DIR=None)
        self.assertIn("was left alone", done.stdout)
        self.assertEqual(self.tree(), before)


if __name__ == "__main__":
    unittest.main()
