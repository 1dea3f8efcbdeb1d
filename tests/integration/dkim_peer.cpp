// Signs and verifies for the comparison with other implementations (test_dkim_peers.py): a JSON object a line on
// standard input, one a line on standard output.
//
//   {"sign": MESSAGE, "key": PEM, "domain": D, "selector": S, "header": "simple", "body": "relaxed"}  ->  {"field":
//   FIELD}
//   {"verify": MESSAGE, "dns": {NAME: TEXT}}                                  ->  {"results": [[RESULT, REASON], ...]}
// Messages and fields are in base64.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/base/base64.h"
#include "gateway/crypto/private_key.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/sign.h"
#include "policies/dkim/verifier.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"
#include "tests/support/whole_mail.h"

namespace {

using namespace sallyport;
using nlohmann::json;

signature::Canonicalization canonicalization(const json& word) {
  return word == "simple" ? signature::Canonicalization::simple : signature::Canonicalization::relaxed;
}

json sign(const json& request) {
  const support::WholeMail mail(*from_base64(request.at("sign").get<std::string>()));
  const auto key = crypto::PrivateKey::read_pem(request.at("key").get<std::string>()).value();
  const signature::BodyHash body =
      signature::hash_body(mail.body(), {canonicalization(request.at("body")), std::nullopt});
  const signature::SigningForm form{canonicalization(request.at("header")), signature::names_to_sign(mail.header()),
                                    1700000000};
  const std::string field =
      signature::sign_dkim(mail.header(), body, form, {request.at("domain"), request.at("selector"), key});
  return {{"field", to_base64(field)}};
}

json verify(const json& request, const policies::DkimVerifier& verifier) {
  support::WholeMail mail(*from_base64(request.at("verify").get<std::string>()));
  mail.transaction().now = std::chrono::system_clock::now();  // the other signers sign at their own time
  support::TableResolver resolver;
  for (const auto& [name, text] : request.at("dns").items()) resolver.zone().txt(name, text.get<std::string>());
  support::ManualLoop loop;
  Counters counters;
  support::LinesLog log;
  signature::BodyHasher hasher(policies::DkimVerifier::body_forms(verifier.read_signatures(mail.header())));
  hasher.feed(mail.body());
  const std::vector<signature::BodyHash> body = hasher.finish();
  const policies::GatherContext context{
      loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(20), body};
  const policies::DkimFacts facts =
      loop.run_until_done(verifier.verify(mail.transaction(), verifier.read_signatures(mail.header()), context));
  json results = json::array();
  for (const auto& found : facts.signatures) results.push_back({word(found.result), found.reason});
  return {{"results", results}};
}

}  // namespace

int main() {
  const PublicSuffixList suffixes;
  signature::KeyCache keys(policies::DkimVerifier::cached_keys);
  const policies::DkimVerifier verifier(policies::DkimSettings(), suffixes, keys);
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    const json answer = request.contains("sign") ? sign(request) : verify(request, verifier);
    std::cout << answer.dump() << std::endl;
  }
}
