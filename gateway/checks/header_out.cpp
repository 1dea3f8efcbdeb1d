#include "gateway/checks/header_out.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/checks/changes.h"
#include "gateway/checks/disposition.h"
#include "gateway/mail/encoded_words.h"
#include "gateway/mail/subject_tag.h"
#include "gateway/mail/word_encoder.h"

namespace sallyport::checks {

namespace {

constexpr std::string_view own_prefix = "X-Sallyport-";
constexpr std::string_view subject_name = "Subject";
constexpr std::size_t most_because = 400;  // octets of a reason

bool is_forged(std::string_view name, std::string_view value, const std::vector<std::string>& authserv_ids) {
  if (text::starts_with_ignoring_case(name, own_prefix)) return true;
  return text::equals_ignoring_case(name, "Authentication-Results") &&
         mail::owner_of_auth_results(value, authserv_ids) != mail::AuthservOwner::other;
}

// True for a field that imitates ours (S38).
bool pretends_to_be_ours(const mail::HeaderField& field, const std::vector<std::string>& authserv_ids) {
  if (!field.name.empty()) return is_forged(field.name, field.value, authserv_ids);
  // Some readers take this for a field: its colon is on the next line.
  const std::string line = mail::unfold(field.whole);
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return false;
  return is_forged(text::trim(line.substr(0, colon)), line.substr(colon + 1), authserv_ids);
}

// Joins the symbols to "a,b" in printable ASCII, folded to lines of 78 octets when one line would be too long (RFC
// 5322, 2.1.1).
std::string folded(const std::vector<std::string>& symbols) {
  constexpr std::size_t most_in_one_line = 900;  // room is left for the field's name and the score
  constexpr std::size_t wanted = 76;
  std::string line = text::printable(text::join(symbols, ","), std::string::npos);
  if (line.size() <= most_in_one_line) return line;
  std::string lines;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t comma = at + wanted < line.size() ? line.find(',', at + wanted) : std::string::npos;
    const std::size_t end = comma == std::string::npos ? line.size() : comma + 1;
    if (at > 0) lines += "\r\n ";
    lines += line.substr(at, end - at);
    at = end;
  }
  return lines;
}

std::string one_decimal(double score) {
  std::array<char, 512> text;  // as long as the largest double is
  const auto written = std::to_chars(text.begin(), text.end(), score, std::chars_format::fixed, 1);
  return std::string(text.data(), written.ptr);
}

std::string_view word_for(policies::Action action) {
  if (action == policies::Action::quarantine) return "quarantine";
  return action >= policies::Action::tag ? "tag" : "clean";
}

std::string make_field(std::string_view name, std::string_view value) {
  return std::string(name).append(": ").append(mail::encode_text(value)).append("\r\n");
}

// The subject that a rule has written, with the tags of others.
std::string tagged(std::string field, const mail::SubjectTags& tags) {
  const mail::HeaderSection section(field);
  auto other = tags.put_before(section.fields().front(), {});
  return other ? std::move(*other) : std::move(field);
}

// What stands in the place of a field; empty: it is removed. Nothing: it stays as it came. Which of several subjects a
// reader shows is for the reader to say, so each has the tags.
std::optional<std::string> edited(const mail::HeaderField& field, const HeaderChanges::Field& change,
                                  const mail::SubjectTags& tags, std::string_view raw_charset) {
  using Fate = HeaderChanges::Fate;
  if (change.fate == Fate::removed) return std::string();
  const bool is_tagged = !tags.empty() && text::equals_ignoring_case(field.name, subject_name);
  if (change.fate == Fate::replaced) {
    std::string other = make_field(field.name, change.value);
    return is_tagged ? tagged(std::move(other), tags) : std::move(other);
  }
  if (!is_tagged) return std::nullopt;
  return tags.put_before(field, raw_charset);
}

constexpr std::size_t no_field = std::string::npos;
constexpr std::size_t our_received = no_field - 1;

// A field as milters leave it: one that came, by its place among those, or one of theirs.
struct Arranged : milter::HeaderField {
  std::size_t origin = no_field;
};

// What milters make of the fields that came. They see none of ours; the index 0 is above our Received.
std::vector<Arranged> arrange(const mail::HeaderSection& header, const std::vector<milter::HeaderChange>& changes) {
  std::vector<Arranged> fields;
  fields.reserve(header.fields().size() + 1 + changes.size());
  fields.push_back({{}, our_received});
  for (std::size_t i = 0; i < header.fields().size(); ++i)
    fields.push_back({{std::string(header.fields()[i].name), {}}, i});
  milter::apply_changes(changes, fields);
  return fields;
}

std::string octets_of(const milter::HeaderField& field, const mail::SubjectTags& tags) {
  std::string octets = field.name + ":" + field.value + "\r\n";
  const bool is_tagged = !tags.empty() && text::equals_ignoring_case(field.name, subject_name);
  return is_tagged ? tagged(std::move(octets), tags) : std::move(octets);
}

// The message's own header section, which stays in one piece but where a field is removed or changed.
class Below {
 public:
  Below(std::string_view octets, mail::OutgoingHeader& out) : rest_(octets), out_(out) {}

