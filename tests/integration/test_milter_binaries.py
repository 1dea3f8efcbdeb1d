#!/usr/bin/env python3
"""Debian's opendkim, opendmarc, spamass-milter and pymilter, as they are, on libsallyport-milter: the same transcript as on libmilter."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from milter_mta import DEBIANS, LIBRARY, OFFER, Mta
from postfix_server import Postfix
from support import Client, GatewayTest, accepts, free_port, tool, wait_until

BODY = b"A confidential offer\r\nfor you\r\n"
FIELDS = [("From", "ann@sender.example"), ("To", "user@test.example"), ("Date", "Mon, 30 Nov 2026 10:00:00 +0000"),
          ("Subject", "hello\n\tand more"), ("Message-ID", "<1@sender.example>")]

MILTERTEST = """conn = mt.connect("{place}", 20, 0.2)
if conn == nil then error("no connection") end
function good(what, result) if result ~= nil then error(what .. ": " .. tostring(result)) end end
function goes_on(what) if mt.getreply(conn) ~= SMFIR_CONTINUE then error(what .. " is not continued") end end
good("connect", mt.conninfo(conn, "localhost", "127.0.0.1"))
goes_on("connect")
good("macro", mt.macro(conn, SMFIC_MAIL, "i", "QID1"))
good("MAIL", mt.mailfrom(conn, "<ann@sender.example>"))
goes_on("MAIL")
good("RCPT", mt.rcptto(conn, "<user@test.example>"))
goes_on("RCPT")
for _, field in ipairs({{ {{"From", "ann@sender.example"}}, {{"Date", "Mon, 30 Nov 2026 10:00:00 +0000"}}, {{"Subject", "hello"}} }}) do
  good("header", mt.header(conn, field[1], field[2]))
  goes_on("header")
end
good("end of header", mt.eoh(conn))
goes_on("end of header")
good("body", mt.bodystring(conn, "text\\r\\n"))
goes_on("body")
good("end", mt.eom(conn))
if mt.getreply(conn) ~= SMFIR_ACCEPT then error("not accepted") end
if not mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature") then error("not signed") end
mt.disconnect(conn)
"""


# All that a milter answers, step by step, and what it has asked for at the end.
TRANSCRIPT = """conn = mt.connect("{place}", 20, 0.2)
if conn == nil then error("no connection") end
function step(what, result)
  if result ~= nil then error(what .. ": " .. tostring(result)) end
  mt.echo(what .. " " .. tostring(mt.getreply(conn)))
end
function macro(result) if result ~= nil then error("macro: " .. tostring(result)) end end
macro(mt.macro(conn, SMFIC_CONNECT, "j", "mx.test.example", "_", "client.example [192.0.2.7]", "daemon_name", "smtpd"))
step("connect", mt.conninfo(conn, "client.example", "192.0.2.7"))
step("helo", mt.helo(conn, "client.example"))
macro(mt.macro(conn, SMFIC_MAIL, "i", "QID1"))
step("mail", mt.mailfrom(conn, "<ann@sender.example>"))
step("rcpt", mt.rcptto(conn, "<user@test.example>"))
for _, field in ipairs({{ {fields} }}) do step("header", mt.header(conn, field[1], field[2])) end
step("end of header", mt.eoh(conn))
if not mt.test_option(conn, SMFIP_NOBODY) then step("body", mt.bodystring(conn, "A confidential offer\\r\\nfor you\\r\\n")) end
step("end", mt.eom(conn))
for _, name in ipairs({{ "Authentication-Results", "DMARC-Filter", "X-Spam-Flag", "X-Spam-Status", "X-Other" }}) do
  for how, kind in pairs({{ inserted = MT_HDRINSERT, added = MT_HDRADD, changed = MT_HDRCHANGE }}) do
    if mt.eom_check(conn, kind, name) then mt.echo(name .. " is " .. how) end
  end
