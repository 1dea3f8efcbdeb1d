// WebTable: the web of a test for rules: what the test has put in is all there is. Answers come at once. Hosts that
// policy.rules.http does not name are refused as the gateway refuses them; where it names none, as in a directory that
// no configuration has, those that the test has put in are there. Redirects are followed as the gateway does.
//
// It holds most_octets; what is more is "too_large", because a load that runs tests must not cost the gateway its
// memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gateway/http/url.h"
#include "gateway/io/http_client.h"

namespace sallyport::lua {

class WebTable final : public io::HttpClient {
 public:
  // What a question for this URL is answered; the Failure is the word that the rule hears. False: it is no URL, or too
  // much.
  bool set(const std::string& url, Result<io::HttpAnswer> answer);

  Task<Result<io::HttpAnswer>> ask(io::HttpQuestion question, io::Resolver& resolver, Time deadline) override;
  struct Asked {
    std::string line;  // "GET https://web.example/x"
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  // Everything that was asked, in order.
  const std::vector<Asked>& asked() const { return asked_; }

 private:
  bool is_allowed(const http::Url& url, const io::HttpQuestion& question) const;

  static constexpr std::uint64_t most_octets = 64u << 20;

  std::map<std::string, Result<io::HttpAnswer>> answers_;  // by URL in its one form
  std::vector<Asked> asked_;
  std::uint64_t octets_ = 0;  // of both
};

}  // namespace sallyport::lua
