"""The pages that are made of the program's tables: settings, commands, replies, figures; and the commented configuration."""
import json
import re
import sys

import figures
from parts import ROOT, anchor_of, coloured, escape, run


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


class Tables:
    """The part of the site that makes such pages: `self.program` is the program, `self.settings` its settings, `self.commands` its commands."""

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

    def replies_page(self, page):
        page.title = "All replies"
        replies = json.loads(run(self.program, "docs", "replies", "--json"))["replies"]
        out = [f'<h1 id="all-replies">{page.title}</h1>\n<p>What the gateway answers to clients by itself, by code. What the server behind says is passed on as it is, and '
               'rules, milters and DNS lists may have words of their own. <code>{}</code> stands for what a reply names, such as a domain. A reply that refuses mail ends with '
               'an id, by which <a class="ref" href="refused.html">its line in the log</a> is found; “in the log” is the word that the line, and the counters, have for it. '
               'Codes that begin with 4 are for now: the sender’s server tries again by itself.</p>\n'
               '<p class="filter"><label>Show only replies with <input type="search" id="site-filter" autocomplete="off" placeholder="such as 5.7.1, or SPF" /></label></p>\n']
        groups = {"2": "Yes, and go on", "3": "Go on", "4": "Not now", "5": "No"}
        for first in dict.fromkeys(str(reply["code"])[0] for reply in replies):
            anchor = f"replies-{first}"
            page.headings.append((2, anchor, f"{first}xx: {groups[first]}"))
            page.anchors.add(anchor)
            out.append(f'<section class="settings"><h2 id="{anchor}">{first}xx: {groups[first]} <a class="here" href="#{anchor}" aria-label="Link to this section">#</a></h2>\n')
            out += [self.reply(page, reply) for reply in replies if str(reply["code"])[0] == first]
            out.append("</section>\n")
        page.body = "".join(out)

    def reply(self, page, reply):
        words = " ".join(filter(None, (str(reply["code"]), reply["dsn"], reply["text"])))
        anchor = anchor_of(words, page.anchors)
        facts = [("What to do", self.text(reply["remedy"]))] if reply["remedy"] else []
        if reply["kind"]:
            facts.append(("In the log", f"<code>{escape(reply['kind'])}</code>"))
        if reply["ends_session"]:
            facts.append(("After it", "the connection ends"))
        page.entries.append((anchor, words, f"{reply['when']} {reply['remedy']} {reply['kind']}"))
        return (f'<article class="setting reply" id="{anchor}"><h3><a href="#{anchor}"><code>{escape(words)}</code></a></h3>\n<p>{self.text(reply["when"])}</p>\n'
                + ("<dl>" + "".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in facts) + "</dl>" if facts else "") + "</article>\n")

    def figures_page(self, page):
        page.title = "All figures"
        families = []
        for line in figures.of_a_running_gateway(self.program).splitlines():
            if match := re.match(r"# HELP (\S+) (.*)", line):
                families.append({"name": match[1], "help": match[2].replace("\\n", " ").replace("\\\\", "\\"), "type": "", "labels": {}})
            elif match := re.match(r"# TYPE \S+ (\S+)", line):
                families[-1]["type"] = match[1]
            elif match := re.match(r"\S+?\{(.*)\} ", line):
                for label, value in re.findall(r'(\w+)="([^"]*)"', match[1]):
                    if label != "le" and value not in families[-1]["labels"].setdefault(label, []):
                        families[-1]["labels"][label].append(value)
        out = [f'<h1 id="all-figures">{page.title}</h1>\n<p><code>/metrics</code> of <a class="ref" href="settings.html#admin.listen"><code>admin.listen</code></a> has them, served by '
               'a process of its own that <a class="ref" href="commands.html#run"><code>sallyport run</code></a> keeps beside the one for mail, in the text format of Prometheus. '
               '<a href="monitoring.html">How to have them collected</a>, with alerts and a board. Labels come from the configuration and from closed sets, never from peers.</p>\n']
        for family in families:
            anchor = family["name"]
            page.anchors.add(anchor)
            labels = "".join(f"<div><dt><code>{escape(label)}</code></dt><dd>{' '.join(f'<code>{escape(value)}</code>' for value in values)}</dd></div>"
                             for label, values in family["labels"].items())
            page.entries.append((anchor, family["name"], family["help"] + " " + " ".join(value for values in family["labels"].values() for value in values)))
            out.append(f'<article class="setting figure" id="{anchor}"><h3><a href="#{anchor}"><code>{anchor}</code></a> <span class="kind">{family["type"]}</span></h3>\n'
                       f'<p>{escape(family["help"])}</p>\n' + (f"<dl>{labels}</dl>" if labels else "") + "</article>\n")
        page.body = "".join(out)
