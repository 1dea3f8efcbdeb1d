#!/usr/bin/env python3
"""The gateway as a milter: a listener with protocol = "milter" judges the mail of a real Postfix, and of a scripted MTA."""
import os
import re
import signal
import stat
import struct
import subprocess
import time
import unittest

from milter_mta import OFFER, Mta
from postfix_server import Postfix
from scripted_milter import CONTINUE, ScriptedMilter, add_header, change_header, insert_header
from servers.jail import skip_unless_possible
from servers.sendmail import Sendmail
from support import Client, GatewayTest, PROGRAM, accepts, free_port, run, tool, wait_until

RULES = """
sp.rule { name = "NO_BOB", stage = "rcpt", run = function(tx)
  if tx.rcpt.user == "bob" then return sp.reject(550, "5.1.1", "No bob here, not 100%") end
  if tx.rcpt.user == "late" then return sp.tempfail(450, "4.2.1", "Later") end
end }
sp.rule { name = "NO_EVE", stage = "mail", run = function(tx)
  if tx.from.user == "eve" then return sp.reject(553, "5.7.1", "Not from eve") end
end }
sp.rule { name = "NO_PEER", stage = "connect", run = function(tx)
  if tx.client.ip == "192.0.2.66" then return sp.reject(554, "5.7.1", "Not you") end
  if tx.client.ip == "192.0.2.67" then return sp.drop() end
end }
sp.rule { name = "SUBJECT", stage = "message", run = function(tx)
  local s = tx.msg.subject
  if s == "refuse" then return sp.reject(554, "5.7.9", "Not that") end
  if s == "wait" then return sp.tempfail(451, "4.7.5", "Not now") end
  if s == "away" then return sp.discard { reason = "unwanted" } end
  if s == "aside" then return sp.quarantine { reason = "an odd one" } end
  if s == "there" then return sp.redirect { upstream = "archive" } end
  if s == "mark" then
    tx.msg:remove_header("X-Old")
    return sp.tag { header = "X-Marked: yes", subject_prefix = "[EXT] " }
  end
end }
"""


class Served(GatewayTest):
    def serve(self, rules=RULES, **more):
        """A gateway with one listener, for MTAs."""
        self.milter_port = free_port()
        self.milter_place = f"inet:127.0.0.1:{self.milter_port}"
        listener = {"address": f"127.0.0.1:{self.milter_port}", "protocol": "milter", **more.pop("listener", {})}
        if listener["address"].startswith("unix:"):
            self.milter_place = listener["address"]
        policy = {"mode": "off", **more.pop("policy", {})}
        if rules:
            policy["rules"] = {"mode": "enforce", "path": self.rules(rules)}
        file = self.configuration({}, **{"listen": [listener], "policy": policy, "tls": None, **more})
        return self.start_gateway(file)

    def last(self, event="transaction"):
        """The last line of an event. The log is written beside the answers, on a busy machine long after them: it is waited for until
        nothing comes any more, and has a line for each mail that was counted."""
        def has_settled(seen=[None]):
            before, seen[0] = seen[0], (self.folder / "gateway.log").stat().st_size
            time.sleep(0.3)
            return before == seen[0]
        wait_until("the log to settle", has_settled)
        counted = int(self.stats()["sallyport_transactions_total"]) if event == "transaction" else 1
        return self.wait_for_log(event, counted)[-1]


