#include "lua/trial/web_table.h"

#include <utility>

#include "gateway/http/url.h"

namespace sallyport::lua {

bool WebTable::set(const std::string& url, Result<io::HttpAnswer> answer) {
  const auto parsed = http::Url::parse(url);
  octets_ += url.size() + (answer ? answer->body.size() : 0);
  if (!parsed || octets_ > most_octets) return false;
  answers_.insert_or_assign(parsed->to_string(), std::move(answer));
  return true;
}

Task<Result<io::HttpAnswer>> WebTable::ask(io::HttpQuestion question, io::Resolver&, Time) {
  const auto url = http::Url::parse(question.url);
  if (!url) co_return Failure{"bad_url"};
  const auto found = answers_.find(url->to_string());
  const bool is_allowed = question.hosts.empty() ? found != answers_.end() : http::is_allowed(*url, question.hosts);
  if (!is_allowed) co_return Failure{"not_allowed"};
  octets_ += question.url.size() + question.body.size();
  if (octets_ > most_octets) co_return Failure{"too_large"};
  asked_.push_back({(question.is_post ? "POST " : "GET ") + url->to_string(), std::move(question.body),
                    std::move(question.headers)});
  if (found == answers_.end()) co_return Failure{"dns: nxdomain"};
  co_return found->second;
}

}  // namespace sallyport::lua
