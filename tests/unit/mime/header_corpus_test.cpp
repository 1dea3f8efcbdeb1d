// Values of Content-Type with what Stalwart's parser makes of them (corpora: header-fields-mailparser).
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "gateway/base/text.h"
#include "gateway/mime/content_fields.h"
#include "tests/support/corpora.h"

namespace sallyport::mime {
namespace {

ContentFields fields_of(const std::string& field, const std::string& value) {
  HeaderReader reader;
  const std::string whole = field + ": " + value;
  for (std::string_view rest = whole; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) reader.take(line);
  }
  return reader.finish();
}

bool has_name(const ContentFields& fields, const std::string& name) {
  const auto trimmed = [](std::string_view text) { return std::string(text::trim(text)); };
  return std::any_of(fields.names.begin(), fields.names.end(),
                     [&](const Name& one) { return trimmed(one.text) == trimmed(name); });
}

// Names of which that parser makes something else than we do, with the reason.
const std::map<std::string, std::string> other_names{
    {"\xc3\xa1 \xc3\xa9 \xc3\xad.jpeg",
     "white space between encoded words is not shown (RFC 2047, 6.2), in quotes as well"},
    {"\xc3\x91"
     "and\xc3\xba r\xc3\xa1pido (versi\xc3\xb3n '99 \"oficial\").pdf",
     "pieces without semicolons between them"},
};

TEST(HeaderCorpus, TypesAndParameters) {
  const auto cases = support::load_corpus("header-fields-mailparser/content_type.json");
  SALLYPORT_SKIP_WITHOUT(cases);
  support::CorpusScore score("header-fields-mailparser content_type");
  for (const auto& one : *cases) {
    const std::string value = one.at("header");
    const auto& expected = one.at("expected");
    const ContentFields fields = fields_of("Content-Type", value);
    if (!expected.is_null() && expected.at("c_subtype").is_string()) {
      const std::string type =
          text::to_lower(expected.at("c_type").get<std::string>() + "/" + expected.at("c_subtype").get<std::string>());
      EXPECT_EQ(fields.type(), type) << value;
    } else {
      EXPECT_TRUE(fields.types.empty()) << value;
    }
    const bool has_attributes =
        !expected.is_null() && expected.contains("attributes") && expected.at("attributes").is_array();
    if (has_attributes) {
      for (const auto& attribute : expected.at("attributes")) {
        const std::string key = attribute.at(0);
        const std::string wanted = attribute.at(1);
        if (other_names.contains(wanted) || text::trim(wanted).empty()) continue;
        if (key == "name" || key == "filename") EXPECT_TRUE(has_name(fields, wanted)) << value << " lacks " << wanted;
        if (key == "charset") EXPECT_EQ(fields.charset(), text::to_lower(wanted)) << value;
        if (key == "boundary") {
          const auto& all = fields.boundaries;
          EXPECT_NE(std::find(all.begin(), all.end(), wanted), all.end()) << value;
        }
      }
    }
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::mime
