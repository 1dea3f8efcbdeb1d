// The content of short texts is kept from when it is found: what is told of it is what reading the message again tells.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "tests/unit/mime/reading.h"

namespace sallyport::mime {
namespace {

std::string text_part(std::string_view coding, std::string_view encoded) {
  return "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + std::string(coding) +
         "\r\n\r\n" + std::string(encoded) + "\r\n";
}

std::string mail_of(std::string_view parts) {
  return "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + std::string(parts) + "--b--\r\n";
}

std::string repeated(std::string_view line, std::size_t octets) {
  std::string text;
  while (text.size() < octets) text += line;
  return text;
}

std::string read_again(const ReadMail& mail, PartIndex part) {
  std::string content;
  PartReader reader(*mail.message, mail.tree, part);
  while (true) {
    const auto piece = reader.next();
    if (!piece || piece->empty()) return content;
    content += *piece;
  }
}

std::size_t kept_octets(const ReadMail& mail) {
  std::size_t octets = 0;
  for (const Part& part : mail.tree.parts) {
    if (part.sha256.content() != nullptr) octets += part.sha256.content()->size();
  }
  return octets;
}

void expect_as_read_again(const ReadMail& mail) {
  for (PartIndex i = 0; i < mail.tree.parts.size(); ++i) {
    const Part& part = mail.part(i);
    if (part.is_container) continue;
    const std::string content = read_again(mail, i);
    EXPECT_EQ(mail.content(i), content) << i;
    EXPECT_EQ(to_field_text(part.sha256), text::to_hex(crypto::sha256(content))) << i;
    EXPECT_EQ(part.size, content.size()) << i;
  }
}

// Escapes, soft line ends, white space in front of line ends, escapes that are none: all that a decoder holds back.
constexpr std::string_view quoted =
    "caf=C3=A9 =E2=80=94 a long line =\r\nthat goes on \t\r\nblank \r\n=\r\n=3D=\r\n50=25 = 3 =zz =4\r\n.\r\n";

TEST(KeptContent, IsWhatReadingAgainGives) {
  const std::string parts = text_part("quoted-printable", quoted) + text_part("8bit", "plain \xc3\xa9\r\n.\r\n") +
                            text_part("base64", "Y2Fmw6kgY2Fmw6kgY2Fmw6k=\r\n") + "\r\nbetween\r\n" +
                            text_part("7bit", "");
  const std::string mail = mail_of("before the first part\r\n" + parts) + "behind the last one\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100}, mail.size()}) {
    const ReadMail read = read_mail(mail, piece);
    EXPECT_GT(kept_octets(read), 0U);
    expect_as_read_again(read);
  }
}

TEST(KeptContent, IsBoundedForAllTextsOfAMail) {
  // Each alone, both together, and one that is too long: what is not kept is read again.
  for (const std::size_t first : {max_kept_octets / 4, max_kept_octets - 1, max_kept_octets, max_kept_octets + 1}) {
    for (const std::size_t second : {max_kept_octets / 2, 3 * max_kept_octets}) {
      const ReadMail read = read_mail(mail_of(text_part("quoted-printable", repeated(quoted, first)) +
                                              text_part("8bit", repeated("0123456789abcdef\r\n", second))));
      EXPECT_LE(kept_octets(read), max_kept_octets);
      expect_as_read_again(read);
    }
  }
}

TEST(KeptContent, IsThatOfTextsOnly) {
  const ReadMail read = read_mail(
      mail_of(text_part("8bit", "text\r\n") +
              "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n"));
  EXPECT_EQ(kept_octets(read), 6U);
  expect_as_read_again(read);
}

TEST(Sha256, IsEqualToThatOfEqualContentHoweverItIsHeld) {
  const std::string digest = crypto::sha256("content");
  Sha256::Octets octets{};
  std::copy(digest.begin(), digest.end(), octets.begin());
  EXPECT_EQ(Sha256(std::string("content")), Sha256(octets));
  EXPECT_EQ(Sha256(std::string("content")), Sha256(std::string("content")));
  EXPECT_FALSE(Sha256(std::string("content")) == Sha256(std::string("other")));
  EXPECT_FALSE(Sha256(std::string("other")) == Sha256(octets));
  const Sha256 kept(std::string("content"));
  const Sha256 copy = kept;
  EXPECT_EQ(copy.octets(), kept.octets());
  EXPECT_EQ(to_field_text(copy), text::to_hex(digest));
}

}  // namespace
}  // namespace sallyport::mime
