#!/usr/bin/env python3
"""DKIM beside others: 500 generated messages, signed by us, by dkimpy and by libopendkim, part of them changed on the way,
and verified by all three. They must agree on every one.

What only we refuse (threats.md D15-D18: a part of the body, unsigned From fields, times, public suffixes, rsa-sha1) is not
among them. The same messages each time; the keys are made anew.
"""
import base64
import ctypes
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

# Debian's packages of Python modules are those of Debian's Python.
if importlib.util.find_spec("dkim") is None and sys.executable != "/usr/bin/python3":
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

import dkim

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = os.environ.get("SALLYPORT_DKIM_PEER", ROOT / "build/release/tests/integration/dkim_peer")
MESSAGES = 500
DOMAIN = "signed.example.org"
SIGNED = [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version"]


class Ours:
    """The built signer and verifier, one process for all messages."""
    name = "sallyport"

    def __init__(self, keys):
        self.keys = keys
        self.process = subprocess.Popen([PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def sign(self, message, key, header, body):
        answer = self.ask(sign=base64.b64encode(message).decode(), key=key.pem, domain=DOMAIN, selector=key.selector,
                          header=header, body=body)
        return base64.b64decode(answer["field"])

    def verify(self, message):
        answer = self.ask(verify=base64.b64encode(message).decode(), dns={key.name: key.record for key in self.keys})
        ((result, self.reason),) = answer["results"]
        assert result in ("pass", "fail"), answer
        return result == "pass"

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Dkimpy:
    name = "dkimpy"

    def __init__(self, keys):
        self.records = {key.name: key.record.encode() for key in keys}

    def sign(self, message, key, header, body):
        present = [name for name in SIGNED if b"\r\n" + name.lower() + b":" in b"\r\n" + message.lower()]
        return dkim.sign(message, key.selector.encode(), DOMAIN.encode(), key.for_dkimpy, include_headers=present,
                         canonicalize=(header.encode(), body.encode()), signature_algorithm=key.algorithm.encode())

    def verify(self, message):
        return dkim.verify(message, dnsfunc=lambda name, timeout=5: self.records[name.decode().rstrip(".")])

    def close(self):
        pass


class Opendkim:
    """libopendkim by its C interface (its dkim.h)."""
    name = "opendkim"
    SETOPT, QUERY_METHOD, QUERY_INFO, QUERY_FILE = 1, 6, 7, 1
    OK, RSA_SHA256, WHOLE_BODY = 0, 1, (1 << 64) - 1
    FORMS = {"simple": 0, "relaxed": 1}

    def __init__(self, keys):
        self.library = ctypes.CDLL("libopendkim.so.11")
        for function in ("dkim_init", "dkim_sign", "dkim_verify"):
            getattr(self.library, function).restype = ctypes.c_void_p
        self.lib = ctypes.c_void_p(self.library.dkim_init(None, None))
        self.keys_file = tempfile.NamedTemporaryFile("w", suffix=".keys")
        for key in keys:
            self.keys_file.write(f"{key.name} {key.record}\n")
        self.keys_file.flush()
        method = ctypes.c_int(self.QUERY_FILE)
        path = ctypes.create_string_buffer(self.keys_file.name.encode())
        self.must(self.library.dkim_options(self.lib, self.SETOPT, self.QUERY_METHOD, ctypes.byref(method),
                                            ctypes.c_size_t(ctypes.sizeof(method))))
        self.must(self.library.dkim_options(self.lib, self.SETOPT, self.QUERY_INFO, path,
                                            ctypes.c_size_t(len(self.keys_file.name))))

    def must(self, status):
        assert status == self.OK, f"libopendkim: {status}"

    def feed(self, handle, message):
        header, _, body = message.partition(b"\r\n\r\n")
        fields = []
        for line in header.split(b"\r\n"):
            if line[:1] in b" \t" and fields:
                fields[-1] += b"\r\n" + line
            else:
                fields.append(line)
        for field in fields:
            self.must(self.library.dkim_header(handle, field, ctypes.c_size_t(len(field))))
        status = self.library.dkim_eoh(handle)
        if status != self.OK:
            return status
        if body:
            self.must(self.library.dkim_body(handle, body, ctypes.c_size_t(len(body))))
        return self.library.dkim_eom(handle, None)

    def sign(self, message, key, header, body):
        status = ctypes.c_int()
        handle = ctypes.c_void_p(self.library.dkim_sign(
            self.lib, b"test", None, key.pem.encode(), key.selector.encode(), DOMAIN.encode(),
            self.FORMS[header], self.FORMS[body], self.RSA_SHA256, ctypes.c_ssize_t(-1), ctypes.byref(status)))
        self.must(status.value)
        self.must(self.feed(handle, message))
        value = ctypes.create_string_buffer(8192)
        self.must(self.library.dkim_getsighdr(handle, value, ctypes.c_size_t(len(value)), ctypes.c_size_t(16)))
        self.library.dkim_free(handle)
        # It folds with a bare LF, as milters do.
        return b"DKIM-Signature: " + value.value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"

    def verify(self, message):
        status = ctypes.c_int()
        handle = ctypes.c_void_p(self.library.dkim_verify(self.lib, b"test", None, ctypes.byref(status)))
        self.must(status.value)
        result = self.feed(handle, message)
        self.library.dkim_free(handle)
        return result == self.OK

    def close(self):
        self.library.dkim_close(self.lib)
        self.keys_file.close()


class Key:
    def __init__(self, algorithm, bits=0):
        self.algorithm = algorithm
        self.selector = f"{algorithm.split('-')[0]}{bits}"
        self.name = f"{self.selector}._domainkey.{DOMAIN}"
        kind = ["RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}"] if bits else ["ED25519"]
        self.pem = subprocess.run(["openssl", "genpkey", "-algorithm", *kind], check=True, capture_output=True).stdout.decode()
        public = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=self.pem.encode(), check=True,
                                capture_output=True).stdout
        if bits:
            traditional = subprocess.run(["openssl", "rsa", "-traditional"], input=self.pem.encode(), check=True,
                                         capture_output=True).stdout
            self.for_dkimpy, self.pem = traditional, traditional.decode()
            self.record = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
        else:
            der = base64.b64decode("".join(self.pem.splitlines()[1:-1]))
            self.for_dkimpy = base64.b64encode(der[-32:])
            self.record = "v=DKIM1; k=ed25519; p=" + base64.b64encode(public[-32:]).decode()


WORDS = ["hello", "dinner", "report", "a", "caf\u00e9", "=20", ".", "..", "From", "x" * 70, "--", "[1]", "a;b=c", "1:2"]


def words(random, most):
    return "".join(random.choice(WORDS) + random.choice([" ", " ", " ", "  ", "\t", " \t "]) for _ in range(random.randint(0, most)))


def make_message(random):
    """A message as signers may get it: white space, empty lines and 8-bit text in the places where they matter."""
    fields = ["From: Ann  Example <ann@signed.example.org>", f"Date: Tue, 14 Nov 2023 22:{random.randint(10, 59)}:00 +0000",
              f"Message-ID: <{random.getrandbits(64):x}@signed.example.org>"]
    subject = words(random, 8).strip() or "x"
    if random.random() < 0.3:
        subject = subject.replace(" ", random.choice(["\r\n ", "\r\n\t"]), 1)
    fields.append(random.choice(["Subject: ", "subject:", "SUBJECT:  "]) + subject + random.choice(["", " ", "\t"]))
    if random.random() < 0.8:
        fields.append("To: bob@example.com," + random.choice([" ", "\r\n ", "\r\n\t "]) + "carol@example.com")
    if random.random() < 0.5:
        fields.append("MIME-Version: 1.0")
    for i in range(random.randint(0, 3)):
        fields.append(f"Received: from h{i}.example by h{i + 1}.example;\r\n\tTue, 14 Nov 2023 22:00:00 +0000")
    random.shuffle(fields)
    lines = [words(random, 9) if random.random() < 0.75 else random.choice(["", "", " ", "\t"]) for _ in range(random.randint(0, 12))]
    # Over SMTP there always is a last line end, and libopendkim wants one.
    body = "\r\n".join(lines) + random.choice(["\r\n", "\r\n", "\r\n\r\n\r\n"])
    return ("\r\n".join(fields) + "\r\n\r\n" + body).encode()


def split(message):
    header, _, body = message.partition(b"\r\n\r\n")
    return header + b"\r\n", body


def change(random, message):
    """What may happen on the way. Some of it breaks a signature, some does not: that is for the verifiers to agree on."""
    header, body = split(message)
    kind = random.choice(["none", "none", "none", "body_text", "body_end", "body_lines", "body_space", "subject", "name_case",
                          "field_space", "received", "unsigned", "order", "lost"])
    if kind == "body_text":
        body = body.replace(b"e", b"E", 1) if b"e" in body else body + b"text\r\n"
    elif kind == "body_end":
        body += b"one more line\r\n"
    elif kind == "body_lines":
        body += (b"" if body.endswith(b"\r\n") or not body else b"\r\n") + b"\r\n" * random.randint(1, 3)
    elif kind == "body_space":
        body = body.replace(b" ", b"  ", 1)
    elif kind == "subject":
        header = header.replace(b"ubject:", b"ubject: Re:", 1).replace(b"UBJECT:", b"UBJECT: Re:", 1)
    elif kind == "name_case":
        header = header.replace(b"Date:", b"DATE:", 1)
    elif kind == "field_space":
        header = header.replace(b"Ann  Example", b"Ann\r\n Example", 1)
    elif kind == "received":
        header = b"Received: from x.example by y.example; Tue, 14 Nov 2023 23:00:00 +0000\r\n" + header
    elif kind == "unsigned":
        header += b"X-Spam-Status: No\r\n"
    elif kind == "order":
        # The signature stays on top; the fields below it change places.
        header = header.replace(b"\r\nMessage-ID:", b"\r\nX-Between: 1\r\nMessage-ID:", 1)
    elif kind == "lost":
        header = header.replace(b"\r\nMIME-Version: 1.0", b"", 1)
    return kind, header + b"\r\n" + body


class DkimPeers(unittest.TestCase):
    def test_all_agree(self):
        rsa, large, ed25519 = Key("rsa-sha256", 1024), Key("rsa-sha256", 2048), Key("ed25519-sha256")
        keys = [rsa, large, ed25519]
        ours, dkimpy, opendkim = peers = Ours(keys), Dkimpy(keys), Opendkim(keys)
        for peer in peers:
            self.addCleanup(peer.close)
        dice = random.Random(6376)
        passed = 0
        for number in range(MESSAGES):
            signer = peers[number % 3]
            # libopendkim knows no Ed25519, and RSA of 2048 bits is slow in Python.
            of_signer = {ours: [rsa, large, ed25519], dkimpy: [rsa, rsa, ed25519], opendkim: [rsa, large]}
            key = dice.choice(of_signer[signer])
            header, body = dice.choice(["simple", "relaxed"]), dice.choice(["simple", "relaxed"])
            message = make_message(dice)
            signed = signer.sign(message, key, header, body) + message
            kind, changed = change(dice, signed)
            results = {peer.name: peer.verify(changed) for peer in peers if not (peer is opendkim and key is ed25519)}
            what = f"message {number} by {signer.name}, {key.selector}, {header}/{body}, {kind}: {results} ({ours.reason})\n{changed!r}"
            self.assertEqual(len(set(results.values())), 1, what)
            if kind == "none":
                self.assertTrue(results[ours.name], what)
            passed += results[ours.name]
        # Neither answer is a matter of course.
        self.assertGreater(passed, MESSAGES // 4)
        self.assertGreater(MESSAGES - passed, MESSAGES // 5)
        print(f"dkim peers: {MESSAGES} messages, {passed} of them pass, and all agree")


if __name__ == "__main__":
    unittest.main(verbosity=2)
