#include "gateway/milter_service/macro_values.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::milter_service {

namespace {

constexpr std::size_t most_octets = 512;

// In the order of the enumeration, without the braces.
constexpr std::array<std::string_view, static_cast<std::size_t>(Macro::count_)> names = {
    "j",           "i",      "daemon_name", "client_addr",  "client_port", "client_ptr", "client_resolve",
    "tls_version", "cipher", "cipher_bits", "cert_subject", "cert_issuer", "verify",     "auth_type",
    "auth_authen"};

std::string_view without_braces(std::string_view name) {
  return name.size() > 2 && name.front() == '{' && name.back() == '}' ? name.substr(1, name.size() - 2) : name;
}

bool is_of_connection(milter::Verb verb) { return verb == milter::Verb::connect || verb == milter::Verb::helo; }

}  // namespace

void MacroValues::take(const milter::Macros& macros) {
  if (macros.of == milter::Verb::connect) of_connection_ = {};
  // A client that greets anew may have begun TLS meanwhile, or a new session without it.
  if (macros.of == milter::Verb::helo) {
    for (auto macro : {Macro::tls_version, Macro::cipher, Macro::cipher_bits, Macro::cert_subject, Macro::cert_issuer,
                       Macro::verify})
      of_connection_[static_cast<std::size_t>(macro)].clear();
  }
  if (macros.of == milter::Verb::mail) {
    of_mail_ = {};
    is_mail_announced_ = true;
  }
  Values& values = is_of_connection(macros.of) ? of_connection_ : of_mail_;
  for (const auto& [name, value] : macros.values) {
    const auto* found = std::find(names.begin(), names.end(), without_braces(name));
    if (found != names.end())
      values[static_cast<std::size_t>(found - names.begin())] = text::printable(value, most_octets);
  }
}

const std::string& MacroValues::operator[](Macro macro) const {
  const auto place = static_cast<std::size_t>(macro);
  return of_mail_[place].empty() ? of_connection_[place] : of_mail_[place];
}

void MacroValues::begin_mail() {
  if (!is_mail_announced_) of_mail_ = {};
  is_mail_announced_ = false;
}

void MacroValues::end_mail() {
  of_mail_ = {};
  is_mail_announced_ = false;
}

void MacroValues::clear() { *this = {}; }

}  // namespace sallyport::milter_service
