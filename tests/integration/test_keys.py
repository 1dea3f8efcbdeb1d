"""A key that has been replaced is nowhere in the memory of the process that serves (threats.md V7).

The test reads that memory as root may: through /proc/PID/mem. What it looks for are the secret numbers of a key in the forms in which they
occur: octets as they stand in the file (DER), words as the CPU has them, and the text of the PEM file.
"""
import os
import pathlib
import re
import shutil
import unittest

from support import PROGRAM, Client, GatewayTest, run, tool, wait_until


MOST_OCTETS = 1 << 32  # of one mapping: what is larger is the bookkeeping of a sanitizer


def make_key(path, kind):
    options = {"rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}[kind]
    run([tool("openssl"), "genpkey", "-algorithm", *options, "-out", path], check=True)


def secrets_of(path):
    """Octets that occur only where the key is, by what they are."""
    text = run([tool("openssl"), "pkey", "-in", path, "-text", "-noout"], check=True).stdout
    found = {}
    for name, digits in re.findall(r"(?m)^(\w+):\n((?:    [0-9a-f:]+\n)+)", text):
        octets = bytes.fromhex("".join(re.findall(r"[0-9a-f]{2}", digits))).lstrip(b"\0")
        if name in ("priv", "privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient"):
            found[f"{name} as in the file"] = octets[4:28]
            found[f"{name} as words"] = octets[::-1][4:28]
    lines = pathlib.Path(path).read_text().splitlines()[1:-1]
    found["the text"] = lines[len(lines) // 2][:40].encode()
    return found


def memory_of(pid):
    """All that the process may write."""
    pieces = []
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            begin, end = (int(number, 16) for number in line.split()[0].split("-"))
            if line.split()[1].startswith("rw") and end - begin < MOST_OCTETS:
                try:
                    memory.seek(begin)
                    pieces.append(memory.read(end - begin))
                except OSError:
                    pass  # a guard page, or gone meanwhile
    return pieces


@unittest.skipIf(os.geteuid() != 0, "only root may look into the process")
class Replaced(GatewayTest):
    def found_in_memory(self, secrets):
        pieces = memory_of(self.running.pid)
        return sorted(name for name, octets in secrets.items() if any(octets in piece for piece in pieces))

    def give_away(self, path):
        path.chmod(0o600)
        shutil.chown(path, "nobody")

    def renew(self, kind, folder):
        """A new key and certificate under the same names."""
        make_key(folder / "privkey.pem", kind)
        run([tool("openssl"), "req", "-x509", "-key", folder / "privkey.pem", "-subj", "/CN=mx.test.example", "-days", "2",
             "-out", folder / "fullchain.pem"], check=True)
        for path in folder.iterdir():
            self.give_away(path)
        return secrets_of(folder / "privkey.pem")

    def deliver_by_tls(self):
        with Client(self.port) as client:
            client.greet()
            client.starttls()
            client.ask("EHLO client.example", 250)
            client.mail()
            client.message(b"From: ann@sender.example\r\nSubject: x\r\n\r\ny")
            client.ask("QUIT", 221)

    def test_keys_of_tls_and_of_seals(self):
        self.folder.chmod(0o777)
        folder = self.folder / "certs"
        folder.mkdir()
        seal = self.folder / "seal.key"
        for kind in ("rsa", "ec"):
            with self.subTest(kind):
                old = self.renew(kind, folder)
                make_key(seal, "rsa")
                self.give_away(seal)
                old_seal = secrets_of(seal)
                upstream = self.sink()
                self.running = self.gateway(upstream.port, workers=2, policy={"mode": "off", "arc": {"mode": "enforce", "seal": {
                    "domain": "test.example", "selector": "s", "key": {"file": seal}}}})
                for _ in range(5):
                    self.deliver_by_tls()
                upstream.wait_for(5)
                self.assertTrue(self.found_in_memory(old), "the test finds keys")
                self.assertTrue(self.found_in_memory(old_seal), "the test finds keys")
                new = self.renew(kind, folder)
                make_key(seal, "rsa")
                self.give_away(seal)
                done = run([PROGRAM, "reload", "-c", self.folder / "sallyport.toml"])
                self.assertEqual(done.returncode, 0, done.stderr)
                for _ in range(5):
                    self.deliver_by_tls()
                wait_until("an end of the old keys", lambda: not self.found_in_memory(old) and not self.found_in_memory(old_seal), 10)
                self.assertTrue(self.found_in_memory(new))
                self.running.stop()


if __name__ == "__main__":
    unittest.main()
