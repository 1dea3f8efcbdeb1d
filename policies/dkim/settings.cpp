#include "policies/dkim/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using settings::row;

constexpr settings::Row rows[] = {
    mode_row<&DkimSettings::mode>("How the check of signatures by DKIM (RFC 6376) takes part."),
    row<&DkimSettings::signatures>("signatures", "How many signatures of a message are verified, from the top.",
                                   {.least = "1", .most = "100"}),
    row<&DkimSettings::score>("score", "What mail adds that has signatures, none of which holds.", settings::scores),
};
}  // namespace

constinit const settings::SectionOf<DkimSettings> dkim_section{"policy.dkim", rows};

}  // namespace sallyport::policies
