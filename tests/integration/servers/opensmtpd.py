"""OpenSMTPD behind the gateway: it accepts everything, and keeps it in its queue."""
import collections

from servers.jail import Jail, stored

CONFIGURATION = """pki inner cert "/etc/tls/fullchain.pem"
pki inner key "/etc/tls/privkey.pem"
smtp max-message-size "50M"
listen on 127.0.0.1 port {port} tls pki inner hostname inner.test.example
action "queue" relay
match from any for any action "queue"
"""


class OpenSmtpd(Jail):
    package = "opensmtpd"
    users = {"opensmtpd": 102, "opensmtpq": 103}
    # It offers STARTTLS, but its way of keeping the key apart fails with OpenSSL 3, handshake by handshake.
    upstream_tls = "opportunistic"
    refuses = {"quoted-sender": "553 5.1.0 "}

    def configure(self):
        self.write("etc/smtpd.conf", CONFIGURATION.format(port=self.port))
        self.write("etc/mailname", "inner.test.example\n")
        self.folder("var/spool", mode=0o755)
        self.folder("var/spool/smtpd", mode=0o711)
        self.folder("var/lib/opensmtpd/empty", mode=0o755)
        self.folder("var/run")

    def command(self):
        # What delivers is paused: what is accepted stays in the queue.
        return ["/usr/sbin/smtpd", "-d", "-P", "mda", "-P", "mta", "-T", "smtp"]

    def stored(self):
        found = []
        for message in self.path("var/spool/smtpd/queue").glob("*/*/message"):
            facts = collections.defaultdict(set)
            for envelope in message.parent.iterdir():
                if envelope != message:
                    for line in envelope.read_text().split("\n"):
                        name, _, value = line.partition(": ")
                        facts[name].add(value)
            sender, = facts["sender"]
            found.append(stored("" if sender == "@" else sender, facts["rcpt"], message.read_bytes()))
        return found

    def begun(self):
        # It takes a hundred mails on a connection; the next one is refused there, and comes on another.
        said = self.process.output()
        return said.count("<<< MAIL FROM:") - said.count(">>> 452 4.5.3 Too many recipients: Too many messages sent")
