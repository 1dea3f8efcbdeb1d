#include "lua/trial/web_table.h"

#include <utility>

#include "gateway/http/url.h"

namespace sallyport::lua {

bool WebTable::set(const std::string& url, Result<io::HttpAnswer> answer) {
  const auto parsed = http::Url::parse(url);
  if (parsed) answers_.insert_or_assign(parsed->to_string(), std::move(answer));
  return parsed.has_value();
}

Task<Result<io::HttpAnswer>> WebTable::ask(io::HttpQuestion question, io::Resolver&, Time) {
  const auto url = http::Url::parse(question.url);
  if (!url) co_return Failure{"bad_url"};
  if (!http::is_allowed(*url, question.hosts)) co_return Failure{"not_allowed"};
  asked_.push_back((question.is_post ? "POST " : "GET ") + url->to_string());
  const auto found = answers_.find(url->to_string());
  if (found == answers_.end()) co_return Failure{"dns: nxdomain"};
  co_return found->second;
}

}  // namespace sallyport::lua
