#!/usr/bin/env python3
"""The table of replies (`sallyport docs replies`): every reply that the gateway gives to clients by itself is in it, with what it means and what to do."""
import json
import re
import unittest

from support import PROGRAM, ROOT, run

TABLE = json.loads(run([PROGRAM, "docs", "replies", "--json"]).stdout)["replies"]
SETTINGS = [row["key"] for row in json.loads(run([PROGRAM, "docs", "settings", "--json"]).stdout)["settings"]]
TEXTS = {(row["dsn"], row["text"]) for row in TABLE}
LITERAL = r'"((?:[^"\\]|\\.)*)"'


def sources(*folders):
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.cpp")):
            yield file.relative_to(ROOT), file.read_text()


class Complete(unittest.TestCase):
    def test_every_refusal_of_a_session_has_a_row(self):
        header = (ROOT / "gateway/session/refusals.h").read_text()
        table = (ROOT / "gateway/session/reply_table.cpp").read_text()
        refusals = re.findall(r"inline constexpr Refusal (\w+)\s*\{(.*?)\};", header, re.S)
        self.assertGreater(len(refusals), 50)
        for name, body in refusals:
            code, dsn, text = (re.search(pattern, body, re.S) for pattern in (r"\.code = (\d+)", rf"\.dsn = {LITERAL}", rf"\.text = {LITERAL}"))
            if code[1] == "0":
                continue  # what the server behind says
            self.assertRegex(table, rf"&refusals::{name}\b", "gateway/session/reply_table.cpp says nothing of it")
            self.assertIn((dsn[1], text[1]), TEXTS, name)

    def test_every_reply_of_a_policy_has_a_row(self):
        files = [*(ROOT / "policies").glob("*/replies.h"), ROOT / "lua/engine/replies.h"]
        collected = (ROOT / "policies/reply_list.cpp").read_text()
        self.assertGreater(len(files), 5)
        for file in files:
            text = file.read_text()
            listed = re.search(r"std::array all\{(.*?)\};", text, re.S)[1]
            for name, dsn, words in re.findall(rf"constexpr (?:policies::)?ReplyText (\w+)\{{\s*\d+,\s*{LITERAL},\s*{LITERAL}", text):
                self.assertRegex(listed, rf"\b{name}\b", f"{file}: `all` lacks it")
                self.assertIn((dsn, words), TEXTS, file)
            self.assertIn(re.search(r"namespace sallyport::(?:policies::)?([\w:]+) \{", text)[1].split("::")[-1] + "::all", collected, file)

    def test_policies_refuse_with_these_alone(self):
        for file, text in sources("policies", "lua/engine"):
            found = re.search(r'Verdict::(?:reject|tempfail)\(\s*"', text)
            self.assertIsNone(found, f"{file}: a reply stands in replies.h of its policy, and refuse_with() says it")

    def test_every_reply_that_the_code_spells_out_has_a_row(self):
        found = 0
        for file, text in sources("gateway/session", "gateway/milter_service", "gateway/smtp", "gateway/checks", "gateway/upstream"):
            spelt = [(dsn, words) for dsn, words in re.findall(rf"\bReply\(\d+, {LITERAL}, {LITERAL}\)", text)]
            spelt += [(words.split(" ")[0], words.split(" ", 1)[1]) for words in re.findall(rf'lines = \{{{LITERAL}\}}', text)]
            spelt += [("5.7.1", words) for words in re.findall(rf'disposition\.text = {LITERAL}', text)]
            for dsn, words in spelt:
                self.assertIn((dsn, words), TEXTS, file)
                found += 1
        self.assertGreater(found, 12)

    def test_what_sessions_are_seen_to_say_has_a_row(self):
        codes = {(str(row["code"]), row["dsn"]) for row in TABLE}
        found = set()
        for file in sorted((ROOT / "tests/dialogues").glob("*.dialogue")):
            lines = file.read_text().splitlines()
            scripted = "\n".join(line for line in lines if not line.startswith("S: "))
            for line in lines:
                said = re.match(r"S: ([45]\d\d) ([45]\.\d+\.\d+) ", line)
                # What the server behind says in the dialogue stands in it twice; of its enhanced code the class may be mended.
                if said and said[1] not in re.findall(r"^upstream .*?(\d{3}) ", scripted, re.M) and said[2] not in scripted:
                    self.assertIn((said[1], said[2]), codes, f"{file.name}: {line}")
                    found.add((said[1], said[2]))
        self.assertGreater(len(found), 15)


class Rows(unittest.TestCase):
    def test_each_says_when_and_what_to_do(self):
        self.assertGreater(len(TABLE), 100)
        for row in TABLE:
            self.assertTrue(row["when"].endswith("."), row)
            self.assertEqual(bool(row["kind"] and row["remedy"]), row["code"] >= 400, row)
            if row["dsn"]:
                self.assertEqual(row["dsn"][0], "2" if row["code"] < 400 else str(row["code"])[0], row)

    def test_none_is_there_twice(self):
        keys = [(row["code"], row["dsn"], row["text"], row["kind"], row["when"]) for row in TABLE]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertEqual([row["code"] for row in TABLE], sorted(row["code"] for row in TABLE))

    def test_settings_that_they_name_are_there(self):
        named = set()
        for row in TABLE:
            named |= set(re.findall(r"\b(?:policy|limits|timeouts|tenants|trusted|dns|tls)\.[\w*.]*[\w*]", row["when"] + " " + row["remedy"]))
        self.assertGreater(len(named), 25)
        for name in named:
            parts = re.escape(name).replace(r"\*", "[^.]+")
            self.assertTrue(any(re.match(rf"{parts}($|[.\[\w])" if name.endswith(("_", "*")) else rf"{parts}($|[.\[])", key) for key in SETTINGS), name)

    def test_the_manual_page_has_them(self):
        page = run([PROGRAM, "docs", "replies"]).stdout
        self.assertTrue(page.startswith('.\\" Made by the program itself'), page[:100])
        for row in TABLE:
            self.assertIn(row["text"].replace("-", "\\-").replace('"', "\\(dq"), page)


if __name__ == "__main__":
    unittest.main()
