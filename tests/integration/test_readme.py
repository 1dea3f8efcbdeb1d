#!/usr/bin/env python3
"""What README.md shows is what the program prints, and what it links to is there."""
import re
import unittest

from support import PROGRAM, ROOT, Client, GatewayTest, free_port, run

PAGE = (ROOT / "README.md").read_text()
RECORDS = {
    "example.org": {"TXT": ["v=spf1 ip4:192.0.2.25 -all"], "MX": [[10, "mx.example.org"]]},
    "9.113.0.203.zen.example": {"A": ["127.0.0.2"]},
}
MAIL = """From: Ann <ann@example.org>
To: bob@example.com
Subject: Your invoice
Date: Mon, 30 Nov 2026 06:00:00 +0000
Message-ID: <1@example.org>

Please pay.
"""


class Readme(GatewayTest):
    def test_the_output_of_explain_is_real(self):
        command, shown = re.search(r"^```\n\$ sallyport (explain [^\n]*)\n(.*?)^```$", PAGE, re.M | re.S).groups()
        (self.folder / "mail.eml").write_text(MAIL)
        configuration = self.folder / "sallyport.toml"
        configuration.write_text(f"""hostname = "mx1.example.com"
domains = ["example.com"]
upstream = "10.0.0.5:25"
[dns]
servers = ["127.0.0.1:{self.dns(RECORDS)}"]
[policy.dnsbl]
zones."zen.example".score = 8.0
zones."zen.example".self_test = "off"
""")
        done = run([PROGRAM, *command.split(), "-c", configuration], cwd=self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        without_id = lambda text: re.sub(r"\(id [0-9A-Z]{16}\)", "(id)", text)
        self.assertEqual(without_id(done.stdout), without_id(shown))

    def test_the_first_five_minutes(self):
        """Its steps, with addresses of this machine: what `init` writes is checked, runs, takes a mail, and is summed up."""
        steps = re.search(r"^## The first five minutes\n(.*?)^A complete", PAGE, re.M | re.S)[1]
        [options] = re.findall(r"`sallyport init ([^`]*)`", steps)
        file, log = self.folder / "sallyport.toml", self.folder / "gateway.log"
        file.write_text("# the one that the installation has written\n")
        self.port = free_port()
        records = {**RECORDS, "example.com": {"MX": [[10, "mx1.example.com"]]}, "mx1.example.com": {"A": ["127.0.0.1"]}}
        certificate = self.certificate()
        written = run([PROGRAM, "init", *options.split(), "-c", file, "--hostname", "mx1.example.com", "--domain", "example.com", "--cert", certificate,
                       "--upstream", f"127.0.0.1:{self.sink().port}", "--dns", f"127.0.0.1:{self.dns(records)}", "--listen", f"127.0.0.1:{self.port}",
                       "--state", self.folder / "state", "--log", f"file:{log}"])
        self.assertEqual(written.returncode, 0, written.stdout + written.stderr)
        file.write_text('user = "nobody"\n' + file.read_text())
        checked = run([PROGRAM, "check", "-c", file])
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.start_gateway(file)
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@example.org>", 250)
            client.ask("RCPT TO:<you@example.com>", 250)
            client.message(MAIL.replace("\n", "\r\n"))
            client.ask("QUIT", 221)
        self.wait_for_log("transaction")
        summed_up = run([PROGRAM, "report", "-"], input=log.read_text())
        self.assertEqual(summed_up.returncode, 0, summed_up.stderr)
        self.assertIn("example.org", summed_up.stdout)
        self.assertIn('mode = "shadow"', steps)
        self.assertIn('mode = "shadow"\n', file.read_text())
        file.write_text(file.read_text().replace('mode = "shadow"\n', ""))
        reloaded = run([PROGRAM, "reload", "-c", file])
        self.assertEqual(reloaded.returncode, 0, reloaded.stderr)

    def test_the_short_configuration_is_complete(self):
        [text] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)
        file = self.folder / "sallyport.toml"
        file.write_text(f'user = "nobody"\nlisten = [{{ address = "127.0.0.1:{free_port()}" }}]\nstate.path = "{self.folder}/state"\n'
                        + text.replace('"certs/mx1"', f'"{self.certificate()}"'))
        done = run([PROGRAM, "check", "-c", file])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_links_lead_to_files(self):
        links = re.findall(r"\]\(([^)#]+)\)", PAGE)
        self.assertGreater(len(links), 10)
        self.assertEqual([link for link in links if "://" not in link and not (ROOT / link).exists()], [])

    def test_the_commands_exist(self):
        commands = set(re.findall(r"`sallyport ([a-z]+)", PAGE)) | set(re.findall(r"^    sallyport ([a-z]+)", PAGE, re.M))
        self.assertGreater(len(commands), 8)
        for command in commands:
            self.assertEqual(run([PROGRAM, command, "--help"]).returncode, 0, command)


if __name__ == "__main__":
    unittest.main()
