#include "policies/spf/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using settings::row;
using settings::scores;

constexpr settings::Row rows[] = {
    mode_row<&SpfSettings::mode>("How the check of the sender by SPF (RFC 7208) takes part."),
    row<&SpfSettings::on_fail>("on_fail", "What becomes of mail whose sender's domain does not allow the client."),
    row<&SpfSettings::on_softfail>("on_softfail",
                                   "What becomes of mail whose sender's domain probably does not allow the client."),
    row<&SpfSettings::on_permerror>(
        "on_permerror", "What becomes of mail whose sender's domain has a record that cannot be evaluated."),
    row<&SpfSettings::on_temperror>("on_temperror",
                                    "What becomes of mail that cannot be checked because the DNS does not answer."),
    row<&SpfSettings::score>("score", "What each of these results adds that is set to score.", scores),
};
}  // namespace

constinit const settings::SectionOf<SpfSettings> spf_section{"policy.spf", rows};

}  // namespace sallyport::policies
