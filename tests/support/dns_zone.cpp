#include "tests/support/dns_zone.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "gateway/base/text.h"

namespace sallyport::support {

using nlohmann::json;

namespace {

constexpr unsigned most_links = 8;

std::string normal(std::string_view name) {
  std::string lower = text::to_lower(name);
  if (lower.ends_with('.')) lower.pop_back();
  return lower;
}

std::optional<dns::Type> type_of_word(std::string_view word) {
  for (dns::Type type : {dns::Type::A, dns::Type::NS, dns::Type::CNAME, dns::Type::PTR, dns::Type::MX, dns::Type::TXT,
                         dns::Type::AAAA}) {
    if (name(type) == word) return type;
  }
  return std::nullopt;
}

// One octet for each code point of the UTF-8.
std::string to_latin1(const std::string& utf8) {
  std::string octets;
  for (std::size_t at = 0; at < utf8.size(); ++at) {
    auto octet = static_cast<std::uint8_t>(utf8[at]);
    if (octet < 0x80) {
      octets += utf8[at];
    } else {
      if ((octet & 0xfc) != 0xc0 || at + 1 == utf8.size())
        throw std::invalid_argument("a code point past U+00FF: " + utf8);
      octets += static_cast<char>(octet << 6 | (utf8[++at] & 0x3f));
    }
  }
  return octets;
}

class TableReader {
 public:
  explicit TableReader(DnsZone::Strings strings) : strings_(strings) {}

  dns::RecordData data(dns::Type type, const json& value) const {
    switch (type) {
      case dns::Type::A:
      case dns::Type::AAAA: {
        auto address = IpAddress::parse(octets(value));
        if (!address) throw std::invalid_argument("not an address: " + value.dump());
        return *address;
      }
      case dns::Type::MX:
        return dns::Mx{value.at(0).get<std::uint16_t>(), normal(octets(value.at(1)))};
      case dns::Type::TXT:
        return joined(value);
      default:
        return normal(octets(value));
    }
  }

 private:
  std::string octets(const json& value) const {
    const auto& text = value.get_ref<const std::string&>();
    return strings_ == DnsZone::Strings::latin1 ? to_latin1(text) : text;
  }
  std::string joined(const json& value) const {
    if (!value.is_array()) return octets(value);
    std::string all;
    for (const json& part : value) all += octets(part);
    return all;
  }

  DnsZone::Strings strings_;
};

dns::Answer answer_with(dns::Status status) {
  dns::Answer answer;
  answer.status = status;
  answer.ttl = std::chrono::seconds(answer.is_absent() ? 60 : 0);
  return answer;
}

}  // namespace

dns::Status status_of_word(std::string_view word) {
  if (word == "NXDOMAIN") return dns::Status::nxdomain;
  if (word == "NODATA") return dns::Status::no_data;
  if (word == "SERVFAIL") return dns::Status::servfail;
  if (word == "TIMEOUT") return dns::Status::timeout;
  throw std::invalid_argument("not an answer of DNS: " + std::string(word));
}

DnsZone DnsZone::from_json(const json& table, Strings strings) {
  DnsZone zone;
  TableReader reader(strings);
  for (const auto& [owner, types] : table.items()) {
    if (types.is_string()) {
      zone.whole_names_[normal(owner)] = status_of_word(types.get_ref<const std::string&>());
      continue;
    }
    zone.at(owner);  // the name exists, even without a type
    for (const auto& [word, answers] : types.items()) {
      auto type = type_of_word(word);
      if (!type) continue;
      if (answers.is_string()) {
        zone.set(owner, *type, status_of_word(answers.get_ref<const std::string&>()));
      } else {
        for (const json& value : answers) zone.add(owner, *type, reader.data(*type, value));
      }
    }
  }
  return zone;
}

DnsZone DnsZone::from_text(std::string_view json_text, Strings strings) {
  return from_json(json::parse(json_text), strings);
}

DnsZone DnsZone::from_file(const std::string& path, Strings strings) {
  std::ifstream file(path);
  if (!file) throw std::invalid_argument("cannot read " + path);
  return from_json(json::parse(file), strings);
}

void DnsZone::set_default(std::string_view word) { default_ = status_of_word(word); }

void DnsZone::add(std::string_view owner, dns::Type type, dns::RecordData data) {
  Entry& entry = at(owner)[type];
  entry.status = dns::Status::ok;
  entry.records.push_back(std::move(data));
}

void DnsZone::set(std::string_view owner, dns::Type type, dns::Status status) { at(owner)[type] = Entry{status, {}}; }

void DnsZone::a(std::string_view owner, std::string_view address) {
  auto parsed = IpAddress::parse(address);
  if (!parsed) throw std::invalid_argument("not an address: " + std::string(address));
  add(owner, parsed->is_v4() ? dns::Type::A : dns::Type::AAAA, *parsed);
}

void DnsZone::mx(std::string_view owner, std::uint16_t preference, std::string_view exchange) {
  add(owner, dns::Type::MX, dns::Mx{preference, normal(exchange)});
}

DnsZone::Types& DnsZone::at(std::string_view owner) { return names_[normal(owner)]; }

dns::Answer DnsZone::answer(const dns::Question& question) const {
  std::string name = normal(question.name);
  for (unsigned links = 0; links <= most_links; ++links) {
    if (auto whole = whole_names_.find(name); whole != whole_names_.end()) return answer_with(whole->second);
    auto types = names_.find(name);
    if (types == names_.end()) return answer_with(default_);
    if (auto entry = types->second.find(question.type); entry != types->second.end()) {
      dns::Answer answer = answer_with(entry->second.status);
      answer.records = entry->second.records;
      if (answer.found()) answer.ttl = std::chrono::seconds(300);
      return answer;
    }
    auto alias = types->second.find(dns::Type::CNAME);
    if (alias == types->second.end()) return answer_with(dns::Status::no_data);
    if (alias->second.status != dns::Status::ok) return answer_with(alias->second.status);
    name = std::get<std::string>(alias->second.records.front());
  }
  return answer_with(dns::Status::servfail);
}

}  // namespace sallyport::support
