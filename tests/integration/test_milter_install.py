#!/usr/bin/env python3
"""libsallyport-milter as it is installed: what is where, and a new filter in C and in C++ that is built with its .pc file."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from milter_mta import DEBIANS, LIBRARY
from support import ROOT

FILTER = """
#include <libmilter/mfapi.h>
#include <stdio.h>
static sfsistat on_close(SMFICTX *context) { return smfi_getpriv(context) ? SMFIS_TEMPFAIL : SMFIS_CONTINUE; }
int main(void) {
  static char name[] = "new", place[] = "inet:0@127.0.0.1";
  struct smfiDesc filter = {name, SMFI_VERSION, SMFIF_ADDHDRS, 0, 0, 0, 0, 0, 0, 0, 0, 0, on_close, 0, 0, 0};
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[4096];
  if (smfi_setconn(place) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS || smfi_opensocket(true) != MI_SUCCESS) return 1;
  while (fgets(line, sizeof line, maps)) fputs(line, stdout);
  return 0;
}
"""


OURS = ROOT / "gateway/milter_library/include"
THEIRS = pathlib.Path("/usr/include")
# Of the structure that filters pass by value.
MEMBERS = ("name", "version", "flags", "connect", "helo", "envfrom", "envrcpt", "header", "eoh", "body", "eom", "abort", "close", "unknown",
           "data", "negotiate")


class SameInterface(unittest.TestCase):
    """Header and library beside those of Debian's libmilter-dev and libmilter1.0.1."""

    def setUp(self):
        if not (THEIRS / "libmilter/mfapi.h").exists() or not shutil.which("clang-16"):
            self.skipTest("no libmilter-dev or clang-16 here")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def compiled(self, name, include, source):
        file, program = self.folder / f"{name}.c", self.folder / name
        file.write_text(source)
        done = subprocess.run(["clang-16", f"-I{include}", "-o", program, file], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return program

    def test_constants_and_layout(self):
        text = "".join((THEIRS / "libmilter" / name).read_text() for name in ("mfapi.h", "mfdef.h"))
        names = sorted(set(re.findall(r"^#\s*define\s+((?:SMFI|MI_)\w+)\s", text, re.M)))
        self.assertGreater(len(names), 90)
        lines = [f'#ifdef {name}\nprintf("{name} %lld\\n", (long long)({name}));\n#endif\n' for name in names]
        lines.append('printf("size %zu\\n", sizeof(struct smfiDesc));\n')
        lines += [f'printf("{member} at %zu, %zu octets\\n", offsetof(struct smfiDesc, xxfi_{member}), sizeof(((struct smfiDesc *)0)->xxfi_{member}));\n'
                  for member in MEMBERS]
        source = ("#include <sys/types.h>\n#include <stddef.h>\n#include <stdio.h>\n#include <libmilter/mfapi.h>\n#include <libmilter/mfdef.h>\n"
                  "int main(void) {\n" + "".join(lines) + "return 0; }\n")
        ours, theirs = (subprocess.run([self.compiled(name, include, source)], capture_output=True, text=True, check=True).stdout
                        for name, include in (("ours", OURS), ("theirs", THEIRS)))
        self.assertIn("size 128\n", ours)
        self.assertEqual(ours, theirs)

    def test_the_functions_take_the_same(self):
        def declared(name, include):
            file = self.folder / f"{name}-functions.c"
            file.write_text("#include <sys/types.h>\n#include <libmilter/mfapi.h>\n")
            dump = subprocess.run(["clang-16", f"-I{include}", "-fsyntax-only", "-Xclang", "-ast-dump", "-fno-color-diagnostics", file],
                                  capture_output=True, text=True, check=True).stdout
            return sorted(re.findall(r"FunctionDecl .*? (smfi_\w+ '.*')", dump))

        ours = declared("ours", OURS)
        self.assertGreaterEqual(len(ours), 26)
        self.assertEqual(ours, declared("theirs", THEIRS))

    def test_symbols_and_their_versions(self):
        def symbols(library):
            listed = subprocess.run(["objdump", "-T", library], capture_output=True, text=True, check=True).stdout
            return sorted(tuple(line.split()[-2:]) for line in listed.splitlines() if " smfi_" in line)

        ours = symbols(LIBRARY / "libmilter.so.1.0.1")
        self.assertEqual(len(ours), 26)
        self.assertEqual({version for version, _ in ours}, {"Base"})
        if DEBIANS.exists():
            self.assertEqual(ours, symbols(DEBIANS))


class Installed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.prefix = pathlib.Path(folder.name)
        self.run_tool("cmake", "--install", LIBRARY.parent, "--component", "milter_library", "--prefix", self.prefix)

    def run_tool(self, name, *arguments):
        if not shutil.which(name):
            self.skipTest(f"no {name} here")
        done = subprocess.run([name, *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_new_filters_are_built_with_it_and_run_on_it(self):
        library, = self.prefix.rglob("libsallyport-milter.so")
        definition, = self.prefix.rglob("libsallyport-milter.pc")
        # It names the folders that CMake was configured with.
        flags = self.run_tool("pkg-config", f"--define-variable=libdir={library.parent}",
                              f"--define-variable=includedir={self.prefix}/include/sallyport", "--cflags", "--libs", definition).split()
        for compiler, suffix in ("clang-16", "c"), ("clang++-16", "cpp"):
            with self.subTest(suffix):
                source, program = self.prefix / f"filter.{suffix}", self.prefix / f"filter-{suffix}"
                source.write_text(FILTER)
                self.run_tool(compiler, "-Wall", "-Wextra", "-Werror", "-o", program, source, *flags)
                environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
                maps = subprocess.run([program], env=environment, capture_output=True, text=True, check=True).stdout
                self.assertIn(f"{library}\n", maps)

    def test_existing_ones_find_it_under_libmilters_name(self):
        name, = self.prefix.rglob("libmilter.so.1.0.1")
        self.assertEqual(name.parent.name, "sallyport")  # of its own: the loader's folders keep the system's
        self.assertEqual(name.resolve().name, "libsallyport-milter.so")


if __name__ == "__main__":
    unittest.main()
