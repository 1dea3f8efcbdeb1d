#include "policies/api/actions.h"

namespace sallyport::policies {

namespace {
using settings::row;
using settings::scores;

constexpr settings::Row rows[] = {
    row<&ActionSettings::tag>("tag", "The summed score at which mail is relayed with a mark.", scores),
    row<&ActionSettings::quarantine>(
        "quarantine", "The summed score at which mail is set aside: relayed with X-Sallyport-Quarantine.", scores),
    row<&ActionSettings::reject>("reject", "The summed score at which mail is refused.", scores),
};
}  // namespace

constinit const settings::SectionOf<ActionSettings> actions_section{"policy.actions", rows};

}  // namespace sallyport::policies
