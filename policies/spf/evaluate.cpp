#include "policies/spf/evaluate.h"

#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/text.h"
#include "policies/spf/client_names.h"
#include "policies/spf/macro.h"
#include "policies/spf/questions.h"
#include "policies/spf/record.h"

namespace sallyport::policies::spf {

namespace {

constexpr unsigned most_lookups = 10;
constexpr unsigned most_void_lookups = 2;
constexpr std::size_t most_mx_names = 10;
constexpr std::size_t most_explanation_octets = 400;  // threats.md D14

class Evaluation {
 public:
  Evaluation(Identity identity, io::Resolver& resolver, Time deadline)
      : identity_(std::move(identity)), questions_(resolver, deadline), names_(identity_.ip, questions_) {
    check_.domain = identity_.domain;
  }

  Task<SpfFacts::Check> run();

 private:
  // A record being evaluated. Its place in memory stays: the record points into its text.
  struct Frame {
    std::string domain;
    std::string text;
    Record record;
    std::size_t next = 0;  // the term to be looked at
  };
  enum class Entry { found, none, error };
  // What a term or the whole has come to. An error ends the evaluation, and is in check_.
  enum class Match { no, yes, error };

  Task<void> evaluate();
  Task<Entry> enter(std::string domain);
  Task<Match> include(const Term& term);
  Task<Match> redirect();
  bool conclude(AuthResult result, std::string_view term);
  Task<void> explain();

  Task<Match> matches(const Term& term);
  // What a question for the addresses of a name has found: one that matches, others, none of the client's family, no
  // such name; or the evaluation has failed.
  enum class Addresses { match, others, none, no_name, error };
  Task<Addresses> look_for_address(std::string name, const Term& term);
  Task<bool> has_other_family(std::string name);
  Task<Match> has_address(std::string name, const Term& term);
  Task<Match> has_exchanger(std::string name, const Term& term);
  Task<Match> exists(std::string name);
  Task<Match> is_named_within(std::string name);

  // What a term's domain-spec names: nothing when that can be no name, or when the whole evaluation has failed.
  Task<std::optional<std::string>> target_of(std::string_view domain_spec);
  bool is_readable(std::string_view macro_string) const;
  MacroValues values() const;

  // Count against the limits of RFC 7208, 4.6.4; false, and the evaluation has failed, when there is one too many.
  bool spend_lookup();
  bool note_void();
  bool note_void(const dns::Answer& answer);
  Match fail(AuthResult result, std::string_view problem);
  Match fail(const dns::Answer& answer, std::string_view name, dns::Type type);
  bool has_failed() const { return check_.result == AuthResult::temperror || check_.result == AuthResult::permerror; }

