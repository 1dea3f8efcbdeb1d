#!/usr/bin/env python3
"""Rules in Lua that look at the content of mails, on the running program: files, texts, URLs, in whatever way they are written."""
import base64
import json
import unittest

from support import PROGRAM, Client, GatewayTest, run, wait_until

RULES = """
local function list(of, field)
  local out = {}
  for i, one in ipairs(of) do out[i] = tostring(field and one[field] or one) end
  return table.concat(out, ",")
end
sp.rule { name = "FILES", stage = "message", run = function(tx)
  local files = tx.msg:files()
  return #files > 0 and sp.hit { detail = list(files, "name") .. " " .. list(files, "ext") .. " " .. list(files, "real_type") } or nil
end }
sp.rule { name = "PROGRAM", stage = "message", run = function(tx)
  for _, file in ipairs(tx.msg:files()) do
    if file.is_program or file.ext == "exe" then return sp.reject(550, "5.7.1", "Programs are not accepted") end
  end
end }
sp.rule { name = "DOMAINS", stage = "message", run = function(tx)
  local domains = tx.msg:url_domains { max = 3 }
  return #domains > 0 and sp.hit { detail = list(domains) } or nil
end }
sp.rule { name = "LINKS", stage = "message", run = function(tx)
  for _, url in ipairs(tx.msg:urls()) do
    if url.shows_other then return sp.hit { detail = url.shown .. " leads to " .. url.host } end
  end
end }
sp.rule { name = "WORDS", stage = "message", run = function(tx)
  return tx.msg:text():find("secret word", 1, true) and sp.hit { detail = tostring(tx.msg:html() ~= nil) } or nil
end }
"""

PROGRAM_FILE = b"MZ" + bytes(58) + b"\x40\0\0\0" + b"PE\0\0" + bytes(100)


def mixed(*parts):
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return f"From: ann@sender.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}--b--\r\n"


def attachment(name, content):
    return (f'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="{name}"\r\n'
            f"Content-Transfer-Encoding: base64\r\n\r\n{base64.encodebytes(content).decode().strip()}")


class Content(GatewayTest):
    content = "enforce"
    rules_text = RULES

    def setUp(self):
        super().setUp()
        self.receiver = self.sink()
        self.log_file = self.folder / "gateway.log"
        self.gateway(self.receiver.port, log={"format": "json", "target": f"file:{self.log_file}"},
                     policy={"mode": "off", "content": {"mode": self.content},
                             "rules": {"mode": "enforce", "path": self.rules(self.rules_text), "on_error": "skip"}})

    def send(self, message, code=250):
        with Client(self.port) as client:
            client.greet()
            client.mail("ann@sender.example")
            answer = client.message(message, code)
            client.ask("QUIT", 221)
        return answer

    def lines(self, event="transaction"):
        text = self.log_file.read_text() if self.log_file.exists() else ""
        return [line for line in map(json.loads, text.splitlines()) if line.get("event") == event]

    def symbols(self, message):
        before = len(self.lines())
        self.send(message)
        wait_until("the mail is logged", lambda: len(self.lines()) > before)
        return self.lines()[-1]["symbols"]


class Seen(Content):
    def test_a_program_is_refused_by_its_content_or_its_name(self):
        self.send(mixed(attachment("holiday.png", PROGRAM_FILE)), 550)
        self.send(mixed(attachment("holiday.png.exe", b"no program")), 550)
        inner = mixed(attachment("deep.exe", b"x")).replace("boundary=b", "boundary=c").replace("--b", "--c")
        self.send(mixed("Content-Type: message/rfc822\r\n\r\n" + inner), 550)
        self.send("From: a@b.example\r\n\r\nsee\r\nbegin 644 run.exe\r\n#0V%T\r\n`\r\nend\r\n", 550)
        self.send(mixed(attachment("notes.txt", b"notes")))

    def test_files_texts_and_urls_are_what_stands_in_the_mail(self):
        html = ('Content-Type: text/html\r\n\r\n<p>a secret <b>word</b></p>'
                '<a href="https://login.evil.example.com/x">www.bank.example.org</a>')
        self.assertEqual(self.symbols(mixed("Content-Type: text/plain\r\n\r\nhello", attachment("a.pdf", b"%PDF-1.7 x"), html)),
                         ["rules:FILES", "rules:DOMAINS", "rules:LINKS", "rules:WORDS"])
        told = run([PROGRAM, "explain", "-", "-c", self.folder / "sallyport.toml", "--json", "--ip", "127.0.0.1",
                   "--from", "ann@sender.example", "--to", "user@test.example"],
                   input=mixed(attachment("a.pdf", b"%PDF-1.7 x"), html))
        self.assertIn("a.pdf pdf pdf", told.stdout)
        self.assertIn("www.bank.example.org leads to login.evil.example.com", told.stdout)
        self.assertIn("example.com,example.org", told.stdout)

    def test_an_ordinary_mail_has_none_of_it(self):
        self.assertEqual(self.symbols("From: a@b.example\r\n\r\nhello\r\n"), [])


