// WebTable: the web of a test for rules: what the test has put in is all there is. Answers come at once. Hosts that
// policy.rules.http does not name are refused as the gateway refuses them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gateway/io/http_client.h"

namespace sallyport::lua {

class WebTable final : public io::HttpClient {
 public:
  // What a question for this URL is answered; the Failure is the word that the rule hears. False: it is no URL.
  bool set(const std::string& url, Result<io::HttpAnswer> answer);

  Task<Result<io::HttpAnswer>> ask(io::HttpQuestion question, io::Resolver& resolver, Time deadline) override;
  // Everything that was asked, in order: "GET https://web.example/x".
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  std::map<std::string, Result<io::HttpAnswer>> answers_;  // by URL in its one form
  std::vector<std::string> asked_;
};

}  // namespace sallyport::lua
