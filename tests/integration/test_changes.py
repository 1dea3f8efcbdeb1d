#!/usr/bin/env python3
"""What rules change of a mail on the running program: its header, its server, its verdict; and what they leave alone."""
import base64
import importlib.util
import json
import os
import random
import re
import subprocess
import sys
import unittest

# python3-dkim belongs to the system's Python, which need not be the one that runs the tests.
if importlib.util.find_spec("dkim") is None and sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

from email.header import decode_header, make_header

from support import Client, GatewayTest, free_port, run, PROGRAM, tool, wait_until

HEADER = (b"From: Ann <ann@sender.example>\r\nTo: user@test.example\r\nX-Old: 1\r\nSubject:\r\n =?utf-8?q?caf=C3=A9?=\r\n\tat noon\r\n"
          b"x-old :\r\n 2\r\nX-Odd:\t \xe4 ; (x\r\n\t y)  \r\nX-Old: 3\r\nMessage-ID: <a@sender.example>\r\n")
BODY = b"\r\n.\r\n..\r\nhello \xe4\r\n\r\n"


TRACE = re.compile(rb"(X-Sallyport-[A-Za-z]+|Authentication-Results|Received-SPF|ARC-[A-Za-z-]+|Received):", re.I)


def stuffed(content):
    return (b"." if content.startswith(b".") else b"") + content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def fields_of(header):
    """The whole fields of a header section."""
    return [field for field in re.split(rb"(?<=\r\n)(?![ \t])", header) if field]


def halves(content):
    """What stands above the mail's own header, up to our Received field, and the rest."""
    end = re.search(rb"^Received: (.*\r\n)([ \t].*\r\n)*", content, re.M).end()
    return content[:end], content[end:]


def our_header(content):
    return halves(content)[0]


def below_our_header(content):
    return halves(content)[1]


def name_of(field):
    return field.partition(b":")[0].strip().decode().lower()


def shown(value):
    return str(make_header(decode_header(value)))


class Model:
    """What a list of changes makes of a header, one after the other. A field is its octets, or (name, value) where a
    change has written it."""

    def __init__(self, fields, changes):
        self.below = list(fields)
        self.added, self.instead = [], {}
        for verb, name, *more in changes:
            getattr(self, verb)(fields, name, *more)
        self.on_top = self.added + list(self.instead.values())

    def add(self, _, name, value):
        self.added.append((name, value))

    def remove(self, fields, name, which=None):
        for place, i in enumerate([i for i, field in enumerate(fields) if name_of(field) == name.lower()], 1):
            if which in (None, place):
                self.below[i] = b""

    def replace(self, fields, name, value, which=None):
        places = [i for i, field in enumerate(fields) if name_of(field) == name.lower()]
        if len(places) < (which or 1):
            self.instead[name.lower()] = (name, value)
        for place, i in enumerate(places, 1):
            if which in (None, place):
                is_written = which or place == 1
                self.below[i] = (fields[i].partition(b":")[0].strip().decode(), value) if is_written else b""


DO_WHAT_IT_SAYS = """
sp.rule { name = "DO", stage = "message", on_error = "tempfail", run = function(tx)
  local change = {
    add = function(op) tx.msg:add_header(op[2], op[3]) end,
    remove = function(op) tx.msg:remove_header(op[2], op[3]) end,
    replace = function(op) tx.msg:replace_header(op[2], op[3], op[4]) end,
  }
  for _, op in ipairs(assert(sp.json.decode(tx.msg:header("X-Do")))) do change[op[1]](op) end
end }
"""


