#!/usr/bin/env python3
"""Several tenants behind one gateway: each has its domains, its server, and its own word on every key of `policy`.

What counts for a recipient is what its tenant says (contract.md, section 3), and the log, `explain` and `config show` agree.
"""
import json
import signal
import unittest

from support import PROGRAM, Client, GatewayTest, our_header, run

LISTED = "127.0.0.9"    # on common-list.example, and on acme-list.example
CLEAN = "127.0.0.11"

ZONE = {
    "9.0.0.127.common-list.example": {"A": ["127.0.0.2"]},
    "9.0.0.127.acme-list.example": {"A": ["127.0.0.3"]},
    "strict.example": {"TXT": ["v=spf1 -all"]},
}

# Its score is told by the subject: "4 points".
POINTS = """sp.rule { name = "POINTS", stage = "message", run = function(tx)
  local points = tonumber((tx.msg.subject or ""):match("^(%d+) points$"))
  if points then return sp.hit { score = points, detail = "for " .. tx.tenant } end
end }
"""


class TenantTest(GatewayTest):
    def serve(self, tenants, policy=None, **more):
        """A gateway for these tenants, each with a domain of its name and a server of its own, unless it says otherwise."""
        self.servers = {name: self.sink() for name in tenants}
        for name, tenant in tenants.items():
            tenant.setdefault("domains", [f"{name}.example"])
            tenant.setdefault("upstream", name)
        servers = {name: {"servers": [f"127.0.0.1:{sink.port}"], "tls": "off"} for name, sink in self.servers.items()}
        self.dns_port = self.dns(ZONE)
        self.file = self.configuration(servers, tenants=tenants, domains=None, policy=policy or {},
                                       dns={"servers": [f"127.0.0.1:{self.dns_port}"]}, **more)
        return self.start_gateway(self.file)

    def client(self, source=CLEAN):
        client = Client(self.port, source=source)
        self.addCleanup(client.socket.close)
        client.greet()
        return client

    def send(self, to, code=250, subject="x", source=CLEAN, sender="ann@sender.example"):
        """One mail in a session of its own, refused at RCPT or at its end, or relayed; gives the last reply to it, and its
        line in the log."""
        client = self.client(source)
        before = len(self.log_lines())
        client.ask(f"MAIL FROM:<{sender}>", 250)
        client.send(f"RCPT TO:<{to}>\r\n")
        reply = client.reply()
        if reply.startswith("250"):
            client.ask("DATA", 354)
            client.send(f"From: {sender}\r\nSubject: {subject}\r\n\r\nhello\r\n.\r\n")
            reply = client.reply()
        self.assertEqual(reply[:3], str(code), reply)
        client.ask("QUIT", 221)
        return reply, self.wait_for_log(count=before + 1)[-1]

    def assert_fields(self, line, **expected):
        self.assertEqual({key: line.get(key) for key in expected}, expected, line)

    def explain(self, *to, subject="x", source=CLEAN):
        done = run([PROGRAM, "explain", "-c", self.file, "--json", "--ip", source, "--from", "ann@sender.example",
                    *(argument for one in to for argument in ("--to", one)), "-"],
                   input=f"From: ann@sender.example\nSubject: {subject}\n\nhello\n")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def shown(self, tenant=None):
        """What `config show` says: key to (value, origin)."""
        done = run([PROGRAM, "config", "show", "-c", self.file, "--json", *(["--tenant", tenant] if tenant else [])])
        self.assertEqual(done.returncode, 0, done.stderr)
        return {key: (entry["value"], entry["origin"]) for key, entry in json.loads(done.stdout).items()}


