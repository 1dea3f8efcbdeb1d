// DNS packets of strangers (threats.md D3, D4): read_response() and what follow() makes of the result.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/base/text.h"
#include "gateway/dns/wire.h"
#include "gateway/resolver/follow.h"

namespace {

using namespace sallyport;

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
    require(record.ttl <= 0x7fffffff);
    if (const auto* text = std::get_if<std::string>(&record.data)) {
      require(record.type == dns::Type::TXT ? text->size() <= packet_octets : is_printable_name(*text));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto response = dns::read_response(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!response) return 0;
  check(*response, size);
  resolver::Chain chain;
  chain.name = text::to_lower(response->question_name);
  dns::Type type{response->question_type};
  auto answer = resolver::follow(*response, type, chain);
  require(chain.links <= resolver::most_links + 1);
  if (answer) {
    require(answer->ttl <= resolver::most_ttl);
    require(answer->found() == !answer->records.empty());
    if (answer->is_absent()) require(answer->ttl <= resolver::most_negative_ttl);
  }
  return 0;
}