class RandomMails:
    NAMES = ["X-Old", "x-old", "X-OLD ", "X", "Subject", "List-Id", "To", "X-Keep"]
    VALUES = ["one", "", "a = b", "gr\u00fcn \u2709", "=?utf-8?q?x?=", "v" * 850, "\u00e4" * 150, "x; y=\"z\""]

    def __init__(self, seed, has_8bit):
        self.dice = random.Random(seed)
        self.pieces = [b"one", b" ", b"\r\n ", b"\r\n\t\t", b"=?utf-8?q?=C3=A9?=", b"\"q\\\"q\"", b"(c)", b":", b"y" * 900]
        if has_8bit:
            self.pieces += [b"\xe4", "\u00e9".encode()]

    def field(self):
        value = b" " + b"".join(self.dice.choices(self.pieces, k=self.dice.randrange(6)))
        lines = value.split(b"\r\n")
        value = b"\r\n".join(line[:970] for line in lines if line == lines[0] or line.strip())
        return self.dice.choice(self.NAMES).encode() + b":" + value + b"\r\n"

    def changes(self):
        for _ in range(self.dice.randrange(5)):
            name, value = self.dice.choice(["X-Old", "x-OLD", "X", "X-None", "List-Id"]), self.dice.choice(self.VALUES)
            which = self.dice.choice([None, None, 1, 2, 3])
            verb = self.dice.choice(["add", "remove", "replace"])
            if verb == "replace" and self.dice.randrange(4) == 0:
                name = "Subject"
            yield [verb, name] + ([] if verb == "remove" else [value]) + ([which] if which and verb != "add" else [])

    def mail(self):
        """The whole fields, and what the rule is to do."""
        changes = list(self.changes())
        # A value that looks like an encoded word would be read as one.
        words = json.dumps(changes, separators=(",\r\n ", ":")).replace("=?", "=\\u003f").encode()
        fields = [b"X-Do: " + words + b"\r\n", b"From: ann@sender.example\r\n"]
        fields += [self.field() for _ in range(self.dice.randrange(10))]
        self.dice.shuffle(fields)
        lines = self.dice.choices([b".", b"..", b".x", b"hello", b"", b" ", b"z" * 998], k=self.dice.randrange(40))
        return fields, changes, b"\r\n" + b"".join(line + b"\r\n" for line in lines)