class Lists(TenantTest):
    def asked(self):
        log = self.folder / "dns.log"
        return log.read_text() if log.exists() else ""

    def test_a_list_of_one_tenant(self):
        self.serve({"acme": {"policy": {"dnsbl": {"zones": {"acme-list.example": {"score": 9.0}}}}}, "beta": {}},
                   {"dnsbl": {"mode": "enforce"}})
        self.send("bob@beta.example", source=LISTED)
        self.assertNotIn("9.0.0.127.acme-list.example", self.asked())  # only its own mail asks it
        reply, line = self.send("ann@acme.example", 550, source=LISTED)
        self.assertRegex(reply, r"^550 5\.7\.1 Listed by acme-list\.example \(id \w+\)$")
        self.assert_fields(line, tenant="acme", verdict="reject", check="dnsbl", rule="acme-list.example",
                           dnsbl="acme-list.example", symbols="dnsbl:acme-list.example(9)", nrcpt="0")
        recipient, = self.log_lines("recipient")
        self.assert_fields(recipient, tenant="acme", to="<ann@acme.example>", check="dnsbl", rule="acme-list.example",
                           symbols="dnsbl:acme-list.example(9)", code="550")
        self.send("ann@acme.example", source=CLEAN)
        said = self.explain("ann@acme.example", source=LISTED)
        self.assertEqual((said["tenant"], said["verdict"], said["rule"]), ("acme", "reject", "acme-list.example"))
        self.assertEqual(self.explain("bob@beta.example", source=LISTED)["verdict"], "relay")

    def test_lists_of_all_are_those_of_each(self):
        self.serve({"acme": {"policy": {"dnsbl": {"zones": {"acme-list.example": {"score": 5.0}}}}}, "beta": {}},
                   {"dnsbl": {"mode": "enforce", "zones": {"common-list.example": {"score": 4.0}}}})
        _, line = self.send("ann@acme.example", 550, source=LISTED)
        self.assert_fields(line, rule="acme-list.example", score="9",
                           symbols="dnsbl:common-list.example(4),dnsbl:acme-list.example(5)")
        self.assertIn("common-list.example=127.0.0.2(4)", line["because"])
        _, line = self.send("bob@beta.example", source=LISTED)
        self.assert_fields(line, verdict="relay", tenant="beta", dnsbl="common-list.example", score="4",
                           symbols="dnsbl:common-list.example(4)")

    def test_a_score_and_a_threshold_of_ones_own(self):
        self.serve({"acme": {"policy": {"dnsbl": {"reject_at": 4.0}}},
                    "beta": {"policy": {"dnsbl": {"zones": {"common-list.example": {"score": 8.0}}}}}, "gamma": {}},
                   {"dnsbl": {"mode": "enforce", "zones": {"common-list.example": {"score": 4.0}}}})
        _, line = self.send("ann@acme.example", 550, source=LISTED)
        self.assertIn("sum 4 of 4", line["because"])
        _, line = self.send("bob@beta.example", 550, source=LISTED)
        self.assertIn("sum 8 of 8", line["because"])
        self.send("eve@gamma.example", 250, source=LISTED)
        shown = self.shown("beta")
        value, origin = shown['tenants.beta.policy.dnsbl.zones."common-list.example".score']
        self.assertEqual(value, 8.0)
        self.assertTrue(origin.startswith(f"{self.file}:"), origin)
        self.assertEqual(shown["tenants.beta.policy.dnsbl.reject_at"], (8.0, "default"))

    def test_what_refuses_one_tenants_recipient_is_not_of_the_others_mail(self):
        self.serve({"acme": {"policy": {"dnsbl": {"zones": {"acme-list.example": {"score": 9.0}}}}}, "beta": {}},
                   {"dnsbl": {"mode": "enforce"}})
        client = self.client(LISTED)
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<ann@acme.example>", 550)
        client.ask("RCPT TO:<bob@beta.example>", 250)
        client.message("Subject: x\r\n\r\ny")
        line, = self.wait_for_log()
        self.assert_fields(line, tenant="beta", verdict="relay", dnsbl="", symbols="", score="0", to="<bob@beta.example>")
        self.assertEqual(len(self.servers["beta"].wait_for(1)), 1)
        self.assertEqual(self.servers["acme"].messages(), [])


