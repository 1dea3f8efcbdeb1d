#!/usr/bin/env python3
"""Mail servers of Debian that cannot be installed side by side: unpacked, each with its libraries, into a folder of its own.

A folder under build/real-servers/ holds what `dpkg -x` makes of the packages, and nothing of it touches the system. It is
made once and used by every later run. Run alone this makes all of them.
"""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
STORE = ROOT / "build/real-servers"

# What is unpacked into each folder. The libraries that a server needs come along, down to the C library: it is to run
# with this folder as its root directory.
SERVERS = {"exim": ["exim4-daemon-light"], "opensmtpd": ["opensmtpd"], "sendmail": ["sendmail-bin", "sendmail-cf", "m4"]}
MODULES = {"nodemailer": ["node-nodemailer"]}
UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")


class NotToBeHad(Exception):
    """The packages cannot be fetched; the text says which."""


def apt_get(*arguments, **options):
    argv = ["apt-get", "-qq", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=300, check=True, **options).stdout


def with_libraries(packages):
    """The packages, and every library that they would pull in on a machine with nothing installed."""
    nothing = ("-o", "Dir::State::status=/dev/null", "-o", "Dir::Cache::archives=/dev")  # is installed, or downloaded
    named = apt_get(*nothing, "install", "--yes", "--no-install-recommends", "--print-uris", *packages)
    closure = re.findall(r"^'\S+' ([a-z0-9][a-z0-9.+-]*)_\S+\.deb ", named, re.MULTILINE)
    return [name for name in closure if name in packages or name == "zlib1g" or
            name.startswith("lib") and "perl" not in name]


def unpack_into(folder, packages):
    archives = folder.with_name(f"{folder.name}.debs")
    archives.mkdir()
    apt_get("download", *packages, cwd=archives)
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg", "-x", archive, folder], check=True, capture_output=True)
    for unused in UNUSED:
        shutil.rmtree(folder / unused, ignore_errors=True)


def fetch(name):
    packages = SERVERS.get(name) or MODULES[name]
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=STORE) as made:
        folder = pathlib.Path(made) / name
        folder.mkdir()
        unpack_into(folder, with_libraries(packages) if name in SERVERS else packages)
        folder.rename(STORE / name)


def unpacked(name):
    """The folder with this server, or module, in it; made now when it is not there."""
    STORE.mkdir(parents=True, exist_ok=True)
    with open(STORE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (STORE / name).is_dir():
            try:
                try:
                    fetch(name)
                except subprocess.CalledProcessError:
                    apt_get("update")  # perhaps there were no package lists, or old ones
                    fetch(name)
            except (OSError, subprocess.SubprocessError) as failure:
                wanted = " ".join(SERVERS.get(name) or MODULES[name])
                said = (getattr(failure, "stderr", "") or str(failure)).strip().split("\n")[-1]
                raise NotToBeHad(f"Debian's packages {wanted} cannot be fetched: {said}") from failure
    return STORE / name


if __name__ == "__main__":
    try:
        for wanted in (*SERVERS, *MODULES):
            print(unpacked(wanted))
    except NotToBeHad as why:
        sys.exit(str(why))
