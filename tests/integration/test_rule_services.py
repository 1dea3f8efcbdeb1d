#!/usr/bin/env python3
"""What rules reach beyond the mail, on the running program: memory over restarts, a real web server, lists that change."""
import contextlib
import http.server
import pathlib
import resource
import signal
import sqlite3
import ssl
import subprocess
import threading
import time
import unittest

from support import PATIENCE, PROGRAM, Client, GatewayTest, free_port, run, tool, wait_until

MEMORY = """
sp.rule { name = "MEMORY", stage = "message", run = function(tx)
  local known, age = sp.seen("senders", tx.from.addr, "30d")
  local within = sp.rate("all", "everybody", "3/1h")
  local answer = sp.memo("numbers", "one", "30d", function() return { made = tx.id } end)
  return sp.tag { header = { name = "X-Memory", value = tostring(known) .. " " .. tostring(within) .. " " .. answer.made } }
end }
"""


class Services(GatewayTest):
    def serve(self, rules, tenants=None, **settings):
        self.upstream = self.sink()
        folder = self.rules(rules)
        more = {"tenants": tenants, "domains": None} if tenants else {}
        self.file = self.configuration(self.upstream.port, workers=2, **more, policy={"rules": {"path": folder, "mode": "enforce", **settings}})
        self.sent = 0
        return self.start_gateway(self.file)

    def send(self, sender="ann@sender.example", header="X-Memory", recipient="user@test.example"):
        """Sends one mail; gives the value that the rule's header has."""
        with Client(self.port) as client:
            client.greet()
            client.mail(sender, recipient)
            client.message("Subject: x\r\n\r\nx")
        self.sent += 1
        content = self.upstream.wait_for(self.sent)[-1][1].decode()
        found = [line for line in content.split("\r\n") if line.startswith(header + ": ")]
        return found[0].removeprefix(header + ": ") if found else None


