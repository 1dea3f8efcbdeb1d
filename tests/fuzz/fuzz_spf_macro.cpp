// Macros of SPF: lines are the local part, the sender's domain, the HELO name and the macro-string. What is well-formed
// expands to a name that can be asked for, or to none, and to a text that is no longer than it may be.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "policies/spf/macro.h"

namespace {

using namespace sallyport;
using namespace sallyport::policies::spf;

std::string_view next_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

void check(std::string_view text, const MacroValues& values) {
  const bool is_words = is_macro_string(text, MacroUse::explanation);
  const bool is_spec = is_domain_spec(text);
  ensure(!is_macro_string(text, MacroUse::name) || is_words, "allowed in a name and not in an explanation");
  ensure(!is_spec || is_macro_string(text, MacroUse::name), "a domain-spec that is no macro-string");
  if (is_words) {
    const std::string words = expand_text(text, values, 400);
    ensure(words.size() <= 400, "a text over its limit");
    ensure(expand_text(text, values, 40) == words.substr(0, 40), "a shorter text is another one");
  }
  if (!is_spec) return;
  const auto name = expand_name(text, values);
  if (!name) return;
  ensure(is_name(*name), "a name that cannot be asked for");
  ensure(std::none_of(name->begin(), name->end(), [](char c) { return c != text::lower(c); }), "upper case in a name");
  std::string whole = text::to_lower(expand_text(text, values, 100'000));
  if (whole.size() >= 100'000) return;
  if (whole.ends_with('.')) whole.pop_back();
  ensure(whole.ends_with(*name), "the name is not the end of the text");
  ensure(whole.size() == name->size() || whole.size() > 253, "cut without need");
  ensure(whole.size() == name->size() || whole[whole.size() - name->size() - 1] == '.', "half a label");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  MacroValues values;
  // As long as a path can be.
  values.local = next_line(rest).substr(0, 256);
  values.sender_domain = next_line(rest).substr(0, 255);
  values.domain = values.sender_domain;
  values.helo = next_line(rest).substr(0, 255);
  values.validated = "unknown";
  values.receiver = "mx.example.net";
  for (const char* ip : {"192.0.2.3", "2001:db8::cb01"}) {
    values.ip = *IpAddress::parse(ip);
    check(rest.substr(0, 4096), values);
  }
  return 0;
}
