#!/usr/bin/env python3
"""`sallyport check` on configurations with one mistake of each kind: what `run` would stumble over on this machine, and what can
never take effect."""
import os
import re
import shutil
import socket
import sys
import unittest

from support import PROGRAM, Client, GatewayTest, free_port, run, tool, wait_until

IS_ROOT = os.geteuid() == 0


class CheckTest(GatewayTest):
    def check(self, text, status=0):
        """Checks this text behind a complete configuration; gives the lines for people."""
        self.port = free_port()
        top, _, rest = text.partition("\n[")
        file = self.folder / "s.toml"
        file.write_text(f'hostname = "mx.test.example"\ndomains = ["test.example"]\nupstream = "127.0.0.1:9"\nuser = "nobody"\n'
                        f'state.path = "{self.folder}/state"\n' + (top if "listen" in text else
                        f'listen = [{{ address = "127.0.0.1:{self.port}" }}]\n' + top) + ("\n[" + rest if rest else "") + "\n")
        done = run([PROGRAM, "check", file])
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if status == 0:
            self.assertRegex(done.stdout, r"^ok: \d+ listeners?, \d+ upstreams?, \d+ lists?, \d+ rules?\n$")
        return done.stderr.replace(f"{self.folder}/", "").splitlines()

    def expect(self, text, pattern, status=78):
        lines = self.check(text, status)
        kind = "error" if status else "warning"
        self.assertEqual([line for line in lines if re.fullmatch(rf"s\.toml:\d+:\d+: {kind}: .*{pattern}.*", line)], lines)
        self.assertEqual(len(lines), 1, lines)