class BehindPostfix(Served):
    """A real Postfix has its mail judged."""

    def setUp(self):
        super().setUp()
        if subprocess.run(["which", "postfix"], capture_output=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}).returncode:
            self.skipTest("no postfix here")

    def postfix(self, more=""):
        self.mta = Postfix(self, more=f"smtpd_milters = {self.milter_place}\nmilter_default_action = tempfail\n"
                           "smtpd_authorized_xclient_hosts = 127.0.0.0/8\nsmtpd_delay_reject = no\nrelay_domains = elsewhere.example\n"
                           "virtual_mailbox_maps = inline:{ {user@test.example=user/} {bob@test.example=user/} {late@test.example=user/} }\n" + more)

    def client(self, ip="192.0.2.7", name="client.example"):
        client = Client(self.mta.port)
        self.addCleanup(client.socket.close)
        client.expect(220)
        client.ask("EHLO before.example", 250)
        client.ask(f"XCLIENT ADDR={ip} NAME={name}", 220)
        return client

    def mail(self, subject, code=250, more="", recipients=("user",)):
        client = self.client()
        client.ask("EHLO client.example", 250)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        for recipient in recipients:
            client.ask(f"RCPT TO:<{recipient}@test.example>", 250)
        reply = client.message(f"{more}From: ann@sender.example\r\nTo: user@test.example\r\nSubject: {subject}\r\n\r\nA body\r\n", code)
        client.ask("QUIT", 221)
        return reply

    def delivered(self, count):
        files = wait_until(f"{count} mails", lambda: len(found := list((self.mta.folder / "mail").glob("user/new/*"))) >= count and found)
        return [file.read_text() for file in sorted(files, key=lambda file: file.stat().st_mtime)]

    def test_each_verdict_comes_out_as_its_action(self):
        self.serve()
        self.postfix()
        self.mail("plain", more="X-Sallyport-Verdict: clean; forged\r\nAuthentication-Results: mx.test.example; spf=pass\r\n"
                  "Authentication-Results: other.example; spf=pass\r\n")
        [content] = self.delivered(1)
        self.assertEqual(content.count("X-Sallyport-Verdict: clean; score=0.0; checks="), 1, content)
        self.assertNotIn("forged", content)
        self.assertNotIn("mx.test.example; spf=pass", content)
        self.assertIn("Authentication-Results: other.example; spf=pass", content)
        # Ours stand on top, in their order, above the field of the MTA, which is the only one.
        self.assertLess(content.index("X-Sallyport-Id: "), content.index("X-Sallyport-Verdict: "))
        self.assertLess(content.index("X-Sallyport-Verdict: "), content.index("From: ann"))
        self.assertNotIn("by mx.test.example", content)
        line = self.last()
        self.assertEqual((line["verdict"], line["protocol"], line["ip"], line["rdns"], line["helo"], line["from"], line["to"], line["nrcpt"]),
                         ("relay", "milter", "192.0.2.7", "client.example", "client.example", "<ann@sender.example>", "<user@test.example>", "1"))
        self.assertTrue(line["mta"].startswith("inner.test.example"), line)
        self.assertIn(line["queue_id"], content)

        self.mail("mark", more="X-Old: 1\r\nX-Keep: 2\r\nX-Old: 3\r\n")
        content = self.delivered(2)[-1]
        self.assertIn("\nSubject: [EXT] mark\n", content)
        self.assertIn("\nX-Marked: yes\n", content)
        self.assertIn("\nX-Keep: 2\n", content)
        self.assertNotIn("X-Old", content)
        self.assertEqual(self.last()["verdict"], "tag")

        self.assertRegex(self.mail("refuse", 554), r"^554 5\.7\.9 .*Not that \(id \w+\)")
        self.assertEqual((self.last()["verdict"], self.last()["code"], self.last()["rule"]), ("reject", "554", "SUBJECT"))
        self.assertRegex(self.mail("wait", 451), r"^451 4\.7\.5 .*Not now \(id \w+\)")
        self.assertEqual(self.last()["verdict"], "tempfail")
        self.mail("away")
        self.assertEqual((self.last()["verdict"], self.last()["because"]), ("discard", "unwanted"))
        self.assertRegex(self.mail("there", 451), r"^451 4\.3\.5 .*Local policy cannot be followed")
        self.assertEqual((self.last()["check"], self.last()["because"]), ("redirect", "redirected to archive"))
        self.assertEqual(len(self.wait_for_log(count=6)), 6)
        self.mail("aside")
        queue = wait_until("the mail on hold", lambda: list((self.mta.folder / "queue/hold").glob("*")))
        self.assertEqual((len(queue), self.last()["verdict"], self.last()["queue_id"]), (1, "quarantine", queue[0].name))
        self.assertEqual(len(self.delivered(2)), 2)
        stats = self.stats()
        self.assertEqual(stats["sallyport_transactions_total"], 7)
        self.assertEqual([stats[f"sallyport_{name}_total"] for name in ("relayed", "tagged", "rejected", "tempfailed", "discarded")], [1, 2, 1, 2, 1])

    def test_recipients_senders_and_clients_are_refused_where_they_are_named(self):
        self.serve()
        self.postfix()
        client = self.client()
        client.ask("EHLO client.example", 250)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        self.assertRegex(client.ask("RCPT TO:<bob@test.example>", 550), r"^550 5\.1\.1 .*No bob here, not 100% \(id \w+\)")
        client.ask("RCPT TO:<user@test.example>", 250)
        client.ask("RCPT TO:<late@test.example>", 450)
        self.assertRegex(client.ask("RCPT TO:<x@elsewhere.example>", 550), r"^550 5\.7\.1 .*Relaying denied \(id \w+\)")
        client.message("Subject: plain\r\n\r\nx\r\n")
        self.assertEqual([(line["to"], line["code"]) for line in self.wait_for_log("recipient", 3)],
                         [("<bob@test.example>", "550"), ("<late@test.example>", "450"), ("<x@elsewhere.example>", "550")])
        self.assertEqual((self.last()["verdict"], self.last()["to"], self.last()["nrcpt"]), ("relay", "<user@test.example>", "1"))
        self.assertRegex(client.ask("MAIL FROM:<eve@sender.example>", 553), r"^553 5\.7\.1 .*Not from eve")
        self.assertEqual((self.last()["stage"], self.last()["verdict"]), ("mail", "reject"))
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<user@test.example>", 250)
        client.message("Subject: plain\r\n\r\nx\r\n")
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("QUIT", 221)
        self.wait_for_log(count=4)
        self.assertEqual((self.last()["check"], self.last()["stage"]), ("abandoned", "mail"))
        self.delivered(2)
        refused = Client(self.mta.port)
        self.addCleanup(refused.socket.close)
        refused.expect(220)
        refused.ask("EHLO before.example", 250)
        refused.ask("XCLIENT ADDR=192.0.2.66 NAME=[UNAVAILABLE]", 554)
        self.assertEqual((self.last("connection")["ip"], self.last("connection")["rule"]), ("192.0.2.66", "NO_PEER"))
        dropped = Client(self.mta.port)
        self.addCleanup(dropped.socket.close)
        dropped.expect(220)
        dropped.ask("EHLO before.example", 250)
        dropped.ask("XCLIENT ADDR=192.0.2.67 NAME=[UNAVAILABLE]", 421)
        self.assertEqual(self.last("connection")["verdict"], "drop")


    def test_fields_stand_as_with_the_gateway_in_front(self):
        """What the MTA is asked to do comes to the header that the gateway sends itself, with what a milter behind it wants."""
        changes = [insert_header(0, "X-Above", "0"), insert_header(1, "X-First", "1"), insert_header(4, "X-Fourth", "a\n b"),
                   change_header(1, "X-Keep", "other"), insert_header(5, "X-Twice", "inserted"), change_header(3, "X-Twice", ""),
                   add_header("X-Twice", "appended"), add_header("X-Last", "9")]
        behind = ScriptedMilter(self.folder / "behind.sock", {"E": [*changes, CONTINUE]})
        self.addCleanup(behind.stop)
        dns = self.dns({"sender.example": {"TXT": ["v=spf1 ip4:192.0.2.7 -all"]}})
        more = {"dns": {"servers": [f"127.0.0.1:{dns}"]},
                "policy": {"spf": {"mode": "enforce"}, "milters": [{"address": f"unix:{behind.path}", "mode": "enforce"}]}}
        fields = ("X-Old: 1\r\nReceived: from far.example by near.example; Mon, 30 Nov 2026 10:00:00 +0000\r\nX-Sallyport-Verdict: forged\r\n"
                  "X-Twice: 2\r\nX-Old: 3\r\nX-Keep: 4\r\nX-Twice: 5\r\nX-Sallyport-Id: forged\r\n")
        self.serve(**more)
        self.postfix()
        self.mail("mark", more=fields)
        asked = self.shown(self.delivered(1)[0])
        self.gateway_process.stop()
        self.mta = Postfix(self)
        port = free_port()
        rules = self.rules(RULES.replace('"archive"', '"default"'))
        policy = {"mode": "off", "rules": {"mode": "enforce", "path": rules}, **more["policy"]}
        listener = {"address": f"127.0.0.1:{port}", "tls": "off", "xclient_from": ["127.0.0.1"]}
        self.start_gateway(self.configuration(self.mta.port, listen=[listener], dns=more["dns"], policy=policy))
        with Client(port) as client:
            client.greet("before.example")
            client.ask("XCLIENT ADDR=192.0.2.7 NAME=client.example", 220)
            client.ask("EHLO client.example", 250)
            client.mail()
            client.message(f"{fields}From: ann@sender.example\r\nTo: user@test.example\r\nSubject: mark\r\n\r\nA body\r\n")
        self.assertEqual(asked, self.shown(self.delivered(1)[0]))
        names = [name for name, _ in asked]
        for name in ("X-Above", "X-Marked", "Authentication-Results", "X-First", "X-Fourth"):
            self.assertIn(name, names)

    def shown(self, content):
        """The header's fields from our first one on; those that no two mails have in common are masked."""
        header = content[:content.index("\n\n")]
        fields = [tuple(re.split(r":\s*", field, maxsplit=1)) for field in re.split(r"\n(?![ \t])", header)]
        fields = fields[[name for name, _ in fields].index("X-Sallyport-Id"):]
        return [(name, "one" if name == "X-Sallyport-Id" or (name == "Received" and "far.example" not in value) else value)
                for name, value in fields]

    def test_over_a_unix_domain_socket(self):
        place = self.folder / "judge.sock"
        self.serve(listener={"address": f"unix:{place}", "socket_mode": "0660", "socket_group": "postfix"})
        self.assertEqual((stat.S_IMODE(place.stat().st_mode), place.group()), (0o660, "postfix"))
        self.postfix()
        self.mail("plain")
        self.assertIn("X-Sallyport-Verdict: clean; score=0.0; checks=", self.delivered(1)[0])
        self.mail("refuse", 554)
        line = self.last()
        self.assertEqual((line["verdict"], line["ip"]), ("reject", "192.0.2.7"))
        self.assertTrue(line["mta"].startswith("inner.test.example"), line)


