"""The four questions of the first start."""
import subprocess

import answers

WELCOME = """
Sallyport: an SMTP gateway in front of your mail server.

Four questions, then it serves. All of it can be changed later; `sudo sallyport-appliance setup` asks again.
"""
NETWORK = """
1 of 4. Network: dhcp, or ADDRESS/PREFIX GATEWAY DNS, such as 192.0.2.10/24 192.0.2.1 192.0.2.53
"""
NAME = """
2 of 4. Full name of this gateway, as in your MX records, and the domains it takes mail for; with the name alone, its own domain.
        Such as: mx1.example.com example.com example.org
"""
UPSTREAM = """
3 of 4. The mail server behind it: address or name, such as 10.0.0.5:25
"""
ADMINISTRATOR = """
4 of 4. Administrator, who is "admin": a public key for ssh (one line, as in id_ed25519.pub), or nothing for a password, which
        is for this console alone.
"""


def hash_of(password):
    return subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password + "\n", capture_output=True, text=True,
                          check=True).stdout.strip()


def until_right(console, question, former, take):
    """Asks until take() takes the answer; an empty one is the former."""
    while True:
        line = console.ask(f"{question}{f'[{former}] ' if former else ''}> ").strip() or former
        try:
            return line, take(line)
        except answers.Wrong as wrong:
            console.say(f"   {wrong}\n")
            question = ""


def ask_password(console):
    while True:
        password = console.ask_in_secret(f"   Password of at least {answers.SHORTEST_PASSWORD} characters: ")
        try:
            answers.password(password)
        except answers.Wrong as wrong:
            console.say(f"   {wrong}\n")
            continue
        if console.ask_in_secret("   Once more: ") == password:
            return hash_of(password)
        console.say("   These were two different ones.\n")


def ask_once(console, found):
    """The answers, with what `found` has already as what an empty line stands for."""
    result = dict(found)
    result["network"], _ = until_right(console, NETWORK, found.get("network", "dhcp"), answers.network)
    former = " ".join([found["hostname"], *answers.domains(found["domains"])]) if found.get("hostname") and found.get("domains") \
        else found.get("hostname", "")
    _, (name, domains) = until_right(console, NAME, former, answers.name_and_domains)
    result["hostname"], result["domains"] = name, " ".join(domains)
    result["upstream"], _ = until_right(console, UPSTREAM, found.get("upstream", ""), answers.upstream)
    _, key = until_right(console, ADMINISTRATOR, found.get("administrator", ""), answers.administrator)
    result.pop("administrator", None)
    if key:
        result["administrator"] = key
    elif not found.get("password_hash") or console.ask("   Keep the present password? [yes] > ").strip().lower() in ("n", "no"):
        result["password_hash"] = ask_password(console)
    return result


def ask(console, found):
    """Asks the four, shows what was understood, and begins anew when that is not what was meant."""
    console.say(WELCOME)
    while True:
        found = ask_once(console, found)
        way_in = "ssh with the key" if found.get("administrator") else "password at the console"
        console.say(f"""
  network        {found["network"]}
  name           {found["hostname"]}
  mail for       {found["domains"]}
  mail server    {found["upstream"]}
  administrator  admin, by {way_in}
""")
        if console.ask("Enter takes this; n asks again > ").strip().lower() not in ("n", "no"):
            return found
