// Tags before the subject, as readers see them.
#include "gateway/mail/subject_tag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "gateway/mail/encoded_words.h"
#include "gateway/mail/word_encoder.h"

namespace sallyport::mail {
namespace {

// The field with the tags, or itself where it has them.
std::string tagged(const std::string& field, const std::vector<std::string>& tags) {
  const std::string octets = field + "\r\n";
  const HeaderSection header(octets);
  if (header.fields().size() != 1) return "not one field";
  return SubjectTags(tags).put_before(header.fields()[0], {}).value_or(octets);
}

// What readers see of it.
std::string seen(const std::string& field) {
  const HeaderSection header(field);
  return header.fields().size() == 1 ? decode_words(header.fields()[0].value) : "not one field";
}

TEST(SubjectTag, StandsBeforeTheSubjectAndChangesNothingElse) {
  EXPECT_EQ(tagged("Subject: hello", {"[EXT] "}), "Subject: [EXT] hello\r\n");
  EXPECT_EQ(tagged("SUBJECT :hello ", {"[EXT]"}), "SUBJECT : [EXT]hello \r\n");
  EXPECT_EQ(tagged("Subject:\r\n\tfolded\r\n  twice", {"[EXT] "}), "Subject: [EXT] folded\r\n  twice\r\n");
  EXPECT_EQ(tagged("Subject:", {"[EXT] "}), "Subject: [EXT] \r\n");
  EXPECT_EQ(tagged("Subject: \xe4\xf6 raw", {"[EXT] "}), "Subject: [EXT] \xe4\xf6 raw\r\n");
  EXPECT_EQ(tagged("Subject: caf\xc3\xa9", {"[A] ", "[B] "}), "Subject: [A] [B] caf\xc3\xa9\r\n");
}

TEST(SubjectTag, IsSeenBeforeEncodedWords) {
  const std::string word = "=?utf-8?q?caf=C3=A9?=";
  EXPECT_EQ(tagged("Subject: " + word, {"[EXT] "}), "Subject: [EXT] " + word + "\r\n");
  for (const char* tag : {"[EXT] ", "[EXT]", "[\xc3\x84] ", "[\xc3\x84]", "=?a?= ", "=?utf-8?q?x?= "}) {
    EXPECT_EQ(seen(tagged("Subject: " + word, {tag})), std::string(tag) + "caf\xc3\xa9") << tag;
    EXPECT_TRUE(tagged("Subject: " + word, {tag}).ends_with(' ' + word + "\r\n")) << tag;
  }
}

TEST(SubjectTag, OutsideAsciiIsAnEncodedWord) {
  EXPECT_EQ(tagged("Subject: hello", {"[\xc3\x84u\xc3\x9f"
                                      "eres] "}),
            "Subject: =?UTF-8?Q?=5B=C3=84u=C3=9Feres=5D?= hello\r\n");
  EXPECT_EQ(seen(tagged("Subject: hello", {"[\xc3\x84] "})), "[\xc3\x84] hello");
}

TEST(SubjectTag, IsNotPutTwice) {
  for (const char* subject : {"[EXT] hello", "Re: [EXT] hello", "Re: AW: Re[2]: [EXT] hello", "=?utf-8?q?=5BEXT=5D_x?=",
                              "=?utf-8?b?W0VYVF0gaGVsbG8=?=", "\r\n [EXT]\r\n hello", "[EXT]"}) {
    const std::string field = "Subject: " + std::string(subject);
    EXPECT_EQ(tagged(field, {"[EXT] "}), field + "\r\n") << subject;
  }
  EXPECT_EQ(tagged("Subject: [B] hello", {"[A] ", "[B] ", "[A] "}), "Subject: [A] [B] hello\r\n");
  EXPECT_EQ(tagged("Subject: hello [EXT]", {"[EXT] "}), "Subject: [EXT] hello [EXT]\r\n")
      << "where readers do not look for it, it does not count";
  EXPECT_EQ(tagged("Subject: Re: Re: Re: Re: Re: [EXT] x", {"[EXT] "}),
            "Subject: [EXT] Re: Re: Re: Re: Re: [EXT] x\r\n");
  EXPECT_EQ(tagged("Subject: hello", {" "}), "Subject:  hello\r\n");
}

TEST(SubjectTag, OfAMailWithoutSubjectIsItsSubject) {
  const std::vector<std::string> tags = {"[\xc3\x84] "};
  EXPECT_EQ(SubjectTags(tags).as_subject(), "Subject: =?UTF-8?Q?=5B=C3=84=5D?=\r\n");
}

// RFC 5322, 2.1.1.
TEST(SubjectTag, MakesNoLineTooLong) {
  const std::string longest(998 - 9, 'x');
  const std::string field = tagged("Subject: " + longest, {"[EXT] "});
  EXPECT_EQ(field, "Subject: [EXT]\r\n " + longest + "\r\n");

  const std::string late_colon = "Subject" + std::string(990, ' ') + ":";
  EXPECT_EQ(tagged(late_colon, {"[EXT] "}), late_colon + "\r\n [EXT] \r\n");

  std::vector<std::string> many;
  for (char c = 'A'; c <= 'Z'; ++c) many.push_back(std::string(99, c) + ' ');
  for (const std::string& subject :
       {"Subject: " + longest, std::string("Subject: x"), late_colon, "Subject:" + longest + "\r\n y"}) {
    const std::string after = tagged(subject, many);
    EXPECT_THAT(after, testing::HasSubstr(many[7].substr(0, 99)));
    EXPECT_THAT(after, testing::Not(testing::HasSubstr("II")));
    for (std::size_t at = 0; at < after.size();) {
      const std::size_t end = after.find("\r\n", at);
      EXPECT_LE(end - at, 998u) << after;
      at = end + 2;
    }
  }
}

// Whatever the subject and the tag: readers see the tag, then the subject, and the subject's octets are there.
TEST(SubjectTag, IsSeenBeforeAnySubject) {
  std::mt19937 dice(2047);
  const std::vector<std::string> pieces = {"hello",
                                           "caf\xc3\xa9",
                                           "=?utf-8?q?=C3=A9?=",
                                           "=?iso-8859-1?q?=E9_?=",
                                           "=?x",
                                           "[EXTRA]",
                                           "Re:",
                                           "=?utf-8?b?w6k=?=",
                                           "\r\n\t.",
                                           "?="};
  const std::vector<std::string> tags = {"[EXT] ", "[EXT]", "[\xc3\x84] ", "*** "};
  for (int n = 0; n < 2000; ++n) {
    std::string subject = "x";
    for (unsigned left = dice() % 6; left > 0; --left) subject += ' ' + pieces[dice() % pieces.size()];
    if (n % 2 == 0) subject.erase(0, 2);
    const std::string& tag = tags[dice() % tags.size()];
    const std::string before = "Subject: " + subject + "\r\n";
    if (HeaderSection(before).fields().size() != 1) continue;
    const std::string after = tagged("Subject: " + subject, {tag});
    const std::string words = tag.substr(0, tag.find_last_not_of(' ') + 1);
    EXPECT_TRUE(seen(after).starts_with(words)) << after;
    std::string rest = seen(after).substr(words.size());
    rest.erase(0, std::min(rest.find_first_not_of(' '), rest.size()));
    EXPECT_EQ(rest, seen(before)) << after;
    EXPECT_EQ(tagged(after.substr(0, after.size() - 2), {tag}), after) << "twice";
  }
}

TEST(WordEncoder, GivesWhatReadersDecode) {
  std::mt19937 dice(2047);
  const std::vector<std::string> pieces = {"a", " ", "_", "=", "?", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x93\xa8",
                                           "=?"};
  for (int n = 0; n < 500; ++n) {
    std::string text = "x";
    for (unsigned left = dice() % 200; left > 0; --left) text += pieces[dice() % pieces.size()];
    text += "x";
    const std::string words = to_encoded_words(text);
    EXPECT_EQ(decode_words(words), text);
    for (std::size_t at = 0; at < words.size();) {
      const std::size_t end = std::min(words.find("\r\n", at), words.size());
      EXPECT_LE(end - at, 76u) << words;
      at = end + 2;
    }
  }
  EXPECT_EQ(encode_text("plain = text?"), "plain = text?");
}

}  // namespace
}  // namespace sallyport::mail
