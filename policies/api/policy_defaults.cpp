#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
constexpr settings::Row rows[] = {
    settings::row<&PolicyDefaults::mode>("mode",
                                         "How checks take part that say nothing of their own: refuse mail, only record "
                                         "what they would do, or not at all.",
                                         {.while_loading = true}),
};
}  // namespace

constinit const settings::SectionOf<PolicyDefaults> policy_defaults_section{"policy", rows};

}  // namespace sallyport::policies