class UnixSocket(Served):
    """A listener at a unix-domain socket: its file, and who listens there."""
    expects_deaths = True

    def setUp(self):
        super().setUp()
        folder = self.folder / "sockets"  # that the gateway's user may write in
        folder.mkdir()
        folder.chmod(0o777)
        self.place = folder / "judge.sock"
        self.listener = {"address": f"unix:{self.place}"}

    def judged(self, place=None):
        """The answer to a whole mail."""
        with Mta(str(place or self.place)) as mta:
            mta.say(b"O", OFFER)
            self.assertEqual(mta.say(b"C", b"client.example\0004\x30\x39192.0.2.7\0"), [b"c"])
            mta.say(b"H", b"client.example\0")
            mta.say(b"M", b"<ann@sender.example>\0")
            mta.say(b"R", b"<user@test.example>\0")
            mta.send((b"T",), (b"L", b"Subject\0 plain\0"), (b"N",), (b"B", b"text\r\n"))
            return mta.say(b"E")[-1]

    def test_each_worker_serves_it(self):
        self.serve(listener=self.listener, workers=2)
        self.assertEqual(stat.S_IMODE(self.place.stat().st_mode), 0o660)
        for _ in range(20):
            self.assertEqual(self.judged(), b"a")
        line = self.last()
        self.assertEqual((line["ip"], line["mta"]), ("192.0.2.7", f"unix:{self.place}"))
        self.assertEqual(self.last("ready")["listen"], f"unix:{self.place}")

    def test_a_process_that_takes_the_others_place_serves_it_on(self):
        self.serve(listener=self.listener, workers=2)
        before = self.gateway_process.pid
        os.kill(before, signal.SIGKILL)
        # Who comes meanwhile waits.
        self.assertEqual(self.judged(), b"a")
        self.assertNotEqual(self.gateway_process.pid, before)

    def test_what_a_dead_one_left_is_replaced_and_a_living_one_stays(self):
        self.serve(listener=self.listener)
        first = self.gateway_process
        file = self.folder / "sallyport.toml"
        other = self.folder / "other.toml"
        state = self.folder / "other-state"
        other.write_text(re.sub(r'state = .*', f'state = {{ "path" = "{state}" }}', file.read_text()))
        self.assertIn(str(state), other.read_text())
        words = f"cannot bind {self.place}: another process serves it"
        second = run([PROGRAM, "run", "-c", other])
        self.assertEqual(second.returncode, 74)
        self.assertIn(words, second.stderr)
        told = run([PROGRAM, "check", "-c", other])
        self.assertIn(words, told.stdout + told.stderr)
        self.assertEqual(run([PROGRAM, "check", "-c", file]).returncode, 0)
        self.assertEqual(self.judged(), b"a")
        first.kill()
        self.assertTrue(self.place.is_socket())
        self.start_gateway(file)
        self.assertEqual(self.judged(), b"a")
        self.gateway_process.stop()
        self.place.unlink()
        self.place.write_text("precious")
        third = run([PROGRAM, "run", "-c", file])
        self.assertEqual(third.returncode, 74)
        self.assertIn("there is a file that is no socket", third.stderr)
        self.assertEqual(self.place.read_text(), "precious")

    def test_a_reload_moves_it(self):
        self.serve(listener=self.listener, workers=2)
        mta = Mta(str(self.place))
        self.addCleanup(mta.socket.close)
        mta.say(b"O", OFFER)
        file, moved = self.folder / "sallyport.toml", self.place.with_name("moved.sock")
        file.write_text(file.read_text().replace(str(self.place), str(moved)))
        done = run([PROGRAM, "reload", "-c", file])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.judged(moved), b"a")
        wait_until("the old file is gone", lambda: not self.place.exists())
        self.assertEqual(mta.say(b"C", b"client.example\0004\x30\x39192.0.2.7\0"), [b"c"])  # which goes on

    def test_settings_that_have_no_use(self):
        for listener, words in (
                ({"address": f"unix:{self.place}"}, 'a unix-domain socket is for protocol = "milter" alone'),
                ({"address": "127.0.0.1:2525", "protocol": "milter", "socket_mode": "0666"}, "socket_mode has no use without"),
                ({"address": "127.0.0.1:2525", "protocol": "milter", "socket_group": "mail"}, "socket_group has no use without"),
                ({"address": f"unix:{self.place}", "protocol": "milter", "milter_from": ["192.0.2.1"]}, "milter_from has no use with a unix"),
                ({"address": f"unix:{self.place}", "protocol": "milter", "socket_mode": "rw"}, 'permissions like "0660"'),
                ({"address": f"unix:{self.place}", "protocol": "milter", "socket_mode": "1777"}, 'permissions like "0660"')):
            with self.subTest(words):
                file = self.configuration({}, listen=[listener], policy={"mode": "off"}, tls=None)
                told = run([PROGRAM, "check", "-c", file])
                self.assertEqual(told.returncode, 78)
                self.assertIn(words, told.stdout + told.stderr)

    def test_a_group_that_is_none(self):
        file = self.configuration({}, listen=[{**self.listener, "protocol": "milter", "socket_group": "no-such-group"}],
                                  policy={"mode": "off"}, tls=None)
        done = run([PROGRAM, "run", "-c", file])
        self.assertEqual(done.returncode, 74)
        self.assertIn(f"cannot give {self.place} to the group no-such-group: there is no such group", done.stderr)


