#!/usr/bin/env python3
"""Servers that speak LMTP (RFC 2033), over TCP and at unix-domain sockets: a scripted one, and Dovecot's."""
import os
import pwd
import shutil
import time
import unittest

from scripted_server import ScriptedServer
from support import PROGRAM, Client, GatewayTest, run, wait_until

LHLO = "250-lmtp.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES"


class LmtpServer(ScriptedServer):
    """Knows neither EHLO nor HELO, and answers for each recipient after the content."""

    def __init__(self, test, path=None, **special):
        super().__init__(test, path=path, **{"LHLO": LHLO, "EHLO": "500 5.5.1 What?", "HELO": "500 5.5.1 What?",
                                             **special})

    def say(self, connection, verb):
        if verb == "MAIL":
            self.accepted = 0
        if verb == "END":
            return all([super(LmtpServer, self).say(connection, verb) for _ in range(self.accepted)])
        before = self.answer_to(verb) if verb == "RCPT" else None
        if before is not None:
            self.accepted += before.startswith("2")
            connection.sendall(before.encode() + b"\r\n")
            return True
        return super().say(connection, verb)


class Scripted(GatewayTest):
    def serve(self, server, **more):
        return self.gateway({"servers": [server.name], "protocol": "lmtp", **more})

    def test_one_recipient_of_each_mail(self):
        mails = 0
        for path in (None, self.folder / "lmtp.sock"):
            with self.subTest(path=path):
                server = LmtpServer(self, path)
                gateway = self.serve(server)
                self.wait_for_ehlo("8BITMIME")
                with Client(self.port) as client:
                    self.assertIn("LIMITS RCPTMAX=1", client.greet())
                    client.mail()
                    reply = client.ask("RCPT TO:<second@test.example>", 452)
                    self.assertTrue(reply.startswith("452 4.5.3 "), reply)
                    client.message("Subject: one\r\n\r\n1")
                    client.mail(recipient="second@test.example")
                    client.message("Subject: two\r\n\r\n2")
                    client.ask("QUIT", 221)
                self.assertEqual([b"Subject: one" in content for content, _ in server.contents], [True, False])
                self.assertEqual(server.verbs.count("RCPT"), 2)
                self.assertNotIn("EHLO", server.verbs)
                mails += 2
                lines = self.wait_for_log(count=mails)
                self.assertEqual([line["upstream"] for line in lines[-2:]], [server.name] * 2)
                gateway.stop()

    def test_after_a_refused_recipient_comes_another(self):
        server = LmtpServer(self, RCPT=["550 5.1.1 Nobody", "250 2.1.5 Ok"])
        self.serve(server)
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<nobody@test.example>", 550)
            client.ask("RCPT TO:<user@test.example>", 250)
            client.ask("RCPT TO:<third@test.example>", 452)
            client.message("Subject: x\r\n\r\ny")
        self.assertEqual(len(server.contents), 1)

    def test_the_answer_after_the_content_is_passed_on(self):
        server = LmtpServer(self, END=["452 4.2.2 Mailbox full", "550 5.2.0 No", "250 2.0.0 Saved"])
        self.serve(server)
        with Client(self.port) as client:
            client.greet()
            for code, text in ((452, "4.2.2 Mailbox full"), (550, "5.2.0 No"), (250, "2.0.0 Saved")):
                client.mail()
                self.assertEqual(client.message("Subject: x\r\n\r\ny", code), f"{code} {text}")

    def test_a_server_of_the_other_protocol_is_down(self):
        server = ScriptedServer(self)  # 500 to LHLO
        self.serve(server)
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            client.ask("RCPT TO:<user@test.example>", 451)

    def test_explain_tells_of_the_second_recipient(self):
        file = self.configuration({"servers": [f"unix:{self.folder}/nobody.sock", "nowhere.example:24"], "protocol": "lmtp"})
        done = run([PROGRAM, "explain", "-c", file, "--ip", "192.0.2.7", "--helo", "mail.example.org", "--from",
                    "ann@sender.example", "--to", "user@test.example", "--to", "second@test.example", "-"],
                   input="Subject: x\r\n\r\ny\r\n")
        self.assertIn("452 4.5.3 One recipient at a time", done.stdout, done.stderr)
        self.assertRegex(done.stdout, "^relay ")

    def test_no_socket_there(self):
        self.gateway({"servers": [f"unix:{self.folder}/nobody.sock"]})
        with Client(self.port) as client:
            client.greet()
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            self.assertRegex(client.ask("RCPT TO:<user@test.example>", 451), "^451 4.4.1 ")

    def test_smtp_at_a_unix_socket(self):
        server = ScriptedServer(self, path=self.folder / "smtp.sock")
        self.gateway({"servers": [server.name]})
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.ask("RCPT TO:<second@test.example>", 250)
            client.message("Subject: x\r\n\r\ny")
        self.assertIn("EHLO", server.verbs)


