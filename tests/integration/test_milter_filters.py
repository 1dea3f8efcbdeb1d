#!/usr/bin/env python3
"""Filters from Debian's packages behind the gateway: opendkim, opendmarc, spamass-milter, clamav-milter, rspamd. Absent ones are skipped."""
import os
import pathlib
import shutil
import subprocess
import unittest

from support import PROGRAM, Client, GatewayTest, accepts, free_port, run, tool, wait_until

FIELDS = ("From: ann@sender.example\r\nTo: user@test.example\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\nSubject: hello\r\n\tand more\r\n"
          "Message-ID: <1@sender.example>\r\n")
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
BODY = "A confidential offer\r\nfor you"


class Filters(GatewayTest):
    def program(self, name):
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if not found:
            self.skipTest(f"no {name} here")
        return found

    def filter(self, name, argv, place, patience=60):
        process = self.start(name, argv)
        wait_until(name, lambda: pathlib.Path(place).exists() or not process.is_running(), patience=patience)
        self.assertTrue(process.is_running(), process.output())
        os.chmod(place, 0o777)
        return process

    def serve(self, *addresses, **more):
        self.store = self.sink()
        milters = [{"address": address, "mode": "enforce", **more} for address in addresses]
        self.gateway(self.store.port, policy={"mode": "off", "milters": milters})

    def send(self, content=FIELDS + "\r\n" + BODY, code=250, count=1):
        with Client(self.port) as client:
            client.greet()
            client.mail()
            answer = client.message(content, code)
            client.ask("QUIT", 221)
        if code != 250:
            return answer
        return self.store.wait_for(count)[-1][1].decode()

    def key(self):
        key = self.folder / "key.pem"
        subprocess.run([tool("openssl"), "genrsa", "-traditional", "-out", key, "2048"], check=True, capture_output=True)
        public = subprocess.run([tool("openssl"), "rsa", "-in", key, "-pubout"], check=True, capture_output=True, text=True).stdout
        record = "".join(line for line in public.splitlines() if not line.startswith("-"))
        (self.folder / "public").write_text(f"sel._domainkey.sender.example v=DKIM1; k=rsa; p={record}\n")
        return key

    def opendkim(self, mode, name, hosts="127.0.0.1"):
        opendkim = self.program("opendkim")
        key = self.folder / "key.pem"
        if not key.exists():
            self.key()
        place, file = self.folder / f"{name}.sock", self.folder / f"{name}.conf"
        inside = self.folder / f"{name}.hosts"
        inside.write_text(hosts + "\n")
        file.write_text(f"Socket local:{place}\nMode {mode}\nDomain sender.example\nSelector sel\nKeyFile {key}\nSyslog no\n"
                        f"TestPublicKeys {self.folder}/public\nInternalHosts {inside}\nRequireSafeKeys no\n"
                        "Canonicalization relaxed/simple\nAlwaysAddARHeader yes\nAuthservID filter.test.example\n")
        self.filter(name, [opendkim, "-f", "-x", file], place)
        return f"unix:{place}"


class Opendkim(Filters):
    def test_signs_and_another_one_verifies(self):
        """The second sees, and passes, what the first has added: nothing of the mail is other than it was signed."""
        signer = self.opendkim("s", "signer")
        verifier = self.opendkim("v", "verifier", hosts="192.0.2.99")
        self.serve(signer, verifier)
        content = self.send()
        self.assertIn("DKIM-Signature: v=1; a=rsa-sha256;", content)
        self.assertRegex(content.replace("\r\n\t", " "), r"Authentication-Results: filter\.test\.example;\s+dkim=pass")
        symbols = self.wait_for_log()[0]["symbols"]
        self.assertIn("milters:signer", symbols)
        self.assertIn("milters:verifier", symbols)

    def test_the_relayed_mail_verifies(self):
        self.serve(self.opendkim("s", "signer"))
        content = self.send()
        verifier = self.opendkim("v", "verifier", hosts="192.0.2.99")
        self.stop_gateway()
        self.serve(verifier)
        again = self.send(content[:-2])
        self.assertRegex(again.replace("\r\n\t", " "), r"dkim=pass")

    def stop_gateway(self):
        self.gateway_process.stop()

    def test_a_broken_signature_is_seen(self):
        signer = self.opendkim("s", "signer")
        verifier = self.opendkim("v", "verifier", hosts="192.0.2.99")
        self.serve(signer)
        content = self.send()
        self.stop_gateway()
        self.serve(verifier)
        again = self.send(content[:-2].replace("confidential", "public"))
        self.assertRegex(again.replace("\r\n\t", " "), r"dkim=fail")

    def test_explain_asks_it_on_wish(self):
        signer = self.opendkim("s", "signer")
        file = self.configuration(free_port(), policy={"mode": "off", "milters": [{"address": signer, "mode": "enforce"}]})
        mail = self.folder / "mail.eml"
        mail.write_text(FIELDS + "\r\n" + BODY, newline="")
        ask = [PROGRAM, "explain", mail, "-c", file, "--ip", "127.0.0.1", "--from", "ann@sender.example", "--to", "user@test.example"]
        without, asked = run(ask), run([*ask, "--milters"])
        self.assertEqual((without.returncode, asked.returncode), (0, 0), without.stderr + asked.stderr)
        self.assertNotIn("DKIM-Signature", without.stdout)
        self.assertIn("DKIM-Signature", asked.stdout)


