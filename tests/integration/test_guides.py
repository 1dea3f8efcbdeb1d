#!/usr/bin/env python3
"""The guides for administrators (packaging/guides) on the running program: their configurations pass `check`, the rule passes its tests,
the lines for Postfix and HAProxy serve with the real programs, and no guide names a command, a setting or a page that there is not."""
import importlib.util
import os
import re
import shutil
import subprocess
import unittest

from postfix_server import Postfix
from support import PROGRAM, ROOT, Client, GatewayTest, free_port, run, tool, wait_until

FOLDER = ROOT / "packaging/guides"
GUIDES = {path.name: path.read_text() for path in sorted(FOLDER.glob("*.md"))}
FENCED = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.M | re.S)
MINIMAL = {"hostname": 'hostname = "mx1.example.com"\n', "domains": 'domains = ["example.com"]\n', "upstream": 'upstream = "127.0.0.1:9"\n'}
# In backticks and with a dot, and no setting: names of files and hosts, and what rules and other programs have.
NO_SETTING = re.compile(r"\.(md|toml|ya?ml|db|lua|cf|pem|example|com|org|internal|eml|outlook\.com)$|^(sp|tx|t)\.|_domainkey\.|^\d")

SERVERS = ("mail.acme.internal", "mail.example.internal", "example-com.mail.protection.outlook.com")


def blocks(page, kind):
    return [text for info, text in FENCED.findall(GUIDES[page]) if info.strip() == kind]


def prose(page):
    return FENCED.sub("", GUIDES[page])


def has(program):
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin")


class Pages(unittest.TestCase):
    def test_the_index_has_them_all(self):
        linked = set(re.findall(r"\]\(([\w-]+\.md)\)", GUIDES["README.md"]))
        self.assertEqual(linked, set(GUIDES) - {"README.md"})

    def test_each_ends_with_how_to_see_that_it_works(self):
        for page in GUIDES:
            if page != "README.md":
                self.assertEqual(re.findall(r"^## (.*)", prose(page), re.M)[-1], "How to see that it works", page)

    def test_links_lead_somewhere(self):
        for page in GUIDES:
            for target in re.findall(r"\]\(([^)#]+)", prose(page)):
                if "://" not in target:
                    self.assertTrue((FOLDER / target).exists(), f"{page}: {target}")

    def test_blocks_are_of_a_kind_that_is_tested(self):
        kinds = {info.strip() for page in GUIDES for info, _ in FENCED.findall(GUIDES[page])}
        self.assertLessEqual(kinds, {"toml", "toml fragment", "lua rule", "lua test", "main.cf", "master.cf", "haproxy", "powershell",
                                     "sieve", "yaml"})

    def test_manifests_are_yaml(self):
        yaml = importlib.import_module("yaml") if importlib.util.find_spec("yaml") else self.skipTest("python3-yaml is not installed")
        [manifests] = blocks("containers.md", "yaml")
        workload, service = yaml.safe_load_all(manifests)
        pod = workload["spec"]["template"]["spec"]
        [container] = pod["containers"]
        self.assertEqual({mount["name"] for mount in container["volumeMounts"]},
                         {volume["name"] for volume in pod["volumes"]} | {claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]})
        self.assertEqual(service["spec"]["ports"][0]["targetPort"], container["ports"][0]["name"])
        user = re.search(r"^USER (\d+):", (ROOT / "packaging/docker/Dockerfile").read_text(), re.M)[1]
        self.assertEqual({str(pod["securityContext"][of]) for of in ("runAsUser", "runAsGroup", "fsGroup")}, {user})

    def test_commands_exist(self):
        usage = run([PROGRAM, "--help"]).stdout
        commands = set(re.findall(r"^  ([a-z]+) ", usage[usage.index("Subcommands:"):], re.M))
        for page, text in GUIDES.items():
            # In a shell's line, in backticks, or behind a pipe or `exec`; not the image or the service of that name.
            for words in re.findall(r"(?:^    |`|do |exec sallyport |-- )sallyport ([a-z][a-z-]*(?: [a-z-]+)?)", text, re.M):
                command, *more = words.split(" ")
                self.assertIn(command, commands, f"{page}: sallyport {words}")
                if command in ("rule", "config", "dmarc") and more:
                    usage_of = run([PROGRAM, command, "--help"]).stdout
                    self.assertIn(more[0], re.findall(r"^  ([a-z]+) ", usage_of[usage_of.index("Subcommands:"):], re.M), f"{page}: {words}")

    def test_options_of_commands_exist(self):
        for page, text in GUIDES.items():
            for command, options in re.findall(r"sallyport (explain|rule test|rule list|lua|stats|upstreams|check|reload) ([^`|\n]*--[^`|\n]*)", text):
                usage = run([PROGRAM, *command.split(), "--help"]).stdout
                for option in re.findall(r"(?<!\S)--[a-z]+", options):
                    self.assertIn(option, usage, f"{page}: {command}")

    def test_settings_exist(self):
        sections = set(re.findall(r'"([a-z_]+)":', run([PROGRAM, "config", "schema"]).stdout))
        checked = 0
        for page in GUIDES:
            for key in re.findall(r"`([a-z_]+(?:\.[A-Za-z_]+)+)(?: = [^`]*)?`", prose(page)):
                if NO_SETTING.search(key):
                    continue
                done = run([PROGRAM, "config", "explain", key])
                self.assertEqual(done.returncode, 0, f"{page}: {key}: {done.stderr}")
                checked += 1
            for section in re.findall(r"`\[{1,2}([a-z_]+(?:\.[A-Za-z_]+)*)\]{1,2}`", prose(page)):
                done = run([PROGRAM, "config", "explain", section])
                self.assertEqual(done.returncode, 0, f"{page}: [{section}]: {done.stderr}")
            for key in re.findall(r"`([a-z_]+) = \"[^`]*\"`", prose(page)):
                self.assertIn(key, sections, f"{page}: {key}")
        self.assertGreater(checked, 100)

    def test_shipped_rules_exist(self):
        shipped = set(re.findall(r'name *= *"([A-Z_]+)"', "".join(path.read_text() for path in (ROOT / "lua/rules").glob("*.lua"))))
        named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", prose("migrating.md")))
        self.assertLessEqual(named, shipped)
        self.assertTrue(named)


