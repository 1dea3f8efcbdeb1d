#include "policies/arc/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using settings::row;
namespace type = settings::type;

constexpr settings::Row rows[] = {
    mode_row<&ArcSettings::mode>("How the check of ARC chains (RFC 8617) takes part."),
    row<&ArcSettings::trusted_sealers>("trusted_sealers", type::domains,
                                       "The domains whose DMARC result counts when their seal holds."),
    row<&ArcSettings::score>("score", "What mail adds whose ARC chain is broken.", settings::scores),
    row<&ArcSettings::seal, &ArcSealSettings::domain>(
        "seal.domain", type::domain, "The domain that mail changed here is sealed for; empty for no seal."),
    row<&ArcSettings::seal, &ArcSealSettings::selector>("seal.selector", type::domain,
                                                        "The selector of that domain's key."),
    row<&ArcSettings::seal, &ArcSealSettings::key_file>("seal.key.file", type::path, "The file with that key, as PEM."),
};

void check_seal(const ArcSettings& arc, settings::Check& check) {
  if (arc.seal == ArcSealSettings()) return;
  if (arc.seal.domain.empty() || arc.seal.selector.empty() || arc.seal.key_file.empty())
    check.fail({"seal.domain", "seal.selector", "seal.key.file"},
               check.path("seal") + " needs all of domain, selector and key");
}
}  // namespace

constinit const settings::SectionOf<ArcSettings> arc_section{
    "policy.arc", rows, {}, settings::check_with<ArcSettings, check_seal>};

}  // namespace sallyport::policies
