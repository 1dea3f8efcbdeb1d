// Mail signed by others (corpora/dkim-rfc-and-published, dkim-interop), each whole, octet by octet and in random
// pieces.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "policies/api/key_questions.h"
#include "tests/support/corpora.h"
#include "tests/unit/dkim/verified_mail.h"

namespace sallyport::policies {
namespace {

std::vector<std::size_t> random_sizes(std::mt19937& random) {
  std::vector<std::size_t> sizes(20);
  for (std::size_t& size : sizes) size = 1 + random() % 40;
  return sizes;
}

TEST(DkimCorpus, AgreesOnPublishedMessages) {
  const std::string folder = "dkim-rfc-and-published/";
  const auto suite = support::load_corpus(folder + "cases.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("dkim-rfc-and-published");
  for (const auto& given : suite->at("cases")) {
    SCOPED_TRACE(given.at("id").get<std::string>());
    DkimWorld world(support::DnsZone::from_json(given.at("dns")));
    const auto message = support::load_corpus_octets(folder + given.at("message").get<std::string>());
    ASSERT_TRUE(message);
    for (const std::size_t size : {0, 1, 7}) {
      const DkimFacts facts = world.verify(*message, {size});
      EXPECT_EQ(word(best_result(facts)), given.at("expect").get<std::string>()) << facts.signatures.front().reason;
      if (!given.contains("per_signature")) continue;
      std::vector<std::string> results;
      for (const auto& signature : facts.signatures) results.emplace_back(word(signature.result));
      EXPECT_EQ(results, given.at("per_signature").get<std::vector<std::string>>());
    }
    score.count_case();
  }
}

TEST(DkimCorpus, AgreesOnMailOfOtherSigners) {
  const std::string folder = "dkim-interop/";
  const auto suite = support::load_corpus(folder + "cases.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("dkim-interop");
  DkimWorld world(support::DnsZone::from_json(suite->at("dns")));
  std::mt19937 random(8463);
  for (const auto& given : suite->at("cases")) {
    SCOPED_TRACE(given.at("id").get<std::string>());
    const auto message = support::load_corpus_octets(folder + given.at("message").get<std::string>());
    ASSERT_TRUE(message);
    for (const auto& sizes : {std::vector<std::size_t>{0}, {1}, random_sizes(random)}) {
      const DkimFacts facts = world.verify(*message, sizes);
      const AuthResult result = best_result(facts);
      // The suite's "fail" is whatever is no pass for good.
      const bool failed = result == AuthResult::fail || result == AuthResult::permerror;
      EXPECT_EQ(result == AuthResult::pass ? "pass"
                : failed                   ? "fail"
                                           : word(result),
                given.at("expect").get<std::string>())
          << facts.signatures.front().reason;
    }
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::policies
