#include "gateway/checks/header_out.h"

#include <array>
#include <charconv>

#include "gateway/base/text.h"
#include "gateway/checks/disposition.h"

namespace sallyport::checks {

namespace {

constexpr std::string_view own_prefix = "X-Sallyport-";

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

std::string octets_of(const mail::OutgoingHeader& header) {
  std::string octets = header.added;
  for (std::string_view piece : header.original) octets += piece.empty() ? std::string_view(header.subject) : piece;
  return octets;
}

mail::OutgoingHeader make_outgoing_header(const mail::Message& message, const TraceInfo& trace) {
  mail::OutgoingHeader out;
  std::string& added = out.added;
  added.reserve(512);
  added.append("X-Sallyport-Id: ").append(trace.id).append("\r\n");
  added.append("X-Sallyport-Verdict: ").append(trace.is_tagged ? "tag" : "clean");
  added.append("; score=").append(one_decimal(score(trace.verdicts)));
  added.append("; checks=").append(folded(symbols(trace.verdicts))).append("\r\n");
  std::string prefix;
  for (const policies::Verdict& verdict : trace.verdicts) {
    if (verdict.shadow) continue;
    for (const auto& [name, value] : verdict.add_headers) added.append(name).append(": ").append(value).append("\r\n");
    prefix += verdict.subject_prefix;
  }
  if (trace.results != nullptr && !trace.results->methods.empty()) added += mail::make_auth_results(*trace.results);
  added += trace.policy_fields;
  added += trace.seal;
  added += mail::make_received(trace.received);

  const mail::HeaderField* subject = prefix.empty() ? nullptr : message.header().find("Subject");
  if (subject) {
    out.subject.append(subject->name).append(": ").append(prefix).append(text::trim(subject->value)).append("\r\n");
  } else if (!prefix.empty()) {
    added.append("Subject: ").append(prefix).append("\r\n");
  }

  // The original header is kept in one piece and cut only where a field is removed or changed.
  std::string_view rest = message.header_octets();
  auto skip = [&](std::string_view field) {
    auto before = static_cast<std::size_t>(field.data() - rest.data());
    if (before > 0) out.original.push_back(rest.substr(0, before));
    rest.remove_prefix(before + field.size());
  };
  for (const mail::HeaderField& field : message.header().fields()) {
    if (&field == subject) {
      skip(field.whole);
      out.original.emplace_back();  // an empty part: the place of `subject`
    } else if (pretends_to_be_ours(field, trace.authserv_ids)) {
      skip(field.whole);
      out.left_out_forged = true;
    }
  }
  if (!rest.empty()) out.original.push_back(rest);
  out.is_changed = !prefix.empty() || out.left_out_forged;
  return out;
}

}  // namespace sallyport::checks
