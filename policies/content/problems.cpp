#include "policies/content/problems.h"

#include <algorithm>

#include "gateway/base/text_safety.h"

namespace sallyport::policies {

namespace {

using mime::Oddities;
using mime::Oddity;
using mime::Origin;
using mime::Part;
using mime::Tree;

constexpr Oddities conflicts = Oddities(Oddity::conflicting_type) | Oddity::conflicting_encoding |
                               Oddity::conflicting_version | Oddity::conflicting_boundary;
constexpr Oddities ambiguous = conflicts | Oddity::missing_boundary | Oddity::boundary_prefix |
                               Oddity::boundary_not_found | Oddity::text_after_close | Oddity::odd_preamble |
                               Oddity::odd_epilogue | Oddity::undeclared_structure | Oddity::encoding_mismatch |
                               Oddity::hidden_content | Oddity::duplicate_parameter | Oddity::external_body;
constexpr Oddities malformed = Oddities(Oddity::bad_base64) | Oddity::bad_quoted_printable | Oddity::bad_uuencode |
                               Oddity::unknown_encoding | Oddity::encoded_composite | Oddity::header_without_end |
                               Oddity::nul | Oddity::control_in_name;

constexpr std::size_t most_shown = 80;

// Whether a part is the mail's own: not of a message that is attached, nor of another reading. What a forwarded mail
// looks like is not its forwarder's fault.
bool is_own(const Tree& tree, std::size_t index) {
  while (true) {
    const Part& part = tree.parts[index];
    if (part.is_alternate || part.origin == Origin::attached || part.origin == Origin::embedded ||
        part.origin == Origin::tnef)
      return false;
    if (index == mime::the_message) return true;
    index = part.parent;
  }
}

ContentProblem limit_of(mime::Unscannable reason) {
  switch (reason) {
    case mime::Unscannable::header:
      return ContentProblem::header_limit;
    case mime::Unscannable::tnef:
    case mime::Unscannable::smime:
    case mime::Unscannable::storage:
      return ContentProblem::mime_malformed;
    default:
      return ContentProblem::mime_limit;
  }
}

bool shows(const Tree& tree, std::size_t index, ContentProblem problem) {
  const Part& part = tree.parts[index];
  switch (problem) {
    case ContentProblem::mime_malformed:
      return part.oddities.has_any(malformed);
    case ContentProblem::conflict:
      return part.oddities.has_any(conflicts) && is_own(tree, index);
    case ContentProblem::partial:
      return part.oddities.has(Oddity::partial_message) && is_own(tree, index);
    case ContentProblem::encrypted:
      return part.is_encrypted;
    case ContentProblem::mime_ambiguous:
      return part.oddities.has_any(ambiguous);
    case ContentProblem::name_ambiguous:
      return part.oddities.has_any(Oddities(Oddity::conflicting_name) | Oddity::deceptive_name);
    case ContentProblem::type_mismatch:
      return part.oddities.has(Oddity::type_mismatch);
    default:
      return false;
  }
}

}  // namespace

ContentProblems problems_of(const ContentFacts& facts) {
  ContentProblems problems;
  if (facts.tree.unscannable != mime::Unscannable::no) problems.add(limit_of(facts.tree.unscannable));
  if (facts.has_malformed_header) problems.add(ContentProblem::header_malformed);
  if (!facts.duplicated_fields.empty()) problems.add(ContentProblem::dup_header);
  for (std::size_t i = 0; i < facts.tree.parts.size(); ++i) {
    for (ContentProblem problem :
         {ContentProblem::mime_malformed, ContentProblem::conflict, ContentProblem::partial, ContentProblem::encrypted,
          ContentProblem::mime_ambiguous, ContentProblem::name_ambiguous, ContentProblem::type_mismatch}) {
      if (!problems.has(problem) && shows(facts.tree, i, problem)) problems.add(problem);
    }
  }
  return problems;
}

std::optional<Violation> violation_of(ContentProblem problem) {
  switch (problem) {
    case ContentProblem::mime_limit:
      return Violation::mime_limit;
    case ContentProblem::header_limit:
      return Violation::header_limit;
    case ContentProblem::mime_malformed:
    case ContentProblem::partial:
      return Violation::mime_malformed;
    case ContentProblem::header_malformed:
      return Violation::header_malformed;
    case ContentProblem::dup_header:
    case ContentProblem::conflict:
      return Violation::dup_header;
    case ContentProblem::mime_ambiguous:
      return Violation::mime_ambiguous;
    case ContentProblem::name_ambiguous:
      return Violation::name_ambiguous;
    case ContentProblem::type_mismatch:
      return Violation::type_mismatch;
    case ContentProblem::encrypted:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string describe(const ContentFacts& facts, ContentProblem problem) {
  const Tree& tree = facts.tree;
  if (problem == ContentProblem::header_malformed) return "the header section has a line that is no field";
  if (problem == ContentProblem::dup_header) {
    std::string words = "more than once:";
    for (const std::string& name : facts.duplicated_fields) words += " " + name;
    return words;
  }
  if (tree.unscannable != mime::Unscannable::no && problem == limit_of(tree.unscannable))
    return "not all parts could be read: " + std::string(word(tree.unscannable));
  for (std::size_t i = 0; i < tree.parts.size(); ++i) {
    if (!shows(tree, i, problem)) continue;
    const Part& part = tree.parts[i];
    std::string words = i == mime::the_message ? "the mail" : "part " + std::to_string(i);
    if (!part.names.empty()) words += " (" + text::showable(part.names.front().text.substr(0, most_shown)) + ")";
    if (problem == ContentProblem::type_mismatch) {
      words += ": " + to_field_text(part.real_types);
      if (!part.declared_type.empty())
        words += ", said to be " + text::showable(part.declared_type.substr(0, most_shown));
    } else if (problem == ContentProblem::encrypted) {
      words += " is encrypted";
    } else if (!part.oddities.empty()) {
      words += ": " + to_field_text(part.oddities);
    }
    return words;
  }
  return {};
}

}  // namespace sallyport::policies