DOVECOT = """
base_dir = {run}
state_dir = {run}
log_path = {folder}/dovecot.log
ssl = no
protocols = lmtp
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{mail}/%n
lmtp_rcpt_check_quota = no
postmaster_address = postmaster@test.example
passdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={mail}/%n
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  chroot =
  user = {user}
  unix_listener {folder}/dovecot-lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = 0
  }}
}}
"""


class Dovecot(GatewayTest):
    def setUp(self):
        super().setUp()
        program = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
        if not program or not os.path.exists("/usr/lib/dovecot/lmtp"):
            self.skipTest("dovecot-lmtpd is not installed")
        if os.geteuid() != 0:
            self.skipTest("dovecot is started by root here")
        account = pwd.getpwnam("nobody")
        for folder in ("run", "mail"):
            (self.folder / folder).mkdir()
            os.chown(self.folder / folder, account.pw_uid, account.pw_gid)
        os.chown(self.folder / "run", 0, 0)
        (self.folder / "users").write_text("ann:{PLAIN}x::::::\nbob:{PLAIN}x::::::\n")
        config = self.folder / "dovecot.conf"
        config.write_text(DOVECOT.format(folder=self.folder, run=self.folder / "run", mail=self.folder / "mail",
                                         user="nobody", group="nogroup"))
        self.start("dovecot", [program, "-F", "-c", config])
        self.socket = self.folder / "dovecot-lmtp"
        wait_until("dovecot's socket", self.socket.exists)
        self.gateway({"servers": [f"unix:{self.socket}"], "protocol": "lmtp"})

    def mailbox(self, user):
        return [file.read_text() for file in (self.folder / "mail" / user).glob("new/*")]

    def test_mail_arrives(self):
        self.wait_for_ehlo("8BITMIME")
        with Client(self.port) as client:
            client.greet()
            for user in ("ann", "bob"):
                client.mail(recipient=f"{user}@test.example")
                reply = client.message(f"Subject: for {user}\r\n\r\n.text\r\n..more")
                self.assertRegex(reply, r"^250 2\.0\.0 <%s@test\.example> .*Saved" % user)
            client.ask("MAIL FROM:<ann@sender.example>", 250)
            self.assertRegex(client.ask("RCPT TO:<carol@test.example>", 550), r"^550 5\.1\.1 ")
            client.ask("RCPT TO:<ann@test.example>", 250)
            client.ask("RCPT TO:<bob@test.example>", 452)
            client.message("Subject: after\r\n\r\nx")
        self.assertEqual([len(self.mailbox(user)) for user in ("ann", "bob")], [2, 1])
        self.assertIn("Subject: for bob\n", self.mailbox("bob")[0])
        self.assertTrue(self.mailbox("bob")[0].endswith("\n\ntext\n.more\n"), self.mailbox("bob")[0])

    def test_many_mails_over_kept_connections(self):
        with Client(self.port) as client:
            client.greet()
            for number in range(30):
                client.mail(recipient="ann@test.example")
                client.message(f"Subject: {number}\r\n\r\nx")
        self.assertEqual(len(self.mailbox("ann")), 30)
        self.assertLessEqual(self.stats()["sallyport_upstream_connections_total"], 2)


if __name__ == "__main__":
    unittest.main()
