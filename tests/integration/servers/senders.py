"""Programs that others wrote, sending through the gateway: servers with a queue, and clients.

Each is made for one gateway and one use of TLS; send() takes a message as it is meant, with CRLF, and comes back when the
program is done with it. A server puts a Received field of its own on top; all else arrives as it was given.
"""
import json
import smtplib
import subprocess

from postfix_server import Postfix
from servers.jail import Jail
from servers.unpack import unpacked
from support import run, tool, trusting_context

POSTFIX = """virtual_mailbox_domains =
relayhost = [127.0.0.1]:{port}
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_tls_security_level = {tls}
minimal_backoff_time = 300s
"""


class Sender:
    received = 0  # Received fields that it puts on top

    def __init__(self, test, port, tls):
        self.test, self.port, self.tls = test, port, tls
        self.start()

    def start(self):
        """Whatever has to run before the first message."""

    def send(self, content, sender, recipients):
        raise NotImplementedError

    def check(self, done):
        self.test.assertEqual(done.returncode, 0, done.stdout + done.stderr)


def run_with_input(argv, content):
    """As support.run(), for input that is octets."""
    done = subprocess.run([str(word) for word in argv], input=content, capture_output=True, timeout=60)
    done.stdout, done.stderr = done.stdout.decode("latin-1"), done.stderr.decode("latin-1")
    return done


class PostfixSends(Sender):
    """The gateway as its relayhost; messages enter by its sendmail command."""
    received = 1

    def start(self):
        self.postfix = Postfix(self.test, more=POSTFIX.format(port=self.port, tls="encrypt" if self.tls else "none"))

    def send(self, content, sender, recipients):
        argv = [tool("sendmail"), "-C", self.postfix.folder / "conf", "-i", "-B", "8BITMIME", "-f", sender or "<>", "--",
                *recipients]
        self.check(run_with_input(argv, content.replace(b"\r\n", b"\n")))


EXIM = """primary_hostname = outer.sender.example
host_lookup =
disable_ipv6 = true
local_from_check = false
return_path_remove = false
log_selector = +smtp_confirmation
begin routers
through_the_gateway:
  driver = manualroute
  route_list = * 127.0.0.1 byname
  transport = gateway
  self = send
begin transports
gateway:
  driver = smtp
  port = {port}
  allow_localhost
  helo_data = outer.sender.example
  hosts_{tls}_tls = *
  tls_verify_hosts =
  tls_try_verify_hosts =
  hosts_try_chunking = {chunking}
"""


class EximSends(Jail, Sender):
    """The gateway as its smarthost, with BDAT in the clear and DATA over TLS; it delivers before its command ends."""
    package = "exim"
    users = {"Debian-exim": 101, "mail": 8}
    received = 1

    def __init__(self, test, port, tls):
        self.gateway_port, self.tls = port, tls
        super().__init__(test)

    def configure(self):
        self.write("etc/exim4/exim4.conf", EXIM.format(port=self.gateway_port, tls="require" if self.tls else "avoid",
                                                       chunking="" if self.tls else "*"))
        for name in ("var/spool/exim4", "var/log/exim4", "run/exim4"):
            self.folder(name, "Debian-exim", 0o750)

    def send(self, content, sender, recipients):
        argv = self.chrooted("/usr/sbin/exim4", "-odf", "-oi", "-f", sender or "<>", *recipients)
        self.check(run_with_input(argv, content.replace(b"\r\n", b"\n")))


class SwaksSends(Sender):
    def send(self, content, sender, recipients):
        file = self.test.folder / "swaks.eml"
        file.write_bytes(content.removesuffix(b"\r\n").replace(b"\r\n", b"\n"))  # it ends the last line itself
        self.check(run([tool("swaks"), "--server", f"127.0.0.1:{self.port}", "--helo", "client.example", "--from",
                        sender or "<>", "--to", ",".join(recipients), "--data", f"@{file}", *(["--tls"] * self.tls)]))


class SmtplibSends(Sender):
    def start(self):
        self.session = smtplib.SMTP("127.0.0.1", self.port, "client.example", timeout=30)
        self.test.addCleanup(self.session.close)
        if self.tls:
            self.session.starttls(context=trusting_context())
        self.session.ehlo()

    def send(self, content, sender, recipients):
        options = ["BODY=8BITMIME"] if max(content) > 0x7f else []
        self.test.assertEqual(self.session.sendmail(sender, recipients, content, options), {})


NODEMAILER = """
const lines = require("readline").createInterface({input: process.stdin});
const [modules, port, tls] = process.argv.slice(1);
const transport = require(modules + "/usr/share/nodejs/nodemailer").createTransport({
  host: "127.0.0.1", port: +port, name: "client.example", pool: true, maxConnections: 1,
  ignoreTLS: !+tls, requireTLS: !!+tls, tls: {rejectUnauthorized: false}});
(async () => {
  for await (const line of lines) {
    const {content, ...envelope} = JSON.parse(line);
    const info = await transport.sendMail({envelope, raw: Buffer.from(content, "latin1")});
    console.log(JSON.stringify([info.response, info.rejected]));
  }
  transport.close();
})();
"""


class NodemailerSends(Sender):
    """Debian's package of it, under Node.js."""

    def start(self):
        argv = [tool("node"), "-e", NODEMAILER, unpacked("nodemailer"), self.port, int(self.tls)]
        self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.test.addCleanup(self.stop)

    def send(self, content, sender, recipients):
        mail = {"content": content.decode("latin-1"), "from": sender, "to": recipients, "use8BitMime": max(content) > 0x7f}
        self.process.stdin.write(json.dumps(mail) + "\n")
        self.process.stdin.flush()
        response, rejected = json.loads(self.process.stdout.readline() or '["ended", []]')
        self.test.assertEqual((response[:4], rejected), ("250 ", []), response)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
