#include "gateway/smtp/command.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_view_literals;

constexpr std::array verbs = {
    std::pair{"HELO"sv, Verb::helo},         std::pair{"EHLO"sv, Verb::ehlo}, std::pair{"STARTTLS"sv, Verb::starttls},
    std::pair{"MAIL"sv, Verb::mail},         std::pair{"RCPT"sv, Verb::rcpt}, std::pair{"DATA"sv, Verb::data},
    std::pair{"BDAT"sv, Verb::bdat},         std::pair{"RSET"sv, Verb::rset}, std::pair{"NOOP"sv, Verb::noop},
    std::pair{"QUIT"sv, Verb::quit},         std::pair{"VRFY"sv, Verb::vrfy}, std::pair{"EXPN"sv, Verb::expn},
    std::pair{"HELP"sv, Verb::help},         std::pair{"AUTH"sv, Verb::auth}, std::pair{"ETRN"sv, Verb::etrn},
    std::pair{"TURN"sv, Verb::turn},         std::pair{"SEND"sv, Verb::send}, std::pair{"XCLIENT"sv, Verb::xclient},
    std::pair{"XFORWARD"sv, Verb::xforward},
};

// First words that do not occur in SMTP: the methods of HTTP, the preface of HTTP/2, the PROXY header of a balancer
// that is not trusted.
constexpr std::array foreign_words = {"GET"sv,    "POST"sv,  "PUT"sv,   "HEAD"sv,     "CONNECT"sv, "OPTIONS"sv,
                                      "DELETE"sv, "TRACE"sv, "PATCH"sv, "PROPFIND"sv, "PRI"sv,     "PROXY"sv};

Verb find_verb(std::string_view word) {
  const auto* found = std::find_if(verbs.begin(), verbs.end(),
                                   [&](const auto& verb) { return text::equals_ignoring_case(verb.first, word); });
  return found == verbs.end() ? Verb::unknown : found->second;
}

std::string_view leading_word(std::string_view line) {
  const auto* end = std::find_if_not(line.begin(), line.end(), [](char c) { return text::is_alnum(c) || c == '-'; });
  return line.substr(0, static_cast<std::size_t>(end - line.begin()));
}

// Takes off what is glued to BDAT and no letter: the chunk that follows a bad count is there all the same (S30).
std::string_view verb_word(std::string_view line) {
  constexpr std::string_view bdat = "BDAT";
  const std::string_view word = leading_word(line);
  const bool is_bdat =
      text::starts_with_ignoring_case(word, bdat) && word.size() > bdat.size() && !text::is_alpha(word[bdat.size()]);
  return is_bdat ? word.substr(0, bdat.size()) : word;
}

bool takes_no_argument(Verb verb) {
  return verb == Verb::data || verb == Verb::rset || verb == Verb::quit || verb == Verb::starttls;
}

// Removes the keyword from the front of the arguments of MAIL or RCPT; false when it is not there.
bool take_keyword(std::string_view& arguments, std::string_view keyword) {
  if (!text::starts_with_ignoring_case(arguments, keyword)) return false;
  arguments.remove_prefix(keyword.size());
  return true;
}

}  // namespace

std::string_view name(Verb verb) {
  const auto* found = std::find_if(verbs.begin(), verbs.end(), [&](const auto& entry) { return entry.second == verb; });
  return found == verbs.end() ? "unknown"sv : found->first;
}

Command parse_command(std::string_view line) {
  const std::string_view word = verb_word(line);
  const std::string_view rest = line.substr(word.size());
  Command command;
  command.verb = find_verb(word);
  command.arguments = text::trim(rest);
  const bool is_glued = !rest.empty() && !text::is_space(rest.front());
  if (is_glued || (takes_no_argument(command.verb) && !command.arguments.empty())) {
    command.is_malformed = true;
  } else if (command.verb == Verb::mail) {
    command.is_malformed = !take_keyword(command.arguments, "FROM:");
  } else if (command.verb == Verb::rcpt) {
    command.is_malformed = !take_keyword(command.arguments, "TO:");
  }
  return command;
}

Result<std::string_view, GreetingError> parse_greeting(std::string_view arguments) {
  const std::string_view word = text::take_word(arguments);
  if (word.empty()) return GreetingError::missing;
  if (word.size() > 255 || !std::all_of(word.begin(), word.end(), text::is_printable)) return GreetingError::malformed;
  return word;
}

bool is_other_protocol(std::string_view line) {
  if (line.starts_with("SSH-")) return true;
  const std::string_view word = leading_word(line);
  if (word.empty() || word.size() == line.size()) return false;
  const char after = line[word.size()];
  if (after == ':') return text::is_alpha(word.front()) && find_verb(word) == Verb::unknown;
  const auto is_word = [&](std::string_view foreign) { return text::equals_ignoring_case(foreign, word); };
  return after == ' ' && std::any_of(foreign_words.begin(), foreign_words.end(), is_word);
}

bool is_tls_record(std::string_view octets) {
  // RFC 8446, 5.1: content type handshake (22), then the version, 3.0 to 3.4.
  return octets.size() >= 3 && octets[0] == '\x16' && octets[1] == '\x03' && octets[2] >= '\0' && octets[2] <= '\x04';
}

Result<Bdat, BdatError> parse_bdat(std::string_view arguments) {
  constexpr std::size_t most_digits = 20;
  constexpr std::uint64_t most_octets = (std::uint64_t{1} << 63) - 1;
  const std::string_view digits = arguments.substr(0, arguments.find_first_of(" \t"));
  const std::string_view keyword = text::trim(arguments.substr(digits.size()));
  const auto octets = text::to_number(digits, most_octets);
  if (digits.size() > most_digits || !octets) return BdatError::syntax;
  const bool last = text::equals_ignoring_case(keyword, "LAST");
  if (!last && !keyword.empty()) return BdatError::syntax;
  return Bdat{.octets = *octets, .last = last};
}

}  // namespace sallyport::smtp