class Modes(TenantTest):
    """tenants.T.policy.X.mode, tenants.T.policy.mode, policy.X.mode, policy.mode, X's own default."""

    def test_the_most_specific_wins(self):
        zones = {"common-list.example": {"score": 9.0}}
        self.serve({"own": {"policy": {"mode": "off", "dnsbl": {"mode": "enforce"}}},
                    "owns-all": {"policy": {"mode": "shadow"}},
                    "owns-off": {"policy": {"mode": "enforce", "dnsbl": {"mode": "off"}}},
                    "none": {}},
                   {"mode": "off", "dnsbl": {"mode": "enforce", "zones": zones}, "spf": {"on_fail": "reject"}})
        _, line = self.send("a@own.example", 550, source=LISTED, sender="x@strict.example")
        self.assert_fields(line, check="dnsbl", spf="")
        _, line = self.send("a@owns-all.example", 250, source=LISTED, sender="x@strict.example")
        self.assert_fields(line, verdict="relay", dnsbl="common-list.example", spf="fail")
        self.assertIn("~dnsbl:common-list.example(", line["symbols"])
        self.assertIn("~spf", line["symbols"].split(","))
        self.assertIn("dnsbl:common-list.example reject", line["shadow"])
        self.assertIn("spf reject", line["shadow"])
        _, line = self.send("a@owns-off.example", 250, source=LISTED)
        self.assert_fields(line, code="250", dnsbl="")
        self.assertNotIn("dnsbl", line["symbols"])
        reply, line = self.send("a@owns-off.example", 550, source=LISTED, sender="x@strict.example")
        self.assert_fields(line, check="spf", dsn="5.7.23", dnsbl="")
        _, line = self.send("a@none.example", 550, source=LISTED, sender="x@strict.example")
        self.assert_fields(line, check="dnsbl", spf="")

        wanted = {"own": ("enforce", "off"), "owns-all": ("shadow", "shadow"), "owns-off": ("off", "enforce"),
                  "none": ("enforce", "off")}
        for tenant, (dnsbl, spf) in wanted.items():
            shown = self.shown(tenant)
            self.assertEqual((shown[f"tenants.{tenant}.policy.dnsbl.mode"][0],
                              shown[f"tenants.{tenant}.policy.spf.mode"][0]), (dnsbl, spf), tenant)
            rows = {check["check"]: check["mode"] for check in self.explain(f"a@{tenant}.example")["checks"]}
            self.assertEqual((rows.get("dnsbl", "off"), rows.get("spf", "off")), (dnsbl, spf), tenant)

    def test_of_a_check_that_is_off_by_default(self):
        self.file = self.configuration(25, domains=None, tenants={
            "acme": {"domains": ["acme.example"], "policy": {"mode": "enforce"}},
            "beta": {"domains": ["beta.example"], "policy": {"rdns": {"mode": "shadow"}}},
            "gamma": {"domains": ["gamma.example"]}})
        # The test's own configuration says policy.mode = "off".
        self.file.write_text(self.file.read_text().replace('policy = { "mode" = "off" }\n', ""))
        for tenant, mode in (("acme", "enforce"), ("beta", "shadow"), ("gamma", "off")):
            self.assertEqual(self.shown(tenant)[f"tenants.{tenant}.policy.rdns.mode"][0], mode, tenant)
        self.assertEqual(self.shown("gamma")["tenants.gamma.policy.helo.mode"], ("enforce", "default"))

    def test_a_check_that_one_tenant_alone_has_runs_for_it(self):
        self.serve({"acme": {"policy": {"spf": {"mode": "enforce", "on_fail": "reject"}}}, "beta": {}})
        reply, line = self.send("ann@acme.example", 550, sender="x@strict.example")
        self.assertTrue(reply.startswith("550 5.7.23 "), reply)
        self.assert_fields(line, tenant="acme", check="spf", spf="fail")
        _, line = self.send("bob@beta.example", 250, sender="x@strict.example")
        self.assert_fields(line, tenant="beta", verdict="relay", spf="", symbols="")
        content = self.servers["beta"].wait_for(1)[0][1]
        self.assertNotIn("Received-SPF", [name for name, _ in our_header(content)[0]])


