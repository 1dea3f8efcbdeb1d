#!/usr/bin/env python3
"""Makes the documentation one static site: ./dev docs [FOLDER].

What it is made of: the pages in Markdown that the tree has anyway (the README, the guides, the manual of rules, the checks), and the
tables of the program itself (`sallyport docs settings --json`, `docs commands --json`, `docs replies --json`, `docs metrics`, `rule reference`). So the site says
what this very program does, and nothing has to be written twice.

It stands on two packages of Debian: python3-markdown-it, which reads Markdown by CommonMark's rules and so as the code hosts show it
(python3-markdown reads lists and tables inside them in another way, pandoc brings hundreds of megabytes), and python3-pygments, which
colours examples. Template, style and search are ours and small: page.html, style.css, site.js. The site needs no server and nothing from
outside: it is read from file:// as well as from a web server, with scripts or without.

Pages are well-formed XML. A link that leads nowhere ends the making with a list of them (exit status 1).
"""
import argparse
import json
import pathlib
import re
import shutil
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

import markdown_it

import tables
from parts import ROOT, anchor_of, coloured, escape, run

HERE = pathlib.Path(__file__).resolve().parent

# (heading in the navigation, [(file of the site, source)]); a source that ends in .md is Markdown, others are made by a function.
POLICIES = ("content", "dnsbl", "url_lists", "lists", "rate", "helo", "rdns", "sender_domain", "spf", "dkim", "dmarc", "arc", "milters")
CHAPTERS = [
    ("Start", [("index", "README.md")]),
    ("Guides", [("guides", "packaging/guides/README.md")]),  # and those that it links to, in its order
    ("Reference", [("settings", "settings"), ("configuration", "configuration"), ("commands", "commands"), ("replies", "replies"), ("figures", "figures"),
                   ("monitoring", "packaging/monitoring/README.md"), ("container", "packaging/docker/README.md"), ("appliance-image", "packaging/appliance/README.md")]),
    ("Rules in Lua", [("rules", "lua/README.md"), ("recipes", "lua/recipes.md"), ("rule-reference", "rule reference")]),
    ("The checks", [("checks", "policies/README.md"), *((f"check-{name.replace('_', '-')}", f"policies/{name}/README.md") for name in POLICIES)]),
    ("For developers", [("layers", "gateway/README.md"), ("milter-library", "gateway/milter_library/README.md"), ("threats", "tests/threats.md"),
                        ("test-certificates", "certs/README.md"), ("changes", "CHANGELOG.md")]),
]
# Titles for the navigation where the page's own is long or says too little there.
SHORT = {"index": "What it is", "guides": "All guides", "rules": "Writing rules", "rule-reference": "All that rules can call", "recipes": "Recipes",
         "configuration": "The commented file", "checks": "How checks work", "layers": "The gateway's layers", "threats": "The table of proof",
         "container": "The container image", "appliance-image": "The appliance's disk", "monitoring": "Figures and alerts", "migrating": "Coming from another program"}


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


class Site(tables.Tables):
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.pages = {}
        self.by_source = {}
        self.copied = {}  # path in the tree: path in the site
        self.settings = tables.Settings(program)
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
            if page.source.endswith(".md"):
                page.title = re.search(r"^# (.*)", (ROOT / page.source).read_text(), re.M)[1].replace("`", "")
        for page in self.pages.values():
            made = {"settings": self.settings_page, "commands": self.commands_page, "replies": self.replies_page, "figures": self.figures_page,
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
        if level == 1:
            page.title = page.title or words
        elif level in (2, 3):
            page.headings.append((level, anchor, words))
        self.entry = [anchor, words, []]
        page.entries.append(self.entry)

    def inline(self, page, token, folder):
        in_link, file_name = False, None
        children = []
        for child in token.children or []:
            if child.type == "link_open":
                in_link = True
                file_name = child.attrGet("href")
                child.attrSet("href", self.target(page, file_name, folder))
            elif child.type == "text" and in_link and child.content == file_name:
                # In the tree a guide is called by its file's name; here it has a title.
                child.content = next((other.short for other in self.pages.values() if other.file == children[-1].attrGet("href")), child.content)
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
            # Long names may be broken where they are joined.
            content = re.sub(r"(?<=[\w\"?)])([|/_.,])(?=\S)", "\\1\0", all_tokens[i].content)
            code = f"<code>{escape(content)}</code>".replace("\0", "<wbr />")
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
