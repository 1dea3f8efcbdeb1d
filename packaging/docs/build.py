#!/usr/bin/env python3
"""Makes the documentation one static site: ./dev docs [FOLDER].

What it is made of: the pages in Markdown that the tree has anyway (the README, the guides, the manual of rules, the checks), and the
tables of the program itself (`sallyport docs settings --json`, `docs commands --json`, `docs metrics`, `rule reference`). So the site says
what this very program does, and nothing has to be written twice.

It stands on two packages of Debian: python3-markdown-it, which reads Markdown by CommonMark's rules and so as the code hosts show it
(python3-markdown reads lists and tables inside them in another way, pandoc brings hundreds of megabytes), and python3-pygments, which
colours examples. Template, style and search are ours and small: page.html, style.css, site.js. The site needs no server and nothing from
outside: it is read from file:// as well as from a web server, with scripts or without.

Pages are well-formed XML. A link that leads nowhere ends the making with a list of them (exit status 1).
"""
import argparse
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

import markdown_it
import pygments
import pygments.formatters
import pygments.lexers
import pygments.util

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# The words behind ``` of the tree's pages, where pygments knows them by another name.
LANGUAGES = {"toml fragment": "toml", "lua rule": "lua", "lua test": "lua", "main.cf": "ini", "sh": "bash"}

# (heading in the navigation, [(file of the site, source)]); a source that ends in .md is Markdown, others are made by a function.
POLICIES = ("content", "dnsbl", "url_lists", "lists", "rate", "helo", "rdns", "sender_domain", "spf", "dkim", "dmarc", "arc", "milters")
CHAPTERS = [
    ("Start", [("index", "README.md")]),
    ("Guides", [("guides", "packaging/guides/README.md")]),  # and those that it links to, in its order
    ("Reference", [("settings", "settings"), ("configuration", "configuration"), ("commands", "commands"),
                   ("monitoring", "packaging/monitoring/README.md"), ("container", "packaging/docker/README.md"), ("appliance-image", "packaging/appliance/README.md")]),
    ("Rules in Lua", [("rules", "lua/README.md"), ("recipes", "lua/recipes.md"), ("rule-reference", "rule reference")]),
    ("The checks", [("checks", "policies/README.md"), *((f"check-{name.replace('_', '-')}", f"policies/{name}/README.md") for name in POLICIES)]),
    ("For developers", [("layers", "gateway/README.md"), ("milter-library", "gateway/milter_library/README.md"), ("threats", "tests/threats.md"),
                        ("test-certificates", "certs/README.md"), ("changes", "CHANGELOG.md")]),
]
# Titles for the navigation where the page's own is long or says too little there.
SHORT = {"index": "What it is", "guides": "All guides", "rules": "Writing rules", "rule-reference": "All that rules can call", "recipes": "Recipes",
         "configuration": "The commented file", "checks": "How checks work", "layers": "The gateway's layers", "threats": "The table of proof",
         "container": "The container image", "monitoring": "Figures and alerts", "migrating": "Coming from another program"}


def escape(text):
    return html.escape(text, quote=True)


