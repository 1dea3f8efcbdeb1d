// ValiMail's ARC suite (corpora/arc-valimail): chains to validate and mails to seal.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/signature/arc_seal.h"
#include "gateway/signature/body_hash.h"
#include "tests/support/corpora.h"
#include "tests/unit/arc/validated_mail.h"

namespace sallyport::policies {
namespace {

std::string with_crlf(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

support::DnsZone zone_of(const nlohmann::json& scenario) {
  support::DnsZone zone;
  for (const auto& [name, text] : scenario.at("txt-records").items()) {
    std::string joined;
    for (char c : text.get<std::string>()) {
      if (c != '\n') joined += c;
    }
    zone.txt(name, joined);
  }
  return zone;
}

TEST(ArcCorpus, AgreesOnEveryChain) {
  const auto suite = support::load_corpus("arc-valimail/arc-validation-tests.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("arc-valimail validation");
  for (const auto& scenario : *suite) {
    ArcWorld world(zone_of(scenario));
    for (const auto& given : scenario.at("tests")) {
      SCOPED_TRACE(given.at("name").get<std::string>() + ": " + given.value("description", ""));
      const ArcFacts facts = world.validate(with_crlf(given.at("message")));
      EXPECT_EQ(word(facts.result), given.at("expect").get<std::string>()) << facts.reason;
      EXPECT_EQ(facts.reason.empty(), facts.result != AuthResult::fail);
      score.count_case();
    }
  }
}

// Without white space, and without the signature, which depends on the order of the tags.
std::map<std::string, std::string> tags_of(std::string value) {
  std::map<std::string, std::string> tags;
  // The suite's lines are not folded as a header's are.
  for (char& c : value) c = c == '\r' || c == '\n' ? ' ' : c;
  const auto list = signature::TagList::parse(value);
  EXPECT_TRUE(list) << value;
  if (!list) return tags;
  for (const signature::Tag& tag : list->tags()) {
    std::string compact;
    for (char c : tag.value) {
      if (!text::is_space(c) && c != '\r' && c != '\n') compact += text::lower(c);
    }
    if (tag.name != "b") tags[std::string(tag.name)] = compact;
  }
  return tags;
}

std::string compact(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (!text::is_space(c) && c != '\r' && c != '\n') out += c;
  }
  return out;
}

// The suite wants what its fields named `srv_id` say, all of it.
std::string own_results(const mail::HeaderSection& header, const std::string& srv_id) {
  std::string results = ' ' + srv_id;
  for (const mail::HeaderField* field : header.find_all("Authentication-Results")) {
    const std::size_t semicolon = field->value.find(';');
    if (text::trim(field->value.substr(0, semicolon)) == srv_id) results += field->value.substr(semicolon);
  }
  return results;
}

signature::ChainValidation as_validation(AuthResult result) {
  return result == AuthResult::none   ? signature::ChainValidation::none
         : result == AuthResult::pass ? signature::ChainValidation::pass
                                      : signature::ChainValidation::fail;
}

TEST(ArcCorpus, SealsAsTheSuiteDoes) {
  const auto suite = support::load_corpus("arc-valimail/arc-sign-tests.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("arc-valimail sealing");
  for (const auto& scenario : *suite) {
    const auto key = crypto::PrivateKey::read_pem(scenario.at("privatekey").get<std::string>());
    ASSERT_TRUE(key);
    ArcWorld world(zone_of(scenario));
    for (const auto& given : scenario.at("tests")) {
      SCOPED_TRACE(given.at("name").get<std::string>());
      const std::string message = with_crlf(given.at("message"));
      support::WholeMail mail(message);
      const ArcFacts before = world.validate(message);
      const signature::ArcChain chain = signature::read_arc_chain(mail.header());
      const signature::BodyHash body =
          signature::hash_body(mail.body(), {signature::Canonicalization::relaxed, std::nullopt});
      const std::string results = own_results(mail.header(), given.at("srv-id"));
      signature::SigningForm form;
      const std::string names = given.at("sig-headers");
      for (std::string_view signed_name : signature::split_colons(names)) form.signed_names.emplace_back(signed_name);
      form.signed_at = given.at("t").get<std::uint64_t>();
      const signature::SealRequest request{chain, as_validation(before.result), results, body, form};
      const auto fields = signature::seal(mail.header(), request, {scenario.at("domain"), scenario.at("sel"), *key});

      const std::string want_seal = given.at("AS");
      ASSERT_EQ(fields.has_value(), !want_seal.empty());
      if (fields) {
        const mail::HeaderSection set(*fields);
        ASSERT_EQ(set.fields().size(), 3u);
        EXPECT_EQ(tags_of(std::string(set.fields()[0].value)), tags_of(want_seal));
        EXPECT_EQ(tags_of(std::string(set.fields()[1].value)), tags_of(given.at("AMS")));
        EXPECT_EQ(compact(set.fields()[2].value), compact(given.at("AAR").get<std::string>()));
        // What we sealed verifies, unless the chain was broken before us.
        const AuthResult after = world.validate(*fields + message).result;
        EXPECT_EQ(after, before.result == AuthResult::fail ? AuthResult::fail : AuthResult::pass);
      }
      score.count_case();
    }
  }
}

}  // namespace
}  // namespace sallyport::policies
