// Canonical forms (RFC 6376, 3.4): the RFC's examples, the traps, and the same whatever way the body is cut.
#include "gateway/signature/canonical.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "gateway/base/text.h"
#include "tests/unit/signature/canonical_forms.h"

namespace sallyport::signature {
namespace {

constexpr auto simple = Canonicalization::simple;
constexpr auto relaxed = Canonicalization::relaxed;

TEST(CanonicalField, IsThatOfTheRfc) {
  const std::string input = "A: X\r\nB : Y\t\r\n\tZ  \r\n";
  EXPECT_EQ(canonical_fields(input, relaxed), "a:X\r\nb:Y Z\r\n");
  EXPECT_EQ(canonical_fields(input, simple), input);
}

TEST(CanonicalField, RelaxedKeepsWhatIsNoWhiteSpace) {
  EXPECT_EQ(canonical_fields("X:\r\n", relaxed), "x:\r\n");
  EXPECT_EQ(canonical_fields("X: \t \r\n", relaxed), "x:\r\n");
  EXPECT_EQ(canonical_fields("X: a\r\n \r\n b\r\n", relaxed), "x:a b\r\n") << "a continuation of white space only";
  EXPECT_EQ(canonical_fields("X: a\v\f b\xa0 \r\n", relaxed), "x:a\v\f b\xa0\r\n");
  EXPECT_EQ(canonical_fields("X: a:b\r\n", relaxed), "x:a:b\r\n");
  EXPECT_EQ(canonical_fields("X: a\rb\nc\r\n", relaxed), "x:a\rb\nc\r\n");
  EXPECT_EQ(canonical_fields("X-\xc3\x9c: a\r\n", relaxed), "x-\xc3\x9c:a\r\n");
}

TEST(CanonicalField, GetsALineEndWhereTheMessageHasNone) {
  EXPECT_EQ(canonical_fields("X: a", simple), "X: a\r\n");
  EXPECT_EQ(canonical_fields("X: a", relaxed), "x:a\r\n");
}

struct BodyCase {
  std::string body;
  std::string simple_form;
  std::string relaxed_form;
};

const std::vector<BodyCase>& body_cases() {
  static const std::vector<BodyCase> cases{
      {" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},  // RFC 6376, 3.4.5
      {"", "\r\n", ""},
      {"\r\n", "\r\n", ""},
      {"\r\n\r\n\r\n", "\r\n", ""},
      {" \r\n", " \r\n", ""},
      {"\r\n \t\r\n\r\n", "\r\n \t\r\n", ""},
      {" ", " \r\n", ""},
      {"a", "a\r\n", "a\r\n"},
      {"a ", "a \r\n", "a\r\n"},
      {"a\r\n\r\nb", "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"},
      {"a\r\n \r\nb\r\n", "a\r\n \r\nb\r\n", "a\r\n\r\nb\r\n"},
      {"\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n"},
      {"a\r\n\t b\r\n", "a\r\n\t b\r\n", "a\r\n b\r\n"},
      {"a  b\tc d\r\n", "a  b\tc d\r\n", "a b c d\r\n"},
      // A bare CR or LF is data.
      {"a\r", "a\r\r\n", "a\r\r\n"},
      {"a\n\n", "a\n\n\r\n", "a\n\n\r\n"},
      {"a\r\r\n", "a\r\r\n", "a\r\r\n"},
      {"a \r b\r\n", "a \r b\r\n", "a \r b\r\n"},
      {"a\r\n\n", "a\r\n\n\r\n", "a\r\n\n\r\n"},
      {"\r\r\n\r\n", "\r\r\n", "\r\r\n"},
      // White space is SP and HTAB.
      {"a\v\f\xa0\r\n", "a\v\f\xa0\r\n", "a\v\f\xa0\r\n"},
      {std::string("\0 \0\r\n", 5), std::string("\0 \0\r\n", 5), std::string("\0 \0\r\n", 5)},
      {"0123456789 01234567890  1234567\r\n01234567 \r\n\r\n", "0123456789 01234567890  1234567\r\n01234567 \r\n",
       "0123456789 01234567890 1234567\r\n01234567\r\n"},
  };
  return cases;
}

TEST(CanonicalBody, IsTheSameInPiecesOfAnySize) {
  for (const BodyCase& given : body_cases()) {
    SCOPED_TRACE(text::printable(given.body));
    for (std::size_t piece = 1; piece <= given.body.size() + 1; ++piece) {
      EXPECT_EQ(canonical_body(pieces_of(given.body, piece), simple), given.simple_form) << piece;
      EXPECT_EQ(canonical_body(pieces_of(given.body, piece), relaxed), given.relaxed_form) << piece;
    }
  }
}

// The rules of RFC 6376, 3.4.3 and 3.4.4, taken literally on a body that is all there.
std::string by_the_book(std::string body, Canonicalization how) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body.compare(i, 2, "\r\n") == 0) {
      lines.emplace_back();
      ++i;
    } else {
      lines.back() += body[i];
    }
  }
  for (std::string& line : lines) {
    if (how == simple) continue;
    std::string reduced;
    for (char c : line) {
      if (!text::is_space(c)) {
        reduced += c;
      } else if (!reduced.ends_with(' ')) {
        reduced += ' ';
      }
    }
    if (reduced.ends_with(' ')) reduced.pop_back();
    line = reduced;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string canonical;
  for (const std::string& line : lines) canonical += line + "\r\n";
  if (canonical.empty() && how == simple) canonical = "\r\n";
  return canonical;
}

TEST(CanonicalBody, IsByTheBook) {
  std::mt19937 random(6376);
  const std::string_view octets = "ab \t\r\n\r\n x";
  for (int run = 0; run < 4000; ++run) {
    std::string body;
    for (std::size_t length = random() % 40; length > 0; --length) {
      const std::size_t pick = random() % 12;
      body += pick < 8    ? std::string(1, octets[pick])
              : pick == 8 ? std::string("\r\n")
                          : std::string(random() % 20, 'y');
    }
    const std::vector<std::string> pieces = pieces_of(body, 1 + random() % 9);
    EXPECT_EQ(canonical_body(pieces, simple), by_the_book(body, simple)) << testing::PrintToString(body);
    EXPECT_EQ(canonical_body(pieces, relaxed), by_the_book(body, relaxed)) << testing::PrintToString(body);
  }
}

}  // namespace
}  // namespace sallyport::signature
