// Mails with the parts that other parsers have found in them: mime-mailparser (Stalwart's), mime-mime4j (Apache
// James'), content-attachments-rspamd, and the strings of content-test-strings.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/base64.h"
#include "gateway/base/text.h"
#include "tests/support/corpora.h"
#include "tests/unit/mime/reading.h"

namespace sallyport::mime {
namespace {

using Json = nlohmann::json;

struct Leaf {
  std::string type;  // empty: nothing is said
  std::string content;
};

// White space and line ends are where parsers differ without a difference in meaning.
std::string squeezed(std::string_view text) {
  std::string letters;
  for (char c : text) {
    if (!text::is_space(c) && c != '\r' && c != '\n' && c != '\0') letters += c;
  }
  return letters;
}

void collect(const Json& message, std::vector<Leaf>& leaves) {
  for (const Json& part : message.at("parts")) {
    const std::string kind = part.at("body").begin().key();
    const Json& body = part.at("body").begin().value();
    if (kind == "Multipart") continue;
    if (kind == "Message") {
      collect(body, leaves);
      continue;
    }
    Leaf leaf;
    for (const Json& field : part.at("headers")) {
      if (field.at("name") != "content_type" || !field.at("value").contains("ContentType")) continue;
      const Json& type = field.at("value").at("ContentType");
      leaf.type = type.at("c_type").get<std::string>();
      if (type.at("c_subtype").is_string()) leaf.type += "/" + type.at("c_subtype").get<std::string>();
    }
    if (body.is_string()) {
      leaf.content = body.get<std::string>();
    } else {
      for (const Json& octet : body) leaf.content += static_cast<char>(octet.get<int>());
    }
    leaves.push_back(std::move(leaf));
  }
}

std::vector<std::string> names_of(const std::string& folder, std::string_view ending) {
  std::vector<std::string> names;
  if (!std::filesystem::exists(support::corpus_path(folder))) return names;
  for (const auto& file : std::filesystem::directory_iterator(support::corpus_path(folder))) {
    if (file.path().filename().string().ends_with(ending)) names.push_back(file.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Whether some part shows this text, as it is or converted from its charset, under whatever reading.
bool shows(const ReadMail& mail, const std::string& content) {
  const std::string wanted = squeezed(content);
  if (wanted.empty()) return true;
  Contents contents(std::size_t{8} << 20);
  for (PartIndex i = 0; i < mail.tree.parts.size(); ++i) {
    if (squeezed(mail.content(i)).find(wanted) != std::string::npos) return true;
    if (squeezed(contents.source(*mail.message, mail.tree, i).utf8).find(wanted) != std::string::npos) return true;
  }
  return false;
}

TEST(MailparserCorpus, HasTheSameLeaves) {
  support::CorpusScore* score = nullptr;
  for (std::string folder : {"rfc", "thirdparty"}) {
    for (const std::string& name : names_of("mime-mailparser/" + folder, ".eml")) {
      static support::CorpusScore counted("mime-mailparser leaves");
      score = &counted;
      const std::string id = folder + "/" + name.substr(0, 3);
      const auto eml = support::load_corpus_octets("mime-mailparser/" + folder + "/" + name);
      const auto expected = support::load_corpus("mime-mailparser/" + id + ".crlf.json");
      ASSERT_TRUE(eml && expected) << id;
      std::vector<Leaf> leaves;
      collect(*expected, leaves);
      const ReadMail mail = read_mail(with_crlf(*eml));
      std::vector<std::string> found;
      for (PartIndex i : mail.leaves()) found.push_back(mail.part(i).declared_type);
      std::vector<std::string> wanted;
      for (const Leaf& leaf : leaves) wanted.push_back(text::to_lower(leaf.type));
      EXPECT_EQ(found, wanted) << id << FieldWriter::json(mail.tree);
      score->count_case();
    }
  }
  if (score == nullptr) GTEST_SKIP() << "skipped: corpora not found";
}

TEST(MailparserCorpus, LosesNoContent) {
  std::size_t cases = 0;
  for (std::string folder : {"rfc", "thirdparty", "malformed"}) {
    for (const std::string& name : names_of("mime-mailparser/" + folder, ".eml")) {
      const std::string id = folder + "/" + name.substr(0, 3);
      const auto eml = support::load_corpus_octets("mime-mailparser/" + folder + "/" + name);
      const auto expected = support::load_corpus("mime-mailparser/" + id + ".crlf.json");
      ASSERT_TRUE(eml && expected) << id;
      std::vector<Leaf> leaves;
      collect(*expected, leaves);
      const ReadMail mail = read_mail(with_crlf(*eml));
      EXPECT_EQ(mail.tree.unscannable, Unscannable::no) << id;
      for (const Leaf& leaf : leaves)
        EXPECT_TRUE(shows(mail, leaf.content)) << id << ": " << leaf.content << "\n" << FieldWriter::json(mail.tree);
      ++cases;
    }
  }
  if (cases == 0) GTEST_SKIP() << "skipped: corpora not found";
}

// Mime4j puts the content together of lines of the header section that are no fields, and of the body.
bool shows_each_line(const ReadMail& mail, std::string_view content) {
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    if (!shows(mail, std::string(content.substr(0, end)))) return false;
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return true;
}

TEST(Mime4jCorpus, LosesNoContent) {
  const std::string folder = "mime-mime4j/testmsgs";
  std::size_t cases = 0;
  for (const std::string& name : names_of(folder, ".msg")) {
    const std::string stem = name.substr(0, name.size() - 4);
    const auto octets = support::load_corpus_octets(folder + "/" + name);
    for (const std::string& mail_octets : {*octets, with_crlf(*octets)}) {
      const ReadMail mail = read_mail(mail_octets);
      EXPECT_EQ(FieldWriter::json(read_mail(mail_octets, 1).tree), FieldWriter::json(mail.tree)) << stem;
      for (const std::string& leaf : names_of(folder, "")) {
        if (!leaf.starts_with(stem + "_decoded_")) continue;
        const auto content = support::load_corpus_octets(folder + "/" + leaf);
        EXPECT_TRUE(leaf.starts_with("malformedHeader") ? shows_each_line(mail, *content) : shows(mail, *content))
            << leaf << "\n"
            << FieldWriter::json(mail.tree);
      }
    }
    ++cases;
  }
  if (cases == 0) GTEST_SKIP() << "skipped: corpora not found";
}

ReadMail rspamd_mail(const std::string& name) {
  const auto octets = support::load_corpus_octets("content-attachments-rspamd/messages/" + name);
  EXPECT_TRUE(octets) << name;
  return read_mail(with_crlf(octets.value_or("")));
}

TEST(RspamdCorpus, HasItsAttachments) {
  if (names_of("content-attachments-rspamd/messages", ".eml").empty()) GTEST_SKIP() << "skipped: corpora not found";
  struct Case {
    const char* mail;
    const char* extension;
    FileType type;
  };
  // Entries of archives are another engine's; their names and types are told here.
  const Case cases[] = {{"zip.eml", "zip", FileType::zip},
                        {"zip-doublebad.eml", "zip", FileType::zip},
                        {"next2last-doublebad.eml", "xz", FileType::bzip2},
                        {"rar-date-bad-ext.eml", "gz", FileType::rar},
                        {"rar4.eml", "rar", FileType::rar},
                        {"f.zip.gz.eml", "gz", FileType::gzip},
                        {"mixed-html-zip.eml", "zip", FileType::zip},
                        {"exe_attm.eml", "exe", FileType::text}};
  for (const Case& one : cases) {
    const ReadMail mail = rspamd_mail(one.mail);
    EXPECT_TRUE(mail.has_extension(one.extension)) << one.mail << FieldWriter::json(mail.tree);
    if (one.type == FileType::text) continue;
    const bool has_type = std::any_of(mail.tree.parts.begin(), mail.tree.parts.end(),
                                      [&one](const Part& part) { return part.real_types.has(one.type); });
    EXPECT_TRUE(has_type) << one.mail << FieldWriter::json(mail.tree);
  }
}

TEST(RspamdCorpus, IsReadWholeAndInPieces) {
  std::size_t cases = 0;
  for (const std::string& name : names_of("content-attachments-rspamd/messages", ".eml")) {
    const auto octets = support::load_corpus_octets("content-attachments-rspamd/messages/" + name);
    const std::string crlf = with_crlf(*octets);
    const ReadMail mail = read_mail(crlf);
    EXPECT_EQ(mail.tree.unscannable, Unscannable::no) << name;
    EXPECT_FALSE(mail.tree.parts.empty()) << name;
    EXPECT_EQ(FieldWriter::json(read_mail(crlf, 1).tree), FieldWriter::json(mail.tree)) << name;
    ++cases;
  }
  if (cases == 0) GTEST_SKIP() << "skipped: corpora not found";
}

TEST(RspamdCorpus, ShowsLinksAndHidesHiddenText) {
  if (names_of("content-attachments-rspamd/messages", ".eml").empty()) GTEST_SKIP() << "skipped: corpora not found";
  const ReadMail phishing = rspamd_mail("html_phishing.eml");
  Contents contents;
  bool is_shown = false;
  for (const Link& link : contents.html(*phishing.message, phishing.tree, the_message).links)
    is_shown |= link.shown == "Verify Now" && link.target == "https://phishing-site.evil/steal-credentials";
  EXPECT_TRUE(is_shown);
  const ReadMail zero = rspamd_mail("zerofont.eml");
  Contents of_zero;
  const Html& html = of_zero.html(*zero.message, zero.tree, the_message);
  EXPECT_NE(html.text.find("fish"), std::string::npos) << html.text;
  EXPECT_GT(html.hidden_octets, 0U);
}

TEST(TestStrings, AreFoundInAttachments) {
  const auto strings = support::load_corpus("content-test-strings/strings.json");
  SALLYPORT_SKIP_WITHOUT(strings);
  const std::string eicar = *from_base64(strings->at("eicar_base64").get<std::string>());
  const std::string head = "Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: ";
  const std::pair<std::string, std::string> forms[] = {{"base64", to_base64(eicar)}, {"7bit", eicar}};
  for (const auto& [coding, content] : forms) {
    const ReadMail mail = read_mail(head + coding + "\r\n\r\n" + content);
    ASSERT_EQ(mail.leaves().size(), 1U);
    const Part& part = mail.part(0);
    EXPECT_TRUE(part.real_types.has(FileType::eicar)) << coding;
    EXPECT_EQ(to_field_text(part.sha256), strings->at("eicar_sha256").get<std::string>()) << coding;
  }
  for (std::string_view suffix : {"X", "\r\nmore"}) {
    EXPECT_FALSE(
        read_mail(head + "7bit\r\n\r\n" + eicar + std::string(suffix)).part(0).real_types.has(FileType::eicar));
  }
  const std::string gtube = strings->at("gtube");
  const auto spam = support::load_corpus_octets("content-test-strings/gtube-spamassassin.eml");
  const auto other = support::load_corpus_octets("content-test-strings/not-gtube-spamassassin.eml");
  EXPECT_TRUE(shows(read_mail(with_crlf(*spam)), gtube));
  EXPECT_FALSE(shows(read_mail(with_crlf(*other)), gtube));
}

}  // namespace
}  // namespace sallyport::mime
