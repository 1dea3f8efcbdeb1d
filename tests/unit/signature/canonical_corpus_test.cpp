// Independent cases of canonical forms and body hashes (corpora/dkim-canonicalization).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/base/base64.h"
#include "gateway/base/text.h"
#include "gateway/signature/body_hash.h"
#include "tests/support/corpora.h"
#include "tests/unit/signature/canonical_forms.h"

namespace sallyport::signature {
namespace {

Canonicalization parse(const std::string& word) {
  return word == "simple" ? Canonicalization::simple : Canonicalization::relaxed;
}

// Cases with a note hold a bare CR or LF, which that library takes for line ends; for us they are data (RFC 6376, 3.4).
bool is_contested(const nlohmann::json& given) { return given.contains("note"); }

std::string latin1(const std::string& utf8) {
  std::string octets;
  for (std::string_view rest = utf8; !rest.empty();) {
    const auto point = text::decode_utf8(rest);
    octets += static_cast<char>(point->value);
    rest.remove_prefix(point->octets);
  }
  return octets;
}

TEST(CanonicalCorpus, AgreesWithUs) {
  const auto suite = support::load_corpus("dkim-canonicalization/cases.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("dkim-canonicalization");
  for (const auto& given : suite->at("cases")) {
    if (is_contested(given)) continue;
    const Canonicalization how = parse(given.at("algorithm"));
    const std::string found = given.at("kind") == "header"
                                  ? canonical_fields(given.at("input").get<std::string>(), how)
                                  : canonical_body(given.at("writes").get<std::vector<std::string>>(), how);
    EXPECT_EQ(found, given.at("expect").get<std::string>()) << given.dump();
    score.count_case();
  }
  for (const auto& given : suite->at("body_hashes")) {
    if (given.at("hash") != "sha256") continue;  // the others are sha1, which is nowhere computed
    const std::string body = latin1(given.at("body_latin1"));
    EXPECT_EQ(to_base64(hash_body(body, {parse(given.at("algorithm")), std::nullopt}).digest),
              given.at("bh").get<std::string>());
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::signature
