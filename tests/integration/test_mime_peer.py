#!/usr/bin/env python3
"""The parts of mails beside Python's email package: 2,000 generated mails, half of them damaged, each read by both.

Of a mail that is well-formed, both must find the same parts: type, content, names, in one order. Of a damaged one, what
Python finds must be found by us, in some reading; where our most plausible reading is another than Python's, one of the
reasons below must be there. The same mails each time.
"""
import base64
import collections
import email
import email.message
import email.policy
import json
import os
import pathlib
import random
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = os.environ.get("SALLYPORT_MIME_PEER", ROOT / "build/release/tests/integration/mime_peer")
MAILS = 2000
SEED = 20240229

# Where the most plausible reading is another than Python's: what shows that, and why.
REASONS = {
    "malformed_line": "Python ends a header section at the first line that is no field; we go on to the empty line, and "
                      "take the other as a further reading",
    "header_without_end": "a header section that a delimiter cuts off: to us the delimiter counts, to Python it is a field",
    "boundary_not_found": "a multipart whose delimiter never comes: Python gives its whole body as its text, we as text "
                          "before the first delimiter",
    "missing_boundary": "the same without any boundary",
    "text_after_close": "delimiters behind the last one: parts to us, as to many readers; epilogue to Python",
    "conflicting_type": "two types: Python takes the first; the body of ours is told by the boundary that it has",
    "conflicting_encoding": "two encodings: Python takes the first, and nothing for what it does not know",
    "duplicate_field": "the same, with one that says nothing",
    "unknown_encoding": "Python decodes nothing for an encoding that it does not know; we decode what it looks like",
    "encoded_composite": "an attached message in base64: Python gives the text undecoded, we read the message in it",
    "bad_base64": "Python drops what is behind padding or decodes nothing; we go on",
    "bad_quoted_printable": "escapes that are none",
    "boundary_reused": "one boundary for two multiparts, one in the other: Python closes both, we the inner one",
    "malformed_field": "parameters that do not follow the grammar",
    "bad_boundary": "a boundary that ends in white space, which Python compares and we do not",
}

REASONS |= {
    "boundary_prefix": "a line that begins like a delimiter and goes on: text to both, and a delimiter in a further reading",
    "odd_preamble": "a multipart of which only the last delimiter comes: its text is that before the first one to us, and "
                    "its whole body to Python",
    "odd_epilogue": "the same behind the last one",
    "nul": "NUL in a field",
}

# Where Python has octets that nobody needs: what shows that, and why.
PYTHONS_OWN = {
    "bad_quoted_printable": "it takes == for =",
    "encoded_composite": "it decodes the body of a multipart, delimiters and all",
}

