"""Exim behind the gateway: it accepts everything, and keeps it in its queue."""
import re

from servers.jail import Jail, stored

CONFIGURATION = """primary_hostname = inner.test.example
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
disable_ipv6 = true
queue_only = true
smtp_accept_max = 200
message_size_limit = 50M
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = *
tls_certificate = /etc/tls/fullchain.pem
tls_privatekey = /etc/tls/privkey.pem
# Fields that it would take out, being its own.
return_path_remove = false
envelope_to_remove = false
delivery_date_remove = false
acl_smtp_mail = note
acl_smtp_rcpt = everything
acl_smtp_data = everything
begin acl
note:
  warn logwrite = ENVELOPE <$sender_address>
  accept
everything:
  accept
"""


class Exim(Jail):
    package = "exim"
    users = {"Debian-exim": 101, "mail": 8}

    def configure(self):
        self.write("etc/exim4/exim4.conf", CONFIGURATION.format(port=self.port))
        for name in ("etc/tls/fullchain.pem", "etc/tls/privkey.pem"):
            self.path(name).chmod(0o644)
        for name in ("var/spool/exim4", "var/log/exim4", "run/exim4"):
            self.folder(name, "Debian-exim", 0o750)

    def command(self):
        return ["/usr/sbin/exim4", "-bdf"]

    def stored(self):
        found = []
        for header in self.path("var/spool/exim4/input").glob("*-H"):
            sender, recipients, fields = parse_header_file(header.read_bytes())
            _, _, body = header.with_name(header.name[:-1] + "D").read_bytes().partition(b"\n")  # its own name
            found.append(stored(sender, recipients, fields + b"\n" + body))
        return found

    def begun(self):
        return self.path("var/log/exim4/mainlog").read_text(errors="replace").count(" ENVELOPE <")


def parse_header_file(text):
    """Exim's specification, chapter 56: lines of facts, the recipients with their count, an empty line, the fields, each
    with its length and kind in front."""
    facts, _, rest = text.partition(b"\n\n")
    lines = facts.decode("latin-1").split("\n")
    count = max(at for at, line in enumerate(lines) if re.fullmatch(r"\d+", line))
    recipients = lines[count + 1:]
    assert len(recipients) == int(lines[count]), facts
    fields = b""
    while rest:
        prefix = re.match(rb"(\d{3,})(\D) ", rest)
        end = prefix.end() + int(prefix[1])
        if prefix[2] != b"*":  # deleted
            fields += rest[prefix.end():end]
        rest = rest[end:]
    return lines[2].strip("<>"), recipients, fields
