"""Where what was answered goes: files below a root (that of the machine, or a test's) and commands."""
import os
import pathlib
import shutil
import subprocess


class Failed(Exception):
    """A step that did not work; its text is for whoever sits at the console."""


class System:
    def __init__(self, root="/", execute=subprocess.run):
        self.root = pathlib.Path(root)
        self.execute = execute

    def path(self, name):
        return self.root / name.lstrip("/")

    def has(self, name):
        return self.path(name).exists()

    def read(self, name):
        path = self.path(name)
        return path.read_text() if path.exists() else ""

    def write(self, name, text, mode=0o644, group=None):
        """Whole or not at all."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self.give(new, mode, group)
        new.rename(path)

    def give(self, path, mode, group=None):
        """The mode, and the group where this is the machine itself."""
        if group and str(self.root) == "/":
            shutil.chown(path, "root", group)
        path.chmod(mode)

    def remove(self, name):
        self.path(name).unlink(missing_ok=True)

    def run(self, *words, given=None, may_fail=False):
        """What it wrote; Failed with the end of it when its status is not 0, unless it may fail."""
        done = self.execute([str(word) for word in words], input=given, capture_output=True, text=True, errors="replace")
        if done.returncode != 0 and not may_fail:
            raise Failed(f"{words[0]}: {(done.stderr or done.stdout).strip()[-1000:]}")
        return done