class Machine(CheckTest):
    def test_nothing_is_wrong(self):
        self.assertEqual(self.check(""), [])

    def test_sessions_and_open_files(self):
        file = self.configuration(free_port(), limits={"sessions": 5000})
        for files, is_enough in ((4000, False), (15000, False), (17000, True)):
            done = run([tool("prlimit"), f"--nofile=300:{files}", PROGRAM, "check", file])
            self.assertEqual(done.returncode, 0, done.stderr)
            said = re.findall(r"warning: 5000 sessions may need (\d+) open files, and the hard limit of this process is (\d+)", done.stderr)
            self.assertEqual([one[1] for one in said], [] if is_enough else [str(files)], done.stderr)
            if said:
                self.assertIn("LimitNOFILE=", done.stderr)
                self.assertGreater(int(said[0][0]), 3 * 5000)
        file = self.configuration(free_port())
        done = run([tool("prlimit"), "--nofile=1024:1024", PROGRAM, "check", file])
        self.assertRegex(done.stderr, "warning: 20000 sessions may need .* limit of this process is 1024")

    def test_a_port_that_is_taken(self):
        for shared in (True, False):
            port = free_port()
            with socket.socket() as other:
                if shared:
                    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                other.bind(("127.0.0.1", port))
                other.listen(1)
                self.expect(f'listen = [{{ address = "127.0.0.1:{port}" }}]', rf"127\.0\.0\.1:{port}: it is in use, .*process {os.getpid()}")
                self.expect(f'listen = [{{ address = "[::]:{port}" }}]', rf"\[::\]:{port}: it is in use")

    def test_a_port_that_systemd_holds_for_it(self):
        """A socket unit: systemd listens, and hands the socket to the gateway when that starts."""
        port = free_port()
        # A process of systemd's name, as there is no systemd here.
        code = (f"import ctypes, socket, time; s = socket.create_server(('127.0.0.1', {port})); ctypes.CDLL(None).prctl(15, b'systemd'); "
                "print('ready', flush=True); time.sleep(600)")
        manager = self.start("systemd", [sys.executable, "-c", code])
        wait_until("its socket", lambda: "ready" in manager.out.read_text())
        self.assertEqual(self.check(f'listen = [{{ address = "127.0.0.1:{port}" }}]'), [])
        self.expect(f'listen = [{{ address = "0.0.0.0:{port}" }}]', rf"systemd listens at 127\.0\.0\.1:{port}, .*both must be the same")

    @unittest.skipUnless(IS_ROOT, "needs root, who holds the socket")
    def test_the_unit_may_not_see_who_holds_its_socket(self):
        with socket.create_server(("127.0.0.1", 0)) as held:
            file = self.configuration(free_port(), user=None, listen=[{"address": f"127.0.0.1:{held.getsockname()[1]}"}])
            self.folder.chmod(0o755)
            file.chmod(0o644)
            as_user = [tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "check", file]
            alone = run(as_user)
            self.assertEqual(alone.returncode, 78, alone.stderr)
            self.assertIn("in use", alone.stderr)
            by_systemd = run(as_user, env={**os.environ, "INVOCATION_ID": "0123456789abcdef"})
            self.assertEqual(by_systemd.returncode, 0, by_systemd.stderr)

    def test_an_address_of_another_host(self):
        self.expect('listen = [{ address = "192.0.2.77:2525" }]', "192.0.2.77:2525: Cannot assign requested address")

    def test_the_ports_of_the_daemon_itself_are_its_own(self):
        file = self.configuration(free_port())
        self.start_gateway(file)
        done = run([PROGRAM, "check", file])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with Client(self.port) as client:
            client.expect(220)

    def test_own_listener_as_upstream(self):
        for listener, server in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.5"), ("[::]", "127.0.0.1"), ("[::]", "[::1]"),
                                 ("[::]", "[::ffff:127.0.0.1]"), ("127.0.0.1", "0.0.0.0")):
            port = free_port()
            file = self.folder / "own.toml"
            file.write_text(f'hostname = "mx.test.example"\ndomains = ["test.example"]\nupstream = "{server}:{port}"\n'
                            f'user = "nobody"\nstate.path = "state"\nlisten = [{{ address = "{listener}:{port}" }}]\n')
            for command in ("check", "run"):
                done = run([PROGRAM, command, "-c", file])
                self.assertEqual(done.returncode, 78, (listener, server, done.stderr))
                self.assertRegex(done.stderr, rf"{file}:3:1: error: .*:{port} is this gateway's own listener")

    @unittest.skipUnless(IS_ROOT, "root starts for somebody else")
    def test_the_user(self):
        text = self.folder / "user.toml"
        for user, words in (("nobody-of-that-name", "there is no user"), ("root", "root never serves")):
            text.write_text(f'hostname = "mx.test.example"\ndomains = ["test.example"]\nupstream = "127.0.0.1:9"\n'
                            f'user = "{user}"\nstate.path = "state"\nlisten = [{{ address = "127.0.0.1:{free_port()}" }}]\n')
            done = run([PROGRAM, "check", text])
            self.assertEqual(done.returncode, 78)
            self.assertRegex(done.stderr, rf"user\.toml:4:1: error: .*{words}")

    def test_the_state_directory(self):
        state = self.folder / "state"
        state.write_text("a file")
        self.expect("", "state is not a directory")
        state.unlink()
        if IS_ROOT:
            state.mkdir(mode=0o700)
            (state / "theirs").write_text("x")
            os.chown(state, 7011, 7011)
            self.expect("", "state belongs to another user")
            shutil.rmtree(state)

    def test_the_log(self):
        self.expect('log.target = "file:none/x.log"', "there is no directory none")
        (self.folder / "link").symlink_to(self.folder / "elsewhere")
        self.expect('log.target = "file:link"', "link is a symbolic link")

    def test_all_in_one_run(self):
        port = free_port()
        with socket.create_server(("127.0.0.1", port)):
            lines = self.check(f'log.target = "file:none/x.log"\nwokers = 3\nlisten = [{{ address = "127.0.0.1:{port}" }}]\n'
                               '[policy.rules]\npath = "norules"', 78)
        for words in ("wokers", "none", "norules", "in use"):
            self.assertEqual(len([line for line in lines if words in line]), 1, lines)


