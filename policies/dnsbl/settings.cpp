#include "policies/dnsbl/settings.h"

#include "policies/api/policy_defaults.h"
#include "policies/lists/setting_types.h"

namespace sallyport::policies {

namespace {

using settings::row;
using settings::scores;

constexpr settings::Row rows[] = {
    mode_row<&DnsblSettings::mode>("How the DNS lists take part."),
    row<&DnsblSettings::reject_at>(
        "reject_at", "The sum of the lists' scores at which recipients are refused with 550 5.7.1.", scores),
    row<&DnsblSettings::score>("score", "What a hit on a list adds that has no score of its own.", scores),
    row<&DnsblSettings::skip>("skip", "Clients that are not looked up."),
    row<&DnsblSettings::zones, &DnsblZone::score>(
        "zones.*.score", "What a hit adds; negative for a list of good clients.",
        {.least = "-1000", .most = "1000", .falls_back_to = {"policy.dnsbl.score"}}),
    row<&DnsblSettings::zones, &DnsblZone::reply>("zones.*.reply", list_types::reply_ranges,
                                                  "The answers that are a hit.", {.least = "1"}),
    row<&DnsblSettings::zones, &DnsblZone::codes>(
        "zones.*.codes", list_types::code_scores,
        "What a hit adds, by the answer; stands for the list's score and reply."),
    row<&DnsblSettings::zones, &DnsblZone::name>(
        "zones.*.name", list_types::list_name,
        "How the list is called in replies, headers and the log; empty for the zone without what may be a key."),
    row<&DnsblSettings::zones, &DnsblZone::text>(
        "zones.*.text", list_types::list_text,
        "The text of the 550, with {list}, {ip} and {domain} (of the sender); empty for \"Listed by {list}\"."),
    row<&DnsblSettings::zones, &DnsblZone::self_test>(
        "zones.*.self_test", list_types::self_test,
        "Whether the list is left out while its test points (RFC 5782) are wrong: both of them (on), or only if "
        "127.0.0.1 is listed or 127.0.0.2 no longer is (auto)."),
};

constexpr settings::Collection collections[] = {
    {"zones.*", settings::NameRule::domain, "A DNS list (RFC 5782)."},
};

}  // namespace

constinit const settings::SectionOf<DnsblSettings> dnsbl_section{"policy.dnsbl", rows, collections};

}  // namespace sallyport::policies