class Rules(TenantTest):
    def test_rules_and_thresholds_of_ones_own(self):
        self.serve({"acme": {"policy": {"actions": {"tag": 2.0, "reject": 4.0}}},
                    "beta": {"policy": {"rules": {"path": self.rules(POINTS.replace("POINTS", "BETAS_POINTS"), "betas")}}},
                    "gamma": {}},
                   {"rules": {"mode": "enforce", "path": self.rules(POINTS)}})
        for tenant, points, code, verdict in (("acme", 1, 250, "relay"), ("acme", 2, 250, "tag"), ("acme", 4, 550, "reject"),
                                              ("beta", 4, 250, "relay"), ("beta", 5, 250, "tag"),
                                              ("gamma", 9, 250, "tag"), ("gamma", 14, 250, "quarantine"), ("gamma", 15, 550, "reject")):
            with self.subTest(tenant=tenant, points=points):
                _, line = self.send(f"ann@{tenant}.example", code, f"{points} points")
                rule = "BETAS_POINTS" if tenant == "beta" else "POINTS"
                self.assert_fields(line, tenant=tenant, verdict=verdict, symbols=f"rules:{rule}({points})")
                if verdict != "relay":
                    self.assert_fields(line, check="score", rule=f"rules:{rule}")
                    self.assertIn(f"for {tenant}", line["because"])
                said = self.explain(f"ann@{tenant}.example", subject=f"{points} points")
                self.assertEqual((said["tenant"], said["verdict"]), (tenant, verdict))
        self.assertEqual(self.explain("ann@acme.example")["thresholds"]["reject"], 4.0)

    def test_a_tenants_rule_may_look_at_the_connection(self):
        rule = f"""sp.rule {{ name = "NOT_HIM", stage = "connect", run = function(tx)
          if tx.client.ip == "{LISTED}" then return sp.reject(550, "5.7.1", "Not you") end
        end }}
        """
        self.serve({"acme": {"policy": {"rules": {"mode": "enforce", "path": self.rules(rule, "acmes")}}}, "beta": {}})
        self.send("bob@beta.example", 250, source=LISTED)
        reply, line = self.send("ann@acme.example", 550, source=LISTED)
        self.assertRegex(reply, r"^550 5\.7\.1 Not you \(id ")
        self.assert_fields(line, tenant="acme", check="rules", rule="NOT_HIM")
        self.send("ann@acme.example", 250, source=CLEAN)


class Rates(TenantTest):
    def test_allowances_of_ones_own(self):
        self.serve({"acme": {"policy": {"rate": {"mail_per_ip": "3/1h"}}}, "beta": {}, "gamma": {}},
                   {"rate": {"mode": "enforce", "mail_per_ip": "2/1h", "rcpt_per_sender_domain": "off"}})
        self.send("bob@beta.example")
        self.send("eve@gamma.example")  # beta and gamma share what is everybody's
        _, line = self.send("bob@beta.example", 451)
        self.assert_fields(line, tenant="beta", check="rate", rule="mail_per_ip", symbols="rate:mail_per_ip")
        self.assertIn("2/1h", line["because"])
        for _ in range(3):
            self.send("ann@acme.example")
        _, line = self.send("ann@acme.example", 451)
        self.assert_fields(line, tenant="acme", check="rate", stage="rcpt")
        self.assertIn("3/1h", line["because"])

    def test_off_for_one(self):
        self.serve({"acme": {"policy": {"rate": {"mail_per_ip": "off"}}}, "beta": {}},
                   {"rate": {"mode": "enforce", "mail_per_ip": "1/1h"}})
        for _ in range(3):
            self.send("ann@acme.example")
        self.send("bob@beta.example")
        self.send("bob@beta.example", 451)


