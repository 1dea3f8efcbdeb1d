#include "policies/dmarc/settings.h"

#include <algorithm>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using settings::row;

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

constinit const settings::SectionOf<DmarcSettings> dmarc_section{
    "policy.dmarc", rows, {}, settings::check_with<DmarcSettings, check_report>};

}  // namespace sallyport::policies
