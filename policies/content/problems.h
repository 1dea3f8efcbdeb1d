// What is wrong with a mail's content, in the kinds under which it is counted, logged and judged (threats.md, section
// 7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/counters.h"
#include "gateway/base/fields.h"
#include "gateway/mime/set_of.h"
#include "policies/content/facts.h"

namespace sallyport {

namespace policies {

enum class ContentProblem : std::uint8_t {
  mime_limit,        // not all parts could be found: depth, number, memory, work
  header_limit,      // the same: a part's header section
  mime_malformed,    // the same: TNEF or S/MIME; or encodings with octets that do not belong there
  header_malformed,  // of the mail itself
  dup_header,        // fields that may stand once
  conflict,          // own fields that contradict each other
  partial,
  encrypted,
  mime_ambiguous,
  name_ambiguous,
  type_mismatch,
};

}  // namespace policies

template <>
inline constexpr auto words_of<policies::ContentProblem> = std::to_array<std::string_view>(
    {"mime_limit", "header_limit", "mime_malformed", "header_malformed", "dup_header", "conflict", "partial",
     "encrypted", "mime_ambiguous", "name_ambiguous", "type_mismatch"});

namespace policies {

using ContentProblems = mime::SetOf<ContentProblem>;

ContentProblems problems_of(const ContentFacts& facts);

// Under which it is counted; nothing for what is no violation (encrypted content).
std::optional<Violation> violation_of(ContentProblem problem);

// Where the problem shows, in words: "part 3 (invoice.pdf): pe, said to be application/pdf".
std::string describe(const ContentFacts& facts, ContentProblem problem);

}  // namespace policies

}  // namespace sallyport
