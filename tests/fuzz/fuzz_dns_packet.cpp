// DNS packets of strangers (threats.md D3, D4): read_response() and what follow() makes of the result; and their names,
// which come back to us as questions.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/base/text.h"
#include "gateway/dns/wire.h"
#include "gateway/resolver/follow.h"

namespace {

using namespace sallyport;

constexpr std::uint16_t dns_any = 255;

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_printable_name(std::string_view name) {
  // 255 octets on the wire, at most four characters for each.
  if (name.size() > 4 * 255) return false;
  for (char c : name) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return true;
}

void check(const dns::Response& response, std::size_t packet_octets) {
  require(response.answers.size() <= packet_octets / 11);
  require(is_printable_name(response.question_name));
  for (const dns::Record& record : response.answers) {
    require(is_printable_name(record.owner));
    require(dns::name(record.type) != "unknown");
    require(!dns::to_string(record.data).empty() || std::holds_alternative<std::string>(record.data));
    require(record.ttl <= 0x7fffffff);
    if (const auto* text = std::get_if<std::string>(&record.data)) {
      require(record.type == dns::Type::TXT ? text->size() <= packet_octets : is_printable_name(*text));
    }
  }
}

// A name can be asked for and is then repeated in the form that answers are compared in, or it cannot be asked for.
void check_question(const std::string& name, std::uint16_t type, std::uint64_t case_bits) {
  dns::QueryOptions options;
  options.id = static_cast<std::uint16_t>(case_bits);
  options.udp_payload = type % 2 == 0 ? 0 : 1232;
  options.case_bits = case_bits;
  auto query = dns::write_query({name, dns::Type{type}}, options);
  require(query.ok() == dns::is_askable(name));
  if (!query) return;
  auto read = dns::read_response(*query);
  require(read.ok());
  require(read->id == options.id && !read->is_response);
  require(read->question_name == dns::apply_case(name, case_bits));
  require(read->question_type == type && read->answers.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view packet(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t header_octets = 12;
  if (size > header_octets) check_question(std::string(packet.substr(header_octets)), dns_any, size * 0x9e3779b9);
  auto response = dns::read_response(packet);
  if (!response) return 0;
  check(*response, size);
  check_question(response->question_name, response->question_type, response->id * std::uint64_t{0x9e3779b97f4a7c15});
  resolver::Chain chain;
  chain.name = text::to_lower(response->question_name);
  dns::Type type{response->question_type};
  auto answer = resolver::follow(*response, type, chain);
  require(chain.links <= resolver::most_links + 1);
  if (answer) {
    require(answer->ttl <= resolver::most_ttl);
    require(answer->found() == !answer->records.empty());
    require(dns::name(answer->status) != "unknown");
    if (answer->is_absent()) require(answer->ttl <= resolver::most_negative_ttl);
  }
  return 0;
}
