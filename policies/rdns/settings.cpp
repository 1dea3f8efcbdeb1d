#include "policies/rdns/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
constexpr settings::Row rows[] = {
    mode_row<&RdnsSettings::mode>("How the check of the client's reverse name takes part."),
    settings::row<&RdnsSettings::score>(
        "score", "What a client adds that has no reverse name, or none that leads back to its address.",
        settings::scores),
};
}  // namespace

constinit const settings::SectionOf<RdnsSettings> rdns_section{"policy.rdns", rows};

}  // namespace sallyport::policies
