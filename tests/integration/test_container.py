#!/usr/bin/env python3
"""The image for containers: its files agree with each other and with the program; and its very commands run under the same
restrictions, as process 1 of a small root of their own that is read-only, without root, in namespaces made by unshare."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tomllib
import unittest

from support import PROGRAM, ROOT, Client, GatewayTest, accepts, free_port, run, tool, wait_until

try:
    import yaml
except ImportError:
    yaml = None

DOCKER = ROOT / "packaging/docker"


def instructions():
    """The Dockerfile's stages: lists of (instruction, rest), continued lines joined."""
    text = "\n".join(line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    stages = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, " ".join(rest.split())))
    return stages


def last(word):
    """What the image is told by the last such instruction of its final stage."""
    return [rest for name, rest in instructions()[-1] if name == word][-1]


def health_command():
    return json.loads(last("HEALTHCHECK").partition("CMD ")[2])


def installed_packages():
    """What the final stage installs."""
    commands = " ".join(rest for name, rest in instructions()[-1] if name == "RUN")
    options_and_names = re.search(r"apt-get install (.*?) &&", commands)[1].split()
    return [name for name in options_and_names if not name.startswith("-")]


def duration(text):
    seconds = {"h": 3600, "m": 60, "s": 1}
    parts = re.findall(r"(\d+)([hms])", text)
    assert "".join(number + unit for number, unit in parts) == text, text
    return sum(int(number) * seconds[unit] for number, unit in parts)


def example():
    return tomllib.loads((DOCKER / "etc/sallyport.toml").read_text())


