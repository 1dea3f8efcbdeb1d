#include "policies/content/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {
using settings::row;

constexpr settings::Row rows[] = {
    mode_row<&ContentSettings::mode>("How the check of a mail's parts (MIME) takes part; off: nobody looks for them."),
    row<&ContentSettings::on_unscannable>("on_unscannable",
                                          "What becomes of mail whose parts cannot all be found within the bounds."),
    row<&ContentSettings::on_conflict>(
        "on_conflict",
        "What becomes of mail whose own fields contradict each other about its type, encoding or boundary."),
    row<&ContentSettings::on_malformed>("on_malformed",
                                        "What becomes of mail whose header section has lines that are no fields."),
    row<&ContentSettings::on_partial>("on_partial",
                                      "What becomes of pieces of a mail that its reader would put together."),
    row<&ContentSettings::on_encrypted>("on_encrypted", "What becomes of mail with parts that are encrypted."),
    row<&ContentSettings::score>("score", "What mail adds that readers take differently.", settings::scores),
    row<&ContentSettings::mismatch_score>(
        "mismatch_score", "What mail adds with a file that is something else than its label and name say.",
        settings::scores),
    row<&ContentSettings::depth>("depth", "How deep parts and attached messages may be nested.",
                                 {.least = "1", .most = "100"}),
    row<&ContentSettings::parts>("parts", "How many parts a mail may have, other readings of them included.",
                                 {.least = "1", .most = "10000"}),
};
}  // namespace

constinit const settings::SectionOf<ContentSettings> content_section{"policy.content", rows};

}  // namespace sallyport::policies
