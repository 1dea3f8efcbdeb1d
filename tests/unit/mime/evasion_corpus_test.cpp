// Mails that hide an attachment, or its name, from those who read them otherwise than the recipient's program
// (corpora: mime-evasion-noxxi). In each of them the hidden thing must be found, whatever reading finds it.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/support/corpora.h"
#include "tests/unit/mime/reading.h"

namespace sallyport::mime {
namespace {

std::string payload() {
  const auto octets = support::load_corpus_octets("mime-evasion-noxxi/mails/hide-content-036.eml");
  const ReadMail plain = read_mail(with_crlf(*octets));
  return plain.content(plain.leaves().back());
}

// Quoted-printable keeps the line ends that a mail has on its way, CRLF, where the author's file had LF.
std::string with_lf(std::string octets) {
  for (std::size_t at = octets.find("\r\n"); at != std::string::npos; at = octets.find("\r\n", at)) octets.erase(at, 1);
  return octets;
}

bool holds(const ReadMail& mail, const std::string& hidden) {
  for (PartIndex i = 0; i < mail.tree.parts.size(); ++i) {
    if (with_lf(mail.content(i)).find(hidden) != std::string::npos) return true;
  }
  return false;
}

bool is_found(const ReadMail& mail, const std::string& id, const std::string& hidden) {
  return id.starts_with("fname") ? mail.has_extension(id == "fname-ctype.png" ? "png" : "zip") : holds(mail, hidden);
}

TEST(EvasionCorpus, HidesNothing) {
  const auto index = support::load_corpus("mime-evasion-noxxi/index.json");
  SALLYPORT_SKIP_WITHOUT(index);
  const std::string hidden = with_lf(payload());
  ASSERT_EQ(hidden.size(), 186U);
  // gzip64 is base64 of gzip, which is an archive: the type must be told.
  const std::set<std::string> packed{"multipart-basic-singlepart-gzip64"};
  // What the generator put there is no attachment but the name of a reference of Perl's.
  const std::map<std::string, std::string> other_payloads{
      {"multipart-basic-singlepart-mac-binhex40", "ARRAY(0x55a642d8d418)"}};
  support::CorpusScore score("mime-evasion-noxxi");
  for (const auto& one : *index) {
    const std::string id = one.at("id");
    const auto octets = support::load_corpus_octets("mime-evasion-noxxi/" + std::string(one.at("file")));
    ASSERT_TRUE(octets);
    const ReadMail mail = read_mail(with_crlf(*octets));
    EXPECT_EQ(mail.tree.unscannable, Unscannable::no) << id;
    if (const auto other = other_payloads.find(id); other != other_payloads.end()) {
      EXPECT_TRUE(mail.holds(other->second)) << id;
    } else if (packed.contains(id)) {
      const bool is_told = std::any_of(mail.tree.parts.begin(), mail.tree.parts.end(),
                                       [](const Part& part) { return part.real_types.has(FileType::gzip); });
      EXPECT_TRUE(is_told) << id;
    } else {
      EXPECT_TRUE(is_found(mail, id, hidden))
          << one.at("file") << " " << id << " " << FieldWriter::json(mail.tree).substr(0, 1500);
    }
    score.count_case();
  }
}

TEST(EvasionCorpus, IsReadAlikeInPieces) {
  const auto index = support::load_corpus("mime-evasion-noxxi/index.json");
  SALLYPORT_SKIP_WITHOUT(index);
  for (const auto& one : *index) {
    const auto octets = support::load_corpus_octets("mime-evasion-noxxi/" + std::string(one.at("file")));
    const std::string mail = with_crlf(*octets);
    const std::string whole = FieldWriter::json(read_mail(mail).tree);
    EXPECT_EQ(FieldWriter::json(read_mail(mail, 1).tree), whole) << one.at("id");
    EXPECT_EQ(FieldWriter::json(read_mail(mail, 7, 0).tree), whole) << one.at("id");
  }
}

}  // namespace
}  // namespace sallyport::mime
