#!/usr/bin/env python3
"""What README.md shows is what the program prints, and what it links to is there."""
import re
import unittest

from support import PROGRAM, ROOT, GatewayTest, run

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