class Memory(Services):
    def test_survives_restart_and_reload(self):
        gateway = self.serve(MEMORY)
        known, within, made = self.send().split()
        self.assertEqual((known, within), ("false", "true"))
        self.assertEqual(self.send().split(), ["true", "true", made])
        gateway.signal(signal.SIGTERM)
        gateway.wait()
        gateway = self.start_gateway(self.file)
        self.assertEqual(self.send().split(), ["true", "true", made])
        self.assertEqual(self.send("bob@sender.example").split(), ["false", "false", made])
        gateway.signal(signal.SIGHUP)
        self.wait_for_log("reloaded")
        self.assertEqual(self.send("bob@sender.example").split(), ["true", "false", made])

    def test_survives_a_kill(self):
        gateway = self.serve(MEMORY)
        made = self.send().split()[2]
        rows = "SELECT count(*) FROM rule_memory"

        def is_written():
            with contextlib.closing(sqlite3.connect(self.folder / "state" / "state.db")) as database:
                return database.execute(rows).fetchone() == (3,)

        wait_until("what is remembered to be written", is_written)
        gateway.signal(signal.SIGKILL)
        gateway.wait()
        self.start_gateway(self.file)
        self.assertEqual(self.send().split(), ["true", "true", made])

    def test_tenants_have_their_own(self):
        self.serve(MEMORY, tenants={"one": {"domains": ["one.example"]}, "two": {"domains": ["two.example"]}})
        for name in ("one", "two"):
            known, within, _ = self.send(recipient=f"user@{name}.example").split()
            self.assertEqual((known, within), ("false", "true"), name)
        for _ in range(3):
            within = self.send(recipient="user@one.example").split()[1]
        self.assertEqual(within, "false")
        self.assertEqual(self.send(recipient="user@two.example").split()[:2], ["true", "true"])

    def test_goes_on_when_the_file_is_damaged(self):
        gateway = self.serve(MEMORY)
        self.send()
        gateway.signal(signal.SIGTERM)
        gateway.wait()
        file = self.folder / "state" / "state.db"
        for extra in (file.with_name("state.db-wal"), file.with_name("state.db-shm")):
            extra.unlink(missing_ok=True)
        octets = bytearray(file.read_bytes())
        for i in range(100, len(octets), 7):
            octets[i] ^= 0x5a
        file.write_bytes(octets)
        self.start_gateway(self.file)
        self.assertEqual(self.send().split()[0], "false")
        self.assertEqual(self.send().split()[0], "true")
        self.assertGreater(self.faults("state"), 0)

    def test_goes_on_while_another_process_holds_the_file(self):
        self.serve(MEMORY)
        self.send()
        other = sqlite3.connect(self.folder / "state" / "state.db", isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        self.assertEqual(self.send("eve@sender.example").split()[0], "false")
        self.assertEqual(self.send("eve@sender.example").split()[0], "true")
        self.assertLess(time.monotonic() - begun, 10, "nobody waits for the disk")
        other.execute("ROLLBACK")


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"hello", b", ", b"world"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/large":
            self.answer(200, b"x" * (2 << 20))
        elif self.path == "/away":
            self.answer(302, b"", {"Location": f"https://elsewhere.example:{self.server.server_port}/plain"})
        elif self.path == "/back":
            self.answer(302, b"", {"Location": "/plain"})
        elif self.path == "/silent":
            time.sleep(8)
        elif self.path.startswith("/list"):
            self.answer_list()
        else:
            self.answer(200, f"GET {self.path} {self.headers.get('X-Key', '')}".encode())

    def do_POST(self):
        self.answer(201, b"POST " + self.rfile.read(int(self.headers["Content-Length"])))

    def answer_list(self):
        """What the test has put on the server; whoever has it is told so."""
        self.server.asked += 1
        status, body, tag = self.server.list
        if status == 200 and self.headers.get("If-None-Match") == tag:
            self.server.unchanged += 1
            self.send_response(304)
            self.end_headers()
        else:
            self.answer(status, body, {"ETag": tag})

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


ASK = """
sp.rule { name = "ASK", stage = "message", run = function(tx)
  local answer, err = %s
  return sp.tag { header = { name = "X-Answer", value = answer and (answer.status .. " " .. #answer.body .. " " .. answer.body:sub(1, 60):gsub("%%c", "?")) or tostring(err) } }
end }
"""


class WebServices(Services):
    def web_server(self, name="localhost", port=None):
        """An HTTPS server with a certificate of its own; gives its port. The certificate's file is self.authority."""
        self.authority = self.folder / f"web-{name}.pem"
        subprocess.run([tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.authority, "-out", self.folder / "web.crt", "-days", "2", "-subj", f"/CN={name}",
                        "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
        with open(self.authority, "a") as both:
            both.write((self.folder / "web.crt").read_text())
        self.authority.chmod(0o644)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority)
        self.server = server = http.server.ThreadingHTTPServer(("127.0.0.1", port or free_port()), Answers)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.asked = server.unchanged = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port


class Web(WebServices):
    def answers(self, **calls):
        """What the rule of one mail gets for each of these calls."""
        rules = ""
        for name, call in calls.items():
            rules += ASK.replace("ASK", name).replace("X-Answer", "X-Answer-" + name) % call
        self.serve(rules, http=["localhost"], http_ca=str(self.folder / "web.crt"), on_error="skip", cpu="500ms")
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.message("Subject: x\r\n\r\nx")
        content = self.upstream.wait_for(1)[0][1].decode()
        lines = [line.removeprefix("X-Answer-").split(": ", 1) for line in content.split("\r\n") if line.startswith("X-Answer-")]
        return {name: value for name, value in lines}

    def test_answers(self):
        port = self.web_server()
        closed = free_port()
        url = f"https://localhost:{port}"
        found = self.answers(
            plain=f'sp.http.get("{url}/plain?x", {{ headers = {{ ["X-Key"] = "k" }} }})',
            post=f'sp.http.post("{url}/post", "a\\r\\n\\0b")',
            chunked=f'sp.http.get("{url}/chunked")',
            large=f'sp.http.get("{url}/large")',
            away=f'sp.http.get("{url}/away")',
            back=f'sp.http.get("{url}/back")',
            other=f'sp.http.get("https://elsewhere.example:{port}/")',
            closed=f'sp.http.get("https://localhost:{closed}/")',
            clear=f'sp.http.get("http://localhost:{port}/")',
            silent=f'sp.http.get("{url}/silent")',
        )
        self.assertEqual(found["plain"], "200 14 GET /plain?x k")
        self.assertEqual(found["post"], "201 10 POST a???b")
        self.assertEqual(found["chunked"], "200 12 hello, world")
        self.assertEqual(found["large"], "too_large")
        self.assertEqual(found["away"].split()[0], "302", "a host that is not allowed is not asked")
        self.assertEqual(found["back"].split(), ["200", "11", "GET", "/plain"])
        self.assertEqual(found["other"], "not_allowed")
        self.assertEqual(found["closed"], "connect: refused")
        self.assertNotEqual(found["clear"].split()[0], "200")
        self.assertEqual(found["silent"], "timeout")

    # More than are asked at once; a third of the clients do not wait for it.
    def test_a_crowd_waits_for_a_silent_server(self):
        port = self.web_server()
        rules = ASK % f'sp.http.get("https://localhost:{port}/" .. tx.from.user)'
        self.serve(rules, http=["localhost"], http_ca=str(self.folder / "web.crt"), on_error="skip")

        def connections():
            """How many the gateway has with the web server."""
            lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
            return sum(line[2].endswith(f":{port:04X}") and line[3] == "01" for line in lines)

        self.assertEqual(self.send("plain@sender.example", header="X-Answer").split()[0], "200")
        clients = []
        for _ in range(150):
            client = Client(self.port)
            self.addCleanup(client.socket.close)
            client.greet()
            client.mail("silent@sender.example")
            client.ask("DATA", 354)
            clients.append(client)
        for client in clients:
            client.send("Subject: x\r\n\r\nx\r\n.\r\n")
        wait_until("the rules to ask", lambda: connections() >= 32)
        self.assertLessEqual(connections(), 2 * 32, "of each worker")
        for client in clients[::3]:
            client.socket.close()
        staying = [client for i, client in enumerate(clients) if i % 3]
        for client in staying:
            client.expect(250)
            client.socket.close()
        answers = [line for _, content in self.upstream.wait_for(self.sent + len(staying)) for line in content.decode().split("\r\n")
                   if line.startswith("X-Answer: ")]
        self.assertGreaterEqual(answers.count("X-Answer: timeout"), len(staying))
        wait_until("all that was opened to be closed", lambda: connections() == 0)
        self.assertEqual(self.faults("internal"), 0)
        self.assertEqual(self.faults("rule_error"), 0)
        self.sent = len(self.upstream.wait_for(self.sent + len(staying)))
        self.assertEqual(self.send("plain@sender.example", header="X-Answer").split()[0], "200")

    def test_certificates_are_verified(self):
        port = self.web_server("another.example")
        found = self.answers(ask=f'sp.http.get("https://localhost:{port}/plain")')
        self.assertRegex(found["ask"], "^tls: ")


VIP = """
local vip = sp.list { %s, kind = "domain" }
sp.rule { name = "VIP", stage = "message", run = function(tx)
  return sp.tag { header = { name = "X-Vip", value = tostring(vip:contains(tx.from.domain)) } }
end }
"""


def million(name):
    """A list of a million domains."""
    return b"".join(b"%s-%d.mail.example\n" % (name, i * 7919 % 1_000_003) for i in range(1_000_000))


class Lists(WebServices):
    def resident(self):
        """MiB of the gateway's memory that are in use, without what it shares with others."""
        fields = pathlib.Path(f"/proc/{self.gateway.pid}/statm").read_text().split()
        return (int(fields[1]) - int(fields[2])) * resource.getpagesize() / (1 << 20)

    def serve_vip(self, source, **settings):
        self.gateway = self.serve(VIP % source, **settings)

    def is_vip(self, domain):
        return self.send("ann@" + domain, header="X-Vip") == "true"

    def test_in_files_are_live(self):
        rules = self.folder / "rules"
        rules.mkdir()
        (rules / "vip.txt").write_text("sender.example\n")
        self.serve_vip('file = "vip.txt"')
        self.assertTrue(self.is_vip("sender.example"))
        (rules / "vip.txt").write_text("other.example\n")
        self.wait_for_log("list_read")
        self.assertFalse(self.is_vip("sender.example"))
        (rules / "vip.txt").write_text("no domain\n")
        wait_until("the fault", lambda: any("vip.txt" in line.get("detail", "") for line in self.log_lines("fault")))
        self.assertTrue(self.is_vip("other.example"))

    def test_of_web_servers_are_live_and_outlive_them(self):
        port = self.web_server()
        self.server.list = (200, b"# VIPs\nsender.example\n", '"one"')
        settings = dict(http=["localhost"], http_ca=str(self.folder / "web.crt"))
        self.serve_vip(f'url = "https://localhost:{port}/list?key=secret", refresh = "1s"', **settings)
        self.wait_for_log("list_read")
        self.assertTrue(self.is_vip("sender.example"))
        wait_until("the server need not say it again", lambda: self.server.unchanged > 1)
        self.server.list = (200, b"other.example\n", '"two"')
        wait_until("the new list", lambda: len(self.log_lines("list_read")) == 2)
        self.assertFalse(self.is_vip("sender.example"))
        for broken in ((200, b"<html>\n", '"three"'), (503, b"", '"four"')):
            self.server.list = broken
            faults = len(self.log_lines("fault"))
            wait_until("the fault", lambda: len(self.log_lines("fault")) > faults)
            self.assertTrue(self.is_vip("other.example"))
        self.assertIn("the list stays as it was", self.log_lines("fault")[-1]["detail"])
        self.assertNotIn("secret", (self.folder / "gateway.log").read_text())
        self.server.shutdown()
        self.server.server_close()
        self.gateway.signal(signal.SIGTERM)
        self.gateway.wait()
        self.gateway = self.start_gateway(self.file)
        self.assertTrue(self.is_vip("other.example"), "the copy of before")
        self.assertFalse(self.is_vip("sender.example"))

    def test_of_other_hosts_do_not_load(self):
        for source in ('url = "https://elsewhere.example/list"', 'url = "https://localhost.elsewhere.example/"', 'url = "file:///etc/passwd"'):
            folder = self.rules(VIP % source)
            file = self.configuration(25, policy={"rules": {"path": folder, "mode": "enforce", "http": ["localhost"]}})
            checked = run([PROGRAM, "check", "-c", file])
            self.assertNotEqual(checked.returncode, 0, source)
            self.assertIn("url: ", checked.stdout + checked.stderr)

    def check_a_million(self, publish):
        self.assertTrue(self.is_vip("sender.example"))
        before = self.resident()
        for count, name in enumerate((b"first", b"second", b"third"), len(self.log_lines("list_read")) + 1):
            publish(million(name))
            lines = self.wait_for_log("list_read", count)
            self.assertEqual(lines[-1]["entries"], "1000000")
            self.assertTrue(self.is_vip(f"x.{name.decode()}-7919.mail.example"))
            self.assertFalse(self.is_vip("sender.example"))
            if PATIENCE <= 20:  # a sanitizer's own memory is a multiple of it
                wait_until("at most 100 MiB for a million entries", lambda: self.resident() - before < 100)

    def test_a_million_in_a_file(self):
        rules = self.folder / "rules"
        rules.mkdir()
        (rules / "one.txt").write_text("sender.example\n")
        self.serve_vip('file = "one.txt"')
        self.check_a_million((rules / "one.txt").write_bytes)

    def test_a_million_of_a_web_server(self):
        port = self.web_server()
        self.server.list = (200, b"sender.example\n", '"0"')
        self.serve_vip(f'url = "https://localhost:{port}/list", refresh = "1s"', http=["localhost"],
                       http_ca=str(self.folder / "web.crt"))
        self.wait_for_log("list_read")

        def publish(text):
            self.server.list = (200, text, f'"{hash(text)}"')

        self.check_a_million(publish)


if __name__ == "__main__":
    unittest.main()
