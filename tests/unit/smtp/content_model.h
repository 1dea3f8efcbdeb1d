// What the readers of content have to give, said a second time and as plainly as possible: whole strings, searched and
// copied, no state carried from octet to octet. It shares nothing with the readers but the rules (threats.md S1-S8).
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/unit/smtp/content_runs.h"

namespace sallyport::smtp {

Outcome model_data(std::string_view raw, std::uint64_t max_line_octets);
Outcome model_chunks(std::string_view raw, std::uint64_t max_line_octets);

}  // namespace sallyport::smtp
