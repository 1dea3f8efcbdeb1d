// What h= selects and how a signature's own field is hashed (RFC 6376, 3.7, 5.4.2).
#include "gateway/signature/header_input.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::signature {
namespace {

constexpr auto simple = Canonicalization::simple;
constexpr auto relaxed = Canonicalization::relaxed;

std::string selected(const std::string& header, const std::vector<std::string_view>& names, std::size_t itself = 1000) {
  const mail::HeaderSection section(header);
  const mail::HeaderField* own = itself < section.fields().size() ? &section.fields()[itself] : nullptr;
  std::string values;
  for (const mail::HeaderField* field : FieldIndex(section).select(names, own)) values += field->value;
  return values;
}

const std::string header = "A:1\r\nB:2\r\na:3\r\nC:4\r\nA:5\r\nAB:6\r\nno colon\r\n";

TEST(FieldIndex, SelectsFromTheBottom) {
  EXPECT_EQ(selected(header, {"a"}), "5");
  EXPECT_EQ(selected(header, {"A", "b", "a", "a"}), "5231");
  EXPECT_EQ(selected(header, {"c", "a", "ab", "c"}), "456");
}

TEST(FieldIndex, SelectsNothingForNamesThatAreUsedUpOrAbsent) {
  EXPECT_EQ(selected(header, {"a", "a", "a", "a", "a"}), "531");
  EXPECT_EQ(selected(header, {"x", "", "b", "b"}), "2");
  EXPECT_EQ(selected("", {"a"}), "");
}

TEST(FieldIndex, NeverSelectsTheSignatureItself) {
  EXPECT_EQ(selected(header, {"a", "a", "a"}, 4), "31");
  EXPECT_EQ(selected(header, {"a", "a", "a"}, 2), "51");
  EXPECT_EQ(selected(header, {"a", "a", "a"}, 0), "53");
  EXPECT_EQ(selected(header, {"b"}, 1), "");
}

TEST(FieldIndex, CountsWhateverTheCase) {
  const mail::HeaderSection section(header);
  const FieldIndex index(section);
  EXPECT_EQ(index.count("A"), 3u);
  EXPECT_EQ(index.count("ab"), 1u);
  EXPECT_EQ(index.count("x"), 0u);
}

std::string own(const std::string& text, std::string_view raw, Canonicalization how) {
  const mail::HeaderSection section(text);
  const mail::HeaderField& field = section.fields().front();
  std::string out;
  append_own_field(
      out, field,
      raw.empty() ? field.value.substr(field.value.size()) : field.value.substr(field.value.find(raw), raw.size()),
      how);
  return out;
}

TEST(OwnField, LosesTheValueOfItsSignatureAndTheLastLineEnd) {
  const std::string text = "Sig : bh=x;  b= ab\r\n cd ; d=y \r\n";
  EXPECT_EQ(own(text, " ab\r\n cd ", simple), "Sig : bh=x;  b=; d=y ");
  EXPECT_EQ(own(text, " ab\r\n cd ", relaxed), "sig:bh=x; b=; d=y");
  EXPECT_EQ(own("Sig: b=ab\r\n", "ab", simple), "Sig: b=");
  EXPECT_EQ(own("Sig: b=\r\n", "", simple), "Sig: b=");
}

}  // namespace
}  // namespace sallyport::signature
