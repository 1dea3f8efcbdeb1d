#!/usr/bin/env python3
"""DNS lists as the administrator of a whole program meets them: `sallyport lists`, texts, scores by code, customers' keys, and failures."""
import json
import os
import time
import unittest

from support import PROGRAM, Client, GatewayTest, run, wait_until

LISTED, OTHER, CLEAN = "127.0.0.41", "127.0.0.42", "127.0.0.43"
KEYS = ("hunter", "4815162342", "cust-20d31f9", "ABCDEF0123456789")
ZONE = {}
for key in KEYS:
    for zone in (f"{key}.paid.example", f"{key}.named.example", f"bl.{key}.sold.example"):
        ZONE[f"41.0.0.127.{zone}".lower()] = {"A": ["127.0.0.4"]}
        ZONE[f"42.0.0.127.{zone}".lower()] = {"A": ["127.255.255.254"]}
ZONE["41.0.0.127.list.example"] = {"A": ["127.0.0.3", "127.0.0.11"]}
ZONE["42.0.0.127.list.example"] = {"A": ["127.0.0.20"]}
ZONE["1.0.0.127.everyone.example"] = {"A": ["127.0.0.2"]}


# Clients about whom the list says nothing at all.
SILENT = [f"127.0.9.{number}" for number in range(1, 12)]
for client in SILENT:
    ZONE[".".join(reversed(client.split("."))) + ".list.example"] = "TIMEOUT"


class ListTest(GatewayTest):
    def serve(self, zones, workers=1, **more):
        dns = {"servers": [f"127.0.0.1:{self.dns(ZONE)}"], "timeout": "1s"}
        self.gateway(self.sink().port, dns=dns, workers=workers, log={"format": "json", "target": f"file:{self.folder}/gateway.log"},
                     policy={"mode": "off", "dnsbl": {"mode": "enforce", "zones": zones, **more}})
        self.file = self.folder / "sallyport.toml"

    def rcpt(self, source):
        client = Client(self.port, source=source)
        self.addCleanup(client.socket.close)
        client.greet()
        client.ask("MAIL FROM:<ann@sender.example>", 250)
        client.send("RCPT TO:<user@test.example>\r\n")
        reply = client.reply()
        client.ask("QUIT", 221)
        return reply

    def command(self, *arguments):
        return run([PROGRAM, *arguments, "-c", self.file])


