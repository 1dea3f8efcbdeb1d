#include "gateway/resolver/follow.h"

#include <algorithm>

namespace sallyport::resolver {

namespace {

dns::Answer negative(dns::Status status, const dns::Response& response, const Chain& chain) {
  std::chrono::seconds ttl = plain_negative_ttl;
  if (response.negative_ttl) ttl = std::chrono::seconds(*response.negative_ttl);
  dns::Answer answer;
  answer.status = status;
  answer.ttl = std::min({ttl, most_negative_ttl, chain.ttl});
  return answer;
}

dns::Answer records_at(const Chain& chain, dns::Type type, const dns::Response& response) {
  dns::Answer answer;
  answer.ttl = chain.ttl;
  for (const dns::Record& record : response.answers) {
    if (record.type != type || record.owner != chain.name) continue;
    answer.status = dns::Status::ok;
    answer.records.push_back(record.data);
    answer.ttl = std::min(answer.ttl, std::chrono::seconds(record.ttl));
  }
  return answer;
}

// Follows one CNAME; false if there is none at this name.
bool take_link(Chain& chain, const dns::Response& response) {
  for (const dns::Record& record : response.answers) {
    if (record.type != dns::Type::CNAME || record.owner != chain.name) continue;
    chain.name = std::get<std::string>(record.data);
    chain.ttl = std::min(chain.ttl, std::chrono::seconds(record.ttl));
    ++chain.links;
    return true;
  }
  return false;
}

}  // namespace

std::optional<dns::Answer> follow(const dns::Response& response, dns::Type type, Chain& chain) {
  unsigned links_before = chain.links;
  while (true) {
    dns::Answer answer = records_at(chain, type, response);
    if (answer.found()) return answer;
    if (!take_link(chain, response)) break;
    if (chain.links > most_links) return dns::Answer{};
  }
  if (response.rcode == dns::Rcode::nxdomain) return negative(dns::Status::nxdomain, response, chain);
  // An SOA shows that the server looked for the last name and that it lacks the type. Without an SOA the server may
  // just not serve the zone that the chain leads to.
  bool was_looked_for = response.negative_ttl || chain.links == links_before;
  if (was_looked_for) return negative(dns::Status::no_data, response, chain);
  // An escaped octet cannot be written in a Question, and no host name contains one.
  if (chain.name.find('\\') != std::string::npos) return dns::Answer{};
  return std::nullopt;
}

}  // namespace sallyport::resolver
