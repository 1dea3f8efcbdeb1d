#!/usr/bin/env python3
"""The documentation site (./dev docs): everything is in it, no link is dead, nothing comes from outside, and it is whole without scripts."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree

from support import PROGRAM, ROOT, run

PYTHON = "/usr/bin/python3"  # Debian's, for which its packages are
HAS_PACKAGES = pathlib.Path(PYTHON).exists() and subprocess.run([PYTHON, "-c", "import markdown_it, pygments"], capture_output=True).returncode == 0
CHROMIUM = shutil.which("chromium")
BUILD = ROOT / "packaging/docs/build.py"
XHTML = "{http://www.w3.org/1999/xhtml}"


def table(*words):
    done = run([PROGRAM, "docs", *words, "--json"])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@unittest.skipUnless(HAS_PACKAGES, "python3-markdown-it and python3-pygments are not installed")
class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.kept.cleanup)
        cls.folder = pathlib.Path(cls.kept.name) / "site"
        done = run([PYTHON, BUILD, "--program", PROGRAM, "--to", cls.folder])
        assert done.returncode == 0, done.stderr
        # Well-formed, or this throws.
        cls.pages = {file.name: ElementTree.fromstring(file.read_text()) for file in cls.folder.glob("*.html")}
        cls.anchors = {name: [element.get("id") for element in page.iter() if element.get("id")] for name, page in cls.pages.items()}

    def test_no_link_is_dead(self):
        looked_at = 0
        for name, page in self.pages.items():
            for element in page.iter():
                for link in filter(None, (element.get("href"), element.get("src"))):
                    if re.match(r"(https?|mailto|data):", link):
                        continue
                    path, _, anchor = link.partition("#")
                    self.assertTrue((self.folder / (path or name)).is_file(), f"{name}: {link}")
                    if anchor:
                        self.assertIn(anchor, self.anchors[path or name], f"{name}: {link}")
                    looked_at += 1
        self.assertGreater(looked_at, 2000)

    def test_anchors_are_there_once(self):
        for name, anchors in self.anchors.items():
            self.assertEqual(len(anchors), len(set(anchors)), name)

    def test_every_setting_has_an_anchor_and_its_default(self):
        texts = {element.get("id"): "".join(element.itertext()) for element in self.pages["settings.html"].iter(f"{XHTML}article")}
        rows = table("settings")["settings"]
        self.assertGreater(len(rows), 150)
        for row in rows:
            text = texts[row["key"].replace("[]", "").replace("*", "X")]
            self.assertIn(row["about"].replace("`", ""), text)
            if row["default"] and not row["stands_for"]:
                self.assertIn(row["default"], text)

    def test_every_command_has_an_anchor_with_its_options(self):
        text = "".join(self.pages["commands.html"].itertext())
        for command in table("commands")["commands"]:
            self.assertIn(command["name"].replace(" ", "-"), self.anchors["commands.html"])
            for option in command["options"]:
                self.assertIn(option["name"], text, command["name"])

    def test_every_figure_that_alerts_ask_for_has_an_anchor(self):
        names = set(re.findall(r"\bsallyport_\w+", (ROOT / "packaging/monitoring/alerts.yml").read_text()))
        self.assertGreater(len(names), 10)
        for name in names:
            self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), self.anchors["figures.html"])
        labels = "".join(self.pages["figures.html"].itertext())
        for value in ("upstream_down", "bare_lf", "mail", "EXAMPLE", "bl.example"):
            self.assertIn(value, labels)

    def test_every_page_of_the_tree_is_there(self):
        titles = {"".join(page.find(f".//{XHTML}h1").itertext()).strip() for page in self.pages.values()}
        sources = [*(ROOT / "packaging/guides").glob("*.md"), *(ROOT / "policies").glob("*/README.md"), *(ROOT / "lua").glob("*.md"),
                   ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "tests/threats.md", ROOT / "packaging/monitoring/README.md"]
        self.assertGreater(len(sources), 30)
        for source in sources:
            self.assertIn(re.search(r"^# (.*)", source.read_text(), re.M)[1].replace("`", ""), titles, source)

    def test_every_page_leads_to_all_others(self):
        """By plain links: without scripts, too."""
        for name, page in self.pages.items():
            [navigation] = [element for element in page.iter(f"{XHTML}nav") if element.get("class") == "site"]
            self.assertEqual({link.get("href") for link in navigation.iter(f"{XHTML}a")}, set(self.pages), name)

    def test_nothing_comes_from_outside(self):
        for name, page in self.pages.items():
            for element in page.iter():
                for attribute in ("src", "srcset", "poster", "data", "action", "style"):
                    self.assertNotRegex(element.get(attribute) or "", r"//", f"{name}: {attribute}")
                if element.tag == f"{XHTML}link":
                    self.assertRegex(element.get("href"), r"^(style\.css|data:image/svg)", name)
        self.assertNotRegex((self.folder / "style.css").read_text(), r"@import|url\(")
        self.assertNotRegex((self.folder / "site.js").read_text(), r"https?://|fetch\(|XMLHttpRequest|import\(")

    def test_guides_speak_of_settings_by_links(self):
        links = {element.get("href") for element in self.pages["postfix.html"].iter(f"{XHTML}a")}
        self.assertLessEqual({"settings.html#upstreams.X.max_connections", "settings.html#policy.rate.connect_per_ip", "commands.html#check"}, links)

    def test_the_search_knows_settings_commands_and_words(self):
        script = (self.folder / "search-index.js").read_text()
        entries = json.loads(re.fullmatch(r"window\.searchIndex = (.*);\n", script, re.S)[1])
        for page, anchor, *_ in entries:
            self.assertIn(anchor, self.anchors[page])
        titles = {entry[2] for entry in entries}
        self.assertLessEqual({row["key"] for row in table("settings")["settings"]}, titles)
        self.assertLessEqual({f"sallyport {command['name']}" for command in table("commands")["commands"]}, titles)
        self.assertTrue(any(page == "refused.html" and "5.7.23" in text for page, _, _, _, text in entries))

    @unittest.skipUnless(CHROMIUM, "chromium is not installed")
    def test_a_browser_finds_what_is_searched_for(self):
        for words, found in (("limits.hops", "settings.html#limits.hops"), ("config diff", "commands.html#config-diff"), ("mynetworks", "postfix.html#")):
            options = ["--headless", "--disable-gpu", "--virtual-time-budget=4000", f"--user-data-dir={self.kept.name}/profile", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
            page = run([CHROMIUM, *options, "--dump-dom", f"file://{self.folder}/index.html?q={urllib.parse.quote(words)}"]).stdout
            links = re.findall(r'<a href="([^"]*)">', page[page.index('id="site-results"'):].split("</header>")[0])
            self.assertTrue(any(link.startswith(found) for link in links[:3]), f"{words}: {links[:3]}")

    def test_phones_and_the_dark_are_thought_of(self):
        for name, page in self.pages.items():
            self.assertIn("width=device-width, initial-scale=1", [element.get("content") for element in page.iter(f"{XHTML}meta")], name)
        style = (self.folder / "style.css").read_text()
        self.assertIn("prefers-color-scheme: dark", style)
        self.assertIn("@media (max-width: 56rem)", style)


@unittest.skipUnless(HAS_PACKAGES, "python3-markdown-it and python3-pygments are not installed")
class Mistakes(unittest.TestCase):
    """What the site is made by does not pass a mistake on."""

    def dead_links(self, *pages):
        with tempfile.TemporaryDirectory() as folder:
            for number, page in enumerate(pages):
                (pathlib.Path(folder) / f"page{number}.html").write_text(f"<html><body>{page}</body></html>")
            code = f"import pathlib, sys; sys.path.insert(0, {str(BUILD.parent)!r}); import build; print(*build.dead_links(pathlib.Path({folder!r})), sep='\\n')"
            return run([PYTHON, "-B", "-c", code])

    def test_dead_links(self):
        done = self.dead_links('<p id="here"/><a href="page1.html#there"/><a href="#here"/>', '<p id="there"/><a href="page0.html#there"/><a href="page7.html"/><a href="https://example.com/"/>')
        self.assertEqual(done.stdout.split("\n")[:-1], ["page1.html: page0.html#there", "page1.html: page7.html"])

    def test_what_is_not_well_formed_or_there_twice(self):
        self.assertIn("not well-formed", self.dead_links("<p>").stderr)
        self.assertIn("twice: here", self.dead_links('<p id="here"/><p id="here"/>').stderr)


if __name__ == "__main__":
    unittest.main()