ALPHABET = "abcdefghij klmnop äöü€ привет 世界 \"'();,.-_"
CHARSETS = ["us-ascii", "utf-8", "iso-8859-1", "koi8-r"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, most):
        lines = []
        for _ in range(self.random.randint(0, most)):
            lines.append("".join(self.random.choice("abc def ghi, jkl. xyz=-_") for _ in range(self.random.randint(0, 70))))
        return "".join(line + "\n" for line in lines)

    def name(self):
        stem = "".join(self.random.choice(ALPHABET) for _ in range(self.random.randint(1, 12))).strip(" .\"';)(") or "x"
        return stem + self.random.choice([".pdf", ".docx", ".exe", ".tar.gz", ".txt"])

    def leaf(self):
        part = email.message.EmailMessage()
        kind = self.random.randrange(4)
        if kind == 0:
            part.set_content(self.text(8), cte=self.random.choice(["7bit", "quoted-printable", "base64", "8bit"]))
        elif kind == 1:
            text = self.text(4) + self.random.choice(["", "grüße €\n", "привет\n"])
            part.set_content(text, charset="utf-8", cte=self.random.choice(["8bit", "quoted-printable", "base64"]))
        elif kind == 2:
            part.set_content("<p>" + self.text(4) + "</p>", subtype="html")
        else:
            octets = bytes(self.random.randrange(256) for _ in range(self.random.randint(0, 400)))
            part.set_content(octets, "application", self.random.choice(["octet-stream", "pdf", "zip"]), filename=self.name(),
                             disposition=self.random.choice(["attachment", "inline"]))
        return part

    def tree(self, depth):
        kind = self.random.randrange(6) if depth < 4 else 0
        if kind < 2:
            return self.leaf()
        if kind == 2 and depth > 0:
            inner = self.tree(depth + 2)
            inner["Subject"] = "inner"
            part = email.message.EmailMessage()
            part.set_content(inner)
            return part
        part = email.message.EmailMessage()
        part["MIME-Version"] = "1.0"
        part["Content-Type"] = "multipart/" + self.random.choice(["mixed", "alternative", "related", "parallel"])
        part.set_boundary("=_%d.%d" % (depth, self.random.randrange(10 ** 6)))
        part.set_payload([self.tree(depth + 1) for _ in range(self.random.randint(1, 3))])
        if self.random.randrange(3) == 0:
            part.preamble = "This is a multi-part message.\n"
        if self.random.randrange(3) == 0:
            part.epilogue = "That was it.\n"
        return part

    def well_formed(self):
        mail = self.tree(0)
        mail["From"] = "ann@a.example"
        mail["Subject"] = "mail"
        return mail.as_bytes(policy=email.policy.SMTP)

    def damaged(self):
        lines = self.well_formed().split(b"\r\n")
        for _ in range(self.random.randint(1, 3)):
            if len(lines) < 2:
                break
            at = self.random.randrange(1, len(lines))
            way = self.random.randrange(9)
            if way == 0:
                del lines[at]
            elif way == 1:
                lines.insert(at, lines[at])
            elif way == 2:
                lines.insert(at, self.random.choice([b"--", b"junk", b"X", b" ", b"=", b"--x", b"a: b", b"\tfolded"]))
            elif way == 3 and lines[at]:
                cut = self.random.randrange(len(lines[at]))
                lines[at] = lines[at][:cut] + self.random.choice([b"#", b"=", b"-", b" ", b"\x00", b"\xff", b'"', b"(", b";"]) + lines[at][cut:]
            elif way == 4:
                lines[at] = lines[at].swapcase()
            elif way == 5:
                del lines[at:]
            elif way == 6:
                other = self.random.randrange(1, len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            elif way == 7:
                starts = [i for i, line in enumerate(lines) if line.startswith(b"--=_")]
                if starts:
                    i = self.random.choice(starts)
                    lines[i] = self.random.choice([lines[i] + b"x", lines[i] + b" ", lines[i][:-1], lines[i] + b"--", b" " + lines[i]])
            else:
                fields = [i for i, line in enumerate(lines) if line.lower().startswith(b"content-")]
                if fields:
                    i = self.random.choice(fields)
                    lines.insert(i, self.random.choice([b"Content-Type: text/plain", b"Content-Transfer-Encoding: base64",
                                                        b"Content-Transfer-Encoding: x-new", b"Content-Type: multipart/mixed; boundary=zz"]))
        return b"\r\n".join(lines)


def squeezed(octets):
    return bytes(c for c in octets if c not in b" \t\r\n\x00")


def is_undecoded(part, content):
    """Whether Python has given an encoded part as it stands, as it does for base64 that does not please it."""
    field = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    raw = part.get_payload()
    return field not in ("7bit", "8bit", "binary") and squeezed(raw.encode("utf-8", "surrogateescape")) == squeezed(content)


def of_python(mail):
    """[(type, content, whether it was decoded)] of the leaves."""
    leaves = []
    message = email.message_from_bytes(mail, policy=email.policy.compat32)

    def walk(part):
        payload = part.get_payload()
        if isinstance(payload, list) and payload:
            for one in payload:
                walk(one)
            return
        if isinstance(payload, list):
            payload = ""
        if part.is_multipart() or (not payload and part.get_content_maintype() == "multipart"):
            return
        content = part.get_payload(decode=True) or b""
        leaves.append((part.get_content_type().split()[0], content, not is_undecoded(part, content)))
    walk(message)
    return leaves


class Peer:
    def __init__(self):
        self.process = subprocess.Popen([PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self, mail):
        self.process.stdin.write(json.dumps({"mail": base64.b64encode(mail).decode()}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        for part in answer["parts"]:
            part["content"] = base64.b64decode(part["content"])
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class BesidePython(unittest.TestCase):
    def setUp(self):
        self.peer = Peer()
        self.addCleanup(self.peer.close)

    @staticmethod
    def leaves(answer):
        return [p for p in answer["parts"] if not (p["container"] or p["alternate"] or p["around"])]

    def test_well_formed_mails_have_the_same_parts(self):
        generator = Generator(SEED)
        for i in range(MAILS // 2):
            mail = generator.well_formed()
            answer = self.peer.read(mail)
            theirs = of_python(mail)
            ours = self.leaves(answer)
            self.assertEqual(answer["unscannable"], "no", mail)
            self.assertEqual([p["type"] or "text/plain" for p in ours], [t for t, _, _ in theirs], (i, mail))
            for mine, (_, content, _) in zip(ours, theirs):
                self.assertEqual(mine["content"], content, (i, mail))
            names = [email.message_from_bytes(mail, policy=email.policy.SMTP)]
            expected = [part.get_filename() for part in names[0].walk() if not part.is_multipart()]
            for mine, name in zip(ours, expected):
                self.assertEqual(mine["names"][:1], [name] if name else [], (i, mail))

    def test_nothing_of_damaged_mails_is_lost(self):
        generator = Generator(SEED + 1)
        seen = collections.Counter()
        for i in range(MAILS // 2):
            mail = generator.damaged()
            answer = self.peer.read(mail)
            theirs = of_python(mail)
            ours = self.leaves(answer)
            self.assertEqual(answer["unscannable"], "no", mail)
            found = [squeezed(p["content"]) for p in answer["parts"]]
            for _, content, is_decoded in theirs:
                is_own = any(word in answer["oddities"].split() for word in PYTHONS_OWN)
                wanted = squeezed(content) if is_decoded and not is_own else b""
                self.assertTrue(not wanted or any(wanted in one for one in found), (i, answer["oddities"], content, mail))
            same = [(p["type"] or "text/plain", squeezed(p["content"])) for p in ours] == [(t, squeezed(c)) for t, c, _ in theirs]
            if same:
                seen["the same"] += 1
                continue
            reasons = [word for word in answer["oddities"].split() if word in REASONS]
            self.assertTrue(reasons, (i, answer["oddities"], [(p["type"], p["content"]) for p in ours], theirs, mail))
            seen[reasons[0]] += 1
        print("damaged mails:", ", ".join(f"{count} {what}" for what, count in seen.most_common()))


if __name__ == "__main__":
    unittest.main()
