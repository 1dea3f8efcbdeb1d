"""Manual pages and completions that the program makes, read by those who will read them."""
import re
import shutil
import subprocess
import unittest

from support import PROGRAM, run


def made(*words):
    done = run([PROGRAM, "docs", *words])
    assert done.returncode == 0, done.stderr
    return done.stdout


@unittest.skipUnless(shutil.which("groff"), "groff is not installed")
class Pages(unittest.TestCase):
    def test_groff_finds_nothing_wrong_with_them(self):
        for page in ("commands", "settings"):
            done = subprocess.run(["groff", "-man", "-ww", "-b", "-Tutf8", "-z"], input=made(page), capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)

    def test_what_they_say_is_read_as_it_was_written(self):
        struck = subprocess.run(["groff", "-man", "-Tascii", "-P-c"], input=made("settings"), capture_output=True, text=True).stdout
        lines = re.sub(".\x08", "", struck).splitlines()
        at = lines.index("       limits.hops")
        self.assertIn("              Default: 100", lines[at:at + 5])


class InBash(unittest.TestCase):
    def complete(self, *words):
        script = made("completion", "bash") + "\n" + (
            f"COMP_WORDS=(sallyport {' '.join(repr(word) for word in words)}); COMP_CWORD={len(words)}\n"
            "_sallyport 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()

    def test_commands(self):
        self.assertEqual(self.complete("upst"), ["upstreams"])
        self.assertIn("run", self.complete(""))
        self.assertEqual(set(self.complete("config", "")), {"show", "explain", "schema", "diff"})

    def test_options(self):
        self.assertIn("--ip", self.complete("explain", "--"))
        self.assertNotIn("--ip", self.complete("check", "--"))

    def test_a_configuration_file_before_the_command_is_no_command(self):
        self.assertEqual(self.complete("-c", "check", "upst"), ["upstreams"])

    def test_keys(self):
        self.assertEqual(self.complete("config", "explain", "limits.ho"), ["limits.hops"])


    def test_what_options_take(self):
        self.assertEqual(set(self.complete("sessions", "--limit", "5", "--sort", "")), {"age", "idle", "held", "state"})
        self.assertEqual(self.complete("docs", "completion", "f"), ["fish"])
        self.assertEqual(self.complete("init", "--cert", "/et"), ["/etc"])
        self.assertEqual(self.complete("rule", "test", "--junit", "/et"), ["/etc"])
        self.assertEqual(self.complete("explain", "--ip", "/et"), [])


class InOtherShells(unittest.TestCase):
    def test_each_option_has_a_name_in_fish(self):
        script = made("completion", "fish")
        self.assertNotIn("-l ''", script)
        self.assertIn("-s 'e' -x", script)

    def test_the_scripts_are_well_formed(self):
        looked_at = 0
        for shell in ("bash", "zsh", "fish"):
            if shutil.which(shell):
                done = subprocess.run([shell, "-n"], input=made("completion", shell), capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)
                looked_at += 1
        self.assertGreater(looked_at, 0)
        self.assertEqual(run([PROGRAM, "docs", "completion", "tcsh"]).returncode, 64)


if __name__ == "__main__":
    unittest.main()