class Domains(TenantTest):
    def test_whose_a_domain_is(self):
        self.serve({"acme": {"domains": ["acme.example", "*.acme.example"]},
                    "beta": {"domains": ["mail.acme.example"]},
                    "gamma": {"domains": ["*.deep.acme.example"]}})
        for domain, tenant in (("acme.example", "acme"), ("a.acme.example", "acme"), ("a.b.acme.example", "acme"),
                               ("MAIL.Acme.Example", "beta"), ("x.mail.acme.example", "acme"),
                               ("deep.acme.example", "acme"), ("x.deep.acme.example", "gamma")):
            with self.subTest(domain=domain):
                _, line = self.send(f"ann@{domain}", 250)
                self.assert_fields(line, tenant=tenant)
                self.assertEqual(self.explain(f"ann@{domain}")["tenant"], tenant)
        self.send("ann@example", 550)
        self.send("ann@xacme.example", 550)
        counts = {name: len(sink.messages()) for name, sink in self.servers.items()}
        self.assertEqual(counts, {"acme": 5, "beta": 1, "gamma": 1})

    def test_two_tenants_in_one_transaction(self):
        self.serve({"acme": {}, "beta": {}})
        client = self.client()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.ask("RCPT TO:<ann@acme.example>", 250)
        reply = client.ask("RCPT TO:<bob@beta.example>", 452)
        self.assertRegex(reply, r"^452 4\.5\.3 .* \(id \w+\)$")
        client.ask("RCPT TO:<kim@acme.example>", 250)
        client.message("Subject: x\r\n\r\ny")
        client.mail(recipient="bob@beta.example")  # the others get it as a mail of their own
        client.message("Subject: x\r\n\r\ny")
        client.ask("QUIT", 221)
        first, second = self.wait_for_log(count=2)
        self.assert_fields(first, tenant="acme", verdict="relay", nrcpt="2", to="<ann@acme.example>,<kim@acme.example>")
        self.assert_fields(second, tenant="beta", verdict="relay", nrcpt="1")
        recipient, = self.log_lines("recipient")
        self.assert_fields(recipient, id=first["id"], tenant="beta", verdict="tempfail", code="452", dsn="4.5.3",
                           check="split_route", to="<bob@beta.example>", reply=reply)
        self.assertEqual([len(self.servers[name].wait_for(1)) for name in ("acme", "beta")], [1, 1])
        said = self.explain("ann@acme.example", "bob@beta.example")
        replies = [exchange["reply"][-1] for exchange in said["dialogue"] if exchange["command"].startswith("RCPT")]
        self.assertEqual([reply[:9] for reply in replies], ["250 2.1.5", "452 4.5.3"], replies)

    def test_a_tenant_that_there_is_not(self):
        self.serve({"acme": {}})
        done = run([PROGRAM, "config", "show", "-c", self.file, "--tenant", "acne"])
        self.assertEqual((done.returncode, done.stdout), (64, ""))
        self.assertIn('"acne"', done.stderr)


class Mistakes(TenantTest):
    def test_are_found_where_they_stand(self):
        self.file = self.configuration(25, domains=None, tenants={
            "acme": {"domains": ["acme.example"], "policy": {"spf": {"on_fial": "reject"}, "dnsbl": {"reject_at": "much"}}},
            "beta": {"domains": ["beta.example"], "policy": {"rules": {"mode": "enforce", "path": "no/such/rules"}}}})
        done = run([PROGRAM, "check", self.file])
        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
        place = rf"(?m)^{self.file}:\d+:\d+: error: "
        for wanted in (r'unknown key "on_fial" in \[tenants\.acme\.policy\.spf\]; did you mean "on_fail"\?$',
                       'expected a number, not a text "much"$', ".*no/such/rules: cannot read the rule path: "):
            self.assertRegex(done.stderr, place + wanted)
        self.file.write_text(self.file.read_text().replace("on_fial", "on_fail").replace('"much"', "3.0"))
        done = run([PROGRAM, "check", self.file])
        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count(": error: "), 1, done.stderr)


class InJson(TenantTest):
    def test_lines_and_a_reload(self):
        self.serve({"acme": {"policy": {"rules": {"mode": "enforce"}}}, "beta": {}},
                   {"rules": {"mode": "off", "path": self.rules(POINTS)}},
                   log={"format": "json", "target": f"file:{self.folder}/gateway.log"})
        _, line = self.send("ann@acme.example", 250, "6 points")
        self.assert_fields(line, tenant="acme", verdict="tag", to='["ann@acme.example"]', symbols='["rules:POINTS(6)"]',
                           score="6", nrcpt="1")
        _, line = self.send("bob@beta.example", 250, "6 points")
        self.assert_fields(line, tenant="beta", verdict="relay", symbols="[]")
        # An override that comes while the gateway runs counts from the next connection on.
        text = self.file.read_text()
        self.assertIn('"beta" = { "domains"', text)
        self.file.write_text(text.replace('"beta" = { "domains"', '"beta" = { "policy" = { "rules" = { "mode" = "enforce" }, '
                                          '"actions" = { "reject" = 6.0 } }, "domains"'))
        self.gateway_process.signal(signal.SIGHUP)
        self.wait_for_log("reloaded")
        _, line = self.send("bob@beta.example", 550, "6 points")
        self.assert_fields(line, tenant="beta", verdict="reject", check="score", symbols='["rules:POINTS(6)"]')
        self.send("ann@acme.example", 250, "6 points")


if __name__ == "__main__":
    unittest.main()
