#include "policies/rate/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using settings::row;

constexpr settings::Row rows[] = {
    mode_row<&RateSettings::mode>("How the rate limits take part."),
    row<&RateSettings::skip>("skip", "Clients that are not limited, neither by rates nor by limits.sessions_per_ip."),
    row<&RateSettings::connect_per_ip>("connect_per_ip", "Connections from one address; more get 421 4.7.1."),
    row<&RateSettings::mail_per_ip>(
        "mail_per_ip", "Messages from one address for whose sender SPF does not pass; more get 451 4.7.1."),
    row<&RateSettings::proven_mail_per_ip>("proven_mail_per_ip",
                                           "Messages from one address for whose sender SPF passes; more get 451 4.7.1.",
                                           {.falls_back_to = {"policy.rate.mail_per_ip"}}),
    row<&RateSettings::rcpt_per_sender_domain>("rcpt_per_sender_domain",
                                               "Accepted recipients of mail from one sender domain; only mail for "
                                               "which SPF passes counts for the domain itself, "
                                               "any other for the domain and its client together. More get 451 4.7.1."),
    row<&RateSettings::rcpt_per_ip>(
        "rcpt_per_ip",
        "Accepted recipients of messages from one address for whose sender SPF does not pass; more get 451 4.7.1."),
    row<&RateSettings::mail_per_rcpt>("mail_per_rcpt",
                                      "Messages to one recipient that was accepted; more get 451 4.7.1."),
};
}  // namespace

constinit const settings::SectionOf<RateSettings> rate_section{"policy.rate", rows};

}  // namespace sallyport::policies