  Identity identity_;
  Questions questions_;
  ClientNames names_;
  std::string validated_;  // the value of %{p}, once something has asked for it
  std::deque<Frame> frames_;
  SpfFacts::Check check_;
};

Task<SpfFacts::Check> Evaluation::run() {
  // RFC 7208, 4.3: a malformed domain, or one of a single label, has no record.
  if (is_name(identity_.domain, 2) && !identity_.domain.starts_with('[')) co_await evaluate();
  check_.evidence = questions_.take_evidence();
  co_return std::move(check_);
}

Task<void> Evaluation::evaluate() {
  if (co_await enter(identity_.domain) != Entry::found) co_return;
  while (true) {
    Frame& frame = frames_.back();
    if (frame.next == frame.record.terms.size()) {
      if (!frame.record.has_all && !frame.record.redirect.empty()) {
        const Match went = co_await redirect();
        if (went == Match::error) co_return;
        if (went == Match::yes) continue;
      }
      if (conclude(AuthResult::neutral, {})) break;
      continue;
    }
    const Term& term = frame.record.terms[frame.next++];
    Match match = Match::yes;
    if (term.mechanism == Mechanism::include) {
      match = co_await include(term);
    } else if (term.asks_dns()) {
      match = co_await matches(term);
    } else if (term.has_network()) {
      match = term.network_contains(identity_.ip) ? Match::yes : Match::no;
    }
    if (match == Match::error) co_return;
    if (match == Match::yes && conclude(term.result, term.text)) break;
  }
  if (check_.result == AuthResult::fail) co_await explain();
}

// Puts the record of a domain on the stack (RFC 7208, 4.4 and 4.5).
Task<Evaluation::Entry> Evaluation::enter(std::string domain) {
  const dns::Answer* answer = co_await questions_.ask(domain, dns::Type::TXT);
  if (answer->failed()) {
    fail(*answer, domain, dns::Type::TXT);
    co_return Entry::error;
  }
  const std::string* found = nullptr;
  for (const dns::RecordData& data : answer->records) {
    const auto* txt = std::get_if<std::string>(&data);
    if (!txt || !is_spf_record(*txt)) continue;
    if (found) {
      fail(AuthResult::permerror, domain + " has more than one SPF record");
      co_return Entry::error;
    }
    found = txt;
  }
  if (!found) co_return Entry::none;
  Frame& frame = frames_.emplace_back(Frame{std::move(domain), *found, {}});
  auto record = parse_record(frame.text);
  if (!record) {
    fail(AuthResult::permerror, "record of " + frame.domain + ": " + record.error().message);
    co_return Entry::error;
  }
  frame.record = std::move(*record);
  co_return Entry::found;
}

// The record that a term includes goes on top. No match yet, then: conclude() comes back to the term when that record
// has come to its result.
Task<Evaluation::Match> Evaluation::include(const Term& term) {
  if (!spend_lookup()) co_return Match::error;
  if (!is_readable(term.target)) co_return Match::no;
  auto target = co_await target_of(term.target);
  if (has_failed()) co_return Match::error;
  if (!target) co_return fail(AuthResult::permerror, "no such domain: " + text::printable(term.text));
  const std::string name = *target;
  const Entry entry = co_await enter(std::move(*target));
  if (entry == Entry::none) co_return fail(AuthResult::permerror, "no SPF record at included domain " + name);
  co_return entry == Entry::error ? Match::error : Match::no;
}

// The record that redirect= names takes the place of the one on top (RFC 7208, 6.1). `no`: there is nothing to go to.
Task<Evaluation::Match> Evaluation::redirect() {
  const std::string_view domain_spec = frames_.back().record.redirect;
  if (!spend_lookup()) co_return Match::error;
  if (!is_readable(domain_spec)) co_return Match::no;
  auto target = co_await target_of(domain_spec);
  if (has_failed()) co_return Match::error;
  if (!target) co_return fail(AuthResult::permerror, "redirect to what is no domain");
  const std::string name = *target;
  frames_.pop_back();
  const Entry entry = co_await enter(std::move(*target));
  if (entry == Entry::none) co_return fail(AuthResult::permerror, "no SPF record at redirected domain " + name);
  co_return entry == Entry::error ? Match::error : Match::yes;
}

// The record on top has come to a result. True when that is the result of the whole; else it was included, and the
// evaluation goes on with the record that includes it (RFC 7208, 5.2: only a pass is a match).
bool Evaluation::conclude(AuthResult result, std::string_view term) {
  while (frames_.size() > 1) {
    frames_.pop_back();
    if (result != AuthResult::pass) return false;
    const Frame& includer = frames_.back();
    const Term& include = includer.record.terms[includer.next - 1];
    result = include.result;
    term = include.text;
  }
  check_.result = result;
  check_.mechanism = term;
  return true;
}

// The publisher's words on a fail (RFC 7208, 6.2). Whatever is wrong with them: then there are none.
Task<void> Evaluation::explain() {
  const std::string_view domain_spec = frames_.front().record.explanation;
  if (domain_spec.empty() || !is_readable(domain_spec)) co_return;
  // Neither this question nor those of its macros count (RFC 7208, 4.6.4): names are found before anything would count
  // them.
  if (uses_macro(domain_spec, "p") && !names_.are_known()) co_await names_.find();
  auto name = co_await target_of(domain_spec);
  if (!name) co_return;
  const dns::Answer* answer = co_await questions_.ask(std::move(*name), dns::Type::TXT);
  if (!answer->found() || answer->records.size() != 1) co_return;
  const auto* found = std::get_if<std::string>(&answer->records.front());
  if (!found || found->size() > most_record_octets) co_return;
  const std::string words = *found;
  if (!is_macro_string(words, MacroUse::explanation) || !is_readable(words)) co_return;
  if (uses_macro(words, "p")) {
    if (!names_.are_known()) co_await names_.find();
    validated_ = co_await names_.best_for(frames_.front().domain);
  }
  const std::string expanded = expand_text(words, values(), most_explanation_octets);
  check_.explanation = text::printable(expanded, most_explanation_octets);
}

Task<Evaluation::Match> Evaluation::matches(const Term& term) {
  if (!spend_lookup()) co_return Match::error;
  if (!is_readable(term.target)) co_return Match::no;
  auto target = co_await target_of(term.target);
  if (has_failed()) co_return Match::error;
  if (!target) co_return Match::no;
  switch (term.mechanism) {
    case Mechanism::a:
      co_return co_await has_address(std::move(*target), term);
    case Mechanism::mx:
      co_return co_await has_exchanger(std::move(*target), term);
    case Mechanism::exists:
      co_return co_await exists(std::move(*target));
    case Mechanism::ptr:
      co_return co_await is_named_within(std::move(*target));
    default:
      broken("spf: a term that asks nothing was asked");
  }
}

Task<Evaluation::Addresses> Evaluation::look_for_address(std::string name, const Term& term) {
  const dns::Type type = identity_.ip.is_v4() ? dns::Type::A : dns::Type::AAAA;
  const dns::Answer* answer = co_await questions_.ask(name, type);
  if (answer->failed()) {
    fail(*answer, name, type);
    co_return Addresses::error;
  }
  if (answer->is_absent()) co_return answer->status == dns::Status::nxdomain ? Addresses::no_name : Addresses::none;
  for (const dns::RecordData& data : answer->records) {
    const auto* address = std::get_if<IpAddress>(&data);
    if (address && term.accepts(*address, identity_.ip)) co_return Addresses::match;
  }
  co_return Addresses::others;
}

// Hosts that have addresses of the other family only are no mistake of the publisher's. What cannot be found out here
// is not held against him.
Task<bool> Evaluation::has_other_family(std::string name) {
  const dns::Answer* answer =
      co_await questions_.ask(std::move(name), identity_.ip.is_v4() ? dns::Type::AAAA : dns::Type::A);
  co_return !answer->is_absent();
}

Task<Evaluation::Match> Evaluation::has_address(std::string name, const Term& term) {
  const Addresses found = co_await look_for_address(name, term);
  if (found == Addresses::error) co_return Match::error;
  if (found == Addresses::match) co_return Match::yes;
  if (found == Addresses::others) co_return Match::no;
  const bool is_void = found == Addresses::no_name || !co_await has_other_family(std::move(name));
  co_return is_void && !note_void() ? Match::error : Match::no;
}

Task<Evaluation::Match> Evaluation::has_exchanger(std::string name, const Term& term) {
  const dns::Answer* answer = co_await questions_.ask(name, dns::Type::MX);
  if (answer->failed()) co_return fail(*answer, name, dns::Type::MX);
  if (!note_void(*answer)) co_return Match::error;
  if (answer->records.size() > most_mx_names) co_return fail(AuthResult::permerror, "more than 10 MX names at " + name);
  std::vector<std::string> exchangers;
  for (const dns::RecordData& data : answer->records) {
    const auto* mx = std::get_if<dns::Mx>(&data);
    if (mx && is_name(mx->exchange)) exchangers.push_back(mx->exchange);  // not the null MX of RFC 7505
  }
  bool is_void = !exchangers.empty();
  std::vector<std::string> without;  // addresses of the client's family
  for (std::string& exchanger : exchangers) {
    const Addresses found = co_await look_for_address(exchanger, term);
    if (found == Addresses::error) co_return Match::error;
    if (found == Addresses::match) co_return Match::yes;
    if (found == Addresses::others) is_void = false;
    if (found == Addresses::none) without.push_back(std::move(exchanger));
  }
  // All of the list is one void look-up, where none of it has led anywhere (threats.md D12).
  for (std::size_t i = 0; is_void && i < without.size(); ++i)
    is_void = !co_await has_other_family(std::move(without[i]));
  co_return is_void && !note_void() ? Match::error : Match::no;
}

// Any A record will do, whatever family the client is of (RFC 7208, 5.7).
Task<Evaluation::Match> Evaluation::exists(std::string name) {
  const dns::Answer* answer = co_await questions_.ask(name, dns::Type::A);
  if (answer->failed()) co_return fail(*answer, name, dns::Type::A);
  if (!note_void(*answer)) co_return Match::error;
  co_return answer->found() ? Match::yes : Match::no;
}

// What cannot be found out about the client's names is no match, never an error: they are not the publisher's (RFC
// 7208, 5.5). For the same reason their addresses are no void look-ups.
Task<Evaluation::Match> Evaluation::is_named_within(std::string name) {
  if (!names_.are_known()) {
    const bool has_any = co_await names_.find();
    if (!has_any && !note_void()) co_return Match::error;
  }
  const bool is_within = co_await names_.any_within(std::move(name));
  co_return is_within ? Match::yes : Match::no;
}

Task<std::optional<std::string>> Evaluation::target_of(std::string_view domain_spec) {
  const std::string& domain = frames_.back().domain;
  if (domain_spec.empty()) co_return domain;
  if (uses_macro(domain_spec, "p")) {
    if (!names_.are_known()) {
      // RFC 7208, 4.6.4: the PTR question of a macro counts as that of a mechanism does.
      if (!spend_lookup()) co_return std::nullopt;
      const bool has_any = co_await names_.find();
      if (!has_any && !note_void()) co_return std::nullopt;
    }
    validated_ = co_await names_.best_for(domain);
  }
  co_return expand_name(domain_spec, values());
}

// RFC 8616, 4: a local part that is not ASCII has no place in a name; what needs it matches nothing.
bool Evaluation::is_readable(std::string_view macro_string) const {
  return text::is_ascii(identity_.local) || !uses_macro(macro_string, "sl");
}

MacroValues Evaluation::values() const {
  MacroValues values;
  values.local = identity_.local;
  values.sender_domain = identity_.domain;
  values.domain = frames_.back().domain;
  values.helo = identity_.helo;
  values.validated = validated_;
  values.receiver = identity_.receiver;
  values.ip = identity_.ip;
  values.now = identity_.now;
  return values;
}

bool Evaluation::spend_lookup() {
  if (++check_.lookups <= most_lookups) return true;
  fail(AuthResult::permerror, "more than 10 terms that ask the DNS");
  return false;
}

bool Evaluation::note_void() {
  if (++check_.void_lookups <= most_void_lookups) return true;
  fail(AuthResult::permerror, "more than 2 void look-ups");
  return false;
}

bool Evaluation::note_void(const dns::Answer& answer) { return !answer.is_absent() || note_void(); }

Evaluation::Match Evaluation::fail(AuthResult result, std::string_view problem) {
  check_.result = result;
  check_.problem = text::printable(problem);
  return Match::error;
}

Evaluation::Match Evaluation::fail(const dns::Answer& answer, std::string_view name, dns::Type type) {
  std::string problem(dns::name(type));
  problem.append(" of ").append(name).append(": ").append(dns::name(answer.status));
  return fail(AuthResult::temperror, problem);
}

}  // namespace

Task<SpfFacts::Check> evaluate(Identity identity, io::Resolver& resolver, Time deadline) {
  Evaluation evaluation(std::move(identity), resolver, deadline);
  co_return co_await evaluation.run();
}

}  // namespace sallyport::policies::spf
