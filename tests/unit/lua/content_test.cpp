// What rules see of a mail's content: parts, files, texts, URLs.
#include "tests/unit/lua/content_fixture.h"

namespace sallyport::lua {
namespace {

using Kind = RunResult::Kind;

std::string mixed(const std::vector<std::string>& parts, const std::string& head = "From: ann@example.org\r\n") {
  std::string octets = head + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (const std::string& part : parts) octets += "--b\r\n" + part + "\r\n";
  return octets + "--b--\r\n";
}
std::string text_part(const std::string& text) { return "Content-Type: text/plain\r\n\r\n" + text; }
std::string html_part(const std::string& html) { return "Content-Type: text/html\r\n\r\n" + html; }
std::string file_part(const std::string& name, const std::string& content = "content") {
  return "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"" + name +
         "\"\r\n\r\n" + content;
}

class ContentRules : public ContentTest {
 protected:
  // The values of the expression, a list or one value, with a space between two.
  std::string list_of(const std::string& expression) {
    write("r.lua", rule_text("local t = " + expression +
                             " if type(t) ~= 'table' then return sp.hit { detail = tostring(t) } end "
                             "local out = {} for i, v in ipairs(t) do out[i] = tostring(v) end "
                             "return sp.hit { detail = table.concat(out, ' ') }"));
    load();
    if (HasFatalFailure()) return "does not load";
    const RunResult result = run();
    return result.kind == Kind::verdict ? result.fact.detail : "failed";
  }
  // A field of each file.
  std::string of_files(const std::string& field) {
    return list_of("(function() local out = {} for _, f in ipairs(tx.msg:files()) do out[#out + 1] = tostring(f." +
                   field + ") end return out end)()");
  }
};

TEST_F(ContentRules, FilesHaveNamesTypesAndDigests) {
  set_mail(mixed({text_part("hello"), file_part("Invoice.PDF.exe", "MZ"), file_part("notes.txt")}));
  EXPECT_EQ(of_files("name"), "Invoice.PDF.exe notes.txt");
  EXPECT_EQ(of_files("ext"), "exe txt");
  EXPECT_EQ(of_files("declared_type"), "application/octet-stream application/octet-stream");
  EXPECT_EQ(of_files("size"), "2 7");
  EXPECT_EQ(of_files("real_type"), "dos_executable text");
  EXPECT_EQ(of_files("is_program"), "true false");
  EXPECT_EQ(of_files("is_archive"), "false false");
  EXPECT_EQ(of_files("encrypted"), "false false");
  EXPECT_EQ(of_files("is_attachment"), "true true");
  EXPECT_EQ(of_files("sha256:sub(1, 8)"), "9b8db510 ed7002b4");
  EXPECT_EQ(list_of("tx.msg:files()[1].oddities"), "deceptive_name");
}

TEST_F(ContentRules, TheMostHarmfulExtensionOfSeveralNamesIsTheOne) {
  set_mail(
      mixed({"Content-Type: image/png; name=\"a.png\"\r\n"
             "Content-Disposition: attachment; filename=\"b.gif\"; filename*=UTF-8''c.js\r\n\r\nx"}));
  EXPECT_EQ(list_of("tx.msg:files()[1].ext"), "js");
  EXPECT_EQ(list_of("#tx.msg:files()[1].names"), "3");
  EXPECT_EQ(list_of("tx.msg:files()[1].exts[1]"), "js");
  EXPECT_EQ(list_of("#tx.msg:files()[1].exts"), "3");
}

TEST_F(ContentRules, FilesOfAttachedMessagesAreFoundAsDeepAsAsked) {
  const std::string inner = mixed({file_part("inner.exe")});
  set_mail(mixed({file_part("outer.txt"), "Content-Type: message/rfc822\r\n\r\n" + inner},
                 "From: x@y.example\r\n"
                 "Subject: outer\r\n"));
  // The attached message has another boundary value within only if it is written so; here both are "b".
  EXPECT_EQ(list_of("tx.msg:files { depth = 0 }[1].name"), "outer.txt");
  EXPECT_EQ(list_of("#tx.msg:files { depth = 0 }"), "1");
  EXPECT_EQ(list_of("tx.msg:files()[2].name"), "inner.exe");
}

TEST_F(ContentRules, FilesWithinTextAreFiles) {
  set_mail("From: a@b.example\r\n\r\nsee\r\nbegin 644 run.vbs\r\n#0V%T\r\n`\r\nend\r\n");
  EXPECT_EQ(of_files("name"), "run.vbs");
  EXPECT_EQ(list_of("tx.msg:files()[1]:bytes(10)"), "Cat");
}

TEST_F(ContentRules, PartsAreAllOfThem) {
  set_mail(mixed({text_part("hello"), file_part("a.txt")}));
  EXPECT_EQ(list_of("#tx.msg:parts()"), "3");
  EXPECT_EQ(list_of("tx.msg:parts()[1].is_container"), "true");
  EXPECT_EQ(list_of("tx.msg:parts()[2].depth"), "1");
  EXPECT_EQ(list_of("tx.msg:parts()[2].name"), "nil");
  EXPECT_EQ(list_of("tx.msg:parts()[2].ext"), "nil");
  EXPECT_EQ(list_of("tx.msg.unscannable"), "nil");
}

TEST_F(ContentRules, TextIsWhatAReaderSees) {
  set_mail(mixed({text_part("plain words"), html_part("<style>p{}</style><p>Shown</p><p style='display:none'>hid</p>"),
                  file_part("a.txt", "not read")}));
  EXPECT_EQ(list_of("tx.msg:text()"), "plain words?Shown?");
  EXPECT_NE(list_of("tx.msg:html()").find("display:none"), std::string::npos);
  EXPECT_EQ(list_of("tx.msg:parts()[3]:text()"), "Shown?");
  EXPECT_EQ(list_of("tx.msg:files()[1]:text()"), "nil");
}

TEST_F(ContentRules, AMailWithoutHtmlHasNone) {
  set_mail("From: a@b.example\r\n\r\nwords");
  EXPECT_EQ(list_of("tx.msg:html()"), "nil");
  EXPECT_EQ(list_of("tx.msg:text()"), "words");
  EXPECT_EQ(list_of("tx.msg:urls()"), "");
  EXPECT_EQ(list_of("tx.msg:files()"), "");
}

TEST_F(ContentRules, BytesAreTheFirstOnes) {
  set_mail(mixed({file_part("a.bin", "0123456789")}));
  EXPECT_EQ(list_of("tx.msg:files()[1]:bytes(4)"), "0123");
  EXPECT_EQ(list_of("tx.msg:files()[1]:bytes(400)"), "0123456789");
  EXPECT_EQ(list_of("tx.msg:files()[1]:bytes(0)"), "");
  for (const char* wrong : {"-1", "1e9", "'4'", "", "1.5", "4, 5"}) {
    EXPECT_EQ(list_of("tx.msg:files()[1]:bytes(" + std::string(wrong) + ")"), "failed") << wrong;
  }
}

TEST_F(ContentRules, UrlsHaveTheirParts) {
  set_mail(
      mixed({html_part("<a href='https://evil.example.com:444/a?b'>https://bank.example.org/</a>"
                       "<img src='http://pics.example.net/x.png'>")}));
  EXPECT_EQ(list_of("tx.msg:urls()"),
            "https://evil.example.com:444/a?b http://pics.example.net/x.png https://bank.example.org/");
  EXPECT_EQ(list_of("tx.msg:urls { max = 1 }"), "https://evil.example.com:444/a?b");
  const std::string first = "tx.msg:urls()[1].";
  EXPECT_EQ(list_of(first + "scheme"), "https");
  EXPECT_EQ(list_of(first + "host"), "evil.example.com");
  EXPECT_EQ(list_of(first + "domain"), "example.com");
  EXPECT_EQ(list_of(first + "port"), "444");
  EXPECT_EQ(list_of(first + "path"), "/a?b");
  EXPECT_EQ(list_of(first + "user"), "nil");
  EXPECT_EQ(list_of(first + "is_ip"), "false");
  EXPECT_EQ(list_of(first + "place"), "link");
  EXPECT_EQ(list_of(first + "shown"), "https://bank.example.org/");
  EXPECT_EQ(list_of(first + "shows_other"), "true");
  EXPECT_EQ(list_of(first + "within"), "nil");
  EXPECT_EQ(list_of(first + "tricks"), "");
}

TEST_F(ContentRules, DomainsStandInTheOrderOfSuspicion) {
  set_mail(mixed({text_part("see www.first.example.org and http://192.0.2.1/ and https://b.second.example.net/"),
                  html_part("<a href='https://evil.example.com/'>https://bank.example.edu/</a>")}));
  EXPECT_EQ(list_of("tx.msg:url_domains { max = 2 }"), "example.com example.net");
  EXPECT_EQ(list_of("#tx.msg:url_domains()"), "4");
}

TEST_F(ContentRules, MailAddressesAreUrlsWhereTheyAreAskedFor) {
  set_mail(mixed({text_part("write to bob@shop.example.com")}));
  EXPECT_EQ(list_of("tx.msg:urls()"), "");
  EXPECT_EQ(list_of("tx.msg:url_domains()"), "");
  EXPECT_EQ(list_of("tx.msg:urls { addresses = true }"), "mailto:ann@example.org mailto:bob@shop.example.com");
  EXPECT_EQ(list_of("tx.msg:url_domains { addresses = true }"), "example.com example.org");
}

TEST_F(ContentRules, BeforeStageMessageThereIsNoContent) {
  set_message("From: a@b.example\r\n\r\n");
  for (const char* call : {"text()", "html()", "urls()", "url_domains()", "files()", "parts()"}) {
    EXPECT_EQ(list_of("tx.msg:" + std::string(call)), "failed") << call;
  }
  EXPECT_EQ(list_of("tx.msg.unscannable"), "failed");
}

TEST_F(ContentRules, WrongOptionsAreErrors) {
  set_mail(mixed({file_part("a.txt")}));
  for (const char* call : {"files { deep = 1 }", "files { depth = -1 }", "files(1)", "urls { max = 'x' }",
                           "url_domains { addresses = 1 }", "text(1)"}) {
    EXPECT_EQ(list_of("tx.msg:" + std::string(call)), "failed") << call;
  }
  EXPECT_EQ(list_of("tx.msg:files()[1].nam"), "failed");
}

// threats.md L6, L8: a part or URL of one mail is of no use in the next one.
TEST_F(ContentRules, APartOfAMailThatIsOverIsAnError) {
  set_mail(mixed({file_part("a.txt"), text_part("https://www.example.com/")}));
  write("r.lua", "local kept\n" +
                     rule_text("kept = kept or { tx.msg:files()[1], tx.msg:urls()[1], function() return kept end }\n"
                               "return sp.hit { detail = kept[1].name .. ' ' .. tostring(kept[2]) }"));
  load();
  EXPECT_EQ(run().fact.detail, "a.txt https://www.example.com/");
  EXPECT_EQ(run().fact.detail, "a.txt https://www.example.com/");  // not kept: made again
}

TEST_F(ContentRules, HandlesOfAnotherTreeAreNeverOutOfRange) {
  set_mail(mixed({file_part("a.txt"), file_part("b.txt"), file_part("c.txt")}));
  write("r.lua", rule_text("local f = tx.msg:files() return sp.hit { detail = f[3].name }"));
  load();
  EXPECT_EQ(run().fact.detail, "c.txt");
  set_mail(mixed({file_part("a.txt")}));
  EXPECT_EQ(run().kind, Kind::error);  // f[3] is nil
}

// threats.md L1, L3: reading again and again is paid for by the run.
TEST_F(ContentRules, ReadingIsMetered) {
  set_mail(mixed({text_part(std::string(100'000, 'x')), file_part("a.bin", std::string(100'000, 'y'))}));
  settings.cpu = std::chrono::milliseconds(20);
  const RunResult endless =
      run_body("local f = tx.msg:files()[1] while true do local _ = f:bytes(500000), tx.msg:text() end");
  EXPECT_EQ(endless.kind, Kind::timeout);
  const RunResult hoard =
      run_body("local t = {} for i = 1, 1000 do t[i] = tx.msg:text() .. i end");
  EXPECT_TRUE(hoard.kind == Kind::memory || hoard.kind == Kind::timeout);
}

TEST_F(ContentRules, AddressesTellTheRegistrableDomain) {
  set_mail("From: Ann <ann@Mail.Example.CO.UK>\r\n\r\n");
  EXPECT_EQ(list_of("tx.msg.from.org_domain"), "example.co.uk");
  EXPECT_EQ(list_of("tx.from.org_domain"), "example.org");
  EXPECT_EQ(list_of("sp.address.parse('x@co.uk')[1].org_domain"), "co.uk");
  EXPECT_EQ(list_of("sp.address.org_domain('A.B.Example.com')"), "example.com");
  EXPECT_EQ(list_of("sp.address.org_domain('')"), "");
}

}  // namespace
}  // namespace sallyport::lua