class BehindSendmail(Served):
    """A real Sendmail has its mail judged."""

    def test_each_verdict_comes_out_as_its_action(self):
        skip_unless_possible("sendmail")
        self.serve()
        class Asking(Sendmail):
            more = f"INPUT_MAIL_FILTER(`gate', `S=inet:{self.milter_port}@127.0.0.1, F=T, T=S:30s;R:60s')\n"
        server = Asking(self).start()

        def send(subject, code, recipients=((b"user", 250),)):
            with Client(server.port) as client:
                client.expect(220)
                client.ask("EHLO client.example", 250)
                client.ask("MAIL FROM:<ann@sender.example>", 250)
                for recipient, answer in recipients:
                    said = client.ask(f"RCPT TO:<{recipient.decode()}@test.example>", answer)
                    if answer == 550:
                        self.assertRegex(said, r"^550 5\.1\.1 .*No bob here, not 100%")
                reply = client.message(f"X-Old: 1\r\nX-Sallyport-Verdict: forged\r\nX-Old: 2\r\nFrom: ann@sender.example\r\nSubject: {subject}\r\n\r\nA body\r\n", code)
                client.ask("QUIT", 221)
                return reply

        send("plain", 250, ((b"bob", 550), (b"user", 250)))
        self.assertRegex(send("refuse", 554), r"^554 5\.7\.9 .*Not that")
        self.assertRegex(send("wait", 451), r"^451 4\.7\.5 .*Not now")
        send("away", 250)
        send("mark", 250)
        send("aside", 250)
        self.assertEqual([line["verdict"] for line in self.wait_for_log(count=6)], ["relay", "reject", "tempfail", "discard", "tag", "quarantine"])
        self.assertEqual([line["to"] for line in self.wait_for_log("recipient")], ["<bob@test.example>"])
        stored = {re.search(rb"(?m)^Subject: (.*?)\r$", one.content)[1]: one for one in server.stored()}
        self.assertEqual(sorted(stored), [b"[EXT] mark", b"plain"])
        for one in stored.values():
            self.assertNotIn(b"forged", one.content)
            self.assertEqual(one.recipients, ("user@test.example",))
            # Ours stand on top, above the field of the MTA.
            self.assertRegex(one.content, rb"(?s)^X-Sallyport-Id: .*X-Sallyport-Verdict: .*Received: ")
        self.assertNotIn(b"X-Old", stored[b"[EXT] mark"].content)
        self.assertIn(b"X-Marked: yes", stored[b"[EXT] mark"].content)
        self.assertEqual(stored[b"plain"].content.count(b"X-Old"), 2)
        held = list(server.path("var/spool/mqueue").glob("hf*"))
        self.assertEqual(len(held), 1)
        self.assertEqual(self.last()["queue_id"], held[0].name[2:])


