#!/usr/bin/env python3
"""What authors of rules have: `rule new`, `rule test`, `rule list`; rules whose tests fail; modes, shares, suspension and errors on the
running program."""
import json
import os
import pty
import signal
import subprocess
import time
import unittest
import xml.etree.ElementTree

from support import PROGRAM, Client, GatewayTest, run, wait_until

RULE = """sp.rule { name = "%s", stage = "message", score = 1, %s run = function(tx)
%s
end }
"""
PASSES = """local t = require "sallyport.test"
t.test("refuses", function() t.equal(t.run("R", t.mail {}).verdict, "%s") end)
"""


class Tools(GatewayTest):
    def rule(self, *arguments):
        return run([PROGRAM, "rule", *arguments])

    def test_a_new_rule_passes_its_own_test(self):
        folder = self.folder / "rules"
        folder.mkdir()
        made = self.rule("new", "OLD_DOMAIN", folder)
        self.assertEqual((made.returncode, made.stdout), (0, f"{folder}/old_domain.lua\n{folder}/old_domain_test.lua\n"))
        tested = self.rule("test", folder)
        self.assertEqual(tested.returncode, 0, tested.stdout + tested.stderr)
        self.assertIn("2 tests, 0 failed", tested.stdout)
        again = self.rule("new", "OLD_DOMAIN", folder)
        self.assertEqual(again.returncode, 64)
        self.assertIn("already", again.stderr)
        self.assertEqual(self.rule("new", "../x", folder).returncode, 64)
        self.assertEqual(self.rule("new", "OLD_TEST", folder).returncode, 64)  # old_test.lua would be taken for tests
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["old_domain.lua", "old_domain_test.lua"])

    def test_failures_with_their_place_and_junit(self):
        folder = self.rules(RULE % ("R", "", "return sp.reject()"))
        (folder / "r_test.lua").write_text(PASSES % "hit")
        (folder / "s_test.lua").write_text(PASSES % "reject")
        report = self.folder / "report.xml"
        tested = self.rule("test", folder, "--junit", report)
        self.assertEqual(tested.returncode, 1)
        self.assertIn('r_test.lua:2: expected "hit", got "reject"', tested.stdout)
        suite = xml.etree.ElementTree.parse(report).getroot()[0]
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))
        self.assertEqual([case.find("failure") is not None for case in suite], [True, False])
        self.assertEqual(self.rule("test", folder / "s_test.lua").returncode, 0)
        self.assertEqual(self.rule("test", self.folder / "none").returncode, 66)
        (folder / "rules.lua").write_text("if then")
        broken = self.rule("test", folder, "--junit", report)
        self.assertEqual(broken.returncode, 1)
        self.assertIn("rules.lua:1:", broken.stderr)
        case, = xml.etree.ElementTree.parse(report).getroot()[0]
        self.assertEqual((case.get("name"), case.get("line"), case.find("failure") is not None), ("loads", "1", True))

    def test_the_rules_of_the_configuration(self):
        folder = self.rules(RULE % ("R", "", "return sp.reject()"))
        (folder / "r_test.lua").write_text(PASSES % "reject")
        own = self.folder / "own"
        own.mkdir()
        (own / "own.lua").write_text('local sp = require "sallyport"\n' + RULE % ("OWN", "", ""))
        file = self.configuration(1, policy={"mode": "off", "rules": {"mode": "enforce", "path": folder, "rules": {"R": {"mode": "10%"}}}},
                                  tenants={"acme": {"domains": ["acme.example"], "policy": {"rules": {"path": own, "mode": "shadow"}}}})
        shown = self.rule("list", "--order", "-c", file)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, r"(?s)message\n  R +10% .*tenant acme:\nmessage\n  OWN +shadow ")
        tested = self.rule("test", "-c", file)
        self.assertEqual((tested.returncode, tested.stdout.splitlines()[-1]), (0, "1 test, 0 failed"), tested.stderr)
        made = self.rule("new", "NEXT", "-c", file)
        self.assertEqual((made.returncode, made.stdout.splitlines()[0]), (0, f"{folder}/next.lua"), made.stderr)
        self.assertEqual(self.lua("-c", file, "-e", "t.run('R', t.mail {}).verdict").stdout, "reject\n")
        shipped = self.configuration(1, policy={"rules": {"shipped": ["EXTERNAL_TAG"]}})
        self.assertEqual(self.rule("new", "NEXT", "-c", shipped).returncode, 64)

    def test_in_the_current_directory(self):
        folder = self.folder / "rules"
        folder.mkdir()
        for arguments in (["new", "HERE"], ["test"], ["list"]):
            done = run([PROGRAM, "rule", *arguments], cwd=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("here", done.stdout)

    def test_watching(self):
        folder = self.rules(RULE % ("R", "", "return sp.reject()"))
        (folder / "r_test.lua").write_text(PASSES % "hit")
        watching = self.start("watch", [PROGRAM, "rule", "test", folder, "--watch"])
        wait_until("the first run", lambda: "1 test, 1 failed" in watching.output())
        (folder / "r_test.lua").write_text(PASSES % "reject" + "-- mended\n")
        wait_until("the second run", lambda: "1 test, 0 failed" in watching.output())
        watching.signal(signal.SIGINT)
        watching.wait()
        self.assertFalse(watching.is_running())

    def test_watching_does_not_see_its_own_results(self):
        folder = self.rules(RULE % ("R", "", "return sp.reject()"))
        (folder / "r_test.lua").write_text(PASSES % "reject")
        junit = folder / "results.xml"
        watching = self.start("watch", [PROGRAM, "rule", "test", folder, "--watch", "--junit", junit])
        wait_until("the first run", lambda: "1 test, 0 failed" in watching.output())
        (folder / "r_test.lua").write_text(PASSES % "reject" + "-- again\n")
        wait_until("the second run", lambda: watching.output().count("1 test, 0 failed") == 2)
        # It looks twice a second; a run that its own results started would be the third long before the change.
        time.sleep(1.5)
        (folder / "r_test.lua").write_text(PASSES % "hit")
        wait_until("the last run", lambda: "1 test, 1 failed" in watching.output())
        self.assertEqual(watching.output().count("1 test, "), 3)
        watching.signal(signal.SIGINT)
        watching.wait()

    def lua(self, *arguments, lines=""):
        return subprocess.run([PROGRAM, "lua", *map(str, arguments)], input=lines, capture_output=True, text=True, timeout=60)

    def test_lua_reads_lines_of_a_pipe(self):
        done = self.lua(lines="tx.from.addr\nx = 2\nfor i = 1, x do\nprint(i)\nend\nsp.dns.a('a.example')\n")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ann@example.org\n1\n2\nnil\tnil\tnxdomain\n", ""))
        failed = self.lua(lines="nothing.x\n1\nfor\n")
        self.assertEqual((failed.returncode, failed.stdout), (1, "1\n"))
        self.assertIn("lua:1: attempt to index a nil value (global 'nothing')", failed.stderr)
        self.assertIn("<eof>", failed.stderr)

    def test_lua_with_a_stored_mail_and_rules(self):
        folder = self.rules(RULE % ("R", "", "return tx.msg.subject == 'stored'"))
        mail = self.folder / "one.eml"
        mail.write_text("Return-Path: <eve@evil.example>\nSubject: =?utf-8?q?h=C3=A9llo?=\n\nbody\n")
        done = self.lua(folder, "--mail", mail, "--ip", "192.0.2.7", "--tls", "-e", "tx.msg.subject .. ' ' .. tx.from.addr",
                        "-e", "tx.client.ip, tx.client.tls.version", "-e", "t.run('R', t.mail { headers = { Subject = 'stored' } }).score")
        self.assertEqual((done.returncode, done.stdout), (0, "h\u00e9llo eve@evil.example\n192.0.2.7\tTLSv1.3\n1\n"), done.stderr)
        self.assertEqual(self.lua("--mail", self.folder / "none.eml").returncode, 66)
        self.assertEqual(self.lua(self.folder / "none").returncode, 66)
        self.assertEqual(self.lua("-c", self.folder / "none.toml").returncode, 78)
        (folder / "rules.lua").write_text("if then")
        without = self.lua(folder, lines="1")
        self.assertEqual((without.returncode, without.stdout), (0, "1\n"))
        self.assertIn("rules.lua:1:", without.stderr)

    def test_lua_at_a_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([PROGRAM, "lua"], stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        os.write(ours, b"if true then\nprint(6 * 7) end\nx(\n\x04")
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:
            pass  # the program has closed its end
        os.close(ours)
        self.assertEqual(process.wait(60), 0)
        self.assertRegex(shown.decode(), r"(?s)Ctrl-D ends.*> .*>> .*42\r\n> ")

    def test_list(self):
        folder = self.rules(RULE % ("B", 'group = "g",', "") + RULE % ("A", 'mode = "10%",', "return sp.reject()")
                            + 'sp.rule { name = "C", stage = "connect", run = function() end }\n')
        shown = self.rule("list", "--order", folder)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertEqual([line.split()[0] for line in shown.stdout.splitlines()], ["connect", "C", "message", "B", "A"])
        self.assertIn("rules.lua:5", shown.stdout)
        listed = {one["name"]: one for one in json.loads(self.rule("list", "--json", folder).stdout)}
        self.assertEqual([(listed[name]["mode"], listed[name]["on_error"]) for name in "AB"], [("10%", "tempfail"), ("enforce", "tempfail")])
        self.assertEqual(listed["B"]["group"], "g")


class Served(GatewayTest):
    def serve(self, text, tests=None, **rules):
        self.path = self.rules(text)
        if tests:
            (self.path / "r_test.lua").write_text(tests)
        self.upstream = self.sink()
        return {"policy": {"mode": "off", "rules": {"mode": "enforce", "path": self.path, **rules}}}

    def send(self, subject="x", code=250, recipient="user@test.example", source=None, header=None):
        with Client(self.port, source=source) as client:
            client.greet()
            client.mail(recipient=recipient)
            client.message(f"{header or 'Subject: ' + subject}\r\n\r\ny", code)

    def reload(self):
        return run([PROGRAM, "reload", "-c", self.folder / "sallyport.toml"])

    def counted(self, what, rule):
        return self.stats().get(f'sallyport_rule_{what}_total{{rule="{rule}"}}', 0)

    def test_a_start_with_a_failing_test(self):
        more = self.serve(RULE % ("R", "", "return sp.reject()"), PASSES % "hit")
        file = self.configuration(self.upstream.port, **more)
        for command in ("check", "run"):
            ended = run([PROGRAM, command, "-c", file])
            self.assertEqual(ended.returncode, 78, command)
            self.assertIn('r_test.lua:2:1: error: the test "refuses" fails: expected "hit", got "reject"', ended.stdout + ended.stderr)
        more["policy"]["rules"]["run_tests"] = False
        file = self.configuration(self.upstream.port, **more)
        self.assertEqual(run([PROGRAM, "check", "-c", file]).returncode, 0)
        self.start_gateway(file)
        self.send(code=550)

    def test_a_reload_with_a_failing_test_keeps_the_old_rules(self):
        self.gateway(self.upstream_port(RULE % ("R", "", "return sp.reject()"), PASSES % "reject"), **self.more)
        self.send(code=550)
        (self.path / "rules.lua").write_text('local sp = require "sallyport"\n' + RULE % ("R", "", "return true"))
        answer = self.reload()
        self.assertEqual(answer.returncode, 78)
        self.assertIn('the test "refuses" fails: expected "reject", got "hit"', answer.stdout + answer.stderr)
        self.send(code=550)
        (self.path / "r_test.lua").write_text(PASSES % "hit")
        self.assertEqual(self.reload().returncode, 0)
        self.send(code=250)

    def upstream_port(self, text, tests=None, **rules):
        self.more = self.serve(text, tests, **rules)
        return self.upstream.port

    def test_modes_of_groups_rules_and_tenants(self):
        text = RULE % ("R", 'group = "g",', "return sp.reject()")
        more = self.serve(text, groups={"g": {"mode": "shadow"}})
        more["tenants"] = {"strict": {"domains": ["strict.example"], "policy": {"rules": {"groups": {"g": {"mode": "enforce"}}}}}}
        self.gateway(self.upstream.port, **more)
        self.send()
        self.send(recipient="user@strict.example", code=550)
        self.assertEqual((self.counted("would_have", "R"), self.counted("hits", "R")), (1, 1))

    def test_a_share_of_the_mails(self):
        self.gateway(self.upstream_port(RULE % ("R", 'mode = "50%",', "return sp.tempfail()")), **self.more)
        self.expect_half()

    def test_a_share_of_a_tenants_mails(self):
        more = self.serve(RULE % ("R", "", "return sp.tempfail()"))
        more["tenants"] = {"default": {"policy": {"rules": {"mode": "50%"}}}}
        self.gateway(self.upstream.port, **more)
        self.expect_half()

    def expect_half(self):
        codes = []
        with Client(self.port) as client:
            client.greet()
            for _ in range(60):
                client.mail()
                client.ask("DATA", 354)
                client.send("Subject: x\r\n\r\ny\r\n.\r\n")
                codes.append(client.reply()[:3])
                if codes[-1] != "250" and codes[-1] != "451":
                    self.fail(codes[-1])
        enforced = codes.count("451")
        self.assertTrue(10 <= enforced <= 50, enforced)
        self.assertEqual((self.counted("hits", "R"), self.counted("would_have", "R")), (enforced, 60 - enforced))

    def test_a_rule_that_always_fails_is_suspended_once_over_all_workers(self):
        self.gateway(self.upstream_port(RULE % ("R", 'on_error = "tempfail",', "error('no list: ' .. tx.msg.subject)")), workers=3,
                     **self.more)
        for _ in range(26):
            self.send("secret", 451)
        alert, = self.wait_for_log("rule_suspended")
        self.assertEqual((alert["rule"], alert["failures"]), ("R", "20"))
        self.assertEqual((self.counted("failures", "R"), self.counted("suspensions", "R")), (20, 1))
        self.assertEqual(len(self.log_lines("fault")), 20)
        last = self.wait_for_log("transaction", 26)[-1]
        self.assertEqual((last["rule"], last["because"]), ("R", "rule_suspended at rules.lua:2"))
        log = (self.folder / "gateway.log").read_text()
        self.assertIn('error="no list: ..."', log)
        self.assertNotIn("secret", log)
        self.assertEqual(self.reload().returncode, 0)
        self.send("secret", 451)
        self.assertEqual(self.counted("failures", "R"), 21)

    def test_a_stranger_suspends_a_rule_for_himself(self):
        text = RULE % ("R", "", "if tx.msg.subject:lower() == 'spam' then return sp.reject() end")
        self.gateway(self.upstream_port(text), **self.more)
        for _ in range(25):
            self.send(code=451, source="127.0.0.9", header="From: x@y.example")
        self.wait_for_log("rule_suspended")
        self.send("spam", 451, source="127.0.0.9")
        self.send("spam", 550, source="127.0.0.8")
        self.send("fine", 250, source="127.0.0.8")
        self.assertEqual(self.counted("failures", "R"), 20)

    def test_a_scoring_rule_that_fails_is_left_out(self):
        self.gateway(self.upstream_port(RULE % ("R", "", "return (nil)[tx.id]")), **self.more)
        for _ in range(22):
            self.send()
        self.assertEqual(self.counted("failures", "R"), 20)
        last = self.wait_for_log("transaction", 22)[-1]
        self.assertEqual((last["verdict"], last["symbols"]), ("relay", "!rules:R"))


if __name__ == "__main__":
    unittest.main()