class EachReader(Content):
    rules_text = """
sp.rule { name = "EVIL", stage = "message", run = function(tx)
  for _, domain in ipairs(tx.msg:url_domains()) do
    if domain == "example.com" then return sp.hit { detail = domain } end
  end
end }
"""

    def test_urls_are_seen_wherever_some_reader_shows_them(self):
        """Each of these mails shows a domain in a way of its own, to one reader or another."""
        def page(content, more=""):
            return f"From: a@b.example\r\nContent-Type: text/html; charset=utf-8{more}\r\n\r\n{content}\r\n"

        def text(content, kind="text/plain; charset=utf-8"):
            return f"From: a@b.example\r\nContent-Type: {kind}\r\n\r\n{content}\r\n"

        mails = [
            text("see http://evil.example.com/x", "text/plain; charset=utf-16"),
            text("see http://evil.exam+AHA-le.com/x", "text/plain; charset=utf-8; charset=utf-7"),
            text("see http://evil.exam \r\nple.com/x", "text/plain; format=flowed; delsp=yes"),
            text("BEGIN:VCALENDAR\r\nDESCRIPTION:http://evil.exam\r\n ple.com/x\r\nEND:VCALENDAR", "text/calendar"),
            text("BEGIN:VCALENDAR\r\nURL:http://evil.example.com/", "application/octet-stream; name=a.ics"),
            text("<!-- " + "x" * 3000 + " -->\r\n<p>a</p><a href='http&#58;//evil.example.com/'>b</a>",
                 "application/octet-stream; name=a.html"),
            page("<p style='visibility:hidden'>see http://evil.example.com/x</p>"),
            page("<script>location = 'http:\\/\\/evil.example.com\\/x'</script>"),
            page("<body onload=\"location='http://evil.example.com/x'\">"),
            page("<iframe srcdoc=\"<a href='http://evil.example.com/x'>x</a>\"></iframe>"),
            page("<a href='data:text/html,%3Ca%20href=http://evil.example.com/%3E'>x</a>"),
            page("<meta http-equiv=refresh content='0; http://evil.example.com/'>"),
            page("<style>@import 'http://evil.example.com/a.css';</style>"),
            page("<!--[if mso]><p>a</p><![endif]-->" * 30 + "<!--[if mso]><a href='http://evil.example.com/'>x</a><![endif]-->"),
            text("Content-Type: text/plain\r\n\r\n", 'message/external-body; access-type=URL; URL="http://evil.example.com/"'),
            "From: a@b.example\r\nList-Unsubscribe: <mailto:a@b.example>,\r\n\t<http://evil.exam\r\n\tple.com/x>\r\n\r\nhello\r\n",
            page("<a href='http://evil.example.com/'>click here</a>", "\r\nContent-Transfer-Encoding: base64"),
            'From: a@b.example\r\nReply-To: "x y"@evil.example.com\r\n\r\nhello\r\n',
        ]
        for mail in mails:
            with self.subTest(mail=mail):
                self.assertIn("rules:EVIL", self.symbols(mail))


class Off(Content):
    content = "off"

    def test_without_the_content_policy_rules_that_ask_for_it_fail_and_say_so(self):
        self.send(mixed(attachment("a.exe", PROGRAM_FILE)))
        faults = wait_until("five faults", lambda: len(self.lines("fault")) == 5 and self.lines("fault"))
        self.assertEqual(sorted(line["rule"] for line in faults), ["DOMAINS", "FILES", "LINKS", "PROGRAM", "WORDS"])


if __name__ == "__main__":
    unittest.main()
