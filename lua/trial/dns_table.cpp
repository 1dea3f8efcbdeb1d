#include "lua/trial/dns_table.h"

namespace sallyport::lua {

void DnsTable::add(std::string_view name, dns::Type type, dns::RecordData record) {
  dns::Answer& answer = names_[std::string(name)].answers[type];
  answer.status = dns::Status::ok;
  answer.ttl = std::chrono::seconds(300);
  answer.records.push_back(std::move(record));
}

void DnsTable::set(std::string_view name, dns::Type type, dns::Status status) {
  names_[std::string(name)].answers[type].status = status;
}

void DnsTable::set(std::string_view name, dns::Status status) { names_[std::string(name)].whole = status; }

Task<dns::Answer> DnsTable::lookup(dns::Question question, Time) {
  asked_.push_back(question);
  dns::Answer none;
  none.status = dns::Status::nxdomain;
  const auto name = names_.find(question.name);
  if (name == names_.end()) co_return none;
  none.status = name->second.whole.value_or(dns::Status::no_data);
  const auto answer = name->second.answers.find(question.type);
  co_return answer == name->second.answers.end() || name->second.whole ? none : answer->second;
}

}  // namespace sallyport::lua
