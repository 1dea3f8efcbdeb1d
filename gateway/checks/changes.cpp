#include "gateway/checks/changes.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "gateway/base/text.h"
#include "gateway/checks/disposition.h"

namespace sallyport::checks {

using policies::HeaderEdit;
using policies::Verdict;

namespace {

constexpr std::size_t most_shown = 100;  // octets of a subject's tag

// The name of a field as any reader sees it, in small letters: some take for a field what has its colon on the next
// line.
std::string name_seen(const mail::HeaderField& field) {
  if (!field.name.empty()) return text::to_lower(field.name);
  const std::string line = mail::unfold(field.whole);
  const std::size_t colon = line.find(':');
  return colon == std::string::npos ? std::string() : text::to_lower(text::trim(line.substr(0, colon)));
}

bool edits_header(const Verdict& verdict) {
  return !verdict.add_headers.empty() || !verdict.header_edits.empty() || !verdict.subject_prefix.empty() ||
         (verdict.changes && !verdict.changes->header.empty());
}

// The edits of one header. They are heard from the last to the first, and each field does what it hears first, so that
// the time is bounded by the number of edits and that of fields, however many of them have one name.
class Edits {
 public:
  using Fate = HeaderChanges::Fate;

  // The edits must outlive this.
  void add(const HeaderEdit& edit) { edits_.emplace_back(&edit, &names_[text::to_lower(edit.name)]); }

  void apply(const mail::HeaderSection& header, HeaderChanges& changes) {
    if (edits_.empty()) return;
    changes.fields.resize(header.fields().size());
    for (std::size_t i = 0; i < header.fields().size(); ++i) {
      const mail::HeaderField& field = header.fields()[i];
      const auto named = names_.find(name_seen(field));
      // Rules see, and count, only well-formed fields; of all of a name, those that others may see go with them.
      if (named != names_.end()) (field.name.empty() ? named->second.malformed : named->second.whole).push_back(i);
    }
    for (auto edit = edits_.rbegin(); edit != edits_.rend(); ++edit) hear(*edit->first, *edit->second, changes);
    for (const auto& [edit, name] : edits_) {
      if (name->on_top) changes.added.emplace_back(name->on_top->name, *name->on_top->value);
      name->on_top = nullptr;
    }
  }

 private:
  struct Name {
    std::vector<std::size_t> whole;      // the places of its fields
    std::vector<std::size_t> malformed;  // and of what only some readers take for one
    bool is_decided = false;             // an edit of all of them has been heard
    const HeaderEdit* on_top = nullptr;  // its value for a field that is not there
  };

  static void hear(const HeaderEdit& edit, Name& name, HeaderChanges& changes) {
    const bool is_there = name.whole.size() >= std::max<std::uint64_t>(edit.which, 1);
    if (edit.value && !is_there && name.on_top == nullptr) name.on_top = &edit;
    if (name.is_decided) return;
    if (edit.which != 0) {
      if (is_there) decide(changes.fields[name.whole[edit.which - 1]], edit.value);
      return;
    }
    name.is_decided = true;
    const std::optional<std::string> none;
    for (std::size_t i = 0; i < name.whole.size(); ++i)
      decide(changes.fields[name.whole[i]], i == 0 ? edit.value : none);
    for (std::size_t place : name.malformed) decide(changes.fields[place], none);
  }
  static void decide(HeaderChanges::Field& field, const std::optional<std::string>& value) {
    if (field.fate != Fate::stays) return;
    field = value ? HeaderChanges::Field{Fate::replaced, *value} : HeaderChanges::Field{Fate::removed, {}};
  }

