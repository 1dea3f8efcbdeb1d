// What is within containers of other formats: TNEF, opaque and compressed S/MIME (threats.md M10).
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/base/base64.h"
#include "gateway/base/text.h"
#include "tests/unit/mime/reading.h"

namespace sallyport::mime {
namespace {

std::string tnef_attribute(char level, std::uint32_t id, const std::string& value) {
  return level + little(id, 4) + little(value.size(), 4) + value + little(0, 2);
}
std::string tnef_property(std::uint16_t type, std::uint16_t id, const std::string& value) {
  std::string padded = value;
  while (padded.size() % 4 != 0) padded += '\0';
  return little(type, 2) + little(id, 2) + little(1, 4) + little(value.size(), 4) + padded;
}

TEST(Tnef, GivesItsFiles) {
  const std::string properties = little(4, 4) + little(0x0003, 2) + little(0x3705, 2) + little(1, 4) +
                                 tnef_property(0x1e, 0x3707, std::string("long name.exe", 14)) +
                                 tnef_property(0x0102, 0x3701, harm) + little(0x0102, 2) + little(0x8001, 2) +
                                 std::string(16, 'g') + little(1, 4) + little(4, 4) + std::string("n\0\0\0", 4) +
                                 little(1, 4) + little(2, 4) + std::string("zz\0\0", 4);
  const std::string envelope =
      little(0x223e9f78, 4) + little(1, 2) + tnef_attribute(1, 0x00089006, little(0x10000, 4)) +
      tnef_attribute(1, 0x0002800c, "the text") + tnef_attribute(2, 0x00069002, std::string(14, '\0')) +
      tnef_attribute(2, 0x00018010, std::string("short.exe", 10)) + tnef_attribute(2, 0x00069005, properties) +
      tnef_attribute(2, 0x00069002, std::string(14, '\0')) + tnef_attribute(2, 0x00018010, std::string("b.txt", 6)) +
      tnef_attribute(2, 0x0006800f, "plain data");
  const std::string head =
      "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  const ReadMail read = read_mail(mixed(head + to_base64(envelope)));
  EXPECT_EQ(read.tree.unscannable, Unscannable::no);
  for (const std::string& content : {harm, std::string("plain data"), std::string("the text")})
    EXPECT_TRUE(read.holds(content)) << FieldWriter::json(read.tree);
  std::vector<std::string> names;
  for (const Part& part : read.tree.parts) {
    for (const Name& name : part.names) names.push_back(name.text);
  }
  for (const char* name : {"long name.exe", "short.exe", "b.txt", "winmail.dat"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  // Cut anywhere, it is read, or unscannable; never clean with a file left out.
  for (std::size_t size = 6; size < envelope.size(); ++size) {
    const ReadMail cut = read_mail(mixed(head + to_base64(envelope.substr(0, size))));
    const bool is_at_attribute_end = cut.tree.unscannable == Unscannable::no;
    if (is_at_attribute_end) EXPECT_FALSE(cut.tree.parts.empty());
    EXPECT_EQ(FieldWriter::json(read_mail(mixed(head + to_base64(envelope.substr(0, size))), 1).tree),
              FieldWriter::json(cut.tree));
  }
}

TEST(Smime, ContentIsReadWithoutTrust) {
  const auto element = [](char tag, const std::string& value) {
    return tag + std::string("\x82") + static_cast<char>(value.size() >> 8) + static_cast<char>(value.size()) + value;
  };
  const auto cms = [&](char kind, const std::string& inner) {
    const std::string oid = std::string("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", 10) + kind;
    return element(
        '\x30', oid + element('\xa0', element('\x30', std::string("\x02\x01\x01", 3) + element('\x31', "") + inner)));
  };
  const std::string data_oid("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 11);
  const std::string entity = "Content-Type: application/octet-stream; name=x.exe\r\n\r\n" + harm;
  const std::string signed_mail = cms(2, element('\x30', data_oid + element('\xa0', element('\x04', entity))));
  const std::string head = "Content-Type: application/pkcs7-mime; smime-type=";
  const std::string coding = "; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  const ReadMail read = read_mail(head + "signed-data" + coding + to_base64(signed_mail));
  EXPECT_TRUE(read.holds(harm)) << FieldWriter::json(read.tree);
  EXPECT_TRUE(read.has_extension("exe"));
  EXPECT_FALSE(read.part(0).is_encrypted);
  EXPECT_EQ(read_mail(head + "signed-data" + coding + to_base64(signed_mail.substr(0, signed_mail.size() - 20)))
                .tree.unscannable,
            Unscannable::smime);
  EXPECT_TRUE(read_mail(head + "enveloped-data" + coding + to_base64(cms(3, ""))).part(0).is_encrypted);
  // By name alone, under a label that lies, and as text (RFC 8551, 3.9).
  EXPECT_TRUE(
      read_mail("Content-Type: application/octet-stream" + coding + to_base64(signed_mail)).has_extension("exe"));
  EXPECT_TRUE(read_mail(head + "certs-only" + coding + to_base64(signed_mail)).has_extension("exe"));
  EXPECT_TRUE(read_mail("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\n-----BEGIN PKCS7-----\r\n" +
                        to_base64(signed_mail) + "\r\n-----END PKCS7-----\r\n")
                  .has_extension("exe"));
  // Certificates, and nothing else: no content, and no fault.
  const ReadMail bare = read_mail(head + "certs-only" + coding + to_base64(cms(2, element('\x30', data_oid))));
  EXPECT_EQ(bare.tree.unscannable, Unscannable::no);
  EXPECT_EQ(bare.tree.parts.size(), 1U);
  EXPECT_TRUE(
      read_mail(multipart("multipart/encrypted; boundary=b", "--b\r\n\r\nx\r\n--b--\r\n")).part(0).is_encrypted);
}

// As signed content; within limits, whatever it is inflated to.
TEST(Smime, CompressedContentIsInflated) {
  const auto element = [](char tag, const std::string& value) {
    return tag + std::string("\x83") + static_cast<char>(value.size() >> 16) + static_cast<char>(value.size() >> 8) +
           static_cast<char>(value.size()) + value;
  };
  const auto compressed = [&](const std::string& content) {
    std::string packed(compressBound(content.size()), '\0');
    uLongf size = packed.size();
    EXPECT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(content.data()),
                       content.size()),
              Z_OK);
    packed.resize(size);
    const std::string oid("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", 13);
    const std::string zlib_oid("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08", 13);
    const std::string data_oid("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 11);
    const std::string inner = element('\x30', data_oid + element('\xa0', element('\x04', packed)));
    return element('\x30', oid + element('\xa0', element('\x30', std::string("\x02\x01\x00", 3) +
                                                                     element('\x30', zlib_oid) + inner)));
  };
  const auto mail_with = [](const std::string& cms) {
    return "Content-Type: application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\n" +
           to_base64(cms);
  };
  const std::string entity = "Content-Type: application/octet-stream; name=x.exe\r\n\r\n" + harm;
  const ReadMail read = read_mail(mail_with(compressed(entity)));
  EXPECT_EQ(read.tree.unscannable, Unscannable::no);
  EXPECT_TRUE(read.holds(harm)) << FieldWriter::json(read.tree);
  EXPECT_TRUE(read.has_extension("exe"));
  EXPECT_FALSE(read.part(0).is_encrypted);
  const bool has_origin = std::any_of(read.tree.parts.begin(), read.tree.parts.end(),
                                      [](const Part& part) { return part.origin == Origin::compressed_content; });
  EXPECT_TRUE(has_origin);
  // Within one another, and with what was signed.
  const ReadMail twice = read_mail(mail_with(compressed(mail_with(compressed(entity)))));
  EXPECT_TRUE(twice.holds(harm)) << FieldWriter::json(twice.tree);
  // Cut, or a bomb: unscannable, never clean.
  const std::string whole = compressed(entity);
  EXPECT_EQ(read_mail(mail_with(whole.substr(0, whole.size() - 10))).tree.unscannable, Unscannable::smime);
  EXPECT_EQ(read_mail(mail_with(compressed(entity + std::string(12'000'000, 'x')))).tree.unscannable,
            Unscannable::smime);
  // Honest text that is more than may be read again of so small a mail.
  std::string text = "Content-Type: text/plain\r\n\r\n";
  for (int i = 0; i < 400'000; ++i) text += "line " + std::to_string(i % 1000) + " of a long, long log\r\n";
  EXPECT_NE(read_mail(mail_with(compressed(text))).tree.unscannable, Unscannable::no);
}

TEST(Tnef, GivesItsCompressedText) {
  const std::string rtf = *text::from_hex(
      "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0");
  const std::string envelope = little(0x223e9f78, 4) + little(1, 2) +
                               tnef_attribute(1, 0x00069003, little(1, 4) + tnef_property(0x0102, 0x1009, rtf));
  const ReadMail read =
      read_mail(mixed("Content-Type: application/ms-tnef; name=winmail.dat\r\n"
                      "Content-Transfer-Encoding: base64\r\n\r\n" +
                      to_base64(envelope)));
  EXPECT_EQ(read.tree.unscannable, Unscannable::no);
  EXPECT_TRUE(read.holds("hello world")) << FieldWriter::json(read.tree);
  const Part& text = read.tree.parts.back();
  EXPECT_EQ(text.declared_type, "text/rtf");
  EXPECT_TRUE(text.real_types.has(FileType::rtf));
  EXPECT_FALSE(is_file(text));
}

TEST(Tnef, GivesItsTextInWhateverForm) {
  const auto wide = [](std::string_view text) {
    std::string octets;
    for (const char c : text) octets += {c, '\0'};
    return octets;
  };
  const std::string page = "<p>see <b>this</b></p>";
  for (const std::string& property : {tnef_property(0x1f, 0x1000, wide("see this")),
                                      tnef_property(0x1f, 0x1013, wide(page)), tnef_property(0x1e, 0x1013, page)}) {
    // With octets behind it that only fill it up.
    const std::string envelope = little(0x223e9f78, 4) + little(1, 2) +
                                 tnef_attribute(1, 0x00069003, little(1, 4) + property) + std::string(3, '\0');
    const ReadMail read = read_mail(
        mixed("Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n" + to_base64(envelope)));
    EXPECT_EQ(read.tree.unscannable, Unscannable::no);
    bool shows = false;
    Contents contents;
    for (PartIndex i = 0; i < read.tree.parts.size(); ++i)
      shows |= contents.text(*read.message, read.tree, i).find("see this") != std::string::npos;
    EXPECT_TRUE(shows) << FieldWriter::json(read.tree);
  }
}

}  // namespace
}  // namespace sallyport::mime