class Configurations(GatewayTest):
    """Each, with addresses of this machine's loopback and files that exist."""

    def setUp(self):
        super().setUp()
        rules = self.folder / "rules"
        rules.mkdir()
        for name in ("FIRST", "INVOICE_PAGE"):
            (rules / f"{name}.lua").write_text(f'require("sallyport").rule {{ name = "{name}", stage = "message", run = function() end }}\n')
        self.dns_port = self.dns({name: {"A": ["127.0.0.1"]} for name in SERVERS})
        key = self.folder / "arc.key"
        self.openssl("genrsa", "-out", key, "2048")
        self.keep(key)

    def openssl(self, *arguments):
        subprocess.run([tool("openssl"), *arguments], check=True, capture_output=True)

    def keep(self, key):
        key.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(key, "nobody")

    def named_certificate(self, match):
        """A directory as the guides name it, with a certificate for all names that they have."""
        folder = self.folder / "tls" / match[1]
        if not folder.exists():
            folder.mkdir(parents=True)
            kind = ["rsa:2048"] if "rsa" in match[1] else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            names = ",".join(f"DNS:{name}" for name in ("mx.example.com", "mx1.example.com", "mx2.example.com", "mx.acme.example"))
            self.openssl("req", "-x509", "-newkey", *kind, "-nodes", "-days", "90", "-subj", "/CN=mx1.example.com", "-addext",
                         f"subjectAltName={names}", "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem")
            self.keep(folder / "privkey.pem")
        return f'"{folder}"'

    def adapted(self, text):
        """The configuration as this machine can have it: paths, ports and the user; of a fragment also what makes it complete."""
        text = re.sub(r'"(?:/etc/sallyport)?/tls/([\w-]+)"', self.named_certificate, text)
        text = re.sub(r'^address = "[^"]*:\d+"', lambda _: f'address = "127.0.0.1:{free_port()}"', text, flags=re.M)
        text = text.replace("/etc/sallyport/", f"{self.folder}/").replace("/var/lib/sallyport", f"{self.folder}/state")
        top, *sections = re.split(r"^(?=\[)", text, maxsplit=1, flags=re.M)
        needed = {**MINIMAL, "user": 'user = "nobody"\n', "dns.servers": f'dns.servers = ["127.0.0.1:{self.dns_port}"]\n'}
        if "[upstreams.default]" in text:
            del needed["upstream"]
        if "[[listen]]" not in text:
            needed["listen"] = f'listen = [{{ address = "127.0.0.1:{free_port()}" }}]\n'
        if "[state]" not in text:
            needed["state.path"] = f'state.path = "{self.folder}/state"\n'
        return "".join(line for name, line in needed.items() if not re.search(rf"^{re.escape(name)} *=", top, re.M)) + "".join([top, *sections])

    def test_all_of_them(self):
        count = 0
        for page in GUIDES:
            for kind in ("toml", "toml fragment"):
                for number, text in enumerate(blocks(page, kind)):
                    with self.subTest(page=page, kind=kind, number=number):
                        if kind == "toml":
                            self.assertRegex(text, r"(?m)^hostname *=")
                            self.assertRegex(text, r"(?m)^domains *=")
                            self.assertRegex(text, r"(?m)^(upstream *=|\[upstreams\.default\])")
                        file = self.folder / "guide.toml"
                        file.write_text(self.adapted(text))
                        file.chmod(0o644)
                        done = run([PROGRAM, "check", file])
                        self.assertEqual(done.returncode, 0, f"{file.read_text()}\n{done.stdout}{done.stderr}")
                        # How many files may be open here is no matter of the guide.
                        self.assertEqual([line for line in done.stderr.splitlines() if "open files" not in line], [])
                    count += 1
        self.assertGreater(count, 12)


