// Independent tables of header fields (corpora/header-fields-mailparser). That library's answers are lenient; where
// they differ from ours on purpose the field is named here with the reason.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/header.h"
#include "tests/support/corpora.h"

namespace sallyport::mail {
namespace {

// The value of the field as our parser sees it: what these files hold up to the first line that is no continuation,
// with CRLF for their LF.
std::string value_of(const std::string& raw) {
  std::string octets = "X:";
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r')) octets += '\r';
    octets += raw[i];
  }
  HeaderSection header(octets);
  return std::string(header.fields().at(0).value);
}

std::string without_spaces(const std::string& value) {
  std::string words;
  for (char c : value) {
    if (!text::is_space(c)) words += c;
  }
  return words;
}

TEST(FieldCorpus, UnstructuredFieldsDecode) {
  const auto cases = support::load_corpus("header-fields-mailparser/unstructured.json");
  SALLYPORT_SKIP_WITHOUT(cases);
  support::CorpusScore score("header-fields-mailparser/unstructured");
  for (const auto& item : *cases) {
    const std::string raw = item.at("header");
    // Spaces differ: that library puts them around words glued to text, and drops those of a fold.
    EXPECT_EQ(without_spaces(decode_words(value_of(raw))), without_spaces(item.at("expected"))) << raw;
    score.count_case();
  }
}

// The first address anywhere in an expected list of mailboxes and groups.
std::string first_expected(const nlohmann::json& value) {
  if (value.is_object() && value.contains("address") && value["address"].is_string()) return value["address"];
  if (value.is_string() || value.is_null()) return "";
  for (const auto& part : value) {
    if (std::string address = first_expected(part); !address.empty()) return address;
  }
  return "";
}

TEST(FieldCorpus, TheFirstAddressIsFound) {
  const auto cases = support::load_corpus("header-fields-mailparser/address.json");
  SALLYPORT_SKIP_WITHOUT(cases);
  support::CorpusScore score("header-fields-mailparser/address");
  for (const auto& item : *cases) {
    const std::string raw = item.at("header");
    std::string expected = without_spaces(first_expected(item.at("expected")));
    if (expected.find('@') == std::string::npos) continue;  // a URL or a word alone is no address
    if (expected.starts_with('@')) expected = expected.substr(expected.find(':') + 1);  // we drop source routes
    EXPECT_EQ(first_address(value_of(raw)), expected) << raw;
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::mail
