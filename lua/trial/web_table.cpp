#include "lua/trial/web_table.h"

#include <algorithm>
#include <utility>

namespace sallyport::lua {

bool WebTable::set(const std::string& url, Result<io::HttpAnswer> answer) {
  const auto parsed = http::Url::parse(url);
  octets_ += url.size() + (answer ? answer->body.size() : 0);
  if (!parsed || octets_ > most_octets) return false;
  answers_.insert_or_assign(parsed->to_string(), std::move(answer));
  return true;
}

bool WebTable::is_allowed(const http::Url& url, const io::HttpQuestion& question) const {
  return question.hosts.empty() ? answers_.contains(url.to_string()) : http::is_allowed(url, question.hosts);
}

Task<Result<io::HttpAnswer>> WebTable::ask(io::HttpQuestion question, io::Resolver&, Time) {
  auto url = http::Url::parse(question.url);
  if (!url) co_return Failure{"bad_url"};
  if (!is_allowed(*url, question)) co_return Failure{"not_allowed"};
  for (int redirects = 0;; ++redirects) {
    octets_ += question.url.size() + question.body.size();
    if (octets_ > most_octets) co_return Failure{"too_large"};
    asked_.push_back({(question.is_post ? "POST " : "GET ") + url->to_string(), question.body, question.headers});
    const auto found = answers_.find(url->to_string());
    if (found == answers_.end()) co_return Failure{"dns: nxdomain"};
    if (!found->second || question.is_post) co_return found->second;
    const io::HttpAnswer& answer = *found->second;
    const auto location = std::find_if(answer.headers.begin(), answer.headers.end(),
                                       [](const auto& field) { return field.first == "location"; });
    auto next =
        http::redirect_target(*url, answer.status, location == answer.headers.end() ? nullptr : &location->second);
    if (!next || !is_allowed(*next, question) || redirects == http::most_redirects) co_return answer;
    if (next->authority() != url->authority()) question.headers.clear();
    url = std::move(next);
  }
}

}  // namespace sallyport::lua
