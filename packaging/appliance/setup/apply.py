"""Carries out the answers: network, name, administrator, certificate, the gateway's configuration, updates.

Each step may be done again with the same answers. The order is that of need: with network and administrator in place, whatever
fails later can be mended by ssh.
"""
import os
import shutil
import socket

import answers
from system import Failed

STATE = "/srv/sallyport"
ANSWERS = "/etc/sallyport/answers"
CONFIGURATION = "/etc/sallyport/sallyport.toml"
SET_UP = "/var/lib/sallyport-appliance/set-up"
NETWORK = "/etc/systemd/network/20-sallyport.network"
ADMINISTRATOR = "admin"
PROGRAM = os.environ.get("SALLYPORT", "/usr/bin/sallyport")


def interface(system):
    """The network card that has a cable, or else the first."""
    cards = sorted(path for path in system.path("/sys/class/net").glob("*") if (path / "device").exists())

    def has_carrier(path):
        try:
            return (path / "carrier").read_text().strip() == "1"
        except OSError:
            return False
    for card in [*filter(has_carrier, cards), *cards]:
        return card.name
    raise Failed("there is no network card")


def network(found, system):
    if "network" not in found:
        return
    families = answers.network(found["network"])
    if not families:
        system.remove(NETWORK)
    else:
        lines = ["# Written by sallyport-appliance from what was answered.", "[Match]", f"Name={interface(system)}", "", "[Network]"]
        for own, gateway, servers in families:
            lines += [f"Address={own}", f"Gateway={gateway}", *(f"DNS={server}" for server in servers)]
            if own.version == 6:
                lines.append("IPv6AcceptRA=no")
        system.write(NETWORK, "\n".join(lines) + "\n")
    system.run("networkctl", "reload", may_fail=True)
    system.run("/lib/systemd/systemd-networkd-wait-online", "--any", "--timeout=30", may_fail=True)


def name(found, system):
    if not found.get("hostname"):
        return
    full = answers.host_name(found["hostname"])
    # Linux has 64 letters for it. /etc/hosts gets no entry: there, libnss-myhostname knows the addresses, and the gateway would take
    # one of loopback for what the world finds in DNS.
    host = full if len(full) <= 64 else full.partition(".")[0]
    system.write("/etc/hostname", host + "\n")
    system.run("hostname", host)


