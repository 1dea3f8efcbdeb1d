// Authentication-Results of strangers (RFC 8601; threats.md S38, D23). What is understood can be written again, as one
// field that says the same; and no field that is read as ours is taken for another's.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/mail/auth_results.h"
#include "gateway/mail/header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto owner = mail::owner_of_auth_results(octets, {"mx1.example.com"});
  const auto results = mail::parse_auth_results(octets);
  if (!results) return 0;
  if (text::equals_ignoring_case(results->authserv_id, "mx1.example.com"))
    ensure(owner == mail::AuthservOwner::ours, "a field of ours is taken for another's");

  const std::string field = mail::make_auth_results(*results);
  ensure(text::is_ascii(field), "a field of ours is not ASCII");
  const mail::HeaderSection section(field);
  ensure(section.fields().size() == 1 && !section.faults().malformed_line, "a value ends the field");
  const auto again = mail::parse_auth_results(section.fields().front().value);
  ensure(results->authserv_id.empty() || again.has_value(), "what was written cannot be read");
  if (!again) return 0;
  ensure(again->methods.size() == results->methods.size(), "a value makes a method");
  for (std::size_t i = 0; i < again->methods.size(); ++i)
    ensure(again->methods[i].properties.size() == results->methods[i].properties.size(), "a value makes a property");
  return 0;
}
