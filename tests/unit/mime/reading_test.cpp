// The tree of parts: structure, other readings, bounds (threats.md M1-M10, M14, I6).
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gateway/base/base64.h"
#include "gateway/base/cpu_time.h"
#include "tests/unit/mime/reading.h"

namespace sallyport::mime {
namespace {

std::string attachment(const std::string& name, const std::string& content) {
  return "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"" + name +
         "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + to_base64(content) + "\r\n";
}

std::vector<std::string> types(const ReadMail& mail) {
  std::vector<std::string> all;
  for (PartIndex i : mail.leaves()) all.push_back(mail.part(i).declared_type);
  return all;
}

TEST(Reading, OfAnOrdinaryMailHasNothingOdd) {
  const std::string mail =
      multipart("multipart/mixed; boundary=\"outer\"",
                "This is a multi-part message in MIME format.\r\n\r\n--outer\r\nContent-Type: multipart/alternative; "
                "boundary=\"outer.inner\"\r\n\r\n"
                "--outer.inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
                "quoted-printable\r\n\r\nHello =E2=82=AC\r\n--=20\r\nAnn\r\n"
                "--outer.inner\r\nContent-Type: text/html; "
                "charset=utf-8\r\n\r\n<p>Hello</p>\r\n--outer.inner--\r\n\r\n--outer\r\n" +
                    attachment("a b.pdf", "%PDF-1.4") +
                    "--outer\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?Q?forwarded?=\r\n\r\ninner "
                    "text\r\n--outer--\r\n");
  const ReadMail read = read_mail(mail);
  EXPECT_TRUE(read.tree.oddities.empty()) << to_field_text(read.tree.oddities);
  EXPECT_EQ(types(read), (std::vector<std::string>{"text/plain", "text/html", "application/octet-stream", ""}));
  const auto leaves = read.leaves();
  EXPECT_EQ(read.content(leaves[0]), "Hello \xe2\x82\xac\r\n-- \r\nAnn");
  EXPECT_EQ(read.part(leaves[2]).names.front().text, "a b.pdf");
  EXPECT_TRUE(read.part(leaves[2]).real_types.has(FileType::pdf));
  EXPECT_EQ(read.content(leaves[3]), "inner text");
  EXPECT_EQ(read.part(read.part(leaves[3]).parent).names.front().text, "forwarded.eml");
  Contents contents;
  EXPECT_EQ(contents.text(*read.message, read.tree, leaves[1]), "Hello\n");
}

// A line that begins like a delimiter, and whose end comes later.
TEST(Reading, TakesTheEndOfALineThatIsNoDelimiterForOne) {
  const std::string mail = "Content-Type: multipart/mixed; boundary=a\r\n\r\n-\r\n--a\r\n\r\n-\r\n--a--\r\n";
  const std::string whole = FieldWriter::json(read_mail(mail).tree);
  for (std::size_t piece = 1; piece < 9; ++piece)
    EXPECT_EQ(FieldWriter::json(read_mail(mail, piece).tree), whole) << piece;
}

TEST(Reading, DoesNotDependOnPieces) {
  std::mt19937 random(11);
  const std::string words[] = {"--b",
                               "--b--",
                               "--c",
                               "--bX",
                               "\r\n",
                               "\r\n\r\n",
                               "Content-Type: multipart/mixed; boundary=b\r\n",
                               "Content-Type: message/rfc822\r\n",
                               "Content-Transfer-Encoding: base64\r\n",
                               "Content-Type: text/plain\r\n",
                               "QUJD",
                               "=\r\n",
                               "begin 644 x\r\n#0V%T\r\nend\r\n",
                               " ",
                               "\t",
                               "\r",
                               "\n",
                               "=ybegin line=1 size=1 name=a\r\n",
                               "x: y\r\n",
                               "-",
                               "--",
                               "Content-Type: multipart/mixed; boundary=\"c\"; boundary=b\r\n"};
  for (int round = 0; round < 300; ++round) {
    std::string mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    const std::size_t count = random() % 40;
    for (std::size_t i = 0; i < count; ++i) mail += words[random() % std::size(words)];
    const std::string whole = FieldWriter::json(read_mail(mail).tree);
    EXPECT_EQ(FieldWriter::json(read_mail(mail, 1).tree), whole) << mail;
    EXPECT_EQ(FieldWriter::json(read_mail(mail, 1 + random() % 9, 0).tree), whole) << mail;
  }
}

TEST(Reading, OfTheFieldsGoesThereAndBack) {
  const ReadMail read = read_mail(mixed(attachment("x\xff.exe", "MZ")));
  auto json = JsonValue::parse(FieldWriter::json(read.tree));
  ASSERT_TRUE(json);
  Tree back;
  ASSERT_TRUE(FieldReader::read_json(*json, back));
  EXPECT_EQ(FieldWriter::json(back), FieldWriter::json(read.tree));
}

// M5: whichever boundary a reader takes, the part between its delimiters is found.
TEST(OtherReadings, OfEveryBoundary) {
  const std::string part = attachment("x.exe", harm);
  const std::string bodies[] = {
      multipart("multipart/mixed; boundary=a\r\nContent-Type: multipart/mixed; boundary=b",
                "--a\r\n\r\ntext\r\n--b\r\n" + part + "--b--\r\n--a--\r\n"),
      multipart("multipart/mixed; boundary=b\r\nContent-Type: multipart/mixed; boundary=a",
                "--a\r\n\r\ntext\r\n--b\r\n" + part + "--b--\r\n--a--\r\n"),
      multipart("multipart/mixed; boundary=a; boundary=b", "--a\r\n\r\ntext\r\n--b\r\n" + part + "--b--\r\n--a--\r\n"),
      multipart("multipart/mixed; boundary=b", "--bX\r\n" + part + "--bX--\r\n"),
      multipart("multipart/mixed; boundary=b", "--b\r\n\r\nfirst\r\n--b X\r\n" + part + "--b--\r\n"),
      multipart("multipart/mixed", "--z\r\n" + part + "--z--\r\n"),
      multipart("multipart/mixed; boundary=b", "--z\r\n" + part + "--z--\r\n"),
      multipart("multipart/mixed; boundary=b", "--b--\r\n--z\r\n" + part + "--z--\r\n"),
      multipart("multipart/mixed; boundary=b", "--b\r\n\r\na\r\n--b--\r\n--b\r\n" + part + "--b--\r\n"),
      multipart("text/plain; boundary=b", "--b\r\n" + part + "--b--\r\n"),
      multipart("text/plain", "hello\r\n--zz\r\n" + part + "--zz--\r\n"),
      multipart("multipart/mixed; boundary=\"b", "--b\r\n" + part + "--b--\r\n"),
      multipart("multipart/mixed; boundary=\"\"", "--\r\n" + part + "----\r\n"),
      multipart("multipart/mixed; boundary=b",
                "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + part + "--b--\r\n--b--\r\n"),
      multipart("multipart/mixed; boundary=bb",
                "--bb\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + part + "--b--\r\n--bb--\r\n"),
      multipart("multipart/mixed; boundary=b", "--b\r\n" + part),
      "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
          to_base64("--b\r\n" + part + "--b--\r\n"),
  };
  for (const std::string& mail : bodies) {
    const ReadMail read = read_mail(mail);
    EXPECT_TRUE(read.holds(harm)) << mail << FieldWriter::json(read.tree);
    EXPECT_TRUE(read.has_extension("exe")) << mail;
    EXPECT_EQ(read.tree.unscannable, Unscannable::no) << mail;
  }
}

TEST(OtherReadings, OfEveryTransferEncoding) {
  const std::string coded = to_base64(harm + harm);
  const std::string forms[] = {
      "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n" + coded,
      "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + coded,
      "Content-Transfer-Encoding: quoted-printable, base64\r\n\r\n" + coded,
      "Content-Transfer-Encoding: x-base64\r\n\r\n" + coded,
      "Content-Transfer-Encoding: (base64) base64\r\n\r\n" + coded,
      "Content-Transfer-Encoding: =?utf-8?q?base64?=\r\n\r\n" + coded,
      "X-A: b\rContent-Transfer-Encoding: base64\r\n\r\n" + coded,
      "X-A: b\r\n Content-Transfer-Encoding: base64\r\n\r\n" + coded,
      "Content-Transfer-Encoding: base64\r\n" + coded,
      "Content-Transfer-Encoding: base64\r\n \r\n" + coded,
      "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + coded,
  };
  for (const std::string& part : forms) {
    const ReadMail read = read_mail(mixed(part));
    EXPECT_TRUE(read.holds(harm)) << part << FieldWriter::json(read.tree);
  }
  std::string lines;
  const std::string longer(600, 'A');
  for (std::size_t i = 0; i < longer.size(); i += 57) lines += to_base64(longer.substr(i, 57)) + "\r\n";
  // None of it decoded, and all of it, where nobody knows.
  const std::string plain = "<a href='http://a.example/'>x</a>";
  for (const std::string& head : {std::string("base64"), std::string("base64, quoted-printable"), std::string("x")})
    EXPECT_TRUE(read_mail(mixed("Content-Type: text/html\r\nContent-Transfer-Encoding: " + head + "\r\n\r\n" + plain))
                    .holds(plain))
        << head;
  for (const std::string& body : {to_base64("harm"), std::string("h=61rm")})
    EXPECT_TRUE(
        read_mail(mixed("Content-Type: text/html\r\nContent-Transfer-Encoding: x\r\n\r\n" + body)).holds("harm"));
  for (const char* head : {"8 bit", "7bits", "6bit", "8bit;"})
    EXPECT_EQ(
        read_mail("Content-Transfer-Encoding: " + std::string(head) + "\r\n\r\nhello = bye\r\n").tree.parts.size(), 1U)
        << head;
  const ReadMail undeclared = read_mail(mixed("Content-Type: application/octet-stream\r\n\r\n" + lines));
  EXPECT_TRUE(undeclared.holds(longer));
  EXPECT_TRUE(undeclared.tree.oddities.has(Oddity::encoding_mismatch));
}

TEST(WithinText, FilesAreFound) {
  const std::string uu = "begin 644 cat.exe\r\n#0V%T\r\n`\r\nend\r\n";
  const ReadMail read = read_mail("Content-Type: text/plain\r\n\r\nsee below\r\n" + uu + "bye\r\n" + uu);
  EXPECT_TRUE(read.holds("Cat"));
  EXPECT_TRUE(read.has_extension("exe"));
  EXPECT_EQ(read.tree.parts.size(), 3U);
  EXPECT_EQ(read.part(1).size, 3U);
  EXPECT_EQ(read.part(1).origin, Origin::embedded);
  const ReadMail coded =
      read_mail("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + to_base64("x\r\n" + uu));
  EXPECT_TRUE(coded.holds("Cat"));
  EXPECT_TRUE(
      read_mail(
          "Content-Type: text/plain\r\n\r\n=ybegin line=128 size=3 name=a.exe\r\n\x6d\x8b\x9e\r\n=yend size=3\r\n")
          .holds("Cat"));
  EXPECT_EQ(
      read_mail("Content-Type: text/plain\r\n\r\nbegin 644 words of a sentence\r\nthat goes on\r\n").content(0).size(),
      45U);
  EXPECT_TRUE(read_mail("\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQ\r\n").part(0).is_encrypted);
}

TEST(Messages, AreReadWhereverTheyStand) {
  const std::string inner = "Subject: inner\r\n" + mixed(attachment("x.exe", harm));
  const std::string forms[] = {
      "Content-Type: message/rfc822\r\n\r\n" + inner,
      "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + to_base64(inner),
      "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + inner,
      "Content-Type: message/global\r\n\r\n" + inner};
  for (const std::string& part : forms) {
    const ReadMail read = read_mail(multipart("multipart/mixed; boundary=o", "--o\r\n" + part + "\r\n--o--\r\n"));
    EXPECT_TRUE(read.holds(harm)) << part << FieldWriter::json(read.tree);
    EXPECT_TRUE(read.has_extension("exe"));
    EXPECT_TRUE(read.has_extension("eml"));
  }
  EXPECT_TRUE(
      read_mail(multipart("multipart/digest; boundary=o", "--o\r\n\r\n" + inner + "\r\n--o--\r\n")).holds(harm));
  // Encoded within encoded, each level in the decoded content of the one before.
  std::string nested = inner;
  for (int i = 0; i < 5; ++i)
    nested = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + to_base64(nested);
  const ReadMail read = read_mail(nested, 1000, 0);
  EXPECT_TRUE(read.holds(harm)) << FieldWriter::json(read.tree);
  EXPECT_TRUE(read_mail("Content-Type: message/partial; id=a; number=1; total=2\r\n\r\nx")
                  .tree.oddities.has(Oddity::partial_message));
  EXPECT_TRUE(read_mail("Content-Type: message/external-body; access-type=URL\r\n\r\nx")
                  .tree.oddities.has(Oddity::external_body));
}

TEST(Types, AreHeldAgainstLabelsAndNames) {
  const std::string program =
      std::string("MZ") + std::string(0x3a, '\0') + little(0x40, 4) + std::string("PE\0\0", 4) + std::string(100, '\0');
  const auto is_odd = [](const std::string& type, const std::string& name, const std::string& content) {
    const ReadMail read =
        read_mail(mixed("Content-Type: " + type + "; name=\"" + name +
                        "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + to_base64(content) + "\r\n"));
    return read.tree.oddities.has(Oddity::type_mismatch);
  };
  EXPECT_TRUE(is_odd("image/png", "a.png", program));
  EXPECT_TRUE(is_odd("application/octet-stream", "a.pdf", program));
  EXPECT_TRUE(is_odd("text/plain", "a.txt", program));
  EXPECT_TRUE(is_odd("application/pdf", "a.pdf", program));
  EXPECT_FALSE(is_odd("application/octet-stream", "a.exe", program));
  EXPECT_FALSE(is_odd("application/x-msdownload", "a.exe", program));
  EXPECT_FALSE(is_odd("application/pdf", "a.pdf", "%PDF-1.5"));
  EXPECT_FALSE(is_odd("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx",
                      "PK\x03\x04" + std::string(26, 'x') + "[Content_Types].xml"));
  EXPECT_FALSE(is_odd("image/jpeg", "a.jpg", "\x89PNG\r\n\x1a\n"));
  EXPECT_FALSE(is_odd("text/html", "a.html", "<html>"));
  EXPECT_FALSE(is_odd("text/x-sh", "a.sh", "#!/bin/sh"));
}

TEST(Types, OfPolyglotsAreAll) {
  const std::string zip_end = std::string("PK\5\6", 4) + std::string(18, '\0');
  const ReadMail read =
      read_mail("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                to_base64("GIF89a" + std::string(2000, 'x') + "%PDF-" + zip_end));
  EXPECT_TRUE(read.part(0).real_types.has(FileType::gif));
  EXPECT_TRUE(read.part(0).real_types.has(FileType::zip));
  std::string iso(0x9100, '\0');
  iso.replace(0x8001, 5, "CD001");
  EXPECT_TRUE(
      read_mail("Content-Transfer-Encoding: base64\r\n\r\n" + to_base64(iso)).part(0).real_types.has(FileType::iso));
}

// M1, M2, I6
TEST(Bounds, MakeAMailUnscannable) {
  std::string deep;
  for (int i = 0; i < 40; ++i)
    deep +=
        "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\r\n\r\n--b" + std::to_string(i) + "\r\n";
  EXPECT_EQ(read_mail(deep).tree.unscannable, Unscannable::depth);
  std::string messages;
  for (int i = 0; i < 40; ++i) messages += "Content-Type: message/rfc822\r\n\r\n";
  EXPECT_EQ(read_mail(messages).tree.unscannable, Unscannable::depth);
  std::string many = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 1001; ++i) many += "--b\r\n\r\n";
  EXPECT_TRUE(read_mail(many).tree.unscannable == Unscannable::parts ||
              read_mail(many).tree.unscannable == Unscannable::memory);
  std::string few = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 300; ++i) few += "--b\r\n\r\nx\r\n";
  EXPECT_EQ(read_mail(few + "--b--\r\n").tree.unscannable, Unscannable::no);
  // As many as there may be, the mail itself among them, and one more.
  std::string all = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 999; ++i) all += "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nx\r\n";
  EXPECT_EQ(read_mail(all + "--b--\r\n").tree.unscannable, Unscannable::no);
  EXPECT_EQ(read_mail(all + "--b\r\n\r\nx\r\n--b--\r\n").tree.unscannable, Unscannable::parts);
  std::string fields = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
  for (int i = 0; i < 1100; ++i) fields += "X: y\r\n";
  EXPECT_EQ(read_mail(fields + "\r\n").tree.unscannable, Unscannable::header);
  EXPECT_EQ(read_mail("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: " +
                      std::string(70000, 'x') + "\r\n\r\n")
                .tree.unscannable,
            Unscannable::header);
}

TEST(Bounds, OfTheTreeAreKept) {
  std::string mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 900; ++i)
    mail += "--b\r\nContent-Disposition: attachment; filename=\"" + std::string(900, 'n') + std::to_string(i) +
            "\"\r\n\r\nx\r\n";
  const ReadMail read = read_mail(mail);
  EXPECT_EQ(read.tree.unscannable, Unscannable::memory);
  std::size_t octets = 0;
  for (const Part& part : read.tree.parts) {
    octets += sizeof part;
    for (const Name& name : part.names) octets += sizeof name + name.text.size();
  }
  EXPECT_LE(octets, Limits().tree_octets + 4096);
}

TEST(Bounds, OfRereadingAreKept) {
  // Each part has other readings, and each of these has more.
  std::string mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 400; ++i) {
    mail += "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
            to_base64("--x" + std::to_string(i) + "\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==QUFB#\r\n") +
            "=QUFB#\r\n";
  }
  const ReadMail read = read_mail(mail);
  EXPECT_NE(read.tree.unscannable, Unscannable::no);
  const std::string dashes = [] {
    std::string all = "Content-Type: multipart/mixed; boundary=\"-\"\r\n\r\n";
    for (int i = 0; i < 20000; ++i) all += "---" + std::string(static_cast<std::size_t>(i % 50), '-') + "x\r\n";
    return all;
  }();
  read_mail(dashes);
}

TEST(Bounds, OfTimeAreLinear) {
  const auto repeat = [](const std::string& what, std::size_t octets) {
    std::string all;
    while (all.size() < octets) all += what;
    return all;
  };
  std::string nested;
  for (int i = 0; i < 30; ++i)
    nested += "Content-Type: multipart/mixed; boundary=" + std::string(200, 'b') + std::to_string(i) + "\r\n\r\n--" +
              std::string(200, 'b') + std::to_string(i) + "\r\n";
  const std::string heads[] = {"Content-Type: multipart/mixed; boundary=b\r\n\r\n", "\r\n",
                               "Content-Transfer-Encoding: quoted-printable\r\n\r\n", nested + "\r\n"};
  const std::string fillings[] = {"--bb\r\n",
                                  "begin 644 x\r\n",
                                  "--\r\n",
                                  "--" + std::string(100, 'b') + "\r\n",
                                  "=\r\n",
                                  "--z\r\nx: y\r\n",
                                  " \r",
                                  "\r",
                                  "-",
                                  "=?",
                                  "--b\r\n \r\nQUJD\r\n"};
  for (const std::string& head : heads) {
    for (const std::string& filling : fillings) {
      const Duration before = thread_cpu_time();
      read_mail(head + repeat(filling, std::size_t{1} << 20), 1u << 14);
      EXPECT_LT(thread_cpu_time() - before, std::chrono::seconds(4)) << head.substr(0, 60) << filling.substr(0, 30);
    }
  }
}

TEST(Contents, AreInTheirCharset) {
  const auto text = [](const std::string& head, const std::string& body) {
    const ReadMail read = read_mail(head + "\r\n\r\n" + body);
    Contents contents;
    return contents.source(*read.message, read.tree, 0).utf8;
  };
  EXPECT_EQ(text("Content-Type: text/plain; charset=koi8-r", "\xd0\xd2\xc9\xd7\xc5\xd4"),
            "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
  EXPECT_EQ(text("Content-Type: text/plain; charset=utf-7", "Hi Mom -+Jjo--!"), "Hi Mom -\xe2\x98\xba-!");
  EXPECT_EQ(text("Content-Type: text/plain; charset=iso-2022-jp", "\x1b$B@$3&\x1b(B"), "\xe4\xb8\x96\xe7\x95\x8c");
  EXPECT_EQ(text("Content-Type: text/plain; charset=us-ascii", std::string("\xff\xfeh\0i\0", 6)), "hi");
  EXPECT_EQ(text("Content-Type: text/plain", std::string("h\0e\0l\0l\0o\0", 10)), "hello");
  EXPECT_EQ(text("Content-Type: text/plain", "caf\xe9"), "caf\xc3\xa9");
  EXPECT_EQ(text("Content-Type: text/plain; charset=no-such-thing", "caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(text("Content-Type: text/html", "<meta charset=koi8-r>\xd0"), "<meta charset=koi8-r>\xd0\xbf");
}

TEST(Reading, FindsTheMessageInAFile) {
  const std::string inner = "Received: from a\r\n by b\r\n" + mixed(attachment("x.exe", harm));
  for (const char* head :
       {"application/octet-stream; name=a.bin", "text/plain; name=a.EML", "image/png; name=page.mht"}) {
    const ReadMail read = read_mail(mixed("Content-Type: " + std::string(head) +
                                          "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + to_base64(inner)));
    EXPECT_TRUE(read.holds(harm) && read.has_extension("exe")) << head;
  }
  // The text of a mail may begin like one.
  EXPECT_EQ(
      read_mail("Content-Type: text/plain\r\n\r\nReceived: from a\r\nSubject: x\r\n\r\nhello\r\n").tree.parts.size(),
      1U);
}

// Every text that a mail shows to some reader (threats.md M9).
std::string all_texts(const ReadMail& mail) {
  Contents contents;
  std::string all;
  for (PartIndex i = 0; i < mail.tree.parts.size(); ++i) all += contents.text(*mail.message, mail.tree, i) + "\n";
  return all;
}

TEST(Contents, AreInEachCharsetThatSomeReaderTakesThemFor) {
  const auto texts = [](const std::string& type, const std::string& content) {
    const ReadMail mail = read_mail("Content-Type: " + type + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                                    to_base64(content) + "\r\n");
    return all_texts(mail);
  };
  const std::string plain = "see wherever it hides";
  for (const char* label : {"utf-16", "UTF-16LE", "utf-16be", "utf-32", "utf-7", "cp037", "utf-8; charset=utf-16",
                            "utf-16; charset=utf-8", "no-such-thing", ""}) {
    const std::string charset = std::string("; charset=") + label;
    EXPECT_NE(texts("text/plain" + charset, plain).find(plain), std::string::npos) << label;
    EXPECT_NE(texts("text/html" + charset, "<i>" + plain + "</i>").find(plain), std::string::npos) << label;
  }
  // A beginning that is UTF-16, or says to be, in front of what is not.
  std::string turned;
  for (int i = 0; i < 40; ++i) turned += std::string("\0x", 2);
  EXPECT_NE(texts("text/plain", turned + plain).find(plain), std::string::npos);
  EXPECT_NE(texts("text/plain; charset=utf-8", "\xff\xfe" + plain).find(plain), std::string::npos);
  // What the second of two labels or the HTML says.
  const std::string in_utf_7 = "+AHM-ee wherever it +AGg-ides";
  EXPECT_NE(texts("text/plain; charset=utf-8; charset=utf-7", in_utf_7).find(plain), std::string::npos);
  EXPECT_NE(texts("text/html", "<meta charset=utf-7>" + in_utf_7).find(plain), std::string::npos);
}

TEST(Contents, AreInOneCharsetWhereReadersAgree) {
  for (const char* type :
       {"text/plain; charset=iso-2022-jp", "text/plain; charset=shift_jis", "text/plain; charset=gb18030",
        "text/html; charset=big5", "text/plain; charset=koi8-r", "text/plain"}) {
    EXPECT_EQ(read_mail(std::string("Content-Type: ") + type + "\r\n\r\nhello\r\n").tree.parts.size(), 1u) << type;
  }
}

TEST(Contents, AreBounded) {
  const ReadMail read =
      read_mail(multipart("multipart/mixed; boundary=b", "--b\r\n\r\n" + std::string(5000, 'x') + "\r\n--b\r\n\r\n" +
                                                             std::string(5000, 'y') + "\r\n--b--\r\n"));
  Contents contents(6000);
  EXPECT_EQ(contents.source(*read.message, read.tree, 1).utf8.size(), 5000U);
  EXPECT_TRUE(contents.source(*read.message, read.tree, 1).is_whole);
  EXPECT_EQ(contents.source(*read.message, read.tree, 2).utf8.size(), 1000U);
  EXPECT_FALSE(contents.source(*read.message, read.tree, 2).is_whole);
  EXPECT_EQ(contents.bytes(*read.message, read.tree, 2, 10)->size(), 10U);
  EXPECT_TRUE(contents.text(*read.message, read.tree, 99).empty());
}

TEST(Contents, ForgottenAreReadAnew) {
  const ReadMail read =
      read_mail("Content-Type: text/html\r\n\r\n<p>" + std::string(3000, 'x') + "<a href=https://a.example>shown</a>");
  Contents contents(8000);
  const std::string shown = contents.text(*read.message, read.tree, 0);
  ASSERT_NE(shown.find("shown"), std::string::npos);
  for (int i = 0; i < 3; ++i) {
    contents.forget();  // also the room that they had
    EXPECT_EQ(contents.text(*read.message, read.tree, 0), shown);
    EXPECT_TRUE(contents.source(*read.message, read.tree, 0).is_whole);
    EXPECT_EQ(contents.html(*read.message, read.tree, 0).links.size(), 1U);
  }
}

TEST(Storage, ThatFailsIsNotClean) {
  const std::string mail = mixed("Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                                 to_base64(std::string(300000, 'x')));
  mail::FakeSpool spool;
  mail::Message message(mail::MessageLimits{std::uint64_t{1} << 22, 4096}, spool);
  message.append(mail);
  message.parse_header();
  spool.read_fails = true;
  EXPECT_EQ(read_tree(message).unscannable, Unscannable::storage);
}

}  // namespace
}  // namespace sallyport::mime
