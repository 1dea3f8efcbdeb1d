#include "policies/helo/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
constexpr settings::Row rows[] = {
    mode_row<&HeloSettings::mode>("How the check of the client's greeting takes part."),
    settings::row<&HeloSettings::score>("score", "What a name adds that is legal but that no honest mail server gives.",
                                        settings::scores),
};
}  // namespace

constinit const settings::SectionOf<HeloSettings> helo_section{"policy.helo", rows};

}  // namespace sallyport::policies