  // `field`, at this place, lies behind those that were replaced before. Without an `other`, it is removed.
  void replace(std::size_t place, std::string_view field, std::string other) {
    const auto before = static_cast<std::size_t>(field.data() - rest_.data());
    if (before > 0) out_.below.push_back(rest_.substr(0, before));
    std::string_view instead;
    if (!other.empty()) out_.below.push_back(instead = out_.rewritten.emplace_back(std::move(other)));
    out_.edits.push_back({place, instead});
    rest_.remove_prefix(before + field.size());
    has_replaced_ = true;
  }
  void end() {
    if (!rest_.empty()) out_.below.push_back(rest_);
  }
  bool has_replaced() const { return has_replaced_; }

 private:
  std::string_view rest_;
  mail::OutgoingHeader& out_;
  bool has_replaced_ = false;
};

}  // namespace

mail::AuthResults auth_results(const Plan& plan, const policies::Transaction& mail, const policies::Facts& facts,
                               std::string_view hostname) {
  mail::AuthResults results;
  results.authserv_id = hostname;
  for (const Plan::Check& check : plan.checks) {
    if (check.entry->auth_results != nullptr) check.entry->auth_results(mail, facts, results);
  }
  return results;
}

std::string trace_fields(const Plan& plan, const policies::Transaction& mail, const policies::Facts& facts,
                         std::string_view hostname) {
  std::string fields;
  for (const Plan::Check& check : plan.checks) {
    if (check.entry->trace_fields != nullptr) check.entry->trace_fields(mail, facts, hostname, fields);
  }
  return fields;
}

namespace {

// The message's own fields, with what rules and milters make of them.
class FieldsBelow {
 public:
  FieldsBelow(const mail::Message& message, const TraceInfo& trace, const HeaderChanges& changes,
              const mail::SubjectTags& tags, mail::OutgoingHeader& out)
      : message_(message),
        trace_(trace),
        changes_(changes),
        tags_(tags),
        raw_charset_(tags.empty() ? std::string_view() : mail::declared_charset(message.header())),
        has_edits_(!tags.empty() || !changes.fields.empty()),
        out_(out) {}

  // In their order, as they came.
  void add_all() {
    Below below(message_.header_octets(), out_);
    for (std::size_t i = 0; i < message_.header().fields().size(); ++i) {
      if (auto other = in_place_of(i)) below.replace(i, message_.header().fields()[i].whole, std::move(*other));
    }
    below.end();
    out_.is_changed = out_.is_changed || below.has_replaced();
  }

  // As milters have arranged them; those above our Received are not among them.
  void add(std::span<const Arranged> fields) {
    const std::size_t end = message_.header().fields().size();
    std::vector<bool> is_left(end);
    std::size_t placed = 0;  // so many of `further` have their place
    for (const Arranged& field : fields) {
      if (field.origin == no_field) {
        out_.below.push_back(out_.rewritten.emplace_back(octets_of(field, tags_)));
        out_.further.push_back({out_.below.back(), end});
        continue;
      }
      for (; placed < out_.further.size(); ++placed) out_.further[placed].before = field.origin;
      is_left[field.origin] = true;
      if (auto other = in_place_of(field.origin)) {
        std::string_view instead;
        if (!other->empty()) out_.below.push_back(instead = out_.rewritten.emplace_back(std::move(*other)));
        out_.edits.push_back({field.origin, instead});
      } else {
        out_.below.push_back(message_.header().fields()[field.origin].whole);
      }
    }
    for (std::size_t i = 0; i < is_left.size(); ++i) {
      if (!is_left[i]) out_.edits.push_back({i, {}});
    }
    const auto is_above = [](const mail::OutgoingHeader::Edit& one, const mail::OutgoingHeader::Edit& other) {
      return one.field < other.field;
    };
    std::sort(out_.edits.begin(), out_.edits.end(), is_above);
    // What stands behind the last field: the empty line, unless the message has none.
    std::string_view rest = message_.header_octets();
    if (!message_.header().fields().empty()) {
      const std::string_view last = message_.header().fields().back().whole;
      rest.remove_prefix(static_cast<std::size_t>(last.data() + last.size() - rest.data()));
    }
    if (!rest.empty()) out_.below.push_back(rest);
    out_.is_changed = true;
  }