def administrator(found, system):
    """With a key alone there is no password, and sudo asks for none; with a password sudo asks for it."""
    key, hashed = found.get("administrator"), found.get("password_hash")
    if not key and not hashed:
        return
    if system.run("id", ADMINISTRATOR, may_fail=True).returncode != 0:
        system.run("useradd", "--create-home", "--shell", "/bin/bash", "--comment", "Administrator", ADMINISTRATOR)
    system.run("usermod", "--append", "--groups", "adm,sudo,systemd-journal,sallyport", ADMINISTRATOR)
    if hashed:
        system.run("chpasswd", "--encrypted", given=f"{ADMINISTRATOR}:{hashed}\n")
        system.remove("/etc/sudoers.d/90-sallyport")
    else:
        system.write("/etc/sudoers.d/90-sallyport", f"{ADMINISTRATOR} ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440)
    if key:
        folder = f"/home/{ADMINISTRATOR}/.ssh"
        former = system.read(f"{folder}/authorized_keys").splitlines()
        if key not in former:
            system.write(f"{folder}/authorized_keys", "\n".join([*former, key]) + "\n", 0o600)
        system.path(folder).chmod(0o700)
        system.run("chown", "-R", f"{ADMINISTRATOR}:{ADMINISTRATOR}", system.path(folder))


def certificate(found, system):
    """That of the answers, or one of our own, so that STARTTLS is there from the first mail. Gives its folder."""
    if found.get("certificate"):
        return found["certificate"]
    full = answers.host_name(found["hostname"])
    folder = system.path(f"/etc/sallyport/tls/{full}")
    key, chain = folder / "privkey.pem", folder / "fullchain.pem"
    if not (key.exists() and chain.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        # A common name has room for 64 letters. Clients look at subjectAltName.
        system.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                   "-subj", f"/CN={full if len(full) <= 64 else 'sallyport'}", "-addext", f"subjectAltName=DNS:{full}",
                   "-keyout", key, "-out", chain)
    system.give(folder.parent, 0o750, "sallyport")
    system.give(folder, 0o750, "sallyport")
    system.give(key, 0o640, "sallyport")
    system.give(chain, 0o644)
    return str(folder)


def configuration(found, system, say):
    """Has `sallyport init` write it and tell what works. One that is there is its administrator's and stays."""
    if system.has(CONFIGURATION):
        return
    given = answers.for_init({**found, "certificate": certificate(found, system)})
    done = system.run(PROGRAM, "init", "-c", system.path(CONFIGURATION), "--answers", "-", given=given, may_fail=True)
    say(done.stdout)
    if not system.has(CONFIGURATION):
        raise Failed(f"the gateway cannot be set up with this: {done.stderr.strip()}")
    system.give(system.path(CONFIGURATION), 0o640, "sallyport")


def updates(found, system):
    """When to start anew after an update that needs it, and where packages of the gateway itself come from."""
    reboot = found.get("reboot")
    if reboot:
        at = f'Unattended-Upgrade::Automatic-Reboot-Time "{reboot}";\n' if reboot != "never" else ""
        system.write("/etc/apt/apt.conf.d/53sallyport-reboot",
                     f'Unattended-Upgrade::Automatic-Reboot "{"false" if reboot == "never" else "true"}";\n{at}')
    words = found.get("repository", "").split()
    if not words:
        for file in ("/etc/apt/sources.list.d/sallyport.sources", "/etc/apt/apt.conf.d/53sallyport-repository"):
            system.remove(file)
        return
    key = found.get("repository_key", "")
    if not key or not system.has(key):
        raise Failed("repository takes repository_key, a file with the public key that its releases are signed with")
    url, suite, *components = words
    lines = ["Types: deb", f"URIs: {url}", f"Suites: {suite}", *([f"Components: {' '.join(components)}"] if components else []),
             f"Signed-By: {key}"]
    system.write("/etc/apt/sources.list.d/sallyport.sources", "\n".join(lines) + "\n")
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    system.write("/etc/apt/apt.conf.d/53sallyport-repository", f'Unattended-Upgrade::Origins-Pattern:: "site={host}";\n')


def start(system):
    system.run("systemctl", "reset-failed", "sallyport.socket", "sallyport.service", may_fail=True)
    for unit in ("sallyport.socket", "sallyport.service"):
        system.run("systemctl", "start", unit)


def missing(found, system):
    """What the gateway cannot be set up without; nothing where its configuration is there already."""
    return [] if system.has(CONFIGURATION) else [key for key in ("hostname", "domains", "upstream") if not found.get(key)]


def everything(found, system, say):
    """All of it. Failed when the gateway cannot be set up with these answers; what was done until then stays."""
    lacking = missing(found, system)
    if lacking:
        raise Failed(f"{ANSWERS} lacks {', '.join(lacking)}")
    network(found, system)
    name(found, system)
    administrator(found, system)
    configuration(found, system, say)
    updates(found, system)
    system.write(ANSWERS, answers.written(found), 0o600)
    start(system)
    system.write(SET_UP, "")


def full_name_of_this_host():
    """What cloud-init or DHCP has named it, or nothing."""
    try:
        return answers.host_name(socket.gethostname())
    except answers.Wrong:
        return ""


def other_states(system):
    """Partitions with the state of an appliance that are not this one's: its former disk, put beside the new one."""
    listed = system.run("lsblk", "--noheadings", "--raw", "--output", "PATH,LABEL,MOUNTPOINT", may_fail=True).stdout
    lines = [line.split(" ") for line in listed.splitlines()]
    return [line[0] for line in lines if line[1:2] == ["sallyport-state"] and not "".join(line[2:])]


def adopt(device, system):
    """Copies configuration, certificates and state of another appliance's disk. Gives its answers."""
    place = system.path("/run/sallyport-appliance/former")
    place.mkdir(parents=True, exist_ok=True)
    system.run("mount", "-o", "ro,nosuid,nodev,noexec", device, place)
    try:
        text = (place / "etc/answers").read_text()
        found = answers.read(text)
        for part in ("etc", "state", "log"):
            system.run("cp", "--archive", "--force", f"{place}/{part}/.", system.path(f"{STATE}/{part}"))
        # The user has the number that this system has given it.
        system.run("chown", "-R", "sallyport:sallyport", system.path(f"{STATE}/state"), system.path(f"{STATE}/log"))
        system.run("chgrp", "-R", "sallyport", system.path(f"{STATE}/etc"))
        return found
    except OSError as error:
        raise Failed(f"{device} has no answers of an appliance: {error}") from None
    finally:
        system.run("umount", place, may_fail=True)


def forget_configuration(system):
    """Sets the configuration aside, so that configuration() writes another. Gives the name it has now."""
    path = system.path(CONFIGURATION)
    if not path.exists():
        return ""
    number = 1
    while (aside := path.with_name(f"{path.name}.before-{number}")).exists():
        number += 1
    shutil.move(path, aside)
    return str(aside)