class Sense(CheckTest):
    def pem(self, name, host, *options):
        folder = self.folder / name
        folder.mkdir()
        done = run([tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                    folder / "privkey.pem", "-out", folder / "fullchain.pem", "-subj", f"/CN={host}", "-addext",
                    f"subjectAltName=DNS:{host}", *options])
        self.assertEqual(done.returncode, 0, done.stderr)
        (folder / "privkey.pem").chmod(0o600)
        if IS_ROOT:
            shutil.chown(folder / "privkey.pem", "nobody")
        return name

    def test_certificates(self):
        right, wrong = self.pem("right", "mx.test.example", "-days", "9"), self.pem("wrong", "*.other.example", "-days", "9")
        self.assertEqual(self.check(f'[tls]\ncert = "{right}"'), [])
        self.expect(f'[tls]\ncert = "{wrong}"', "wrong/fullchain.pem: the certificate is not for mx.test.example", 0)
        self.assertEqual(self.check(f'[tls]\ncert = "{right}"\nsni."mx.other.example".cert = "{wrong}"\n'
                                    f'sni."*.other.example".cert = "{wrong}"'), [])
        self.expect(f'[tls]\ncert = "{right}"\nsni."mx.third.example".cert = "{wrong}"', "not for mx.third.example", 0)

    def test_one_of_each_kind(self):
        for text, pattern in (
                ('[policy.dnsbl]\nzones."a.example".score = 3\nzones."b.example".score = 4', "come to 7 even together"),
                ('[policy.dnsbl]\nzones."list.dnswl.org".score = -2', "none of which `reply` has"),
                ('[policy.dnsbl]\nskip = ["0.0.0.0/0"]\nzones."a.example".score = 9', "IPv4 address is looked up"),
                ('[upstreams.default]\ntls = "verify"', "tls_name"),
                ('[policy.actions]\nquarantine = 20', "policy.actions.quarantine has no effect"),
                ('include = ["more/*.toml"]', "no file matches .*more/"),
                ('[policy.rdns]\nscore = 3', "policy.rdns is off"),
                ('[upstreams.spare]\nservers = ["10.0.0.9:25"]', "upstreams.spare is not used")):
            with self.subTest(text):
                self.expect(text, pattern, 0)

    def test_rules_that_are_not_read(self):
        rules = self.rules("sp.rule { name = 'A', stage = 'message', run = function(tx) return end }\n")
        shutil.copy(rules / "rules.lua", rules / "rules.lua.orig")
        self.expect(f'[policy.rules]\npath = "{rules}"', "rules.lua.orig is not read", 0)
        if not IS_ROOT:
            (rules / "rules.lua").chmod(0)
            self.expect(f'[policy.rules]\npath = "{rules}"', "rules.lua: cannot be read")

    def test_authorities_for_the_web_servers_of_rules(self):
        rules = f'[policy.rules]\npath = "{self.rules("")}"\nhttp_ca = "authorities.pem"\n'
        self.expect(rules + 'http = ["api.example"]', "authorities.pem: .*: No such file or directory; .* rules ask by https", 0)
        self.assertEqual(self.check(rules), [])  # nothing is asked
        shutil.copy(self.folder / self.pem("web", "api.example") / "fullchain.pem", self.folder / "authorities.pem")
        self.assertEqual(self.check(rules + 'http = ["api.example"]'), [])

    def test_what_cannot_work_for_an_mta_that_asks(self):
        rules = self.rules('-- sp.redirect\nsp.rule { name = "A", stage = "message", run = function(tx)\n  return sp.redirect { upstream = "default" }\nend }\n')
        listener = f'address = "127.0.0.1:{free_port()}", protocol = "milter"'
        told = self.check(f'listen = [{{ {listener} }}]\n[policy.rules]\npath = "{rules}"')
        self.assertTrue(any("rules.lua:4:10: warning: sp.redirect cannot be followed" in line for line in told), told)
        self.assertTrue(any("upstreams.default is not used" in line for line in told), told)
        told = self.check(f'listen = [{{ {listener}, tls = "implicit" }}]', 78)
        self.assertTrue(any('tls has no use with protocol = "milter"' in line for line in told), told)

    def test_milters_that_are_never_asked(self):
        door = free_port()
        told = self.check(f'listen = [{{ address = "127.0.0.1:{door}" }}]\n[[policy.milters]]\naddress = "unix:/run/x.sock"\n'
                          f'listeners = ["127.0.0.1:9", "unix:/run/y.sock"]')
        for address in ("127.0.0.1:9", "unix:/run/y.sock"):
            self.assertTrue(any(f"no [[listen]] block has the address {address}" in line and 'the milter "x": it is never asked' in line
                                for line in told), told)

    def test_milters_with_fewer_connections_than_workers_need(self):
        for most, words in ((5, "less than two for each of the 3 workers"), (2, "there are up to 3 connections")):
            told = self.check(f'workers = 3\n[[policy.milters]]\naddress = "unix:/run/x.sock"\nmax_connections = {most}')
            self.assertTrue(any(f'warning: max_connections = {most} of the milter "x"' in line and words in line for line in told), told)
        self.assertFalse(any("max_connections" in line for line in
                             self.check('workers = 3\n[[policy.milters]]\naddress = "unix:/run/x.sock"\nmax_connections = 6')))

    def test_the_likeliest_mistakes_have_their_cure_in_words(self):
        self.expect('[policy.dnsbl]\nzones.zen.spamhaus.org.score = 8.0', r'write policy\.dnsbl\.zones\."zen\.spamhaus\.org"\.score')
        self.expect('[limits]\nhops = 7\nworkers = 2', r'"workers" stands behind \[limits\].* top of the file')
        self.expect('[limits]\nhops = 7\nrecipients = 2\nhops = 8', r"limits\.hops is already set at s\.toml:\d+:1")
        self.expect('[policy.pregreet]\nwait = "2s"', "not in this version")


