#include "policies/dmarc/settings.h"

#include <algorithm>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/settings/table_list.h"
#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using settings::row;

namespace type = settings::type;

constexpr settings::Row exception_rows[] = {
    row<&DmarcException::domain>("domain", type::domain_pattern, "The author's domain, or those below it: *.example.",
                                 {.required = true}),
    row<&DmarcException::networks>("networks", "The clients whose mail is let pass.", {.least = "1", .required = true}),
    row<&DmarcException::reason>("reason", "Why, for the log and the reports.", {.required = true}),
};
constexpr auto exceptions_type = settings::table_list<DmarcException, exception_rows>(
    "list of exceptions",
    R"(a list like [{ domain = "example.com", networks = ["192.0.2.0/24"], reason = "forwards for us" }])",
    R"({"type": "array", "items": {"type": "object", "additionalProperties": false,
        "required": ["domain", "networks", "reason"],
        "properties": {"domain": {"type": "string"}, "reason": {"type": "string"},
                       "networks": {"type": "array", "items": {"type": "string"}, "minItems": 1}}}})");

constexpr settings::Row rows[] = {
    mode_row<&DmarcSettings::mode>("How the check of the author by DMARC (RFC 9989) takes part."),
    row<&DmarcSettings::organizational_domain>(
        "organizational_domain",
        "How the domain of an organization is found: by asking the DNS, or from the public suffix list."),
    row<&DmarcSettings::on_reject>("on_reject",
                                   "What becomes of failing mail whose author's domain asks for rejection."),
    row<&DmarcSettings::on_quarantine>("on_quarantine",
                                       "What becomes of failing mail whose author's domain asks for quarantine."),
    row<&DmarcSettings::on_temperror>("on_temperror",
                                      "What becomes of mail that cannot be checked because the DNS does not answer."),
    row<&DmarcSettings::score>("score", "What failing mail adds, whatever its author's domain asks for.",
                               settings::scores),
    row<&DmarcSettings::phrase_score>("phrase_score",
                                      "What mail adds whose From shows, beside its address, a domain of somebody else.",
                                      settings::scores),
    row<&DmarcSettings::exceptions>("exceptions", exceptions_type,
                                    "Failing mail of these authors from these networks is let pass."),
    row<&DmarcSettings::report, &DmarcReportSettings::enabled>(
        "report.enabled",
        "Whether what aggregate reports (RFC 9990) tell is collected; sallyport dmarc report sends them.",
        {.reload = settings::Reload::restart}),
    row<&DmarcSettings::report, &DmarcReportSettings::organization>("report.organization",
                                                                    "Who reports, by name; empty for the host name."),
    row<&DmarcSettings::report, &DmarcReportSettings::from>(
        "report.from", "The address that reports are sent from; somebody should read its bounces."),
    row<&DmarcSettings::report, &DmarcReportSettings::contact>(
        "report.contact", "Where people with questions about a report may turn, in words; empty to say nothing."),
    row<&DmarcSettings::report, &DmarcReportSettings::upstream>(
        "report.upstream", "The upstream that reports are handed to; it must relay to everywhere."),
    row<&DmarcSettings::report, &DmarcReportSettings::sign, &DmarcSignSettings::domain>(
        "report.sign.domain", type::domain, "The domain that reports are signed for by DKIM; empty for no signature."),
    row<&DmarcSettings::report, &DmarcReportSettings::sign, &DmarcSignSettings::selector>(
        "report.sign.selector", type::domain, "The selector of that domain's key."),
    row<&DmarcSettings::report, &DmarcReportSettings::sign, &DmarcSignSettings::key_file>(
        "report.sign.key.file", type::path, "The file with that key, as PEM."),
};

// An address such as a report may be sent from: of the plain kind, that needs no quotes.
bool is_plain_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || !is_domain_name(text.substr(at + 1), false)) return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), [](char c) {
    return text::is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  });
}

void check_report(const DmarcSettings& dmarc, settings::Check& check) {
  const DmarcReportSettings& report = dmarc.report;
  const DmarcSignSettings& sign = report.sign;
  const bool is_whole = !sign.domain.empty() && !sign.selector.empty() && !sign.key_file.empty();
  if (sign != DmarcSignSettings() && !is_whole)
    check.fail({"report.sign.domain", "report.sign.selector", "report.sign.key.file"},
               check.path("report.sign") + " needs all of domain, selector and key");
  if (!report.from.empty() && !is_plain_address(report.from))
    check.fail({"report.from"}, settings::quote(report.from) + " is no mail address");
  if (!report.enabled) return;
  if (report.from.empty())
    check.fail({"report.enabled"}, check.path("report") + " needs `from`: the address that reports are sent from");
  if (dmarc.mode == Mode::off)
    check.fail({"report.enabled"}, "there is nothing to report while " + check.path("mode") + " is \"off\"");
  if (!check.has_upstream(report.upstream))
    check.fail({"report.upstream", "report.enabled"}, "there is no upstream named " + settings::quote(report.upstream));
}
}  // namespace

bool DmarcException::covers(std::string_view author_domain, const IpAddress& client) const {
  return domain_matches(author_domain, domain) &&
         std::any_of(networks.begin(), networks.end(),
                     [&client](const IpNetwork& one) { return one.contains(client); });
}

constinit const settings::SectionOf<DmarcSettings> dmarc_section{
    "policy.dmarc", rows, {}, settings::check_with<DmarcSettings, check_report>};

}  // namespace sallyport::policies