MILTERTEST = """function good(what, result) if result ~= nil then error(what .. ": " .. tostring(result)) end end
function mail(conn, to, subject)
  good("MAIL", mt.mailfrom(conn, "<ann@sender.example>"))
  if mt.getreply(conn) ~= SMFIR_CONTINUE then error("MAIL is refused") end
  good("RCPT", mt.rcptto(conn, to))
  local said = mt.getreply(conn)
  if said ~= SMFIR_CONTINUE then return said end
  good("header", mt.header(conn, "From", "ann@sender.example"))
  good("header", mt.header(conn, "X-Old", "1"))
  good("header", mt.header(conn, "Subject", subject))
  good("end of header", mt.eoh(conn))
  good("body", mt.bodystring(conn, "text\\r\\n"))
  good("end", mt.eom(conn))
  return mt.getreply(conn)
end
function open(version, actions, steps)
  local conn = mt.connect("inet:{port}@127.0.0.1", 20, 0.2)
  if conn == nil then error("no connection") end
  good("offer", mt.negotiate(conn, version, actions, steps))
  good("connect", mt.conninfo(conn, "client.example", "192.0.2.7"))
  good("HELO", mt.helo(conn, "client.example"))
  return conn
end
function is(what, found, wanted) if found ~= wanted then error(what .. ": " .. tostring(found)) end end
for _, terms in ipairs({{ {{6, nil, nil}}, {{4, 0x3f, 0x27f}}, {{2, 0x3f, 0x7f}} }}) do
  local conn = open(terms[1], terms[2], terms[3])
  is("plain", mail(conn, "<user@test.example>", "plain"), SMFIR_ACCEPT)
  is("verdict", mt.eom_check(conn, MT_HDRINSERT, "X-Sallyport-Verdict"), true)
  is("received", mt.eom_check(conn, MT_HDRINSERT, "Received"), false)
  is("bob", mail(conn, "<bob@test.example>", "plain"), SMFIR_REPLYCODE)
  good("abort", mt.abort(conn))
  is("refuse", mail(conn, "<user@test.example>", "refuse"), SMFIR_REPLYCODE)
  is("away", mail(conn, "<user@test.example>", "away"), SMFIR_DISCARD)
  is("aside", mail(conn, "<user@test.example>", "aside"), SMFIR_ACCEPT)
  is("quarantine", mt.eom_check(conn, MT_QUARANTINE), true)
  is("mark", mail(conn, "<user@test.example>", "mark"), SMFIR_ACCEPT)
  is("removal", mt.eom_check(conn, MT_HDRDELETE, "X-Old"), true)
  is("tag", mt.eom_check(conn, MT_HDRCHANGE, "Subject"), true)
  is("field", mt.eom_check(conn, MT_HDRINSERT, "X-Marked"), true)
  is("again", mail(conn, "<user@test.example>", "plain"), SMFIR_ACCEPT)
  is("quarantine again", mt.eom_check(conn, MT_QUARANTINE), false)
  mt.disconnect(conn)
end
"""