class Words(CheckTest):
    """What is wrong is said with what it was probably meant to be."""

    def test_values_in_other_units(self):
        for text, meant in (('[limits]\nmessage_size = "50MB"', "50MiB"), ('[limits]\nmessage_size = "50 m"', "50MiB"), ('[limits]\nmessage_size = "100kb"', "100KiB"),
                            ('[timeouts]\ncommand = 300', "300s"), ('[timeouts]\ncommand = "5"', "5s"), ('[timeouts]\ndata_total = "1 hour"', "1h"),
                            ('[timeouts]\ndata_total = "2 days"', "2d"), ('[timeouts]\ncommand = "90 seconds"', "90s"), ('[timeouts]\ncommand = "5min"', "5m"),
                            ('[policy.rate]\nmail_per_ip = "300"', "300/1h"), ('[policy.rate]\nmail_per_ip = "60 per minute"', "60/1m"),
                            ('[policy.rate]\nmail_per_ip = "60/m"', "60/1m"), ('[policy.rate]\nmail_per_ip = 300', "300/1h")):
            self.expect(text, f'; did you mean "{meant}"\\?')

    def test_values_that_nobody_could_guess(self):
        for text in ('[limits]\nmessage_size = "large"', '[timeouts]\ncommand = "soon"', '[timeouts]\ncommand = "5 fortnights"', '[policy.spf]\nmode = "on"'):
            [line] = self.check(text, 78)
            self.assertNotIn("did you mean", line)

    def test_a_text_without_quotes(self):
        file = self.folder / "s.toml"
        file.write_text("hostname = mx1.example.com\n")
        done = run([PROGRAM, "check", file])
        self.assertEqual(done.returncode, 78)
        self.assertIn('s.toml:1:12: error: this is no value: a text stands between quotes, as in hostname = "mx1.example.com"', done.stderr)

    def test_a_value_in_place_of_a_table(self):
        self.expect('[policy.dnsbl]\nzones."zen.example" = 3', re.escape('[policy.dnsbl.zones."zen.example"] is a table of settings, such as { score = ... }, not an integer'))
        lines = self.check('[policy.arc]\nseal = { domain = "a.example", selector = "a", key = "/k" }', 78)
        self.assertIn("[policy.arc.seal.key] is a table of settings, such as { file = ... }, not a text", "\n".join(lines))

    def test_a_table_for_each_name(self):
        self.expect('[[upstreams]]\nservers = ["127.0.0.1:9"]', re.escape("[upstreams] has a table for each name: write [upstreams.NAME], not an array"))
        self.expect('[policy.dnsbl]\nzones = ["zen.example"]', re.escape("[policy.dnsbl.zones] has a table for each name: write [policy.dnsbl.zones.NAME], not an array"))

    def test_the_certificate_s_file_in_place_of_its_directory(self):
        self.expect(f'[tls]\ncert = "{self.certificate()}/fullchain.pem"', r"fullchain\.pem is a file: name the directory .*, or both files")

    @unittest.skipUnless(IS_ROOT, "needs root, who can read what the user who serves cannot")
    def test_keys_that_only_root_can_read(self):
        """Root's own check would find nothing wrong, and the unit, which runs as its user, would not start."""
        folder = self.certificate()
        key = folder / "privkey.pem"
        os.chown(key, 0, 0)
        self.expect(f'[tls]\ncert = "{folder}"', r"nobody may not read \S*privkey\.pem: a reload, and a start by a unit", 0)
        key.chmod(0o640)
        shutil.chown(key, "root", "nogroup")
        self.assertEqual([line for line in self.check(f'[tls]\ncert = "{folder}"') if "may not" in line], [])
        shutil.chown(folder, "root", "root")
        folder.chmod(0o700)
        lines = self.check(f'[tls]\ncert = "{folder}"')
        self.assertEqual(len([line for line in lines if "nobody may not enter" in line]), 2, lines)

    def test_a_key_without_its_section(self):
        done = run([PROGRAM, "config", "explain", "hops"])
        self.assertEqual((done.returncode, done.stderr), (64, 'sallyport: unknown key "hops"; there is limits.hops\n'))
        self.assertIn("; there is listen[].bare_newline", run([PROGRAM, "config", "explain", "bare_newline"]).stderr)

    def test_options_that_there_are_not(self):
        for words, meant in ((["check", "--jsn"], "--json"), (["explain", "x", "--hello", "y"], "--helo"), (["init", "--upsteam", "x"], "--upstream")):
            done = run([PROGRAM, *words])
            self.assertEqual(done.returncode, 64)
            self.assertIn(f'"{words[-1] if words[-1].startswith("--") else words[-2]}" here; did you mean "{meant}"?', done.stderr)

    def test_no_configuration(self):
        done = run([PROGRAM, "check", self.folder / "none.toml"])
        self.assertEqual(done.returncode, 78)
        self.assertIn("`sallyport init` writes a first configuration", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
