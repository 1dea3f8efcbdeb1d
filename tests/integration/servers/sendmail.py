"""Sendmail behind the gateway, or in front of it: it accepts everything, and keeps it in its queue."""
import re
import subprocess

from servers.jail import Jail, stored

CONFIGURATION = """include(`/usr/share/sendmail/cf/m4/cf.m4')
OSTYPE(`linux')
DOMAIN(`generic')
define(`confDOMAIN_NAME', `inner.test.example')
define(`confDELIVERY_MODE', `queueonly')
define(`confLOG_LEVEL', `99')
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch')
define(`confPID_FILE', `/run/sendmail.pid')
define(`confTO_IDENT', `0')
define(`confREFUSE_LA', `0')
define(`confQUEUE_LA', `0')
define(`confDELAY_LA', `0')
define(`confMAX_MESSAGE_SIZE', `50000000')
define(`confMAX_DAEMON_CHILDREN', `200')
define(`confSERVER_CERT', `/etc/tls/fullchain.pem')
define(`confSERVER_KEY', `/etc/tls/privkey.pem')
define(`confCACERT', `/etc/tls/fullchain.pem')
define(`confCACERT_PATH', `/etc/tls')
define(`confDONT_PROBE_INTERFACES', `true')
define(`confTLS_SRV_OPTIONS', `V')
FEATURE(`no_default_msa')
FEATURE(`nocanonify')
FEATURE(`promiscuous_relay')
FEATURE(`accept_unresolvable_domains')
FEATURE(`accept_unqualified_senders')
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={port}')
{more}MAILER(`smtp')
"""


class Sendmail(Jail):
    package = "sendmail"
    more = ""  # lines of its configuration
    users = {"mail": 8, "smmta": 104, "smmsp": 105}

    def configure(self):
        self.write("etc/mail/sendmail.mc", CONFIGURATION.format(port=self.port, more=self.more))
        made = subprocess.run([str(word) for word in self.chrooted("/usr/bin/m4", "/etc/mail/sendmail.mc")],
                              capture_output=True, text=True, check=True)
        self.write("etc/mail/sendmail.cf", made.stdout)
        self.write("etc/mail/local-host-names", "")
        self.write("etc/mail/service.switch", "hosts files\naliases files\npasswd files\n")
        self.write("etc/mail/aliases", "")
        self.folder("var/spool/mqueue", mode=0o700)
        self.folder("run")

    def command(self):
        return ["/usr/libexec/sendmail/sendmail", "-bD", "-C/etc/mail/sendmail.cf"]

    def stored(self):
        found = []
        for control in self.path("var/spool/mqueue").glob("qf*"):
            sender, recipients, fields = parse_control_file(control.read_bytes())
            body = control.with_name("df" + control.name[2:])
            found.append(stored(sender, recipients, fields + b"\n" + body.read_bytes()))
        return found

    def begun(self):
        return sum("<-- MAIL FROM:" in line for line in self.log.lines)


def parse_control_file(text):
    """Sendmail's operations guide, appendix B: a line begins with its kind, or continues the one before."""
    sender, recipients, fields = "", [], b""
    text = re.sub(rb"\xff([\x80-\x9f\xff])", rb"\1", text)  # octets that mean something to Sendmail have 0xFF in front
    for line in re.split(rb"\n(?![ \t])", text):
        kind, value = line[:1], line[1:]
        if kind == b"S":
            sender = value.decode("latin-1").strip("<>")
        elif kind == b"R":
            recipients.append(value.partition(b":")[2].decode("latin-1").strip("<>"))
        elif kind == b"H":
            fields += re.sub(rb"^\?[^?]*\?", b"", value) + b"\n"
    return sender, recipients, fields
