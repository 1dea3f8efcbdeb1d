// Independent tables of header fields (corpora/header-fields-mailparser). That library's answers are lenient; where
// they differ from ours on purpose the field is named here with the reason.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "gateway/base/text.h"
#include "gateway/mail/header.h"

namespace sallyport::mail {
namespace {

// The folder of independent test data: SALLYPORT_CORPORA, or beside the source tree.
std::filesystem::path corpora() {
  const char* given = std::getenv("SALLYPORT_CORPORA");
  return given ? given : "../shared/corpora";
}

nlohmann::json load(const std::string& name) {
  std::ifstream file(corpora() / "header-fields-mailparser" / name);
  return file ? nlohmann::json::parse(file) : nlohmann::json();
}

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
  const nlohmann::json cases = load("unstructured.json");
  if (cases.is_null()) GTEST_SKIP() << "no corpora";
  std::size_t compared = 0;
  for (const auto& item : cases) {
    const std::string raw = item.at("header");
    if (raw.find("8859-2") != std::string::npos) continue;  // a charset we leave encoded
    // Spaces differ: that library puts them around words glued to text, and drops those of a fold.
    EXPECT_EQ(without_spaces(decode_words(value_of(raw))), without_spaces(item.at("expected"))) << raw;
    ++compared;
  }
  EXPECT_GT(compared, 0u);
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
  const nlohmann::json cases = load("address.json");
  if (cases.is_null()) GTEST_SKIP() << "no corpora";
  std::size_t compared = 0;
  for (const auto& item : cases) {
    const std::string raw = item.at("header");
    std::string expected = without_spaces(first_expected(item.at("expected")));
    if (expected.find('@') == std::string::npos) continue;  // a URL or a word alone is no address
    if (expected.starts_with('@')) expected = expected.substr(expected.find(':') + 1);  // we drop source routes
    EXPECT_EQ(first_address(value_of(raw)), expected) << raw;
    ++compared;
  }
  EXPECT_GT(compared, 0u);
}

}  // namespace
}  // namespace sallyport::mail
