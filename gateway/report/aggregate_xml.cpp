#include "gateway/report/aggregate_xml.h"

#include <utility>

#include "gateway/base/text.h"

namespace sallyport::report {

namespace {

constexpr std::string_view last_tag = "</feedback>\n";

void element(std::string& xml, std::string_view name, std::string_view text) {
  xml.append("<").append(name).append(">").append(escape_xml(text)).append("</").append(name).append(">\n");
}

std::string_view pass_or_fail(bool passed) { return passed ? "pass" : "fail"; }

// The report's schema has fewer results than RFC 8601 (DKIMResultType, SPFResultType).
std::string_view spf_word(std::string_view result) { return result == "policy" ? "fail" : result; }
std::string_view dkim_word(std::string_view result) { return result == "softfail" ? "fail" : result; }

void append_metadata(std::string& xml, const ReportMetadata& metadata) {
  xml += "<report_metadata>\n";
  element(xml, "org_name", metadata.organization);
  element(xml, "email", metadata.email);
  if (!metadata.contact.empty()) element(xml, "extra_contact_info", metadata.contact);
  element(xml, "report_id", metadata.report_id);
  xml += "<date_range>\n";
  element(xml, "begin", std::to_string(metadata.begin));
  element(xml, "end", std::to_string(metadata.end));
  xml += "</date_range>\n";
  element(xml, "generator", metadata.generator);
  xml += "</report_metadata>\n";
}

void append_policy(std::string& xml, const PublishedPolicy& policy) {
  xml += "<policy_published>\n";
  element(xml, "domain", policy.domain);
  element(xml, "discovery_method", policy.discovery);
  element(xml, "p", policy.policy);
  if (policy.subdomain_policy) element(xml, "sp", *policy.subdomain_policy);
  if (policy.nonexistent_policy) element(xml, "np", *policy.nonexistent_policy);
  if (!policy.failure_options.empty()) element(xml, "fo", policy.failure_options);
  element(xml, "adkim", policy.strict_dkim ? "s" : "r");
  element(xml, "aspf", policy.strict_spf ? "s" : "r");
  element(xml, "testing", policy.testing ? "y" : "n");
  xml += "</policy_published>\n";
}

std::string record_of(const io::DmarcReportRow& row) {
  const io::DmarcObservation& mail = row.mail;
  std::string xml = "<record>\n<row>\n";
  element(xml, "source_ip", mail.source_ip.to_string());
  element(xml, "count", std::to_string(row.count));
  xml += "<policy_evaluated>\n";
  element(xml, "disposition", mail.disposition);
  element(xml, "dkim", pass_or_fail(mail.dkim));
  element(xml, "spf", pass_or_fail(mail.spf));
  for (const auto& reason : mail.reasons) {
    xml += "<reason>\n";
    element(xml, "type", reason.type);
    if (!reason.comment.empty()) element(xml, "comment", reason.comment);
    xml += "</reason>\n";
  }
  xml += "</policy_evaluated>\n</row>\n<identifiers>\n";
  element(xml, "header_from", mail.header_from);
  if (!mail.envelope_from.empty()) element(xml, "envelope_from", mail.envelope_from);
  xml += "</identifiers>\n<auth_results>\n";
  for (const auto& signature : mail.signatures) {
    xml += "<dkim>\n";
    element(xml, "domain", signature.domain);
    element(xml, "selector", signature.selector);
    element(xml, "result", dkim_word(signature.result));
    xml += "</dkim>\n";
  }
  if (mail.spf_check) {
    xml += "<spf>\n";
    element(xml, "domain", mail.spf_check->domain);
    element(xml, "scope", "mfrom");
    element(xml, "result", spf_word(mail.spf_check->result));
    xml += "</spf>\n";
  }
  return xml += "</auth_results>\n</record>\n";
}

// XML 1.0, 2.2: Char.
bool is_xml_character(char32_t c) {
  return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         (c >= 0x10000 && c <= 0x10FFFF);
}

}  // namespace

std::string escape_xml(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const auto next = text::decode_utf8(text);
    const std::size_t octets = next ? next->octets : 1;
    const char c = text.front();
    if (!next || !is_xml_character(next->value)) {
      escaped += replacement;
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else if (c == '\r') {
      escaped += "&#13;";  // unescaped, an XML parser turns it into a line feed
    } else {
      escaped.append(text.substr(0, octets));
    }
    text.remove_prefix(octets);
  }
  return escaped;
}

AggregateXml::AggregateXml(const ReportMetadata& metadata, const PublishedPolicy& policy, std::size_t most)
    : xml_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n"),
      most_(most) {
  element(xml_, "version", "1.0");
  append_metadata(xml_, metadata);
  append_policy(xml_, policy);
}

bool AggregateXml::add(const io::DmarcReportRow& row) {
  const std::string record = record_of(row);
  if (rows_ > 0 && xml_.size() + record.size() + last_tag.size() > most_) return false;
  xml_ += record;
  ++rows_;
  mails_ += row.count;
  return true;
}

std::string AggregateXml::finish() {
  xml_ += last_tag;
  return std::move(xml_);
}

}  // namespace sallyport::report
