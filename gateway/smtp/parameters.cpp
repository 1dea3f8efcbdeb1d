#include "gateway/smtp/parameters.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_view_literals;

struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;  // nothing when there is no "="
};

Parameter to_parameter(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {word, std::nullopt};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

// RFC 5321, 4.1.2: esmtp-keyword.
bool is_keyword(std::string_view name) {
  return !name.empty() && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) { return text::is_alnum(c) || c == '-'; });
}

// RFC 3461, 4: xtext of at least one octet.
bool is_xtext(std::string_view value) {
  const auto is_hex = [](char c) { return text::is_digit(c) || (c >= 'A' && c <= 'F'); };
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c <= ' ' || c >= '\x7f' || c == '=') return false;
    if (c != '+') continue;
    if (value.size() - i < 3 || !is_hex(value[i + 1]) || !is_hex(value[i + 2])) return false;
    i += 2;
  }
  return !value.empty();
}

constexpr std::string_view utf8_type = "utf-8;";

// Takes "\\x{HEX}" off the front: a code point other than a surrogate, in two to six digits.
bool take_embedded(std::string_view& value) {
  constexpr std::uint32_t last_code_point = 0x10ffff;
  const std::size_t close = value.find('}');
  if (!value.starts_with("\\x{") || close == std::string_view::npos) return false;
  const std::string_view digits = value.substr(3, close - 3);
  std::uint32_t point = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), point, 16);
  const bool is_hex = error == std::errc{} && end == digits.data() + digits.size();
  const bool is_character = point > 0 && point <= last_code_point && (point < 0xd800 || point > 0xdfff);
  if (!is_hex || digits.size() < 2 || digits.size() > 6 || !is_character) return false;
  value.remove_prefix(close + 1);
  return true;
}

// RFC 6533, 3: utf-8-addr-xtext or utf-8-addr-unitext; "+" may also begin a hexadecimal pair, as in xtext.
bool is_utf8_address(std::string_view value) {
  if (value.empty() || !text::is_utf8(value)) return false;
  std::string in_xtext;  // with "x" in place of what only this type has
  while (!value.empty()) {
    if (value.front() == '\\') {
      if (!take_embedded(value)) return false;
      in_xtext += 'x';
      continue;
    }
    in_xtext += text::is_ascii(value.front()) ? value.front() : 'x';
    value.remove_prefix(1);
  }
  return is_xtext(in_xtext);
}

// RFC 3461, 4.2: addr-type ";" xtext, the type an RFC 822 atom.
bool is_original_recipient(std::string_view value) {
  if (text::starts_with_ignoring_case(value, utf8_type)) return is_utf8_address(value.substr(utf8_type.size()));
  const std::size_t semicolon = value.find(';');
  if (semicolon == std::string_view::npos || semicolon == 0) return false;
  const auto is_atom_octet = [](char c) {
    return text::is_printable(c) && c != ' ' && "()<>@,;:\\\".[]"sv.find(c) == std::string_view::npos;
  };
  const std::string_view type = value.substr(0, semicolon);
  return std::all_of(type.begin(), type.end(), is_atom_octet) && is_xtext(value.substr(semicolon + 1));
}

// NOTIFY in its canonical form: NEVER alone, or the conditions once each (RFC 3461, 4.1).
std::optional<std::string> canonical_notify(std::string_view value) {
  if (text::equals_ignoring_case(value, "NEVER")) return "NEVER";
  constexpr std::array conditions = {"SUCCESS"sv, "FAILURE"sv, "DELAY"sv};
  std::array<bool, conditions.size()> given{};
  while (true) {
    const std::size_t comma = value.find(',');
    const auto is_it = [&](std::string_view condition) {
      return text::equals_ignoring_case(condition, value.substr(0, comma));
    };
    const auto* found = std::find_if(conditions.begin(), conditions.end(), is_it);
    if (found == conditions.end()) return std::nullopt;
    given[static_cast<std::size_t>(found - conditions.begin())] = true;
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  std::string canonical;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    if (!given[i]) continue;
    if (!canonical.empty()) canonical += ',';
    canonical += conditions[i];
  }
  return canonical;
}

using Applied = Result<Done, ParameterError>;

Applied read_size(std::string_view digits, MailParameters& mail) {
  constexpr std::size_t most_digits = 20;  // RFC 1870, 4
  if (digits.size() > most_digits || !std::all_of(digits.begin(), digits.end(), text::is_digit))
    return ParameterError::bad_value;
  mail.size = text::to_number(digits);
  if (!mail.size) return ParameterError::too_large;
  return Done{};
}

Applied read_body(std::string_view value, MailParameters& mail) {
  if (text::equals_ignoring_case(value, "7BIT"))
    mail.body = Body::seven_bit;
  else if (text::equals_ignoring_case(value, "8BITMIME"))
    mail.body = Body::eight_bit_mime;
  else
    return ParameterError::bad_value;
  return Done{};
}

Applied read_smtputf8(std::string_view, MailParameters& mail) {
  mail.smtputf8 = true;
  return Done{};
}

