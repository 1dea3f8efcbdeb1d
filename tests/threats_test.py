#!/usr/bin/env python3
"""Holds the table of proof, tests/threats.md, against the tests that are in the tree.

Fails when an id of the checked sections has no row or no proof, when a row names a test that is not there or is disabled,
when an id appears twice, and when a test names an id that the table does not know. --self-test proves that each of these
is found. What a proof looks like is said at the head of the table.
"""
import ast
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The sections that must be whole: the letter, and how many lines the threat model has there.
SECTIONS = {"I": 14, "S": 42, "U": 20, "T": 13, "D": 24, "L": 9, "M": 18}
# An id in a comment or in a dialogue's name.
ID = re.compile(r"\b([ISUTDLM])(\d{1,2})\b")
ROW = re.compile(r"\|\s*([A-Z]\d+)\s*\|\s*(.*?)\s*\|\s*(.*?)\s*\|")
GTEST = re.compile(r"\b(TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*(\w+)\s*,\s*(\w+)\s*\)")


class Tree:
    """The tests of a source tree."""

    def __init__(self, root):
        self.root = root
        self.sources = sorted(p for kind in ("*.h", "*.cpp") for p in (root / "tests").rglob(kind))
        self.integration_files = sorted((root / "tests/integration").glob("**/*.py"))
        self.dialogue_files = sorted((root / "tests/dialogues").glob("*.dialogue"))
        self.gtests = {}  # "Suite" -> {"Name"}
        for path in self.sources:
            for _, suite, name in GTEST.findall(without_comments(path.read_text())):
                self.gtests.setdefault(suite, set()).add(name)
        self.integration = {test for path in self.integration_files if path.name.startswith("test_")
                            for test in integration_tests(path)}
        self.dialogues = {path.stem for path in self.dialogue_files}
        self.fuzz = set()
        lists = root / "tests/fuzz/CMakeLists.txt"
        if lists.exists():
            self.fuzz = set(re.findall(r"^\s*sallyport_fuzz\((\w+)", lists.read_text(), re.M))

    def complaint(self, proof):
        """What is wrong with a proof, or None."""
        if proof.startswith("dialogues/"):
            return None if proof.removeprefix("dialogues/") in self.dialogues else "no such dialogue"
        if proof.startswith("fuzz/"):
            return None if proof.removeprefix("fuzz/") in self.fuzz else "no such fuzz target"
        if proof.startswith("integration/"):
            return None if proof in self.integration else "no such integration test, or a disabled one"
        suite, _, name = proof.partition(".")
        if not name or not re.fullmatch(r"\w+", suite) or not re.fullmatch(r"\w+|\*", name):
            return "not the name of a test"
        if suite.startswith("DISABLED_") or name.startswith("DISABLED_"):
            return "a disabled test"
        known = self.gtests.get(suite, set())
        if name == "*":
            return None if any(not test.startswith("DISABLED_") for test in known) else "no test of that suite"
        if f"DISABLED_{name}" in known or f"DISABLED_{suite}" in self.gtests:
            return "a disabled test"
        return None if name in known else "no such test"

    def mentions(self):
        """(file:line, id) of every id that a test names."""
        for path in self.sources:
            yield from self.mentions_in(path, r"//(.*)")
        for path in self.integration_files + self.dialogue_files:
            yield from self.mentions_in(path, r"#(.*)")
        for path in self.dialogue_files:
            named = re.match(r"([isutd])(\d{1,2})_", path.stem)
            if named:
                yield path.relative_to(self.root).as_posix(), named[1].upper() + named[2]

    def mentions_in(self, path, comment):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            found = re.search(comment, line)
            for letter, digits in ID.findall(found[1]) if found else []:
                yield f"{path.relative_to(self.root).as_posix()}:{number}", letter + digits


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def integration_tests(path):
    """The enabled tests of a file, those a class has from its bases in the same file included."""
    classes = {}
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.ClassDef):
            continue
        names = set()
        for base in node.bases:
            names |= classes.get(getattr(base, "id", None), set())
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name.startswith("test"):
                (names.discard if is_skipped(item) else names.add)(item.name)
            elif isinstance(item, ast.Assign):
                names |= {t.id for t in item.targets if isinstance(t, ast.Name) and t.id.startswith("test")}
        classes[node.name] = names
        if not is_skipped(node):
            yield from (f"integration/{path.name}::{node.name}.{name}" for name in names)


def is_skipped(node):
    """@unittest.skip("...") without a condition; skipIf and skipUnless run where they can."""
    names = [decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in node.decorator_list]
    return any(getattr(name, "attr", getattr(name, "id", None)) == "skip" for name in names)


