"""What the makers of pages share: text as XML, coloured code, anchors, and what the program says."""
import html
import pathlib
import re
import subprocess
import sys

import pygments
import pygments.formatters
import pygments.lexers
import pygments.util

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The words behind ``` of the tree's pages, where pygments knows them by another name.
LANGUAGES = {"toml fragment": "toml", "lua rule": "lua", "lua test": "lua", "main.cf": "ini", "sh": "bash"}

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