class Opendmarc(Filters):
    def test_judges_what_opendkim_has_found(self):
        opendmarc = self.program("opendmarc")
        signer = self.opendkim("s", "signer")
        verifier = self.opendkim("v", "verifier", hosts="192.0.2.99")
        place, file = self.folder / "opendmarc.sock", self.folder / "opendmarc.conf"
        file.write_text(f"Socket local:{place}\nAuthservID filter.test.example\nTrustedAuthservIDs filter.test.example\nSyslog false\n"
                        "SoftwareHeader true\nIgnoreHosts /dev/null\nSPFIgnoreResults true\n")
        self.filter("opendmarc", [opendmarc, "-f", "-c", file], place)
        self.serve(signer, verifier, f"unix:{place}")
        self.assertRegex(self.send().replace("\r\n\t", " "), r"Authentication-Results: filter\.test\.example; dmarc=")


class SpamassMilter(Filters):
    def test_marks_and_refuses(self):
        milter, spamd = self.program("spamass-milter"), self.program("spamd")
        rules, site = self.folder / "rules", self.folder / "site"
        rules.mkdir()
        site.mkdir()
        (rules / "one.pre").write_text("loadplugin Mail::SpamAssassin::Plugin::Check\n")
        (rules / "one.cf").write_text("body TEST_WORD /confidential offer/i\nscore TEST_WORD 8\nbody TEST_BAD /very bad/i\nscore TEST_BAD 30\n"
                                      'add_header all Flag _YESNOCAPS_\nadd_header all Status "_YESNO_, score=_SCORE_"\n')
        port = free_port()
        scanner = self.start("spamd", [spamd, "-L", "-x", "-u", "nobody", "-p", str(port), "-i", "127.0.0.1", "-m", "1", "-s", "stderr",
                                       f"--configpath={rules}", f"--siteconfigpath={site}"])
        wait_until("spamd", lambda: accepts(port) or not scanner.is_running(), patience=60)
        place = self.folder / "spamass.sock"
        self.filter("spamass-milter", [milter, "-p", place, "-r", "20", "--", "-p", str(port)], place)
        self.serve(f"unix:{place}")
        self.assertIn("\r\nX-Spam-Flag: YES\r\n", self.send())
        self.assertIn("550", self.send(FIELDS + "\r\nA very bad one\r\n", code=550))
        self.assertIn("\r\nX-Spam-Status: No, score=0", self.send(FIELDS + "\r\nFine\r\n", count=2))


class Rspamd(Filters):
    def test_its_proxy_speaks_milter(self):
        rspamd = self.program("rspamd")
        place = self.folder / "rspamd.sock"
        for folder in ("data", "run"):
            (self.folder / folder).mkdir()
        # Of the real list of top-level domains it makes tables first, for minutes.
        domains = self.folder / "domains"
        domains.write_text("example\n")
        file = self.folder / "rspamd.conf"
        file.write_text(f"""
options {{ url_tld = "{domains}"; pidfile = "{self.folder}/run/rspamd.pid"; filters = "regexp"; tempdir = "{self.folder}/run"; cache_file = "{self.folder}/data/symbols.cache";
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }} control_socket = "{self.folder}/run/control.sock mode=0600";
  rrd = ""; stats_file = "{self.folder}/data/stats.ucl"; hs_cache_dir = "{self.folder}/data"; history_file = "{self.folder}/data/history"; }}
logging {{ type = "console"; level = "info"; }}
worker "rspamd_proxy" {{ milter = yes; bind_socket = "{place} mode=0666"; count = 1; timeout = 20s;
  upstream "local" {{ default = yes; self_scan = yes; }} }}
regexp {{ TEST_WORD {{ re = "/very bad/P"; score = 30.0; }} }}
metric {{ actions {{ reject = 15; add_header = 6; greylist = 100; }}
  symbol "TEST_WORD" {{ weight = 30.0; }} }}
""")
        process = self.start("rspamd", [rspamd, "-f", "-c", file, "-u", "nobody", "-g", "nogroup", "-i"])
        wait_until("rspamd", lambda: place.exists() or not process.is_running(), patience=60)
        self.assertTrue(process.is_running(), process.output())
        self.serve(f"unix:{place}")
        self.send()
        line = self.wait_for_log()[0]
        self.assertNotIn("!milters", line["symbols"])
        self.send(FIELDS + f"\r\n{GTUBE}\r\n", code=5)


class ClamavMilter(Filters):
    def test_refuses_what_its_own_database_knows(self):
        milter, clamd = self.program("clamav-milter"), self.program("clamd")
        database = self.folder / "database"
        database.mkdir()
        marker = "a-very-infected-text-of-this-test"
        (database / "own.ndb").write_text(f"Test.Own:0:*:{marker.encode().hex()}\n")
        for path in (self.folder, database):
            path.chmod(0o755)
        scanner_place, place = self.folder / "clamd.sock", self.folder / "clamav-milter.sock"
        (self.folder / "clamd.conf").write_text(f"LocalSocket {scanner_place}\nForeground yes\nDatabaseDirectory {database}\n"
                                                f"LocalSocketMode 666\nUser root\nLogFile {self.folder}/clamd.log\n")
        scanner = self.start("clamd", [clamd, "-c", self.folder / "clamd.conf"])
        wait_until("clamd", lambda: scanner_place.exists() or not scanner.is_running(), patience=60)
        (self.folder / "milter.conf").write_text(f"MilterSocket unix:{place}\nMilterSocketMode 666\nForeground yes\nClamdSocket unix:{scanner_place}\n"
                                                 "OnInfected Reject\nAddHeader Replace\nUser root\nTemporaryDirectory /tmp\n")
        self.filter("clamav-milter", [milter, "-c", self.folder / "milter.conf"], place)
        self.serve(f"unix:{place}")
        self.assertIn("\r\nX-Virus-Status: Clean\r\n", self.send())
        self.assertIn("550", self.send(FIELDS + f"\r\n{marker}\r\n", code=550))


if __name__ == "__main__":
    unittest.main()