Applied read_requiretls(std::string_view, MailParameters& mail) {
  mail.requiretls = true;
  return Done{};
}

Applied read_ret(std::string_view value, MailParameters& mail) {
  mail.ret = text::to_upper(value);
  if (mail.ret != "FULL" && mail.ret != "HDRS") return ParameterError::bad_value;
  return Done{};
}

Applied read_envid(std::string_view value, MailParameters& mail) {
  constexpr std::size_t most_octets = 100;  // RFC 3461, 4.4
  if (value.size() > most_octets || !is_xtext(value)) return ParameterError::bad_value;
  mail.envid = value;
  return Done{};
}

Applied read_notify(std::string_view value, RcptParameters& rcpt) {
  auto notify = canonical_notify(value);
  if (!notify) return ParameterError::bad_value;
  rcpt.notify = std::move(*notify);
  return Done{};
}

Applied read_orcpt(std::string_view value, RcptParameters& rcpt) {
  constexpr std::size_t most_octets = 500;  // RFC 3461, 4.2
  if (value.size() > most_octets || !is_original_recipient(value)) return ParameterError::bad_value;
  rcpt.orcpt = value;
  return Done{};
}

template <class Parameters>
struct Known {
  std::string_view name;
  bool Extensions::*extension;
  bool takes_value;
  Applied (*read)(std::string_view value, Parameters& parameters);
};

constexpr std::array mail_parameters = {
    Known<MailParameters>{"SIZE"sv, &Extensions::size, true, read_size},
    Known<MailParameters>{"BODY"sv, &Extensions::eight_bit_mime, true, read_body},
    Known<MailParameters>{"SMTPUTF8"sv, &Extensions::smtputf8, false, read_smtputf8},
    Known<MailParameters>{"REQUIRETLS"sv, &Extensions::requiretls, false, read_requiretls},
    Known<MailParameters>{"RET"sv, &Extensions::dsn, true, read_ret},
    Known<MailParameters>{"ENVID"sv, &Extensions::dsn, true, read_envid},
};
constexpr std::array rcpt_parameters = {
    Known<RcptParameters>{"NOTIFY"sv, &Extensions::dsn, true, read_notify},
    Known<RcptParameters>{"ORCPT"sv, &Extensions::dsn, true, read_orcpt},
};

bool is_binarymime(const Parameter& parameter) {
  return text::equals_ignoring_case(parameter.name, "BODY") && parameter.value &&
         text::equals_ignoring_case(*parameter.value, "BINARYMIME");
}

template <class Parameters, std::size_t count>
Result<Parameters, ParameterError> parse(std::string_view text, const std::array<Known<Parameters>, count>& table,
                                         const Extensions& offered) {
  if (!text.empty() && !text::is_space(text.front())) return ParameterError::glued;
  Parameters parameters;
  std::bitset<count> seen;
  for (std::string_view word = text::take_word(text); !word.empty(); word = text::take_word(text)) {
    const Parameter parameter = to_parameter(word);
    if (!is_keyword(parameter.name)) return ParameterError::bad_name;
    std::size_t index = 0;
    while (index < count && !text::equals_ignoring_case(table[index].name, parameter.name)) ++index;
    if (index == count) return ParameterError::unknown;
    const Known<Parameters>& known = table[index];
    if (!(offered.*(known.extension)))
      return is_binarymime(parameter) ? ParameterError::bad_value : ParameterError::unknown;
    if (seen[index]) return ParameterError::repeated;
    seen[index] = true;
    const bool has_value = parameter.value && !parameter.value->empty();
    if (known.takes_value ? !has_value : parameter.value.has_value()) return ParameterError::bad_value;
    const Applied applied = known.read(parameter.value.value_or(""), parameters);
    if (!applied) return applied.error();
  }
  return parameters;
}

}  // namespace

Result<MailParameters, ParameterError> parse_mail_parameters(std::string_view text, const Extensions& offered) {
  return parse(text, mail_parameters, offered);
}

Result<RcptParameters, ParameterError> parse_rcpt_parameters(std::string_view text, const Extensions& offered) {
  return parse(text, rcpt_parameters, offered);
}

bool has_misplaced_8bit(std::string_view text, bool smtputf8) {
  for (std::string_view word = text::take_word(text); !word.empty(); word = text::take_word(text)) {
    if (text::is_ascii(word)) continue;
    const Parameter parameter = to_parameter(word);
    const bool is_original = text::equals_ignoring_case(parameter.name, "ORCPT") && parameter.value &&
                             text::starts_with_ignoring_case(*parameter.value, utf8_type);
    if (!smtputf8 || !is_original) return true;
  }
  return false;
}

bool asks_for_smtputf8(std::string_view arguments) {
  for (std::string_view word = text::take_word(arguments); !word.empty(); word = text::take_word(arguments))
    if (text::equals_ignoring_case(word, "SMTPUTF8")) return true;
  return false;
}

}  // namespace sallyport::smtp