def run(program, *words):
    done = subprocess.run([program, *words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"docs: {program} {' '.join(words)} has failed:\n{done.stderr}")
    return done.stdout


def anchor_of(heading, taken):
    """As code hosts make them, so that links into pages are the same there and here."""
    anchor = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") or "section"
    number = 0
    while (name := f"{anchor}-{number}" if number else anchor) in taken:
        number += 1
    taken.add(name)
    return name


def coloured(code, language):
    try:
        lexer = pygments.lexers.get_lexer_by_name(LANGUAGES.get(language, language) or "text", stripnl=False)
    except pygments.util.ClassNotFound:
        lexer = pygments.lexers.get_lexer_by_name("text", stripnl=False)
    inner = pygments.highlight(code, lexer, pygments.formatters.HtmlFormatter(nowrap=True))
    return f'<div class="code"><pre><code>{inner}</code></pre></div>\n'


class Page:
    """A page of the site: its title, its body as XML, the headings for `On this page`, and the texts that the search knows."""

    def __init__(self, name, source):
        self.name, self.source = name, source
        self.title, self.body = "", ""
        self.headings = []  # (level, anchor, text)
        self.entries = []   # (anchor, title, text) of the search
        self.anchors = set()

    @property
    def file(self):
        return f"{self.name}.html"

    @property
    def short(self):
        return SHORT.get(self.name, self.title)


class Settings:
    """The table of settings, and how texts speak of them."""

    def __init__(self, program):
        table = json.loads(run(program, "docs", "settings", "--json"))
        self.rows, self.collections = table["settings"], table["collections"]
        self.paths = [row["key"].replace("[]", "").split(".") for row in self.rows]

    @staticmethod
    def anchor(key):
        return key.replace("[]", "").replace("*", "X")

    def find(self, text):
        """The anchor of the setting or section that a text in backticks names, or nothing."""
        text = re.sub(r" = .*", "", text).replace("[[", "").replace("]]", "").replace("[", "").replace("]", "")
        words = re.findall(r'"[^"]*"|[^.]+', text.strip())
        if len(words) > 2 and words[0] == "tenants" and words[2] == "policy":
            words = words[2:]
        fits = lambda path: all(path[i] in ("*", word) for i, word in enumerate(words))
        exact = [path for path in self.paths if len(path) == len(words) and fits(path)]
        if exact and (len(words) > 1 or words[0] in ("hostname", "domains", "upstream", "include", "workers", "user")):
            # A name that is a key of its own comes before a name of one's choice.
            return self.anchor(".".join(min(exact, key=lambda path: path.count("*"))))
        longer = [path for path in self.paths if len(path) > len(words) and fits(path)]
        if longer and (len(words) > 1 or f"[{words[0]}]" in text):
            return self.section(".".join(longer[0]))
        return None

    @staticmethod
    def section(key):
        """The table of the file that a key stands in, as an anchor."""
        words = key.replace("[]", "").split(".")
        if len(words) == 1:
            return "top"
        if words[0] == "policy":
            return "policy" if len(words) == 2 else f"policy.{words[1]}"
        return words[0]


class Site:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.pages = {}
        self.by_source = {}
        self.copied = {}  # path in the tree: path in the site
        self.settings = Settings(program)
        self.commands = json.loads(run(program, "docs", "commands", "--json"))
        self.command_names = {command["name"] for command in self.commands["commands"]} | {group["name"] for group in self.commands["groups"]}
        self.markdown = markdown_it.MarkdownIt("commonmark", {"xhtmlOut": True, "html": False}).enable(["table", "strikethrough"])

    # --- Which pages there are

    def chapters(self):
        for title, pages in CHAPTERS:
            listed = []
            for name, source in pages:
                listed.append((name, source))
                if source == "packaging/guides/README.md":
                    text = (ROOT / source).read_text()
                    for guide in dict.fromkeys(re.findall(r"\]\(([\w-]+)\.md\)", text)):
                        listed.append((guide, f"packaging/guides/{guide}.md"))
            yield title, listed

    def make(self):
        for _, pages in self.chapters():
            for name, source in pages:
                self.pages[name] = Page(name, source)
                self.by_source[source] = self.pages[name]
        self.by_source["packaging/sallyport.toml"] = self.pages["configuration"]
        self.by_source["lua/reference.md"] = self.pages["rule-reference"]
        for page in self.pages.values():
            made = {"settings": self.settings_page, "commands": self.commands_page, "metrics": self.metrics_page,
                    "configuration": self.configuration_page}.get(page.source)
            if made:
                made(page)
            elif page.source == "rule reference":
                self.markdown_page(page, run(self.program, "rule", "reference"), ROOT / "lua")
            else:
                self.markdown_page(page, (ROOT / page.source).read_text(), (ROOT / page.source).parent)

    # --- Pages in Markdown

    def markdown_page(self, page, text, folder):
        tokens = self.markdown.parse(text)
        self.entry = None
        for i, token in enumerate(tokens):
            if token.type == "heading_open":
                self.heading(page, tokens, i)
            elif token.type == "inline":
                self.inline(page, token, folder)
                if self.entry and not (i and tokens[i - 1].type == "heading_open"):
                    self.entry[2].append(self.words_of(token))
            elif token.type in ("fence", "code_block") and self.entry:
                self.entry[2].append(token.content)
        body = self.render(tokens)
        if page.name == "threats":
            body = fold_proofs(body)
        page.body = body
        page.entries = [(anchor, title, " ".join(texts)) for anchor, title, texts in page.entries]

    @staticmethod
    def words_of(token):
        return "".join(child.content if child.type in ("text", "code_inline") else " " for child in token.children or [])

    def heading(self, page, tokens, i):
        token, words = tokens[i], self.words_of(tokens[i + 1])
        anchor = anchor_of(words, page.anchors)
        token.attrSet("id", anchor)
        level = int(token.tag[1])
        if level == 1 and not page.title:
            page.title = words
        elif level in (2, 3):
            page.headings.append((level, anchor, words))
        self.entry = [anchor, words, []]
        page.entries.append(self.entry)

    def inline(self, page, token, folder):
        in_link = False
        children = []
        for child in token.children or []:
            if child.type == "link_open":
                in_link = True
                child.attrSet("href", self.target(page, child.attrGet("href"), folder))
            elif child.type == "link_close":
                in_link = False
            elif child.type == "image":
                child.attrSet("src", self.target(page, child.attrGet("src"), folder))
            elif child.type == "code_inline":
                child.content = child.content.replace("\\|", "|")
                where = None if in_link or page.name == "rule-reference" else self.meaning(child.content)
                if where and where.split("#")[0] != page.file:
                    child.meta["link"] = where
            children.append(child)
        token.children = children

    def meaning(self, code):
        """Where a piece of code in a text is explained: a setting or a command."""
        if match := re.match(r"(?:sallyport )([a-z]+(?: [a-z]+)?)", code):
            words = match[1]
            name = words if words in self.command_names else words.split(" ")[0]
            return f"commands.html#{name.replace(' ', '-')}" if name in self.command_names else None
        if re.fullmatch(r'\[{0,2}[a-z_]+(\.("[^"]+"|[A-Za-z_*-]+))*\]{0,2}( = .*)?', code):
            found = self.settings.find(code)
            return f"settings.html#{found}" if found else None
        return None

    def target(self, page, href, folder):
        """A link of the tree as one of the site."""
        if re.match(r"[a-z]+:", href) or href.startswith("#"):
            return href
        path, _, anchor = urllib.parse.unquote(href).partition("#")
        there = (folder / path).resolve()
        if not there.is_relative_to(ROOT) or not there.exists():
            sys.exit(f"docs: {page.source} links to {href}, which is not there")
        source = str(there.relative_to(ROOT))
        if there.is_dir():
            source = f"{source}/README.md"
        if source in self.by_source:
            return self.by_source[source].file + (f"#{anchor}" if anchor else "")
        if not (ROOT / source).is_file():
            sys.exit(f"docs: {page.source} links to {href}, a folder without a page")
        # A file of the tree: it is copied, as text where a browser would not show it.
        name = f"files/{source}" + ("" if there.suffix in (".txt", ".json", ".png", ".svg") else ".txt")
        self.copied[source] = name
        return name

    def render(self, tokens):
        renderer = self.markdown.renderer
        rules = dict(renderer.rules)

        def code_inline(all_tokens, i, options, env):
            code = f"<code>{escape(all_tokens[i].content)}</code>"
            link = all_tokens[i].meta.get("link")
            return f'<a class="ref" href="{escape(link)}">{code}</a>' if link else code

        def block(all_tokens, i, options, env):
            return coloured(all_tokens[i].content, all_tokens[i].info.strip())

        def heading_close(all_tokens, i, options, env):
            opened = next(token for token in reversed(all_tokens[:i]) if token.type == "heading_open")
            if opened.tag == "h1":
                return "</h1>\n"
            return f' <a class="here" href="#{escape(opened.attrGet("id"))}" aria-label="Link to this section">#</a></{all_tokens[i].tag}>\n'

        try:
            renderer.rules.update({
                "code_inline": code_inline, "fence": block, "code_block": block, "heading_close": heading_close,
                "table_open": lambda *_: '<div class="table"><table>\n', "table_close": lambda *_: "</table></div>\n"})
            return renderer.render(tokens, self.markdown.options, {})
        finally:
            renderer.rules = rules

    # --- Pages made of tables

    def text(self, sentence):
        """A sentence of a table: plain text, in which keys are linked and `code` is code."""
        parts = re.split(r"`([^`]+)`", sentence)
        out = ""
        for i, part in enumerate(parts):
            if i % 2:
                out += f"<code>{escape(part)}</code>"
                continue
            position = 0
            for match in re.finditer(r"\b(?:policy|limits|timeouts|tenants|upstreams|tls|dns|state|log|trusted|admin|listen)(?:\.[a-z_*]+)+", part):
                found = self.settings.find(match[0])
                out += escape(part[position:match.start()])
                out += f'<a class="ref" href="settings.html#{found}"><code>{escape(match[0])}</code></a>' if found else escape(match[0])
                position = match.end()
            out += escape(part[position:])
        return out

    def settings_page(self, page):
        page.title = "All settings"
        out = [f'<h1 id="settings">{page.title}</h1>\n',
               '<p>The configuration is a file of TOML, <code>/etc/sallyport/sallyport.toml</code>. An unknown key is an error, and '
               '<a class="ref" href="commands.html#check"><code>sallyport check</code></a> finds every mistake in one run. Durations are written '
               '<code>"5s"</code>, <code>"10m"</code>, <code>"1h"</code>; sizes <code>"512"</code>, <code>"64KiB"</code>, <code>"25MiB"</code>; rates '
               '<code>"300/1h burst 50"</code>. Relative paths count from the directory of the file that they stand in. In a key, <code>*</code> stands '
               'for a name of your choice and <code>[]</code> for each table of an array. <a href="configuration.html">The commented file</a> has all '
               'keys in one piece.</p>\n'
               '<p>Keys that begin with <code>policy</code> may stand under a tenant too, as <code>tenants.NAME.policy…</code>, and count for its mail then.</p>\n'
               '<p class="filter"><label>Show only keys with <input type="search" id="site-filter" autocomplete="off" placeholder="such as tls, or rate" /></label></p>\n']
        tables = {}
        for row in self.settings.rows:
            tables.setdefault(self.settings.section(row["key"]), []).append(row)
        for name, rows in tables.items():
            title = "At the top of the file" if name == "top" else self.table_name(name)
            page.headings.append((2, name, title))
            page.anchors.add(name)
            about = next((c["about"] for c in self.settings.collections if c["path"].replace("[]", "").replace(".*", "") == name), "")
            out.append(f'<section class="settings"><h2 id="{name}">{escape(title)} <a class="here" href="#{name}" aria-label="Link to this section">#</a></h2>\n')
            if about:
                out.append(f"<p>{self.text(about)}</p>\n")
            out += [self.setting(page, row) for row in rows]
            out.append("</section>\n")
        page.body = "".join(out)

    @staticmethod
    def table_name(section):
        return {"listen": "[[listen]]", "upstreams": "[upstreams.NAME]", "tenants": "[tenants.NAME]",
                "policy.milters": "[[policy.milters]]"}.get(section, f"[{section}]")

    def setting(self, page, row):
        anchor = Settings.anchor(row["key"])
        if anchor in page.anchors:
            sys.exit(f"docs: two settings have the anchor {anchor}")
        page.anchors.add(anchor)
        facts = [("Value", self.text(row["expects"]))]
        if row["stands_for"]:
            facts.append(("Short for", f"<a class=\"ref\" href=\"#{self.settings.find(row['stands_for'])}\"><code>{escape(row['stands_for'])}</code></a>"))
        else:
            facts.append(("Default", f"<code>{escape(row['default'])}</code>" if row["default"] is not None else "none: it must be given"))
        if row["type"].startswith("list") and row["least"]:
            facts.append(("At least", f"{escape(row['least'])} {'entry' if row['least'] == '1' else 'entries'}"))
        elif row["least"] or row["most"]:
            facts.append(("Range", " ".join(f"{word} <code>{escape(row[bound])}</code>" for word, bound in (("from", "least"), ("to", "most")) if row[bound])))
        if row["falls_back_to"]:
            facts.append(("Before the default", f"the value of <a class=\"ref\" href=\"#{self.settings.find(row['falls_back_to'])}\"><code>{escape(row['falls_back_to'])}</code></a>"))
        facts.append(("After a reload", {"live": "counts at once", "new connections": "counts for new connections",
                                         "restart": "<strong>waits for a restart</strong>"}[row["reload"]]))
        page.entries.append((anchor, row["key"], row["about"]))
        return (f'<article class="setting" id="{escape(anchor)}"><h3><a href="#{escape(anchor)}"><code>{escape(row["key"])}</code></a></h3>\n'
                f'<p>{self.text(row["about"])}</p>\n<dl>' + "".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in facts) + "</dl></article>\n")

    def configuration_page(self, page):
        page.title = "The commented configuration"
        text = (ROOT / "packaging/sallyport.toml").read_text()
        parts = re.split(r"^(# --- (.+?) -+)$", text, flags=re.M)
        self.copied["packaging/sallyport.toml"] = "files/packaging/sallyport.toml.txt"
        out = [f'<h1 id="file">{page.title}</h1>\n<p>Every key there is, with its default behind the <code>#</code>. Three lines are enough; everything else may stay as '
               'it is. <a href="files/packaging/sallyport.toml.txt">The file alone</a>, to copy; <a href="settings.html">all settings</a>, one by one.</p>\n',
               coloured(parts[0], "toml")]
        page.entries.append(("file", page.title, parts[0]))
        for title, body in zip(parts[2::3], parts[3::3]):
            anchor = anchor_of(title, page.anchors)
            page.headings.append((2, anchor, title))
            page.entries.append((anchor, title, body))
            out.append(f'<h2 id="{anchor}">{escape(title)} <a class="here" href="#{anchor}" aria-label="Link to this section">#</a></h2>\n' + coloured(body.strip("\n") + "\n", "toml"))
        page.body = "".join(out)

    def commands_page(self, page):
        page.title = "All commands"
        out = [f'<h1 id="commands">{page.title}</h1>\n<p><code>sallyport COMMAND [-c FILE] ...</code> Data goes to stdout, messages to stderr. <code>-c</code> names the '
               'configuration, before or after the command; without it, that is <code>/etc/sallyport/sallyport.toml</code>. <code>--help</code> is there for the program and '
               'for each command. On an installed host, <code>man sallyport</code> says the same.</p>\n<div class="table"><table><tbody>\n']
        for command in self.commands["commands"]:
            anchor = command["name"].replace(" ", "-")
            out.append(f'<tr><td><a class="ref" href="#{anchor}"><code>{escape(command["name"])}</code></a></td><td>{self.text(command["about"])}</td></tr>\n')
        out.append("</tbody></table></div>\n")
        groups = {group["name"]: group["about"] for group in self.commands["groups"]}
        for command in self.commands["commands"]:
            group = command["name"].split(" ")[0] if " " in command["name"] else None
            if group in groups:
                out.append(f'<h2 id="{group}">{group} …</h2>\n<p>{escape(groups.pop(group))}.</p>\n')
                page.headings.append((2, group, f"{group} …"))
                page.anchors.add(group)
            out.append(self.command(page, command, 3 if group else 2))
        out.append('<h2 id="exit-statuses">Exit statuses</h2>\n<div class="table"><table><tbody>\n' + "".join(
            f'<tr><td><code>{row["status"]}</code></td><td>{escape(row["meaning"])}</td></tr>\n' for row in self.commands["exit_statuses"]) + "</tbody></table></div>\n")
        page.headings.append((2, "exit-statuses", "Exit statuses"))
        page.entries.append(("exit-statuses", "Exit statuses", " ".join(f"{row['status']} {row['meaning']}" for row in self.commands["exit_statuses"])))
        page.anchors.add("exit-statuses")
        page.body = "".join(out)

    def command(self, page, command, level):
        anchor = command["name"].replace(" ", "-")
        page.anchors.add(anchor)
        page.headings.append((level, anchor, command["name"]))
        line = f"sallyport {command['name']}"
        for option in command["options"]:
            line += f" [{option['name']}{' ' + option['value'] if option['value'] else ''}]" + ("..." if option["repeats"] else "")
        for argument in command["arguments"]:
            line += f" [{argument['name']}]" if argument["is_optional"] else f" {argument['name']}"
        rows = [(argument["name"], argument["about"]) for argument in command["arguments"]]
        rows += [(f"{option['name']} {option['value']}".strip(), option["about"] + (". May be given more than once" if option["repeats"] else "")) for option in command["options"]]
        page.entries.append((anchor, f"sallyport {command['name']}", " ".join([command["about"], *(f"{name} {about}" for name, about in rows)])))
        table = "".join(f"<tr><td><code>{escape(name)}</code></td><td>{self.text(about)}</td></tr>\n" for name, about in rows)
        return (f'<h{level} id="{anchor}">{escape(command["name"])} <a class="here" href="#{anchor}" aria-label="Link to this command">#</a></h{level}>\n'
                f'<p>{self.text(command["about"])}.</p>\n<div class="code"><pre><code>{escape(line)}</code></pre></div>\n'
                + (f'<div class="table"><table><tbody>\n{table}</tbody></table></div>\n' if rows else ""))

    def metrics_page(self, page):
        page.title = "All figures"
        families = []
        for line in run(self.program, "docs", "metrics").splitlines():
            if match := re.match(r"# HELP (\S+) (.*)", line):
                families.append({"name": match[1], "help": match[2].replace("\\n", " ").replace("\\\\", "\\"), "type": "", "labels": {}})
            elif match := re.match(r"# TYPE \S+ (\S+)", line):
                families[-1]["type"] = match[1]
            elif match := re.match(r"\S+?\{(.*)\} ", line):
                for label, value in re.findall(r'(\w+)="([^"]*)"', match[1]):
                    if label != "le" and value not in families[-1]["labels"].setdefault(label, []):
                        families[-1]["labels"][label].append(value)
        out = [f'<h1 id="figures">{page.title}</h1>\n<p><code>/metrics</code> of <a class="ref" href="settings.html#admin.listen"><code>admin.listen</code></a> has them, served by '
               '<a class="ref" href="commands.html#admin"><code>sallyport admin</code></a> in the text format of Prometheus. '
               '<a href="monitoring.html">How to have them collected</a>, with alerts and a board. Labels come from the configuration and from closed sets, never from peers.</p>\n']
        for family in families:
            anchor = family["name"]
            page.anchors.add(anchor)
            labels = "".join(f"<div><dt><code>{escape(label)}</code></dt><dd>{' '.join(f'<code>{escape(value)}</code>' for value in values)}</dd></div>"
                             for label, values in family["labels"].items())
            page.entries.append((anchor, family["name"], family["help"] + " " + " ".join(value for values in family["labels"].values() for value in values)))
            out.append(f'<article class="setting" id="{anchor}"><h3><a href="#{anchor}"><code>{anchor}</code></a> <span class="kind">{family["type"]}</span></h3>\n'
                       f'<p>{escape(family["help"])}</p>\n' + (f"<dl>{labels}</dl>" if labels else "") + "</article>\n")
        page.body = "".join(out)

    # --- The site

    def navigation(self, current):
        out = []
        for title, pages in self.chapters():
            items = "".join(f'<li><a href="{self.pages[name].file}"' + (' aria-current="page"' if name == current.name else "") + f">{escape(self.pages[name].short)}</a></li>\n"
                            for name, _ in pages)
            is_open = " open=\"open\"" if title in ("Start", "Guides", "Reference", "Rules in Lua") or any(name == current.name for name, _ in pages) else ""
            out.append(f"<details{is_open}><summary>{escape(title)}</summary><ul>\n{items}</ul></details>\n")
        return "".join(out)

    def on_this_page(self, page):
        shown = [heading for heading in page.headings if heading[0] == 2 or len(page.headings) < 40]
        if len(shown) < 2:
            return ""
        items = "".join(f'<li class="level{level}"><a href="#{escape(anchor)}">{escape(text)}</a></li>\n' for level, anchor, text in shown)
        return f'<details class="toc" open="open"><summary>On this page</summary><ul>\n{items}</ul></details>'

    def neighbours(self, page):
        order = [name for _, pages in self.chapters() for name, _ in pages]
        at = order.index(page.name)
        link = lambda name, word, side: f'<a class="{side}" href="{self.pages[name].file}"><span>{word}</span> {escape(self.pages[name].short)}</a>'
        return ((link(order[at - 1], "Before", "before") if at else "") + (link(order[at + 1], "Next", "next") if at + 1 < len(order) else ""))

    def write(self):
        template = (HERE / "page.html").read_text()
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("style.css", "site.js"):
            shutil.copyfile(HERE / name, self.folder / name)
        for source, name in self.copied.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / source, self.folder / name)
        index = []
        for page in self.pages.values():
            values = {"title": escape(page.title), "version": escape(self.commands["version"]), "navigation": self.navigation(page),
                      "body": page.body, "toc": self.on_this_page(page), "neighbours": self.neighbours(page)}
            text = re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)
            (self.folder / page.file).write_text(text)
            for anchor, title, words in page.entries:
                index.append([page.file, anchor, title, page.short, " ".join(words.split())[:1500]])
        # A script and no JSON file: pages read from file:// may not fetch.
        packed = json.dumps(index, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        (self.folder / "search-index.js").write_text(f"window.searchIndex = {packed};\n")


def fold_proofs(body):
    """The table of proof: its last column is long, and folded away."""
    def fold(match):
        proofs = match[2].count(", ") + 1
        if match[2].startswith("open"):
            return match[0]
        return f'{match[1]}<td><details><summary>{proofs} {"test" if proofs == 1 else "tests"}</summary>{match[2]}</details></td>\n</tr>'
    return re.sub(r"(<td>[A-Z]+\d+[a-z]?</td>\n<td>.*?</td>\n)<td>(.*?)</td>\n</tr>", fold, body, flags=re.S)


def dead_links(folder):
    """Links inside the site that lead nowhere; and what is no XML, which ends with its place."""
    anchors, links = {}, []
    for file in sorted(folder.glob("*.html")):
        try:
            tree = ElementTree.fromstring(file.read_text())
        except ElementTree.ParseError as error:
            sys.exit(f"docs: {file} is not well-formed: {error}")
        found = [element.get("id") for element in tree.iter() if element.get("id")]
        twice = {name for name in found if found.count(name) > 1}
        if twice:
            sys.exit(f"docs: {file} has anchors twice: {', '.join(sorted(twice))}")
        anchors[file.name] = set(found)
        for element in tree.iter():
            links += [(file.name, element.get(name)) for name in ("href", "src") if element.get(name)]
    for page, link in links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = urllib.parse.unquote(link).partition("#")
        there = path or page
        if not (folder / there).is_file() or (anchor and anchor not in anchors.get(there, ())):
            yield f"{page}: {link}"


def main():
    options = argparse.ArgumentParser(description="The documentation as one static site")
    options.add_argument("--program", default=ROOT / "build/release/sallyport", type=pathlib.Path)
    options.add_argument("--to", default=ROOT / "build/docs", type=pathlib.Path)
    given = options.parse_args()
    site = Site(given.program.resolve(), given.to)
    site.make()
    site.write()
    dead = list(dead_links(given.to))
    if dead:
        sys.exit("docs: these links lead nowhere:\n  " + "\n  ".join(dead))
    print(f"{given.to / 'index.html'}: {len(site.pages)} pages", file=sys.stderr)


if __name__ == "__main__":
    main()
