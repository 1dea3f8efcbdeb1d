#include "policies/rate/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using settings::row;

constexpr settings::Row rows[] = {
    mode_row<&RateSettings::mode>("How the rate limits take part."),
    row<&RateSettings::connect_per_ip>("connect_per_ip", "Connections from one address; more get 421 4.7.1."),
    row<&RateSettings::mail_per_ip>("mail_per_ip", "Messages from one address; more get 451 4.7.1."),
    row<&RateSettings::rcpt_per_sender_domain>("rcpt_per_sender_domain",
                                               "Recipients of mail from one sender domain; more get 451 4.7.1."),
    row<&RateSettings::mail_per_rcpt>("mail_per_rcpt", "Messages to one recipient; more get 451 4.7.1."),
};
}  // namespace

constinit const settings::SectionOf<RateSettings> rate_section{"policy.rate", rows};

}  // namespace sallyport::policies