def complaints(root):
    table = root / "tests/threats.md"
    tree = Tree(root)
    known = {}
    for number, line in enumerate(table.read_text().splitlines(), 1):
        row = ROW.fullmatch(line.strip())
        if not row:
            if re.match(r"\|\s*[A-Z]\d", line):
                yield f"threats.md:{number}: not a row of three cells"
            continue
        name, text, proofs = row.groups()
        where = f"threats.md:{number}: {name}"
        if name in known:
            yield f"{where} appears twice, first in line {known[name]}"
        known.setdefault(name, number)
        if name[0] in SECTIONS and not 1 <= int(name[1:]) <= SECTIONS[name[0]]:
            yield f"{where} is no line of the threat model"
        if not text:
            yield f"{where} does not say what must hold"
        listed = [proof.strip().strip("`") for proof in proofs.split(", ")] if proofs else []
        if not listed:
            yield f"{where} has no proof"
        if proofs.startswith("open:"):
            if not proofs.removeprefix("open:").strip():
                yield f"{where} is open, and nobody brings it"
            continue
        for proof in listed:
            wrong = tree.complaint(proof)
            if wrong:
                yield f"{where}: {proof}: {wrong}"
    for letter, count in SECTIONS.items():
        for index in range(1, count + 1):
            if f"{letter}{index}" not in known:
                yield f"threats.md: {letter}{index} has no row"
    for where, name in tree.mentions():
        if name not in known:
            yield f"{where}: the table does not know {name}"


# ---- the script's own test -------------------------------------------------------------------------------------------

GOOD_TREE = {
    "tests/unit/a_test.cpp": "// S2: so.\nTEST(Reader, Ends) {}\nTEST_P(Reader, DISABLED_Later) {}\n// TEST(Reader, Gone) {}\n",
    "tests/dialogues/s3_nul.dialogue": "# S3: so.\n",
    "tests/fuzz/CMakeLists.txt": "sallyport_fuzz(path LINKS smtp)\n",
    "tests/integration/test_tls.py": "import unittest\nclass Old:\n    def test_old(self): pass\n"
                                     "class New(Old):\n    def test_new(self): pass\n"
                                     "    @unittest.skip('later')\n    def test_later(self): pass\n",
}
PROOFS = ["Reader.Ends", "Reader.*", "dialogues/s3_nul", "fuzz/path", "integration/test_tls.py::New.test_new",
          "integration/test_tls.py::New.test_old", "Reader.Ends, dialogues/s3_nul", "`Reader.Ends`", "open: the next part"]
# What is done to the good tree, and what the complaint has to say.
FAULTS = [
    (("| S2 |", "| X2 |"), "S2 has no row"),
    (("| S2 |", "| S1 |"), "S1 appears twice"),
    (("| D24 |", "| D25 |"), "D25 is no line"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | |"), "S1 has no proof"),
    (("| S1 | holds | Reader.Ends |", "| S1 |  | Reader.Ends |"), "does not say what must hold"),
    (("| S1 | holds | Reader.Ends |", "| S1 | Reader.Ends |"), "not a row of three cells"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | open: |"), "nobody brings it"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | Reader.Begins |"), "Reader.Begins: no such test"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | Reader.Gone |"), "Reader.Gone: no such test"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | Writer.* |"), "no test of that suite"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | Reader.Later |"), "Reader.Later: a disabled test"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | Reader.DISABLED_Later |"), "a disabled test"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | Reader.Ends dialogues/s3_nul |"), "not the name of a test"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | dialogues/s4_nul |"), "no such dialogue"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | fuzz/reply |"), "no such fuzz target"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | integration/test_tls.py::New.test_gone |"), "no such integration"),
    (("| S1 | holds | Reader.Ends |", "| S1 | holds | integration/test_tls.py::New.test_later |"), "a disabled one"),
    ({"tests/unit/b_test.cpp": "// RFC 1, S49\n"}, "b_test.cpp:1: the table does not know S49"),
    ({"tests/integration/support.py": "x = 1  # as in U27\n"}, "support.py:1: the table does not know U27"),
    ({"tests/dialogues/x.dialogue": "# D29\n"}, "x.dialogue:1: the table does not know D29"),
    ({"tests/dialogues/t14_x.dialogue": "greeted\n"}, "t14_x.dialogue: the table does not know T14"),
]


def complaints_of(changes):
    """Those of the good tree after one change: a replacement in the table, or files."""
    ids = [f"{letter}{index}" for letter, count in SECTIONS.items() for index in range(1, count + 1)]
    table = "".join(f"| {name} | holds | {'Reader.Ends' if name == 'S1' else PROOFS[i % len(PROOFS)]} |\n"
                    for i, name in enumerate(ids))
    files = dict(GOOD_TREE)
    if isinstance(changes, dict):
        files.update(changes)
    else:
        assert changes[0] in table, changes
        table = table.replace(*changes)
    files["tests/threats.md"] = table
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return list(complaints(root))


def self_test():
    found = complaints_of({})
    if found:
        sys.exit(f"a good table is complained of: {found}")
    for changes, wanted in FAULTS:
        found = complaints_of(changes)
        if not any(wanted in complaint for complaint in found):
            sys.exit(f"{changes}: no complaint that says {wanted!r}, but {found}")
    print(f"threats: all {len(FAULTS)} kinds of mistakes are found")


def main():
    self_test()
    if "--self-test" in sys.argv[1:]:
        return
    found = list(complaints(ROOT))
    for complaint in found:
        print(complaint)
    if found:
        sys.exit(f"{len(found)} places where the table and the tests disagree")
    print("threats: every line is proven or open, and every proof is there")


if __name__ == "__main__":
    main()
