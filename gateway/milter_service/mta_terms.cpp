#include "gateway/milter_service/mta_terms.h"

#include <string_view>

#include "gateway/milter/answer.h"
#include "gateway/milter/negotiation.h"

namespace sallyport::milter_service {

namespace {

namespace action = milter::action;
namespace option = milter::option;
using milter::MacroStage;

constexpr std::uint32_t wanted_actions =
    action::add_headers | action::change_headers | action::quarantine | action::set_macro_list;

// Nothing is answered that could not be refused anyway. An MTA that wants answers all the same gets them.
constexpr std::uint32_t wanted_options = option::no_unknown | option::silent_data | option::silent_header |
                                         option::silent_end_of_header | option::silent_body | option::leading_space;

// Postfix knows the TLS facts from HELO on, and its queue's name for a mail from the first accepted recipient on.
constexpr milter::MacroList macro_lists[] = {
    {MacroStage::connect, "j {client_addr} {client_port} {client_ptr} {client_resolve} {daemon_name}"},
    {MacroStage::helo, "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer} {verify}"},
    {MacroStage::mail,
     "i {auth_type} {auth_authen} {tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer} {verify}"},
    {MacroStage::rcpt, "i"},
    {MacroStage::data, "i"},
    {MacroStage::end_of_message, "i"},
};

struct Lack {
  std::uint32_t action = 0;
  std::uint32_t option = 0;
  std::string_view what;
};
constexpr Lack lacks[] = {
    {.action = action::add_headers, .what = "add header fields: mail gets neither results nor marks"},
    {.action = action::change_headers, .what = "change header fields: forged fields stay, and subjects are not tagged"},
    {.action = action::quarantine, .what = "set mail aside: mail to be quarantined is delivered with a mark"},
    {.option = option::leading_space,
     .what = "tell the blanks before a field's value: a signature with simple canonicalization of the header may not "
             "verify"},
};

}  // namespace

std::optional<milter::Terms> agree(const milter::Terms& offered) {
  const std::uint32_t offered_actions = offered.actions == 0 ? action::of_version_1 : offered.actions;
  milter::Terms wanted;
  wanted.actions = wanted_actions & offered_actions;
  wanted.options = wanted_options & ~(option::leading_space & ~offered.options);
  return milter::answer_to(offered, wanted);
}

void encode_agreement(std::string& out, const milter::Terms& terms) {
  milter::Negotiated answer{terms, {}};
  if ((terms.actions & action::set_macro_list) != 0)
    answer.macros.assign(std::begin(macro_lists), std::end(macro_lists));
  milter::encode(out, answer);
}

void MissingActions::tell(Log& log, const milter::Terms& terms, std::string_view mta) {
  for (const Lack& lack : lacks) {
    const bool is_there = (terms.actions & lack.action) == lack.action && (terms.options & lack.option) == lack.option;
    const auto bit = std::uint32_t{1} << (&lack - lacks);
    if (is_there || (told_.fetch_or(bit) & bit) != 0) continue;
    log.write(LogLevel::warning, "milter",
              {{"mta", mta},
               {"version", std::int64_t{terms.version}},
               {"detail", "the MTA cannot " + std::string(lack.what)}});
  }
}

}  // namespace sallyport::milter_service