  std::map<std::string, Name> names_;  // a map, so that pointers into it stay valid
  std::vector<std::pair<const HeaderEdit*, Name*>> edits_;
};

// A rule that says the same of each recipient says it once.
void add_field(const Verdict& verdict, const std::pair<std::string, std::string>& field,
               std::set<std::array<std::string_view, 3>>& added_at_rcpt, HeaderChanges& changes) {
  const bool is_again =
      verdict.stage == policies::Stage::rcpt && !added_at_rcpt.insert({verdict.rule, field.first, field.second}).second;
  if (!is_again) changes.added.push_back(field);
}

}  // namespace

HeaderChanges header_changes(std::span<const Verdict> said, const mail::HeaderSection& header) {
  HeaderChanges changes;
  Edits edits;
  std::set<std::array<std::string_view, 3>> added_at_rcpt;
  for (const Verdict& verdict : said) {
    if (!edits_header(verdict) || !counts(verdict, said)) continue;
    for (const auto& field : verdict.add_headers) add_field(verdict, field, added_at_rcpt, changes);
    for (const HeaderEdit& edit : verdict.header_edits) edits.add(edit);
    if (!verdict.subject_prefix.empty()) changes.tags.push_back(verdict.subject_prefix);
    if (!verdict.changes) continue;
    const std::vector<milter::HeaderChange>& more = verdict.changes->header;
    changes.by_milters.insert(changes.by_milters.end(), more.begin(), more.end());
  }
  edits.apply(header, changes);
  return changes;
}

const mail::Message* new_body(std::span<const Verdict> said) {
  const mail::Message* body = nullptr;
  for (const Verdict& verdict : said) {
    if (verdict.body && counts(verdict, said)) body = verdict.body.get();
  }
  return body;
}

EnvelopeChanges envelope_changes(std::span<const Verdict> said) {
  EnvelopeChanges changes;
  for (const Verdict& verdict : said) {
    if (!verdict.changes || !counts(verdict, said)) continue;
    const milter::Changes& more = *verdict.changes;
    if (more.sender) changes.sender = &*more.sender;
    for (const milter::EnvelopeRcpt& rcpt : more.added_rcpts) changes.added.push_back(&rcpt);
    changes.removed.insert(changes.removed.end(), more.deleted_rcpts.begin(), more.deleted_rcpts.end());
    if (changes.by.empty() && !changes.is_empty()) changes.by = name_of(verdict);
  }
  return changes;
}

std::string_view redirect(std::span<const Verdict> said) {
  const Verdict* found = nullptr;
  for (const Verdict& verdict : said) {
    if (verdict.redirect.empty() || !counts(verdict, said)) continue;
    if (found == nullptr || verdict.stage > found->stage) found = &verdict;
  }
  return found == nullptr ? std::string_view() : std::string_view(found->redirect);
}

namespace {

void say(std::string& words, std::string_view verb, std::string_view what) {
  words.append(words.empty() ? "" : ", ").append(verb).append(" ").append(what);
}

// Each name once, and not more of them than one reads.
void say_milter(std::string& words, const milter::Changes& changes) {
  using Kind = milter::HeaderChange::Kind;
  constexpr std::size_t most_named = 10;
  std::set<std::string> named;
  if (changes.sender) say(words, "sender", changes.sender->path);
  for (const milter::EnvelopeRcpt& rcpt : changes.added_rcpts) say(words, "add recipient", rcpt.path);
  for (const std::string& rcpt : changes.deleted_rcpts) say(words, "remove recipient", rcpt);
  for (const milter::HeaderChange& one : changes.header) {
    const std::string_view verb = one.removes ? "remove" : one.kind == Kind::change ? "replace" : "add";
    if (named.size() < most_named && named.insert(std::string(verb) + one.field.name).second)
      say(words, verb, one.field.name);
  }
}

void say_header(std::string& words, const Verdict& verdict) {
  for (const auto& [name, value] : verdict.add_headers) say(words, "add", name);
  for (const HeaderEdit& edit : verdict.header_edits) {
    say(words, edit.value ? "replace" : "remove", edit.name);
    if (edit.which != 0) words.append(" ").append(std::to_string(edit.which));
  }
  if (!verdict.subject_prefix.empty()) {
    say(words, "subject", text::printable(text::trim(verdict.subject_prefix), most_shown));
  }
  if (verdict.changes) say_milter(words, *verdict.changes);
  if (verdict.body) say(words, "replace", "the body");
}

void say_way(std::string& words, const Verdict& verdict) {
  if (!verdict.redirect.empty()) say(words, "redirect", verdict.redirect);
  if (!verdict.override_check.empty()) {
    say(words, "override", verdict.override_check);
    words.append(" to ").append(verdict.override_to == policies::Action::none ? "relay" : word(verdict.override_to));
  }
}

}  // namespace

std::string change_words(const Verdict& verdict) {
  std::string words;
  say_header(words, verdict);
  say_way(words, verdict);
  return words;
}

std::vector<std::string> changes(std::span<const Verdict> said, bool is_relayed) {
  std::vector<std::string> told;
  for (const Verdict& verdict : said) {
    std::string words;
    if (is_relayed) say_header(words, verdict);
    say_way(words, verdict);
    if (words.empty() || !counts(verdict, said)) continue;
    words.insert(0, name_of(verdict) + ' ');
    // A rule that says the same of each recipient is told once.
    if (std::find(told.begin(), told.end(), words) == told.end()) told.push_back(std::move(words));
  }
  return told;
}

}  // namespace sallyport::checks
