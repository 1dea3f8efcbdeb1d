#include "gateway/milter/negotiation.h"

#include <algorithm>

namespace sallyport::milter {

namespace {

constexpr std::uint32_t version_with_unknown = 3;
constexpr std::uint32_t version_with_data = 4;
constexpr std::uint32_t version_with_all = 6;

// The sizes of packets are a matter of libraries and MTAs, not of filters.
constexpr std::uint32_t sizes = option::data_256k | option::data_1m;

constexpr std::uint32_t silent = option::silent_header | option::silent_connect | option::silent_helo |
                                 option::silent_mail | option::silent_rcpt | option::silent_data |
                                 option::silent_unknown | option::silent_end_of_header | option::silent_body;

struct Choice {
  Verb verb;
  std::uint32_t declined;
  std::uint32_t silent;
};
constexpr Choice choices[] = {
    {Verb::connect, option::no_connect, option::silent_connect},
    {Verb::helo, option::no_helo, option::silent_helo},
    {Verb::mail, option::no_mail, option::silent_mail},
    {Verb::rcpt, option::no_rcpt, option::silent_rcpt},
    {Verb::data, option::no_data, option::silent_data},
    {Verb::header, option::no_headers, option::silent_header},
    {Verb::end_of_header, option::no_end_of_header, option::silent_end_of_header},
    {Verb::body, option::no_body, option::silent_body},
    {Verb::unknown, option::no_unknown, option::silent_unknown},
};

const Choice* choice_of(Verb verb) {
  const auto* found =
      std::find_if(std::begin(choices), std::end(choices), [verb](const Choice& one) { return one.verb == verb; });
  return found == std::end(choices) ? nullptr : found;
}

bool has_command(std::uint32_t version, Verb verb) {
  if (verb == Verb::unknown) return version >= version_with_unknown;
  if (verb == Verb::data) return version >= version_with_data;
  if (verb == Verb::quit_and_reuse) return version >= version_with_all;
  return true;
}

}  // namespace

std::uint32_t options_of(std::uint32_t version) {
  if (version >= version_with_all) return option::all;
  std::uint32_t options = option::of_version_2;
  if (version >= version_with_unknown) options |= option::no_unknown;
  if (version >= version_with_data) options |= option::no_data;
  return options;
}

std::uint32_t actions_of(std::uint32_t version) {
  return version >= version_with_all ? action::all : action::before_version_6;
}

std::optional<Terms> settle(const Terms& offered, const Terms& answered) {
  if (answered.version < oldest_version || answered.version > offered.version) return std::nullopt;
  Terms terms = answered;
  terms.options &= ~sizes;
  if ((terms.actions & ~(offered.actions & actions_of(terms.version))) != 0) return std::nullopt;
  if ((terms.options & ~(offered.options & options_of(terms.version))) != 0) return std::nullopt;
  return terms;
}

std::optional<Terms> answer_to(const Terms& offered, const Terms& wanted) {
  if (offered.version < oldest_version) return std::nullopt;
  Terms terms;
  terms.version = std::min(offered.version, newest_version);
  // An MTA that says nothing means those of version 1.
  const std::uint32_t actions = offered.actions == 0 ? action::of_version_1 : offered.actions;
  const std::uint32_t options = offered.options == 0 ? option::of_version_1 : offered.options;
  const std::uint32_t lacking = wanted.options & ~options;
  constexpr std::uint32_t dispensable = silent | option::no_data | option::no_unknown;
  if ((wanted.actions & ~actions) != 0 || (lacking & ~dispensable) != 0) return std::nullopt;
  terms.actions = wanted.actions;
  terms.options = wanted.options & ~lacking;
  return terms;
}

bool is_wanted(const Terms& terms, Verb verb) {
  if (!has_command(terms.version, verb)) return false;
  const Choice* choice = choice_of(verb);
  return choice == nullptr || (terms.options & choice->declined) == 0;
}

bool is_answered(const Terms& terms, Verb verb) {
  switch (verb) {
    case Verb::macros:
    case Verb::abort:
    case Verb::quit:
    case Verb::quit_and_reuse:
      return false;
    default:
      break;
  }
  const Choice* choice = choice_of(verb);
  return choice == nullptr || (terms.options & choice->silent) == 0;
}

}  // namespace sallyport::milter