end
mt.disconnect(conn)
"""


def mail(mta, client, name, fields):
    """One mail, as Postfix sends it: all that the milter answers."""
    answers = []
    answers += mta.say(b"O", OFFER)
    mta.send((b"D", b"Cj\0mx.test.example\0{daemon_name}\0smtpd\0v\0Postfix 3.7.11\0_\0" + name + b" [" + client + b"]\0"))
    answers += mta.say(b"C", name + b"\0004\x30\x39" + client + b"\0")
    answers += mta.say(b"H", name + b"\0")
    mta.send((b"D", b"Mi\0QID1\0{mail_addr}\0ann@sender.example\0"))
    answers += mta.say(b"M", b"<ann@sender.example>\0SIZE=100\0")
    mta.send((b"D", b"Ri\0QID1\0{rcpt_addr}\0user@test.example\0"))
    answers += mta.say(b"R", b"<user@test.example>\0")
    for field, value in fields:
        answers += mta.say(b"L", f"{field}\0{value}\0".encode())
    mta.send((b"D", b"Ni\0QID1\0"))
    answers += mta.say(b"N")
    answers += mta.say(b"B", BODY)
    mta.send((b"D", b"Ei\0QID1\0"))
    answers += mta.say(b"E")
    mta.send((b"Q",))
    return answers


def without_id(header):
    """What Postfix called a mail, which filters write into their fields, too."""
    found = re.search(rb"\bid ([0-9A-Za-z]+)\b", header)
    return header.replace(found[1], b"ID") if found else header


def without_time(answers):
    """What a signature, a boundary and a date make of the time and of chance is cut out."""
    return [re.sub(rb"(?s)\bt=\d+|\bb=[^;]*|=_[0-9A-F.]+|\w+, \d+ \w+ \d+ [\d:]+ \+0000", b"", answer) for answer in answers]


def is_listening(place):
    try:
        Mta(str(place)).socket.close()
    except OSError:  # no file yet, or one that is not listened at yet
        return False
    return True


class Milters(GatewayTest):
    def libraries(self):
        """Ours, and libmilter where it is there."""
        return {"ours": LIBRARY, **({"libmilter": None} if DEBIANS.exists() else {})}

    def program(self, name):
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if not found:
            self.skipTest(f"no {name} here")
        return found

    def milter(self, name, library, argv, place):
        environment = dict(os.environ)
        if library:
            environment["LD_LIBRARY_PATH"] = str(library)
        process = self.start(name, argv, env=environment)
        wait_until(name, lambda: is_listening(place) or not process.is_running())
        self.assertTrue(process.is_running(), process.output())
        mapped = pathlib.Path(f"/proc/{process.pid}/maps").read_text()
        self.assertEqual("libsallyport-milter" in mapped, bool(library))
        return process

    def by_miltertest(self, place, fields):
        """What miltertest hears of a milter about one mail."""
        miltertest = self.program("miltertest")
        script = self.folder / "transcript.lua"
        quoted = ", ".join("{ " + ", ".join(json.dumps(text) for text in field) + " }" for field in fields)
        script.write_text(TRANSCRIPT.format(place=f"local:{place}", fields=quoted))
        done = subprocess.run([miltertest, "-s", script], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return sorted(done.stdout.splitlines())

    def by_postfix(self, place, fields, count=5):
        """The headers of mails that Postfix has had a milter look at, sorted; without what is of one mail alone."""
        os.chmod(place, 0o777)
        postfix = Postfix(self, more=f"smtpd_milters = unix:{place}\nmilter_default_action = tempfail\n")
        header = "".join(f"{name}: {value}\r\n" for name, value in fields)
        with Client(postfix.port) as client:
            client.greet()
            for _ in range(count):
                client.mail()
                client.message(f"{header}\r\n{BODY.decode()}"[:-2])
            client.ask("QUIT", 221)
        arrived = wait_until("the mails", lambda: len(files := list((postfix.folder / "mail").glob("user/new/*"))) == count and files)
        headers = [without_id(file.read_bytes().partition(b"\n\n")[0]) for file in arrived]
        fields = [re.split(rb"\n(?![ \t])", header) for header in headers]
        return sorted(without_time([b"\n".join(field for field in one if not field.startswith(b"Received:")) for one in fields]))

    def stop_milter(self, process):
        process.signal(15)
        self.assertEqual(process.wait(), 0, process.output())


class Opendkim(Milters):
    def setUp(self):
        super().setUp()
        opendkim = self.program("opendkim")
        key = self.folder / "key.pem"
        subprocess.run([tool("openssl"), "genrsa", "-traditional", "-out", key, "2048"], check=True, capture_output=True)
        public = subprocess.run([tool("openssl"), "rsa", "-in", key, "-pubout"], check=True, capture_output=True, text=True).stdout
        record = "".join(line for line in public.splitlines() if not line.startswith("-"))
        (self.folder / "public").write_text(f"sel._domainkey.sender.example v=DKIM1; k=rsa; p={record}\n")
        self.argv = [opendkim, "-f", "-x"]
        self.key = key

    def configuration(self, place):
        file = self.folder / f"opendkim-{free_port()}.conf"
        file.write_text(f"Socket {place}\nMode sv\nDomain sender.example\nSelector sel\nKeyFile {self.key}\nSyslog no\n"
                        f"TestPublicKeys {self.folder}/public\nInternalHosts 127.0.0.1\nRequireSafeKeys no\n"
                        "Canonicalization relaxed/simple\nAlwaysAddARHeader yes\nAuthservID mx.test.example\n")
        return file

    def test_signs_and_verifies_as_on_libmilter(self):
        heard = {}
        for name, library in self.libraries().items():
            place = self.folder / f"{name}.socket"
            process = self.milter(f"opendkim-{name}", library, [*self.argv, self.configuration(f"local:{place}")], place)
            with Mta(str(place)) as mta:
                signed = mail(mta, b"127.0.0.1", b"localhost", FIELDS)
            signature = next(answer for answer in signed if b"DKIM-Signature\0" in answer)
            value = signature[signature.index(b"DKIM-Signature\0") + 15:-1].decode()
            with Mta(str(place)) as mta:
                verified = mail(mta, b"192.0.2.7", b"client.example", [("DKIM-Signature", value.lstrip()), *FIELDS])
            with Mta(str(place)) as mta:
                broken = mail(mta, b"192.0.2.7", b"client.example", [("DKIM-Signature", value.lstrip()), *FIELDS[1:]])
            self.assertTrue(any(b"dkim=pass" in answer for answer in verified), verified)
            self.assertFalse(any(b"dkim=pass" in answer for answer in broken), broken)
            self.stop_milter(process)
            heard[name] = [without_time(one) for one in (signed, verified, broken)]
        if "libmilter" in heard:
            self.assertEqual(heard["ours"], heard["libmilter"])

    def test_miltertest_is_content(self):
        miltertest = self.program("miltertest")
        for name, library in self.libraries().items():
            place = self.folder / f"{name}.socket"
            process = self.milter(f"opendkim-{name}", library, [*self.argv, self.configuration(f"local:{place}")], place)
            script = self.folder / "script.lua"
            script.write_text(MILTERTEST.format(place=f"local:{place}"))
            done = subprocess.run([miltertest, "-s", script], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.stop_milter(process)

    def test_postfix_has_it_sign(self):
        port = free_port()
        process = self.start("opendkim", [*self.argv, self.configuration(f"inet:{port}@127.0.0.1")],
                             env={**os.environ, "LD_LIBRARY_PATH": str(LIBRARY)})
        wait_until("opendkim", lambda: accepts(port) or not process.is_running())
        postfix = Postfix(self, more=f"smtpd_milters = inet:127.0.0.1:{port}\nmilter_default_action = tempfail\n")
        for count in range(1, 21):
            subprocess.run([tool("swaks"), "--server", f"127.0.0.1:{postfix.port}", "--from", "ann@sender.example", "--to",
                            "user@test.example", "--header", "From: ann@sender.example", "--header", f"Subject: {count}"],
                           check=True, capture_output=True, timeout=60)
        arrived = wait_until("the mails", lambda: len(files := list((postfix.folder / "mail").glob("user/new/*"))) == 20 and files)
        for file in arrived:
            self.assertEqual(file.read_bytes().count(b"DKIM-Signature: v=1; a=rsa-sha256;"), 1)
        self.stop_milter(process)


class Opendmarc(Milters):
    def test_judges_as_on_libmilter(self):
        opendmarc = self.program("opendmarc")
        heard = {}
        for name, library in self.libraries().items():
            place, file = self.folder / f"{name}.socket", self.folder / f"{name}.conf"
            file.write_text(f"Socket local:{place}\nAuthservID mx.test.example\nTrustedAuthservIDs mx.test.example\nSyslog false\n"
                            "SoftwareHeader true\nIgnoreHosts /dev/null\n")
            process = self.milter(f"opendmarc-{name}", library, [opendmarc, "-f", "-c", file], place)
            results = ("Authentication-Results", "mx.test.example; spf=pass smtp.mailfrom=ann@sender.example")
            with Mta(str(place)) as mta:
                heard[name] = mail(mta, b"192.0.2.7", b"client.example", [results, *FIELDS])
            self.assertTrue(any(b"dmarc=" in answer for answer in heard[name]), heard[name])
            tested = self.by_miltertest(place, [results, *FIELDS])
            self.assertIn("Authentication-Results is inserted", tested)
            delivered = self.by_postfix(place, [results, *FIELDS])
            self.assertTrue(all(b"dmarc=" in header for header in delivered), delivered)
            heard[name] = (heard[name], tested, delivered)
            self.stop_milter(process)
        if "libmilter" in heard:
            self.assertEqual(heard["ours"], heard["libmilter"])


class SpamassMilter(Milters):
    def test_marks_as_on_libmilter(self):
        milter, spamd = self.program("spamass-milter"), self.program("spamd")
        rules = self.folder / "rules"
        rules.mkdir()
        (rules / "one.pre").write_text("loadplugin Mail::SpamAssassin::Plugin::Check\n")
        (rules / "one.cf").write_text("body TEST_WORD /confidential offer/i\nscore TEST_WORD 20\ndescribe TEST_WORD A word\n"
                                      'add_header all Flag _YESNOCAPS_\nadd_header all Status "_YESNO_, score=_SCORE_"\n')
        site = self.folder / "site"
        site.mkdir()
        self.folder.chmod(0o755)
        port = free_port()
        scanner = self.start("spamd", [spamd, "-L", "-x", "-u", "nobody", "-p", str(port), "-i", "127.0.0.1", "-m", "1", "-s", "stderr",
                                       f"--configpath={rules}", f"--siteconfigpath={site}"])
        wait_until("spamd", lambda: accepts(port) or not scanner.is_running(), patience=60)
        heard = {}
        for name, library in self.libraries().items():
            place = self.folder / f"{name}.socket"
            process = self.milter(f"spamass-milter-{name}", library, [milter, "-p", place, "--", "-p", str(port)], place)
            with Mta(str(place)) as mta:
                heard[name] = without_time(mail(mta, b"192.0.2.7", b"client.example", FIELDS))
            self.assertTrue(any(b"X-Spam-Flag\0YES" in answer for answer in heard[name]), heard[name])
            tested = self.by_miltertest(place, FIELDS)
            self.assertTrue(any(line.startswith("X-Spam-Flag is") for line in tested), tested)
            delivered = self.by_postfix(place, FIELDS)
            self.assertTrue(all(b"\nX-Spam-Flag: YES" in header for header in delivered), delivered)
            heard[name] = (heard[name], tested, delivered)
            self.stop_milter(process)
        if "libmilter" in heard:
            self.assertEqual(heard["ours"], heard["libmilter"])


class Pymilter(Milters):
    def test_changes_a_mail_as_on_libmilter(self):
        python = "/usr/bin/python3"  # the system's, which its packages belong to
        if not os.path.exists(python) or subprocess.run([python, "-c", "import Milter"], capture_output=True).returncode:
            self.skipTest("no python3-milter here")
        heard = {}
        for name, library in self.libraries().items():
            place = self.folder / f"{name}.socket"
            process = self.milter(f"pymilter-{name}", library, [python, pathlib.Path(__file__).with_name("python_filter.py"), place], place)
            with Mta(str(place)) as mta:
                heard[name] = [mta.say(b"O", OFFER), mta.say(b"C", b"host.test\0004\x30\x391.2.3.4\0"), mta.say(b"M", b"<ann@sender.example>\0"),
                               mta.say(b"R", b"<nobody@test.example>\0"), mta.say(b"R", b"<user@test.example>\0")]
                mta.send((b"L", b"Subject\0hello\0"), (b"L", b"To\0user\0"), (b"D", b"Ei\0QID1\0"))  # no answer to headers
                heard[name] += [mta.say(b"B", BODY), mta.say(b"E")]
                mta.send((b"Q",))
            self.assertEqual([answer[:1] for answer in heard[name][-1]], [b"h", b"m", b"+", b"e", b"b", b"a"])
            self.assertEqual(heard[name][3], [b"y550-5.1.1 nobody\r\n550 5.1.1 at all, 100%% sure\0"])
            self.stop_milter(process)
        if "libmilter" in heard:
            self.assertEqual(heard["ours"], heard["libmilter"])


if __name__ == "__main__":
    unittest.main()
