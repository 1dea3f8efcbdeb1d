#!/usr/bin/env python3
"""libsallyport-milter as it is installed: what is where, and a new filter in C and in C++ that is built with its .pc file."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from milter_mta import LIBRARY

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
