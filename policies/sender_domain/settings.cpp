#include "policies/sender_domain/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
constexpr settings::Row rows[] = {
    mode_row<&SenderDomainSettings::mode>("How the check that the sender's domain can be replied to takes part."),
    settings::row<&SenderDomainSettings::score>(
        "score", "What a sender adds whose domain has neither MX nor address, or a null MX (RFC 7505).",
        settings::scores),
};
}  // namespace

constinit const settings::SectionOf<SenderDomainSettings> sender_domain_section{"policy.sender_domain", rows};

}  // namespace sallyport::policies
