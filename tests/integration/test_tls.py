#!/usr/bin/env python3
"""TLS with clients: versions, keys, names, tickets, and what must not be accepted. openssl s_client is the other side."""
import contextlib
import os
import shutil
import ssl
import unittest

from support import PROGRAM, ROOT, Client, GatewayTest, SClient, free_port, run, tool, trusting_context, wait_until


class TlsTest(GatewayTest):
    def serve(self, listen="", **more):
        """A gateway with an ECDSA and an RSA certificate, STARTTLS on self.port, TLS from the start on self.implicit."""
        self.upstream = self.sink()
        folder = self.certificate()
        tls = {"cert": [self.pair(folder), self.pair(folder / "rsa")], **more.pop("tls", {})}
        file = self.configuration(self.upstream.port, tls=tls, **more)
        self.implicit = free_port()
        doors = (f'{{ address = "127.0.0.1:{self.port}", tls = "starttls"{listen} }}, '
                 f'{{ address = "127.0.0.1:{self.implicit}", tls = "implicit" }}')
        text = "".join(f"listen = [{doors}]\n" if line.startswith("listen") else line
                       for line in file.read_text().splitlines(keepends=True))
        file.write_text(text)
        return self.start_gateway(file)

    @staticmethod
    def pair(folder):
        return {"chain": folder / "fullchain.pem", "key": folder / "privkey.pem"}

    def another_certificate(self, name):
        folder = self.folder / f"certs-{name}"
        run([ROOT / "certs/make-dev-certs.sh", folder, name], check=True)
        for path in [folder, *folder.rglob("*")] if os.geteuid() == 0 else []:
            shutil.chown(path, "nobody")
        return folder

    def s_client(self, *options, port=None):
        """A handshake with these options, then QUIT; gives what s_client says about it, None when it came to nothing."""
        implicit = port == self.implicit
        argv = [tool("openssl"), "s_client", "-connect", f"127.0.0.1:{port or self.port}", "-nocommands", "-crlf",
                "-ign_eof"]
        argv += [] if implicit else ["-starttls", "smtp"]
        done = run([*argv, *options], input="QUIT\n")
        return done.stdout + done.stderr if "221 2.0.0" in done.stdout else None

    def speak(self, client, name="client.example"):
        client.ask(f"EHLO {name}", 250)
        client.mail()
        client.message("Subject: x\r\n\r\ny")
        client.ask("QUIT", 221)


