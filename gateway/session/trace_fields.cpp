#include "gateway/session/trace_fields.h"

#include <cstdio>

#include "gateway/base/text.h"
#include "gateway/mail/auth_results.h"

namespace sallyport::session {

namespace {

constexpr std::string_view own_prefix = "X-Sallyport-";

bool is_forged(std::string_view name, std::string_view value, const std::vector<std::string>& authserv_ids) {
  if (text::starts_with_ignoring_case(name, own_prefix)) return true;
  return text::equals_ignoring_case(name, "Authentication-Results") &&
         mail::owner_of_auth_results(value, authserv_ids) != mail::AuthservOwner::other;
}

// S38
bool pretends_to_be_ours(const mail::HeaderField& field, const std::vector<std::string>& authserv_ids) {
  if (!field.name.empty()) return is_forged(field.name, field.value, authserv_ids);
  // A field to some readers: its colon stands on the next line.
  const std::string line = mail::unfold(field.whole);
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return false;
  return is_forged(text::trim(line.substr(0, colon)), line.substr(colon + 1), authserv_ids);
}

std::string one_decimal(double score) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", score);
  return text;
}

}  // namespace

OutgoingHeader make_outgoing_header(const mail::Message& message, const TraceInfo& trace) {
  OutgoingHeader out;
  std::string& added = out.added;
  added.reserve(512);
  added.append("X-Sallyport-Id: ").append(trace.id).append("\r\n");
  added.append("X-Sallyport-Verdict: ").append(trace.tagged ? "tag" : "clean");
  added.append("; score=").append(one_decimal(trace.score)).append("; checks=").append(trace.checks).append("\r\n");
  std::string prefix;
  for (const policies::Verdict& verdict : trace.verdicts) {
    if (verdict.shadow) continue;
    for (const auto& [name, value] : verdict.add_headers) added.append(name).append(": ").append(value).append("\r\n");
    prefix += verdict.subject_prefix;
  }
  added += trace.auth_results;
  added += trace.received_spf;
  added += trace.seal;
  added += mail::make_received(trace.received);

  const mail::HeaderField* subject = prefix.empty() ? nullptr : message.header().find("Subject");
  if (subject) {
    out.subject.append(subject->name).append(": ").append(prefix).append(text::trim(subject->value)).append("\r\n");
  } else if (!prefix.empty()) {
    added.append("Subject: ").append(prefix).append("\r\n");
  }

  // One piece from the first octet to the last, cut only where a field leaves or changes.
  std::string_view rest = message.header_octets();
  auto skip = [&](std::string_view field) {
    auto before = static_cast<std::size_t>(field.data() - rest.data());
    if (before > 0) out.original.push_back(rest.substr(0, before));
    rest.remove_prefix(before + field.size());
  };
  for (const mail::HeaderField& field : message.header().fields()) {
    if (&field == subject) {
      skip(field.whole);
      out.original.emplace_back();  // where `subject` goes
    } else if (pretends_to_be_ours(field, trace.authserv_ids)) {
      skip(field.whole);
      out.left_out_forged = true;
    }
  }
  if (!rest.empty()) out.original.push_back(rest);
  out.is_changed = !prefix.empty() || out.left_out_forged;
  return out;
}

}  // namespace sallyport::session