class Changes(GatewayTest):
    def send(self, content=HEADER + BODY, recipients=("user@test.example",), bdat=False, expect=250, sender="ann@sender.example",
             eight_bit=True):
        with Client(self.port) as client:
            client.greet()
            client.ask(f"MAIL FROM:<{sender}>" + (" BODY=8BITMIME" if eight_bit else ""), 250)
            for recipient in recipients:
                client.ask(f"RCPT TO:<{recipient}>", 250)
            if bdat:
                client.send(b"BDAT %d LAST\r\n" % len(content) + content)
            else:
                client.ask("DATA", 354)
                client.send(stuffed(content))
            return client.expect(expect)

    def with_rules(self, text, upstreams=None, policy=None, **more):
        self.first = self.sink()
        rules = self.rules(text)
        self.gateway(upstreams or self.first.port,
                     policy={"mode": "off", "rules": {"mode": "enforce", "path": rules}, **(policy or {})}, **more)
        self.wait_for_ehlo("8BITMIME")

    def test_fields_are_added_replaced_and_removed(self):
        self.with_rules("""
sp.rule { name = "EDIT", stage = "message", run = function(tx)
  tx.msg:remove_header("X-Old", 2)
  tx.msg:replace_header("X-Odd", "even")
  tx.msg:add_header("X-New", "gr\\u{fc}n")
end }
sp.rule { name = "MARK", stage = "message", run = function(tx) return sp.tag { subject_prefix = "[EXT] " } end }
sp.rule { name = "SHADOW", stage = "message", mode = "shadow", run = function(tx) tx.msg:remove_header("X-Old") end }
sp.rule { name = "FAILS", stage = "message", on_error = "skip", run = function(tx) tx.msg:remove_header("X-Old") ; error("x") end }
""")
        expected = (HEADER.replace(b"x-old :\r\n 2\r\n", b"").replace(b"X-Odd:\t \xe4 ; (x\r\n\t y)  \r\n", b"X-Odd: even\r\n")
                    .replace(b"Subject:\r\n ", b"Subject: [EXT] ")) + BODY
        self.send()
        self.send(bdat=True)
        for _, content in self.first.wait_for(2):
            self.assertEqual(below_our_header(content), expected)
            self.assertIn(b"\r\nX-New: =?UTF-8?Q?gr=C3=BCn?=\r\n", our_header(content))
        line = self.wait_for_log(count=2)[0]
        self.assertEqual(line["verdict"], "tag")
        self.assertEqual(line["changes"], "rules:EDIT add X-New, remove X-Old 2, replace X-Odd,rules:MARK subject [EXT]")
        self.assertEqual(line["shadow"], "rules:SHADOW remove X-Old")
        message = self.folder / "mail.eml"
        message.write_bytes(HEADER + BODY)
        done = run([PROGRAM, "explain", message, "-c", self.folder / "sallyport.toml", "--from", "ann@sender.example",
                    "--to", "user@test.example"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("change    rules:EDIT add X-New, remove X-Old 2, replace X-Odd\n", done.stdout)

    def test_what_no_rule_changes_arrives_as_it_came(self):
        self.with_rules('sp.rule { name = "HIT", stage = "message", score = 1, run = function() return true end }')
        self.send()
        self.send(bdat=True)
        for _, content in self.first.wait_for(2):
            self.assertEqual(below_our_header(content), HEADER + BODY)

    def test_of_several_rules_the_last_change_of_a_field_holds(self):
        self.with_rules("""
sp.rule { name = "A", stage = "headers", run = function(tx)
  tx.msg:replace_header("X-Odd", "of headers") ; tx.msg:remove_header("X-Old") ; return sp.tag { subject_prefix = "[A] " }
end }
sp.rule { name = "B", stage = "message", run = function(tx)
  tx.msg:replace_header("X-Odd", "of message") ; tx.msg:replace_header("X-Old", "two", 2)
  return sp.tag { subject_prefix = "[B] ", header = "X-B: " .. tx.msg:header("X-Odd") }
end }
sp.rule { name = "C", stage = "message", run = function(tx)
  tx.msg:remove_header("X-B") ; return sp.tag { subject_prefix = "[A] " }
end }
""")
        self.send()
        (_, content), = self.first.wait_for(1)
        expected = (HEADER.replace(b"X-Old: 1\r\n", b"").replace(b"x-old :\r\n 2\r\n", b"x-old: two\r\n").replace(b"X-Old: 3\r\n", b"")
                    .replace(b"X-Odd:\t \xe4 ; (x\r\n\t y)  \r\n", b"X-Odd: of message\r\n").replace(b"Subject:\r\n ", b"Subject: [A] [B] "))
        self.assertEqual(below_our_header(content), expected + BODY)
        self.assertIn(b"\r\nX-B: =?UTF-8?Q?", our_header(content))

    def test_what_a_rule_may_not_write_is_its_error(self):
        self.with_rules(DO_WHAT_IT_SAYS)
        wrong = [["add", "X-A", "a\r\nBcc: b@test.example"], ["add", "X-A", "a\nb"], ["add", "X-A", "a\rb"], ["add", "X-A", "a\0b"],
                 ["add", "X-A", "x" * 900], ["add", "X-A: b\r\nX-B", "a"], ["add", "X A", "a"], ["add", "", "a"], ["add", "X-\u00e4", "a"],
                 ["replace", "X-Old", "a\r\n b"], ["replace", "X-Old", "a", 0], ["remove", "X-Old", -1], ["remove", "From"],
                 ["replace", "From", "eve@evil.example"], ["add", "Subject", "a"], ["remove", "Received"],
                 ["add", "X-Sallyport-Verdict", "clean"], ["add", "DKIM-Signature", "a"]]
        for change in wrong:
            with self.subTest(change=change):
                self.send(b"From: a@sender.example\r\nX-Do: " + json.dumps([["add", "X-Fine", "a"], change]).encode() + b"\r\n" + BODY,
                          expect=451)
        self.assertEqual(len(self.wait_for_log("fault", len(wrong))), len(wrong))
        self.assertEqual(self.first.messages(), [])

    def test_content_without_a_last_line_end(self):
        self.with_rules(DO_WHAT_IT_SAYS)
        todo = b'X-Do: [["remove","X-Old"],["replace","X-Last","two"]]\r\n'
        for end in (b"X-Last: 1", b"X-Old: 1", b"X-Last: 1\r\n", b"X-Last: 1\r\n\r\nno end"):
            self.send(todo + end, bdat=True)
        contents = [below_our_header(content) for _, content in self.first.wait_for(4)]
        self.assertEqual([content.removesuffix(b"\r\n") for content in contents],
                         [(todo + end).removesuffix(b"\r\n") for end in (b"X-Last: two", b"", b"X-Last: two", b"X-Last: two\r\n\r\nno end")])

    def check_against_model(self, seed, *sink_options, memory="256KiB", has_8bit=True):
        self.first = self.sink(*sink_options)
        self.gateway(self.first.port, policy={"mode": "off", "rules": {
            "mode": "enforce", "path": self.rules(DO_WHAT_IT_SAYS)}},
                     limits={"memory_per_message": memory})
        if has_8bit:
            self.wait_for_ehlo("8BITMIME")
        mails = RandomMails(seed, has_8bit)
        sent = [mails.mail() for _ in range(80)]
        for n, (fields, changes, body) in enumerate(sent):
            self.send(b"".join(fields) + body, bdat=n % 2 == 1, eight_bit=has_8bit)
        for (fields, changes, body), (_, content) in zip(sent, self.first.wait_for(len(sent))):
            with self.subTest(changes=changes, fields=fields):
                model = Model(fields, changes)
                ours, below = halves(content)
                self.assertTrue(below.endswith(body))
                arrived = fields_of(below[:len(below) - len(body)])
                expected = [field for field in model.below if field]
                self.assertEqual(len(arrived), len(expected), (arrived, expected))
                for field, wanted in zip(arrived, expected):
                    self.check_field(field, wanted)
                added = [field for field in fields_of(ours) if not TRACE.match(field)]
                self.assertEqual(len(added), len(model.on_top), added)
                for field, wanted in zip(added, model.on_top):
                    self.check_field(field, wanted)

    def check_field(self, field, wanted):
        if isinstance(wanted, bytes):
            return self.assertEqual(field, wanted)
        self.assertLess(max(map(len, field.split(b"\r\n"))), 999)
        name, value = wanted
        self.assertEqual(field.partition(b":")[0].decode(), name)
        octets = field.partition(b": ")[2].removesuffix(b"\r\n")
        if value.isascii() and "=?" not in value:
            return self.assertEqual(octets.decode(), value)
        self.assertTrue(octets.isascii(), octets)
        return self.assertEqual(shown(octets.decode()), value)

    def test_random_changes_are_those_of_a_model(self):
        self.check_against_model(1)

    def test_random_changes_of_content_in_a_file(self):
        self.check_against_model(2, memory="4KiB")

    def test_random_changes_for_a_server_without_chunking(self):
        self.check_against_model(3, "--no-chunking")

    def test_random_changes_for_a_server_of_seven_bits(self):
        self.check_against_model(4, "--no-8bitmime", "--no-smtputf8", "--no-chunking", "--no-pipelining", has_8bit=False)

    def test_mail_goes_to_another_upstream(self):
        first = self.sink()
        self.second = self.sink("--reject-rcpt", "^unknown@")
        self.first = first
        rules = self.rules("""
sp.rule { name = "AT_RCPT", stage = "rcpt", run = function(tx)
  if tx.from.user == "early" then return sp.redirect { upstream = "archive" } end
end }
sp.rule { name = "AT_MESSAGE", stage = "message", run = function(tx)
  if tx.from.user == "late" then return sp.redirect { upstream = "archive" } end
end }
""")
        self.gateway({"default": {"servers": [f"127.0.0.1:{first.port}"]},
                      "archive": {"servers": [f"127.0.0.1:{self.second.port}"]}},
                     policy={"mode": "off", "rules": {"mode": "enforce", "path": rules}})
        self.wait_for_ehlo("8BITMIME")
        two = ("user@test.example", "other@test.example")
        self.send(recipients=two, sender="early@sender.example")
        self.send(recipients=two, sender="late@sender.example")
        self.send(recipients=two)
        self.send(recipients=("unknown@test.example", "user@test.example"), sender="late@sender.example", expect=550)
        for envelope, content in self.second.wait_for(2):
            self.assertEqual(below_our_header(content), HEADER + BODY)
            self.assertEqual(len(envelope["rcpt"]), 2)
        self.assertEqual(len(self.first.wait_for(1)), 1)
        early, late, plain, refused = self.wait_for_log(count=4)
        self.assertEqual([line["upstream"] for line in (early, late, plain, refused)],
                         [f"127.0.0.1:{port}" for port in (self.second.port, self.second.port, first.port, self.second.port)])
        self.assertEqual(late["changes"], "rules:AT_MESSAGE redirect archive")
        self.assertEqual((refused["verdict"], refused["check"]), ("reject", "upstream"))

    def test_mail_goes_to_no_other_tenants_upstream(self):
        servers = {name: self.sink() for name in ("acme", "beta", "archive")}
        rules = self.rules("""
sp.rule { name = "GO", stage = "rcpt", run = function(tx)
  if tx.from.user ~= "late" then return sp.redirect { upstream = tx.from.user } end
end }
sp.rule { name = "GO_LATE", stage = "message", run = function(tx)
  if tx.from.user == "late" then return sp.redirect { upstream = tx.msg:header("X-To") } end
end }
""")
        self.gateway({name: {"servers": [f"127.0.0.1:{server.port}"]} for name, server in servers.items()}, domains=None,
                     tenants={name: {"domains": [f"{name}.example"], "upstream": name} for name in ("acme", "beta")},
                     policy={"mode": "off", "rules": {"mode": "enforce", "path": rules, "on_error": "tempfail"}})
        self.wait_for_ehlo("8BITMIME")
        cases = [("archive", 250, "relay", ""), ("acme", 250, "relay", ""), ("beta", 451, "tempfail", "redirect"),
                 ("nowhere", 451, "tempfail", "rules")]
        for upstream, code, verdict, check in cases:
            for late in (False, True):
                with self.subTest(upstream=upstream, late=late):
                    event = "transaction" if late or code == 250 else "recipient"
                    sender = f"{'late' if late else upstream}@to-{upstream}.example"
                    with Client(self.port) as client:
                        client.greet()
                        client.ask(f"MAIL FROM:<{sender}>", 250)
                        client.ask("RCPT TO:<a@acme.example>", 250 if late else code)
                        if late:
                            client.ask("RCPT TO:<b@beta.example>", 452)
                        if late or code == 250:
                            client.ask("DATA", 354)
                            client.send(f"From: ann@sender.example\r\nX-To: {upstream}\r\n\r\nx\r\n.\r\n".encode())
                            client.expect(code)
                        client.ask("QUIT", 221)
                    line, = wait_until("its line", lambda: [one for one in self.log_lines(event) if one["from"] == f"<{sender}>"])
                    self.assertEqual((line["verdict"], line["check"]), (verdict, check), line)
        self.assertEqual([len(server.messages()) for server in servers.values()], [2, 0, 2])

    def test_an_unknown_upstream_is_an_error_of_the_file(self):
        rules = self.rules('sp.rule { name = "A", stage = "rcpt", run = function() return sp.redirect { upstream = "defalt" } end }')
        file = self.configuration(free_port(), policy={"mode": "off", "rules": {"mode": "enforce", "path": rules}})
        done = run([PROGRAM, "check", file])
        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, "rules.lua:2:.*there is no upstream 'defalt'; did you mean 'default'")

    def test_a_quarantine_is_a_mark(self):
        self.with_rules("""
sp.rule { name = "ASIDE", stage = "message", run = function(tx)
  if tx.from.user == "odd" then return sp.quarantine { reason = "an odd sender" } end
end }
sp.rule { name = "MUCH", stage = "message", score = 11, run = function(tx) return tx.from.user == "much" end }
""")
        self.send(sender="odd@sender.example")
        self.send(sender="much@sender.example")
        (_, odd), (_, much) = self.first.wait_for(2)
        self.assertIn(b"\r\nX-Sallyport-Verdict: quarantine; score=0.0; checks=rules:ASIDE\r\nX-Sallyport-Quarantine: an odd sender\r\n",
                      odd)
        self.assertIn(b"\r\nX-Sallyport-Quarantine: 11 of 10: rules:MUCH(11)\r\n", much)
        self.assertEqual([(line["verdict"], line["rule"]) for line in self.wait_for_log(count=2)],
                         [("quarantine", "ASIDE"), ("quarantine", "rules:MUCH")])

    def test_a_changed_mail_is_sealed(self):
        key = self.folder / "arc.key"
        subprocess.run([tool("openssl"), "genrsa", "-traditional", "-out", key, "2048"], check=True, capture_output=True)
        key.chmod(0o600)
        if os.geteuid() == 0:
            import shutil
            shutil.chown(key, "nobody")
        public = subprocess.run([tool("openssl"), "rsa", "-in", key, "-pubout", "-outform", "DER"], check=True,
                                capture_output=True).stdout
        record = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
        self.with_rules("""
sp.rule { name = "EDIT", stage = "message", run = function(tx)
  if tx.from.user ~= "plain" then tx.msg:remove_header("X-Old") ; return sp.tag { subject_prefix = "[\\u{c4}] " } end
end }
""", policy={"arc": {"mode": "enforce", "seal": {"domain": "test.example", "selector": "arc1", "key": {"file": key}}}})
        ascii_mail = HEADER.replace(b"\xe4", b"a") + BODY.replace(b"\xe4", b"a")
        self.send(ascii_mail)
        self.send(ascii_mail, sender="plain@sender.example")
        (_, changed), (_, plain) = self.first.wait_for(2)
        self.assertIn(b"\r\nARC-Seal: ", changed)
        self.assertNotIn(b"ARC-Seal", plain)
        self.assertNotIn(b"X-Old", changed)
        if importlib.util.find_spec("dkim") is None:
            self.skipTest("skipped: no python3-dkim")
        import dkim
        names = {b"arc1._domainkey.test.example.": record.encode()}
        result, _, reason = dkim.arc_verify(changed, dnsfunc=lambda name, timeout=5: names.get(name))
        self.assertEqual(result, b"pass", reason)
        broken = changed.replace(b"at noon", b"at one")
        self.assertEqual(dkim.arc_verify(broken, dnsfunc=lambda name, timeout=5: names.get(name))[0], b"fail")


if __name__ == "__main__":
    unittest.main()