class FirstRule(GatewayTest):
    def test_it_passes_its_tests(self):
        [rule], [tests] = blocks("first-rule.md", "lua rule"), blocks("first-rule.md", "lua test")
        folder = self.folder / "rules"
        folder.mkdir()
        self.assertEqual(run([PROGRAM, "rule", "new", "INVOICE_PAGE", folder]).returncode, 0)
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ["invoice_page.lua", "invoice_page_test.lua"])
        self.assertEqual(run([PROGRAM, "rule", "test", folder]).returncode, 0)
        (folder / "invoice_page.lua").write_text(rule)
        (folder / "invoice_page_test.lua").write_text(tests)
        done = run([PROGRAM, "rule", "test", folder])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        [summary] = re.findall(r"`(\d+ tests, 0 failed)`", GUIDES["first-rule.md"])
        self.assertIn(summary, done.stdout)
        listed = " ".join(run([PROGRAM, "rule", "list", folder]).stdout.split())
        self.assertTrue(listed.startswith("INVOICE_PAGE message shadow 4"), listed)


class Codes(GatewayTest):
    def test_the_table_of_refusals_has_what_the_program_says(self):
        """Each enhanced code for refusals in the sources of sessions and checks stands in the table, or is one of the protocol's."""
        said = set()
        for folder in ("gateway/session", "policies"):
            for path in (ROOT / folder).rglob("*.[ch]*"):
                said |= set(re.findall(r'"([45]\.\d+\.\d+)"', path.read_text()))
        told = set(re.findall(r"\b([45]\.\d+\.\d+)\b", GUIDES["refused.md"]))
        rare = {"4.0.0", "5.0.0",                                      # of a milter that gives none
                "5.1.2", "5.1.3", "5.1.7", "5.1.8",                      # addresses that are none
                "5.5.0", "5.5.1", "5.5.4", "5.6.3",                      # the protocol
                "4.3.5", "4.7.23"}                                       # a rule's way that cannot be taken; SPF put off
        self.assertEqual(said - told - rare, set())

    def test_an_id_leads_to_the_lines_that_the_guide_promises(self):
        receiver = self.sink()
        self.gateway({"servers": [f"127.0.0.1:{receiver.port}"]}, policy={"mode": "off"})
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<you@elsewhere.example>", 250)
            reply = client.ask("RCPT TO:<someone@not-served.example>", 550)
            client.ask("RSET", 250)
        self.assertIn("Relaying denied (id ", reply)
        number = re.search(r"\(id (\w+)\)", reply)[1]
        [refused], [mail] = self.wait_for_log("recipient"), self.wait_for_log("transaction")
        self.assertEqual((refused["id"], refused["check"], refused["because"]),
                         (number, "recipients", "no tenant serves not-served.example"))
        self.assertEqual(mail["id"], number)


class DayByDay(GatewayTest):
    def test_its_commands_do_on_a_running_gateway_what_they_are_for(self):
        log = self.folder / "gateway.log"
        file = self.configuration(self.sink().port, policy={"mode": "off"}, log={"target": f"file:{log}"})
        self.start_gateway(file)
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.message("Subject: hello\r\n\r\nhello")
            client.ask("QUIT", 221)
        self.wait_for_log("transaction")
        ran = set()
        for line in re.findall(r"^    (.*sallyport .*)$", prose("operation.md"), re.M):
            source, _, command = line.rpartition("| ") if line.endswith("sallyport report -") else ("", "", line)
            if command in ran or not command.startswith("sallyport ") or "|" in command:
                continue
            ran.add(command)
            done = run([PROGRAM, *command.split()[1:], *([] if source else ["-c", file])], **({"input": log.read_text()} if source else {}))
            self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
            if command == "sallyport report -":
                self.assertRegex(done.stdout, r"(?m)^.*\b1\b.*relay|relay.*\b1\b")
        self.assertLessEqual({"sallyport check", "sallyport upstreams", "sallyport lists", "sallyport top", "sallyport config diff", "sallyport reload",
                              "sallyport report -"}, ran)