class Lists(ListTest):
    def test_keys_are_shown_nowhere(self):
        zones = {}
        for key in KEYS:
            zones[f"{key}.paid.example"] = {"score": 3.0}
            zones[f"bl.{key}.sold.example"] = {"score": 3.0, "self_test": "on"}
            zones[f"{key}.named.example"] = {"score": 9.0, "name": "the-list", "text": "See {list} about {ip}, {domain}"}
        self.serve(zones)
        replies = self.rcpt(LISTED) + self.rcpt(OTHER)
        self.assertIn("See the-list", replies)
        self.assertIn(f"about {LISTED}, sender.example (id ", replies)
        (self.folder / "mail.eml").write_bytes(b"From: a@b.example\r\nSubject: x\r\n\r\ny\r\n")
        explain = [self.folder / "mail.eml", "--ip", LISTED, "--to", "user@test.example"]
        # A reload that changes such a list, and one that finds a mistake in it.
        text = self.file.read_text()
        self.file.write_text(text.replace("9.0", "9.5"))
        self.assertEqual(self.command("reload").returncode, 0)
        self.file.write_text(text.replace('"score" = 9.5', '"scoer" = 9.5').replace('"score" = 9.0', '"scoer" = 9.0'))
        self.assertEqual(self.command("reload").returncode, 78)
        self.file.write_text(text.replace("9.0", "9.5"))
        time.sleep(0.3)
        seen = {"replies": replies, "log": (self.folder / "gateway.log").read_text()}
        for name, arguments in {"stats": ["stats"], "lists": ["lists"], "lists --json": ["lists", "--json"],
                                "explain": ["explain", *explain], "explain --json": ["explain", *explain, "--json"]}.items():
            seen[name] = self.command(*arguments).stdout
        for where, shown in seen.items():
            self.assertEqual([key for key in KEYS if key.lower() in shown.lower()], [], (where, shown))
        self.assertIn("the-list", seen["explain --json"])
        self.assertIn("paid.example#2", seen["lists"])

    def test_the_owner_of_the_file_sees_its_keys(self):
        self.serve({"hunter.paid.example": {"score": 3.0}})
        self.assertIn("hunter", self.command("config", "show").stdout)
        if os.geteuid() != 0:
            return
        os.chown(self.file, 65534, 65534)
        for arguments in (["config", "show"], ["config", "show", "--json"], ["config", "show", "--tenant", "default"],
                          ["config", "explain", "policy.dnsbl.zones.*.score"]):
            shown = self.command(*arguments)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertNotIn("hunter", shown.stdout)
            self.assertIn("paid.example", shown.stdout)

    def test_scores_by_code(self):
        codes = {"127.0.0.2-127.0.0.3": 6.0, "127.0.0.10-127.0.0.11": 2.5}
        self.serve({"list.example": {"score": 99.0, "codes": codes}})
        self.assertTrue(self.rcpt(LISTED).startswith("550 5.7.1 Listed by list.example"))
        self.assertTrue(self.rcpt(OTHER).startswith("250"), "no code of the table")
        line = self.wait_for_log(count=2)[0]
        self.assertIn("list.example=127.0.0.3,127.0.0.11(8.5)", line["because"])

    def test_states_are_shown(self):
        self.serve({"everyone.example": {"score": 9.0}, "list.example": {"score": 9.0, "self_test": "off"}})
        self.wait_for_log("fault")
        self.assertTrue(self.rcpt(LISTED).startswith("550"))
        self.assertTrue(self.rcpt(CLEAN).startswith("250"))
        out, listed = json.loads(self.command("lists", "--json").stdout)
        self.assertEqual(out["list"], "everyone.example")
        for family in ("ipv4", "ipv6"):
            self.assertEqual((out[family]["state"], out[family]["reason"]), ("failed its test", "127.0.0.1 is listed"))
            self.assertLess(abs(out[family]["since"] - time.time()), 30)
        self.assertEqual((out["self_test"]["mode"], out["self_test"]["result"]), ("auto", "failed"))
        self.assertEqual((listed["list"], listed["questions"], listed["hits"], listed["faults"]), ("list.example", 2, 1, 0))
        self.assertEqual(listed["ipv4"]["state"], "asked")
        self.assertIn("everyone.example: 0 questions, 0 hits, 0 faults\n  IPv4  failed its test since 20",
                      self.command("lists").stdout)


class SharedAnswers(ListTest):
    """Many connections, of one worker or of several, that wait for the same answer of a list."""

    def state(self):
        listed, = json.loads(self.command("lists", "--json").stdout)
        return listed

    def try_with(self, workers):
        self.serve({"list.example": {"score": 9.0, "self_test": "off"}}, workers=workers)
        self.assertTrue(self.rcpt(LISTED).startswith("550"))
        for number, client in enumerate(SILENT[:10], 1):
            crowd = [Client(self.port, source=client) for _ in range(12)]
            for one in crowd:
                one.greet()
            for one in crowd:
                one.ask("MAIL FROM:<ann@sender.example>", 250)
                one.ask("QUIT", 221)
                one.socket.close()
            self.assertEqual((self.state()["faults"], self.state()["ipv4"]["state"]),
                             (number, "set aside" if number == 10 else "asked"))
        self.assertTrue(self.rcpt(LISTED).startswith("550"), "the answer is in the cache")
        self.assertTrue(self.rcpt(OTHER).startswith("250"), "the list is not asked now")
        self.assertEqual(self.state()["questions"], 11)
        log = self.folder / "gateway.log"
        wait_until("the line that says so", lambda: "10 failures in a row" in log.read_text())
        self.assertEqual(log.read_text().count("10 failures in a row"), 1)

    def test_one_worker(self):
        self.try_with(1)

    def test_four_workers(self):
        self.try_with(4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
