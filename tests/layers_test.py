#!/usr/bin/env python3
"""The tree keeps to the table of who may include whom (gateway/README.md), and the comparison (layers.py) finds what does not."""
import pathlib
import tempfile
import unittest

import layers

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Project(unittest.TestCase):
    def test_keeps_to_the_table(self):
        found = list(layers.complaints(ROOT))
        if found:
            self.fail(f"{len(found)} disagreements:\n" + "\n".join(found))


class Comparison(unittest.TestCase):
    """A tree that keeps to its table, and one thing wrong with it in each test."""

    ROWS = {
        "base": ("", "RE2 `re2/` in `regex.cpp`"),
        "dns": ("`base`", ""),
        "io": ("`dns` (only `answer.h`), `base`", ""),
        "uv": ("`io`", "libuv `uv.h`"),
        "policies/api": ("`base`", ""),
        "policies/*": ("`policies/api`", ""),
        "record": ("`policies/spf` (only `facts.h` in `rows.cpp`), `base`", ""),
        "app": ("everything above", ""),
        "gateway": ("`app`", ""),
    }
    FILES = {
        "gateway/base/text.h": "#include <string>",
        "gateway/base/regex.cpp": '#include "gateway/base/text.h"\n#include <re2/re2.h>\n#include <sys/stat.h>',
        "gateway/dns/answer.h": '#include "gateway/base/text.h"',
        "gateway/dns/wire.h": "",
        "gateway/io/stream.h": '#include "gateway/dns/answer.h"\n#include "gateway/base/text.h"',
        "gateway/uv/loop.cpp": '#include <uv.h>\n#include "gateway/io/stream.h"',
        "policies/api/entry.h": '#include "gateway/base/text.h"',
        "policies/spf/facts.h": '#include "policies/api/entry.h"',
        "policies/spf/judge.h": '#include "policies/spf/facts.h"',
        "policies/helo/helo.h": "",
        "gateway/record/rows.cpp": '#include "policies/spf/facts.h"\n#include "gateway/base/text.h"',
        "gateway/app/app.h": '#include "policies/helo/helo.h"\n#include "gateway/uv/loop.h"',
        "gateway/main.cpp": '#include "gateway/app/app.h"',
    }

    def setUp(self):
        self.rows = dict(self.ROWS)
        self.files = dict(self.FILES)

    def complaints(self):
        table = "".join(f"| `{folder}` | {may} | {outside} |\n" for folder, (may, outside) in self.rows.items())
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**self.files, layers.TABLE: "# Layers\n\n| folder |\n|---|\n" + table}.items():
                file = pathlib.Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return list(layers.complaints(pathlib.Path(root)))

    def assert_complains(self, *words):
        """Of one thing, in a line that has all of the words."""
        found = self.complaints()
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def include(self, path, header):
        self.files[path] = self.files.get(path, "") + f"\n#include {header}"

    def test_a_tree_that_keeps_to_its_table(self):
        self.assertEqual(self.complaints(), [])

    def test_a_folder_without_a_row(self):
        self.files["gateway/tls/engine.h"] = ""
        self.assert_complains("gateway/tls", "no row")

    def test_a_row_without_a_folder(self):
        self.rows["milter"] = ("", "")
        self.assert_complains("gateway/milter", "no sources")

    def test_a_row_that_names_a_folder_without_sources(self):
        self.rows["record"] = ("`policies/spf` (only `facts.h` in `rows.cpp`), `policies/dkim`, `base`", "")
        self.assertIn("names policies/dkim, which has no sources", self.complaints()[0])

    def test_two_rows_of_one_folder(self):
        row = "| `base` | | |\n"
        with self.assertRaisesRegex(ValueError, "README.md:2: gateway/base has a row already"):
            layers.read_table(row + row)

    def test_a_row_of_another_form(self):
        with self.assertRaisesRegex(ValueError, "README.md:1: a row is"):
            layers.read_table("| `base` | `smtp` |\n")

    def test_an_include_that_points_up(self):
        self.include("gateway/base/text.h", '"gateway/io/stream.h"')
        self.assert_complains("gateway/base/text.h:2: gateway/base may not include gateway/io/stream.h")

    def test_a_row_that_points_up(self):
        self.rows["base"] = ("`io`", self.rows["base"][1])
        self.include("gateway/base/text.h", '"gateway/io/stream.h"')
        self.assert_complains("may not name gateway/io, which has no row above it")

    def test_everything_above_is_not_what_is_below(self):
        self.include("gateway/app/app.h", '"gateway/main.h"')
        self.assert_complains("gateway/app may not include gateway/main.h")

    def test_a_header_that_is_not_among_the_only_ones(self):
        self.include("gateway/io/stream.h", '"gateway/dns/wire.h"')
        self.assert_complains("only answer.h of gateway/dns, not wire.h")

    def test_a_file_that_is_not_among_the_only_ones(self):
        self.include("gateway/record/line.cpp", '"policies/spf/facts.h"')
        self.assert_complains("gateway/record/line.cpp:2: only rows.cpp")

    def test_a_policy_that_includes_another(self):
        self.include("policies/helo/helo.h", '"policies/spf/facts.h"')
        self.assert_complains("policies/helo/helo.h:2: policies/* may not include policies/spf/facts.h")

    def test_a_row_that_lets_policies_include_each_other(self):
        self.rows["policies/*"] = ("`policies/api`, `policies/spf`", "")
        self.include("policies/helo/helo.h", '"policies/spf/facts.h"')
        self.assertTrue(any("may never include policies/spf" in line for line in self.complaints()))

    def test_a_row_that_lets_engines_include_each_other(self):
        self.rows = {"base": self.rows.pop("base"), "smtp": ("", ""), **self.rows, "dns": ("`smtp`, `base`", "")}
        self.include("gateway/smtp/reply.h", "<string>")
        self.include("gateway/dns/answer.h", '"gateway/smtp/reply.h"')
        self.assert_complains("gateway/dns may never include gateway/smtp")

    def test_a_row_that_lets_the_session_see_libuv(self):
        self.rows = {**{name: self.rows.pop(name) for name in ("base", "dns", "io", "uv")},
                     "session": ("`uv`", ""), **self.rows}
        self.include("gateway/session/session.h", '"gateway/uv/loop.h"')
        self.assert_complains("gateway/session may never include gateway/uv")

    def test_an_outside_header_beside_its_door(self):
        self.include("gateway/io/stream.h", "<uv.h>")
        self.assert_complains("<uv.h> is seen by gateway/uv/* only")

    def test_an_outside_header_in_another_file_of_its_door(self):
        self.include("gateway/base/text.h", "<re2/re2.h>")
        self.assert_complains("<re2/re2.h> is seen by gateway/base/regex.cpp only")

    def test_an_outside_header_without_a_door(self):
        self.include("gateway/base/text.h", "<lua.h>")
        self.assert_complains("<lua.h>", "its row must name it")

    def test_a_permission_that_nothing_uses(self):
        self.files["gateway/io/stream.h"] = '#include "gateway/base/text.h"'
        found = self.complaints()
        self.assertTrue(found)
        for line in found:
            self.assertIn("gateway/io names", line)

    def test_a_door_that_nothing_uses(self):
        self.files["gateway/uv/loop.cpp"] = '#include "gateway/io/stream.h"'
        self.assert_complains("gateway/uv names uv.h", "which no include needs")

    def test_no_sources(self):
        self.rows, self.files = {}, {}
        self.assert_complains("no sources found")


if __name__ == "__main__":
    unittest.main()