class Kinds(GatewayTest):
    def test_the_page_about_faults_has_every_kind_and_event(self):
        file = self.configuration(self.sink().port, policy={"mode": "off"})
        self.start_gateway(file)
        page = prose("faults.md")
        faults, violations, events = (re.split(r"^## ", page, flags=re.M)[number] for number in (1, 2, 3))
        in_first_column = lambda part: set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"^\| ([^|]*) \|", part, re.M))))
        counted = run([PROGRAM, "stats", "-c", file]).stdout
        for name, part in (("faults", faults), ("violations", violations)):
            kinds = set(re.findall(rf'^sallyport_{name}_total{{kind="([a-z_]+)"}}', counted, re.M))
            self.assertGreater(len(kinds), 20)
            self.assertEqual(in_first_column(part), kinds, name)
        written = {"transaction", "recipient", "connection", "upstream_name", "log_lost"}
        for folder in ("gateway", "policies", "lua"):
            for path in (ROOT / folder).rglob("*.cpp"):
                written |= set(re.findall(r'write\(\s*(?:LogLevel::)?\w+,\s*"([a-z_]+)"', path.read_text()))
        self.assertEqual(in_first_column(events), written - {"fault", "violation"})


@unittest.skipUnless(has("postfix") and os.geteuid() == 0, "needs Postfix, and root, as Postfix does")
class BehindIt(GatewayTest):
    """Postfix with the lines of its guide, but for the addresses."""

    def lines(self):
        [main], [master] = blocks("postfix.md", "main.cf"), blocks("postfix.md", "master.cf")
        return main, master, re.findall(r"-o (\w+)=(\S+)", master)

    def test_the_names_are_those_of_postfix(self):
        main, _, options = self.lines()
        [milter] = blocks("as-a-milter.md", "main.cf")
        for name in [*re.findall(r"^(\w+) =", main + milter, re.M), *(name for name, _ in options)]:
            self.assertEqual(run([tool("postconf"), "-d", name]).stderr, "", name)

    def test_it_sees_the_client(self):
        main, _, options = self.lines()
        more = main + "".join(f"{name} = {value}\n" for name, value in options if name != "syslog_name")
        # Here the clients are on this machine, too: nobody may relay, so that a refusal shows whom Postfix has seen.
        more = more.replace("mynetworks = 127.0.0.0/8", "mynetworks = 127.0.0.99").replace("10.0.0.10", "127.0.0.1")
        postfix = Postfix(self, more)
        self.gateway({"servers": [f"127.0.0.1:{postfix.port}"], "tls": "off", "client_info": "xclient"}, policy={"mode": "off"})
        self.wait_for_ehlo("8BITMIME")
        with Client(self.port, source="127.0.0.77") as client:
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            refusal = client.ask("RCPT TO:<no-such-user@test.example>", 550)
            self.assertTrue(refusal.startswith("550 5.1.1"), refusal)
            client.ask("RSET", 250)
            client.mail()
            client.message("Subject: hello\r\n\r\nhello")
        postfix.wait_for(1)
        log = (postfix.folder / "postfix.log").read_text()
        self.assertRegex(log, r"client=\S*\[127\.0\.0\.77\]")
        self.assertNotRegex(log, r"warning: .*(unused parameter|overriding earlier entry: smtpd_)")
        self.assertEqual(self.wait_for_log("recipient")[0]["check"], "upstream")


@unittest.skipUnless(has("haproxy"), "haproxy is not installed")
class InFrontOfIt(GatewayTest):
    def test_haproxy_tells_the_client(self):
        receiver = self.sink()
        self.gateway({"servers": [f"127.0.0.1:{receiver.port}"]}, policy={"mode": "off"}, trusted={"networks": ["127.0.0.1"]},
                     listen=[{"address": f"127.0.0.1:{(port := free_port())}", "proxy_protocol_from": ["127.0.0.1"]}])
        [text] = blocks("balancers.md", "haproxy")
        front = free_port()
        text = (text.replace("0.0.0.0:25", f"127.0.0.1:{front}").replace("10.0.0.10:2525", f"127.0.0.1:{port}")
                .replace("10.0.0.11:2525", f"127.0.0.1:{free_port()}").replace("inter 10s", "inter 200ms"))
        file = self.folder / "haproxy.cfg"
        file.write_text(text)
        haproxy = self.start("haproxy", [tool("haproxy"), "-db", "-f", file])

        def is_served():
            try:
                with Client(front, source="127.0.0.77") as client:
                    client.greet()
                    client.mail()
                    client.message("Subject: hello\r\n\r\nhello")
                    return True
            except (OSError, AssertionError):
                return False
        wait_until("a mail through HAProxy", is_served)
        self.assertEqual(self.wait_for_log()[-1]["ip"], "127.0.0.77")
        # Its checks have found the gateway healthy, and the other one not.
        wait_until("the check of the second", lambda: "Server gateways/gw2 is DOWN" in haproxy.output())
        self.assertNotIn("gw1 is DOWN", haproxy.output())


if __name__ == "__main__":
    unittest.main()