class ByMiltertest(Served):
    """OpenDKIM's miltertest plays the MTA, in the versions that Sendmail and Postfix have spoken."""

    def test_each_version(self):
        try:
            miltertest = tool("miltertest")
        except AssertionError:
            self.skipTest("no miltertest here")
        self.serve()
        script = self.folder / "script.lua"
        script.write_text(MILTERTEST.format(port=self.milter_port))
        done = run([miltertest, "-v", "-s", script])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([line["verdict"] for line in self.wait_for_log(count=21)], ["relay", "reject", "reject", "discard", "quarantine", "tag", "relay"] * 3)


class Operation(Served):
    """Connections of MTAs while the gateway is started, asked, and stopped."""

    def connect(self):
        mta = Mta(("127.0.0.1", self.milter_port))
        self.addCleanup(mta.socket.close)
        return mta

    def open(self):
        mta = self.connect()
        mta.say(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF))
        mta.say(b"C", b"client.example\0004\x30\x39192.0.2.7\0")
        self.assertEqual(mta.say(b"H", b"client.example\0"), [b"c"])
        return mta

    def begin(self, mta, recipient=b"user"):
        self.assertEqual(mta.say(b"M", b"<ann@sender.example>\0"), [b"c"])
        self.assertEqual(mta.say(b"R", b"<" + recipient + b"@test.example>\0"), [b"c"])
        mta.send((b"T",))

    def content(self, mta, subject=b"plain"):
        mta.send((b"L", b"Subject\0 " + subject + b"\0"), (b"N",), (b"B", b"text\r\n"))
        return mta.say(b"E")

    def is_closed(self, mta):
        try:
            return mta.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def test_a_stop_lets_a_message_finish_and_closes_the_rest(self):
        gateway = self.serve()
        idle, named, under_way = self.open(), self.open(), self.open()
        self.begin(under_way)
        self.assertEqual(named.say(b"M", b"<ann@sender.example>\0"), [b"c"])
        gateway.signal(signal.SIGTERM)
        self.assertTrue(self.is_closed(idle))
        self.assertTrue(self.is_closed(named))
        self.assertEqual(self.content(under_way)[-1], b"a")
        self.assertTrue(self.is_closed(under_way))
        self.assertEqual(gateway.wait(), 0)
        self.assertEqual(sorted((line["verdict"], line["check"]) for line in self.log_lines()), [("relay", ""), ("tempfail", "shutdown")])
        self.assertEqual(self.last("stopped")["cut"], "0")

    def test_a_second_stop_cuts_a_message_off(self):
        gateway = self.serve()
        mta = self.open()
        self.begin(mta)
        gateway.signal(signal.SIGTERM)
        wait_until("the drain", lambda: not accepts(self.milter_port))
        self.assertEqual(len(self.log_lines()), 0)
        gateway.signal(signal.SIGTERM)
        self.assertTrue(self.is_closed(mta))
        self.assertEqual(gateway.wait(), 0)
        self.assertEqual([(line["verdict"], line["check"]) for line in self.log_lines()], [("tempfail", "shutdown")])
        self.assertEqual(self.last("stopped")["cut"], "1")

    def test_a_port_check_costs_one_close(self):
        self.serve()
        for _ in range(20):
            self.connect().socket.close()
        silent, rude = self.connect(), self.connect()
        rude.socket.sendall(b"EHLO x.example\r\n")
        self.assertTrue(self.is_closed(rude))
        self.assertEqual(self.content_of_a_mail(), b"a")
        silent.socket.close()
        wait_until("the sessions' end", lambda: self.stats()["sallyport_sessions"] == 0)
        self.assertEqual(self.violations("milter_protocol"), 1)
        self.assertEqual(self.stats()["sallyport_transactions_total"], 1)

    def content_of_a_mail(self):
        with self.open() as mta:
            self.begin(mta)
            return self.content(mta)[-1]

    def test_mails_of_many_sizes_use_bounded_memory(self):
        """A large message goes to a file, and is refused when it is too large."""
        self.serve(limits={"message_size": "4MiB", "memory_per_message": "64KiB", "sessions_per_ip": 10000})
        for size, letter in ((3 << 20, b"a"), (5 << 20, b"y")):
            with self.open() as mta:
                self.begin(mta)
                mta.send((b"L", b"Subject\0 plain\0"), (b"N",))
                for _ in range(size // 50000):
                    mta.send((b"B", b"x" * 49998 + b"\r\n"))
                self.assertEqual(mta.say(b"E")[-1][:1], letter)
        self.assertEqual([line["check"] for line in self.wait_for_log(count=2)], ["", "size"])

    def test_a_reload_serves_open_connections_on(self):
        self.serve()
        mta = self.open()
        self.begin(mta)
        self.rules(RULES.replace("Not that", "Not this"))
        done = run([PROGRAM, "reload", "-c", self.folder / "sallyport.toml"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"Not that", self.content(mta, b"refuse")[-1])
        self.begin(mta)
        self.assertIn(b"Not this", self.content(mta, b"refuse")[-1])


if __name__ == "__main__":
    unittest.main()