class Handshakes(TlsTest):
    def test_starttls_and_implicit(self):
        self.serve()
        with Client(self.port) as client:
            client.greet()
            client.starttls()
            self.speak(client)
        with Client(self.implicit) as client:
            client.socket = trusting_context().wrap_socket(client.socket)
            client.expect(220)
            self.assertNotIn("STARTTLS", client.ask("EHLO client.example", 250))
            self.speak(client)
        self.assertEqual([line["tls"] for line in self.wait_for_log(count=2)], ["TLSv1.3", "TLSv1.3"])
        self.assertEqual(self.stats()["sallyport_tls_handshakes_total"], 2)

    def test_versions_and_keys(self):
        self.serve()
        for port in (self.port, self.implicit):
            for options, expected in (
                (["-tls1_2", "-sigalgs", "ECDSA+SHA256"], ("New, TLSv1.2", "Peer signature type: ECDSA")),
                (["-tls1_2", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"],
                 ("New, TLSv1.2", "Peer signature type: RSA", "Cipher is ECDHE-RSA-AES256-GCM-SHA384")),
                (["-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256"], ("New, TLSv1.3", "Peer signature type: ECDSA")),
                (["-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"], ("New, TLSv1.3", "Peer signature type: RSA-PSS")),
                ([], ("New, TLSv1.3", "Peer signature type: ECDSA")),
            ):
                with self.subTest(options=options, implicit=port == self.implicit):
                    said = self.s_client(*options, port=port)
                    self.assertIsNotNone(said)
                    for words in expected:
                        self.assertIn(words, said)
        self.assertEqual(self.stats()["sallyport_tls_handshakes_total"], 10)

    def test_what_is_too_old_is_refused(self):
        self.serve()
        for options in (["-tls1_1"], ["-tls1"], ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
                        ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"], ["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"]):
            for port in (self.port, self.implicit):
                with self.subTest(options=options, implicit=port == self.implicit):
                    if options[0] != "-tls1_2":
                        options = [*options, "-cipher", "DEFAULT:@SECLEVEL=0"]
                    self.assertIsNone(self.s_client(*options, port=port))
        self.assertIsNotNone(self.s_client())
        self.assertEqual(self.violations("tls_refused"), 10)

    def test_suites_of_the_past(self):
        """Clients that offer what no library offers any more, by hand: an alert, and the end."""
        self.serve()
        suites = {"NULL": 0x0002, "export": 0x0003, "RC4": 0x0005, "3DES": 0x000a, "anonymous": 0x0018, "RSA": 0x002f}
        for number, (name, suite) in enumerate(suites.items(), 1):
            for port in (self.port, self.implicit):
                with self.subTest(name, implicit=port == self.implicit), Client(port) as client:
                    if port == self.port:
                        client.greet()
                        client.ask("STARTTLS", 220)
                    client.socket.sendall(client_hello(suite))
                    self.assertEqual(client.rest(), "\x15\x03\x03\x00\x02\x02\x28")  # fatal handshake_failure
            wait_until(name, lambda expected=2 * number: self.violations("tls_refused") == expected)
        self.assertIsNotNone(self.s_client())

    def test_a_hello_without_end(self):
        self.serve()
        message = b"\x01\x00\xff\xff" + bytes(65535)
        with Client(self.implicit) as client, contextlib.suppress(OSError):
            client.socket.sendall(b"".join(b"\x16\x03\x01\x00\x01" + message[i:i + 1] for i in range(len(message))))
            client.rest()
        wait_until("tls_error", lambda: self.violations("tls_error") == 1)
        self.assertIsNotNone(self.s_client(port=self.implicit))

    def test_only_the_newest_version(self):
        self.serve(tls={"min_version": "1.3"})
        self.assertIsNone(self.s_client("-tls1_2"))
        self.assertIsNotNone(self.s_client("-tls1_3"))

    def test_names(self):
        other = self.another_certificate("mx.other.example")
        self.serve(tls={"sni": {"mx.other.example": {"cert": other}}})
        for name, expected in (("mx.other.example", "mx.other.example"), ("MX.Other.Example", "mx.other.example"),
                               ("mx.test.example", "mx.test.example"), ("unknown.example", "mx.test.example"),
                               (None, "mx.test.example")):
            with self.subTest(name):
                said = self.s_client(*(["-servername", name] if name else ["-noservername"]))
                self.assertIn(f"subject=CN = {expected}\n", said)

    def test_application_protocols(self):
        self.serve()
        for offered, served in (("h2,http/1.1", False), ("imap", False), ("h2,smtp", True), ("smtp", True)):
            with self.subTest(offered):
                context = trusting_context()
                context.set_alpn_protocols(offered.split(","))
                with Client(self.implicit) as client:
                    if served:
                        client.socket = context.wrap_socket(client.socket)
                        self.assertEqual(client.socket.selected_alpn_protocol(), "smtp")
                        client.expect(220)
                    else:
                        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
                            context.wrap_socket(client.socket)
        self.assertIsNotNone(self.s_client())
        self.assertEqual(self.violations("tls_error"), 2)

    def test_the_name_asked_for_is_in_no_metric(self):
        self.serve()
        names = ("stranger.example", "a b", "<script>")
        for name in names:
            self.assertIsNotNone(self.s_client("-servername", name))
        for metric in self.stats():
            for name in names:
                self.assertNotIn(name, metric)

    def test_client_certificates(self):
        """Asked for where configured, checked against the authorities of the configuration, and only there."""
        known, unknown = self.another_certificate("partner.example"), self.another_certificate("stranger.example")

        def shown(folder):
            return ["-cert", folder / "fullchain.pem", "-key", folder / "privkey.pem"] if folder else []

        for mode, served in (("off", (True, True, True)), ("ask", (True, True, True)),
                             ("require", (True, False, False))):
            authorities = "" if mode == "off" else f', client_ca = "{known}/fullchain.pem"'
            self.serve(listen=f', client_cert = "{mode}"{authorities}')
            for folder, expected in zip((known, unknown, None), served):
                for version in ("-tls1_2", "-tls1_3"):
                    with self.subTest(mode, folder=folder, version=version):
                        said = self.s_client(version, *shown(folder))
                        self.assertEqual(said is not None, expected)
            asked = "Client Certificate Types"
            self.assertEqual(asked in self.s_client("-tls1_2", *shown(known)), mode != "off")
            # The other listener has its own setting.
            self.assertNotIn(asked, self.s_client("-tls1_2", port=self.implicit))
            self.assertEqual(self.violations("tls_error"), 4 if mode == "require" else 0)
            self.gateway_process.stop()

    def test_resumption(self):
        self.serve()
        for options in (["-tls1_2"], ["-tls1_3"]):
            with self.subTest(options):
                session = str(self.folder / "session.pem")
                first = self.s_client(*options, "-sess_out", session)
                self.assertIn("New, ", first)
                self.assertIn("Reused, ", self.s_client(*options, "-sess_in", session))
                # T8: a ticket is worth nothing at another listener.
                self.assertIn("New, ", self.s_client(*options, "-sess_in", session, port=self.implicit))

    def test_one_ticket_for_each_handshake_and_no_early_data(self):
        self.serve()
        said = self.s_client("-tls1_3")
        self.assertEqual(said.count("Post-Handshake New Session Ticket arrived"), 1)
        self.assertIn("Max Early Data: 0", said)

    def test_no_renegotiation(self):
        self.serve()
        client = SClient(self, self.port, "-tls1_2", commands=True)
        client.read_until(r"(?s)---.*\n250 [^\n]*\r?\n")
        client.type("R")  # for s_client: renegotiate
        client.read_until("no renegotiation")
        self.assertIsNotNone(self.s_client())


class Stripping(TlsTest):
    def test_commands_behind_starttls(self):
        self.serve()
        with Client(self.port) as client:
            client.greet()
            client.send("STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<evil@sender.example>\r\n")
            text = client.rest()
        self.assertRegex(text, r"^554 5\.5\.0 [^\n]*\r\n$")
        self.assertEqual(self.violations("starttls_inject"), 1)

    def test_nothing_said_before_counts(self):
        self.serve()
        with Client(self.port) as client:
            client.greet("before.example")
            client.starttls()
            client.ask("MAIL FROM:<ann@sender.example>", 503)
            client.ask("STARTTLS", 503)
            client.ask("EHLO after.example", 250)
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.assertEqual(self.upstream.wait_for(1)[0][0]["mail"].split()[0], "FROM:<ann@sender.example>")
        self.assertEqual(self.wait_for_log()[0]["helo"], "after.example")

    def test_starttls_out_of_place(self):
        self.serve()
        with Client(self.port) as client:
            client.greet()
            client.ask("STARTTLS now", 501)
            client.mail()
            client.ask("STARTTLS", 503)

    def test_required(self):
        self.serve(listen=", require_tls = true")
        with Client(self.port) as client:
            client.greet()
            reply = client.ask("MAIL FROM:<ann@sender.example>", 530)
            self.assertTrue(reply.startswith("530 5.7.0 "), reply)
            client.ask("NOOP", 250)
            client.starttls()
            self.speak(client)
        self.assertEqual(len(self.upstream.wait_for(1)), 1)

    def test_plaintext_within_tls(self):
        self.serve()
        with Client(self.port) as client:
            client.greet()
            client.ask("STARTTLS", 220)
            plain = client.socket
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            secure = trusting_context().wrap_bio(incoming, outgoing)

            def step(action):
                while True:
                    try:
                        return action()
                    except ssl.SSLWantReadError:
                        plain.sendall(outgoing.read())
                        incoming.write(plain.recv(65536))

            step(secure.do_handshake)
            for command in (b"EHLO client.example", b"MAIL FROM:<ann@sender.example>", b"RCPT TO:<user@test.example>",
                            b"DATA"):
                secure.write(command + b"\r\n")
                plain.sendall(outgoing.read())
                step(lambda: secure.read(65536))
            secure.write(b"Subject: x\r\n\r\nhalf")
            plain.sendall(outgoing.read() + b" of it in the clear\r\n.\r\n")
            client.rest()
        self.assertEqual(self.wait_for_log()[0]["verdict"], "drop")
        self.assertEqual(self.violations("tls_truncated"), 1)
        self.assertEqual(self.upstream.messages(), [])

    def test_cut_off_without_close_notify(self):
        self.serve()
        with Client(self.port) as client:
            client.greet()
            client.starttls()
            client.ask("EHLO client.example", 250)
            client.mail()
            client.ask("DATA", 354)
            client.send("Subject: x\r\n\r\nhalf")
            client.socket.close()  # Python sends no close_notify by itself
        self.assertEqual(self.wait_for_log()[0]["verdict"], "drop")
        wait_until("tls_truncated", lambda: self.violations("tls_truncated") == 1)
        self.assertEqual(self.upstream.messages(), [])

    def test_no_tls_at_all_where_tls_begins_at_once(self):
        self.serve()
        with Client(self.implicit) as client:
            client.send("EHLO client.example\r\n")
            self.assertNotIn("220", client.rest())
        self.assertEqual(self.violations("tls_error"), 1)

    def test_tls_where_smtp_was_expected(self):
        self.serve()
        with self.assertRaises((ssl.SSLError, OSError)), Client(self.port) as client:
            trusting_context().wrap_socket(client.socket)
        wait_until("non_smtp", lambda: self.violations("non_smtp") == 1)


def client_hello(suite):
    """A ClientHello of TLS 1.2 that offers one suite, with what a client with elliptic curves has to say."""
    extensions = bytes.fromhex("000a0006 0004001d0017" "000d0006 000404030804" "000b0002 0100")
    body = (b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02" + suite.to_bytes(2, "big") + b"\x01\x00" +
            len(extensions).to_bytes(2, "big") + extensions)
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


class Keys(TlsTest):
    def assert_no_start(self, file, *words):
        for command in ("run", "check"):
            done = run([PROGRAM, command, "-c", file], patience=30)
            self.assertEqual(done.returncode, 78, (command, done.stderr))
            for word in words:
                self.assertIn(str(word), done.stderr + done.stdout, command)

    def test_a_key_that_others_can_read(self):
        key = self.certificate() / "privkey.pem"
        for mode in (0o644, 0o604, 0o660):
            key.chmod(mode)
            self.assert_no_start(self.configuration(1), key, "chmod")
        key.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(key, "root", "nogroup")
        key.chmod(0o640)
        done = run([PROGRAM, "check", "-c", self.configuration(1)])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_key_of_another_certificate(self):
        folder = self.certificate()
        shutil.copy(self.another_certificate("mx.other.example") / "privkey.pem", folder / "privkey.pem")
        self.assert_no_start(self.configuration(1), "privkey.pem", "does not belong to the certificate")

    def test_authorities_that_are_none(self):
        for text, words in (("no certificate", "no certificates of authorities"), (None, "authorities.pem")):
            authorities = self.folder / "authorities.pem"
            authorities.unlink(missing_ok=True)
            if text:
                authorities.write_text(text)
            file = self.configuration(1, listen=[{"address": "127.0.0.1:12345", "client_cert": "ask",
                                                  "client_ca": authorities}])
            self.assert_no_start(file, "authorities.pem", words)

    def test_files_that_are_not_there_or_not_pem(self):
        folder = self.certificate()
        (folder / "fullchain.pem").write_text("no certificate")
        self.assert_no_start(self.configuration(1), "fullchain.pem")
        (folder / "fullchain.pem").unlink()
        self.assert_no_start(self.configuration(1), "fullchain.pem")


if __name__ == "__main__":
    unittest.main(verbosity=2)