class Files(unittest.TestCase):
    def test_the_build_is_that_of_dev(self):
        """./dev installs its own list: a second one here could only drift."""
        first = instructions()[0]
        self.assertEqual(first[0], ("FROM", "debian:bookworm AS build"))
        self.assertIn(("RUN", "./dev build release --target sallyport"), first)
        self.assertNotIn("apt-get", str(first))
        done = run(["bash", "-n", ROOT / "dev"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("clang-16", re.search(r"build_packages=\(([^)]*)\)", (ROOT / "dev").read_text())[1].split())

    def test_what_is_copied_is_there(self):
        ignored = (DOCKER / "Dockerfile.dockerignore").read_text().split()
        for name in ("dev", "CMakeLists.txt", "CMakePresets.json", "gateway", "policies", "lua", "cmake", "tests"):
            self.assertTrue((ROOT / name).exists(), name)
            self.assertNotIn(name, ignored)
        # Where README.md has the key put: it shall be in no layer of the build.
        self.assertIn("packaging/docker/etc/tls", ignored)
        for stage in instructions():
            for word, rest in stage:
                if word not in ("COPY", "ADD"):
                    continue
                options = [part for part in rest.split() if part.startswith("--")]
                *sources, _ = [part for part in rest.split() if not part.startswith("--")]
                for source in sources:
                    if options:
                        self.assertEqual((options, source), (["--from=build"], "/src/build/release/sallyport"))
                    else:
                        self.assertTrue((ROOT / source).exists(), source)

    def test_commands(self):
        """Entry, default and health are commands of the program, which lies where they are looked for."""
        listed = run([PROGRAM, "--help"]).stdout
        entry, command, health = json.loads(last("ENTRYPOINT")), json.loads(last("CMD")), health_command()
        self.assertEqual(last("COPY"), f"--from=build /src/build/release/sallyport /usr/bin/{entry[0]}")
        self.assertEqual(health[0], entry[0])
        for name in (command[0], health[1]):
            self.assertRegex(listed, rf"(?m)^  {name} ")
        self.assertEqual(last("STOPSIGNAL"), "SIGTERM")

    def test_the_user_is_not_root(self):
        uid, gid = last("USER").split(":")
        self.assertGreater(int(uid), 0)
        self.assertGreater(int(gid), 0)
        commands = str(instructions()[-1])
        self.assertIn(f"--uid {uid} ", commands)
        self.assertIn(f"groupadd --gid {gid} ", commands)
        state = last("VOLUME")
        self.assertIn(f"install -d -o sallyport -g sallyport -m 0750 {state}", commands)
        self.assertIn(f'"{state}"', run([PROGRAM, "config", "explain", "state.path"]).stdout)

    def test_every_library_is_installed(self):
        """What the program is linked with comes with the packages of the final stage, or with what they depend on."""
        if not shutil.which("dpkg-query"):
            self.skipTest("this is no Debian: nothing says which package a library belongs to")
        depends = {}
        for line in run(["dpkg-query", "-W", "-f=${Package}\t${Depends}, ${Pre-Depends}\n"]).stdout.splitlines():
            name, _, needed = line.partition("\t")
            depends[name] = [re.split(r"[ :|]", part.strip())[0] for part in needed.split(",") if part.strip()]
        found, open_ones = set(), installed_packages()
        for name in open_ones:
            self.assertIn(name, depends, "a package of the final stage that Debian 12 does not have, or ./dev does not install")
        while open_ones:
            name = open_ones.pop()
            if name not in found:
                found.add(name)
                open_ones += depends.get(name, [])
        libraries = re.findall(r"=> (/\S+)", run(["ldd", PROGRAM]).stdout)
        self.assertGreater(len(libraries), 5)
        for library in libraries:
            path = os.path.realpath(library)
            owners = run(["dpkg-query", "-S", path, path.removeprefix("/usr")]).stdout
            names = {line.split(":")[0] for line in owners.splitlines()}
            self.assertTrue(names & found, f"{library} of {names or 'no package'}")

    @unittest.skipIf(yaml is None, "python3-yaml is not installed; nothing reads compose.yaml")
    def test_compose(self):
        service = (compose := yaml.safe_load((DOCKER / "compose.yaml").read_text()))["services"]["sallyport"]
        self.assertTrue(service["read_only"])
        self.assertEqual(service["cap_drop"], ["ALL"])
        self.assertIn("no-new-privileges:true", service["security_opt"])
        for key in ("cap_add", "privileged", "user", "pid", "command", "entrypoint"):
            self.assertNotIn(key, service)
        context = (DOCKER / service["build"]["context"]).resolve()
        self.assertEqual(context, ROOT)
        self.assertTrue((context / service["build"]["dockerfile"]).is_file())
        self.assertEqual(service["healthcheck"]["test"], ["CMD", *health_command()])
        self.assertEqual([port.split(":")[1] for port in service["ports"]],
                         [entry["address"].rpartition(":")[2] for entry in example()["listen"]])
        self.assertEqual(service["ports"][0].split(":")[1], last("EXPOSE"))
        self.assertEqual(service["tmpfs"], ["/tmp"])
        mounts = {target: (source, mode) for source, target, *mode in (v.split(":") for v in service["volumes"])}
        source, mode = mounts.pop("/etc/sallyport")
        self.assertEqual(mode, ["ro"])
        self.assertTrue((DOCKER / source / "sallyport.toml").is_file())
        (state, (volume, mode)), = mounts.items()
        self.assertEqual((state, mode), (last("VOLUME"), []))
        self.assertIn(volume, compose["volumes"])
        drain = re.search(r'default\s+"(\w+)"', run([PROGRAM, "config", "explain", "timeouts.drain"]).stdout)[1]
        self.assertGreater(duration(service["stop_grace_period"]), duration(drain))


# Run by sh in mount and process namespaces of its own: $1 is the root to be, $2 the state's place outside, the rest the command.
# What is below $1 is no longer written to, but for the state and /tmp, and then it is all there is.
ENTER = """set -eu
root=$1 state=$2 uid=$3 gid=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
for name in usr; do mount --bind "/$name" "$root/$name"; done
for name in null zero random urandom; do mount --bind "/dev/$name" "$root/dev/$name"; done
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount --bind "$state" "$root/var/lib/sallyport"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
mount -o remount,bind,ro "$root/usr"
mount -o remount,bind,ro "$root"
exec chroot "$root" /usr/bin/env -i PATH=/app:/usr/bin setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs \\
  --bounding-set=-all --inh-caps=-all "$@"
"""
AS = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]


class Running(GatewayTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can make the namespaces")
        if run([tool("unshare"), "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).returncode != 0:
            self.skipTest("this machine lets nobody make mount and process namespaces")

    def image(self, uid, gid):
        """A root as the image has it: the program, the system's /usr, the example's configuration with this test's ports."""
        root, self.state = self.folder / "root", self.folder / "volume"
        for name in ("usr", "dev", "proc", "tmp", "app", "var/lib/sallyport", "etc/sallyport/tls", "run"):
            (root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib32", "lib64"):
            if os.path.islink(f"/{name}"):
                (root / name).symlink_to(os.readlink(f"/{name}"))
        for name in ("null", "zero", "random", "urandom"):
            (root / "dev" / name).touch()
        shutil.copy(PROGRAM, root / "app/sallyport")
        shutil.copy("/etc/ld.so.cache", root / "etc/ld.so.cache")
        (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nsallyport:x:10025:10025::/nonexistent:/usr/sbin/nologin\n")
        (root / "etc/group").write_text("root:x:0:\nsallyport:x:10025:\n")
        (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        self.state.mkdir(mode=0o750)
        shutil.chown(self.state, uid, gid)
        pair = root / "etc/sallyport/tls/mx1"
        self.assertEqual(run([ROOT / "certs/make-dev-certs.sh", pair, "mx1.example.com"]).returncode, 0)
        for path in (pair, pair / "privkey.pem"):
            shutil.chown(path, 0, gid)
            path.chmod(0o750 if path.is_dir() else 0o640)
        upstream, self.port = self.sink(), free_port()
        text = (DOCKER / "etc/sallyport.toml").read_text()
        for old, new in (('"10.0.0.5:25"', f'"127.0.0.1:{upstream.port}"'), ('"[::]:2525"', f'"127.0.0.1:{self.port}"')):
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.assertNotIn("user", example())
        # No DNS is to be asked here; everything else is the example's.
        (root / "etc/sallyport/sallyport.toml").write_text(text + '[policy]\nmode = "off"\n')
        return root, upstream

    def inside(self, pid, uid, gid, command):
        """A command beside the one that runs, as `docker exec` and the health check have it."""
        return run([tool("nsenter"), "--target", pid, "--mount", "--pid", "--root", "--wd=/", "env", "-i",
                    "PATH=/app:/usr/bin", "setpriv", "--reuid", uid, "--regid", gid, *AS, *command])

    def serve(self, uid, gid):
        root, upstream = self.image(uid, gid)
        command = json.loads(last("ENTRYPOINT")) + json.loads(last("CMD"))
        outer = self.start("container", [tool("unshare"), "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh",
                                         root, self.state, uid, gid, *command])
        wait_until("the gateway", lambda: accepts(self.port) or not outer.is_running())
        self.assertTrue(outer.is_running(), outer.output())
        pid = int(pathlib.Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()[0])
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertRegex(status, rf"(?m)^Uid:\t{uid}\t{uid}\t{uid}\t{uid}$")
        self.assertRegex(status, r"(?m)^NSpid:.*\t1$")
        for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertRegex(status, rf"(?m)^{name}:\t0+$")
        with self.subTest("the root is read-only"):
            for place in ("/", "/etc/sallyport", "/usr", "/app"):
                done = self.inside(pid, 0, 0, ["sh", "-c", f": >{place}/written"])
                self.assertIn("Read-only file system", done.stderr)
        with self.subTest("a mail goes through"), Client(self.port) as client:
            client.greet()
            client.starttls()
            client.ask("EHLO client.example", 250)
            client.mail(recipient="user@example.com")
            client.message("Subject: in a container\r\n\r\n" + "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 20000)
            client.ask("QUIT", 221)
        self.assertIn(b"Subject: in a container", upstream.wait_for(1)[0][1])
        with self.subTest("it is healthy, and takes a reload"):
            for more in (health_command(), ["sallyport", "reload"], ["sallyport", "check"]):
                done = self.inside(pid, uid, gid, more)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with self.subTest("stopped, it is no longer healthy"):
            with Client(self.port) as client:
                client.greet()
                os.kill(pid, signal.SIGTERM)
                client.expect(421)
            self.assertEqual(outer.wait(), 0, outer.output())
            self.assertFalse(accepts(self.port))
        self.assertIn("event=stopped", outer.output())
        return root

    def test_as_the_image_has_it(self):
        uid, gid = last("USER").split(":")
        root = self.serve(int(uid), int(gid))
        with self.subTest("health of one that does not run"):
            done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", root,
                                   self.state, uid, gid, *health_command()], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 69, done.stderr)

    def test_as_a_user_without_a_name(self):
        """Kubernetes and OpenShift choose a number that no file in the image knows."""
        self.serve(1234567, 1234567)


if __name__ == "__main__":
    unittest.main()