 private:
  // Nothing: it stays as it came. Empty: it is left out.
  std::optional<std::string> in_place_of(std::size_t i) {
    const mail::HeaderField& field = message_.header().fields()[i];
    if (pretends_to_be_ours(field, trace_.authserv_ids)) {
      out_.left_out_forged = true;
      return std::string();
    }
    if (!has_edits_) return std::nullopt;
    const auto change = changes_.fields.empty() ? HeaderChanges::Field() : changes_.fields[i];
    return edited(field, change, tags_, raw_charset_);
  }

  const mail::Message& message_;
  const TraceInfo& trace_;
  const HeaderChanges& changes_;
  const mail::SubjectTags& tags_;
  const std::string_view raw_charset_;
  const bool has_edits_;
  mail::OutgoingHeader& out_;
};

}  // namespace

std::string octets_of(const mail::OutgoingHeader& header) {
  std::string octets = header.added;
  for (std::string_view piece : header.below) octets += piece;
  return octets;
}

mail::OutgoingHeader make_outgoing_header(const mail::Message& message, const TraceInfo& trace) {
  const mail::HeaderSection& header = message.header();
  const HeaderChanges changes = header_changes(trace.verdicts, header);
  const mail::SubjectTags tags(changes.tags);
  mail::OutgoingHeader out;
  std::string& added = out.added;
  added.reserve(512);
  added.append("X-Sallyport-Id: ").append(trace.id).append("\r\n");
  added.append("X-Sallyport-Verdict: ").append(word_for(trace.action));
  added.append("; score=").append(one_decimal(score(trace.verdicts)));
  added.append("; checks=").append(folded(symbols(trace.verdicts))).append("\r\n");
  if (trace.action == policies::Action::quarantine) {
    added.append("X-Sallyport-Quarantine: ").append(text::printable(trace.because, most_because)).append("\r\n");
  }
  std::vector<Arranged> arranged;
  if (!changes.by_milters.empty()) arranged = arrange(header, changes.by_milters);
  const auto received = std::find_if(arranged.begin(), arranged.end(),
                                     [](const Arranged& field) { return field.origin == our_received; });
  bool has_subject = !tags.empty() && header.find(subject_name) != nullptr;
  if (!arranged.empty()) {
    has_subject = std::any_of(arranged.begin(), arranged.end(), [](const Arranged& field) {
      return text::equals_ignoring_case(field.name, subject_name);
    });
    for (auto field = arranged.begin(); field != received; ++field) added += octets_of(*field, tags);
  }
  for (const auto& [name, value] : changes.added) {
    const bool is_subject = text::equals_ignoring_case(name, subject_name);
    has_subject |= is_subject;
    added += is_subject ? tagged(make_field(name, value), tags) : make_field(name, value);
  }
  if (trace.results != nullptr && !trace.results->methods.empty()) added += mail::make_auth_results(*trace.results);
  added += trace.policy_fields;
  added += trace.seal;
  if (trace.received) added += mail::make_received(*trace.received);
  if (!tags.empty() && !has_subject) added += tags.as_subject();

  out.is_changed = !changes.added.empty() || (!tags.empty() && !has_subject) || trace.has_new_body;
  FieldsBelow below(message, trace, changes, tags, out);
  if (arranged.empty()) {
    below.add_all();
  } else {
    below.add(std::span(arranged).subspan(static_cast<std::size_t>(received - arranged.begin()) + 1));
  }
  if (trace.has_new_body && !message.header_is_complete()) out.below.push_back("\r\n");
  return out;
}

}  // namespace sallyport::checks
