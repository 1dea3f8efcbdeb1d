#include <string>
#include <utility>

#include "policies/content/content.h"
#include "policies/content/problems.h"

namespace sallyport::policies {

namespace {

constexpr std::size_t most_parts = 40;

std::string describe_part(const mime::Part& part) {
  std::string words(2 * std::size_t{part.depth}, ' ');
  words += part.declared_type.empty() ? "no type" : part.declared_type;
  for (const mime::Name& name : part.names) words += " \"" + name.text + "\"";
  if (!part.is_container) words += ", " + std::to_string(part.size) + " octets";
  if (!part.real_types.empty()) words += ", is " + to_field_text(part.real_types);
  if (part.is_encrypted) words += ", encrypted";
  if (part.is_alternate) words += ", in another reading";
  if (!part.oddities.empty()) words += " [" + to_field_text(part.oddities) + "]";
  return words;
}

}  // namespace

Explained explain_content(const Transaction&, const Facts& facts, const ContentSettings&) {
  Explained row;
  const ContentFacts* found = facts.find<ContentFacts>();
  row.result = "not run";
  if (found == nullptr) return row;
  const mime::Tree& tree = found->tree;
  const ContentProblems problems = problems_of(*found);
  row.result = tree.unscannable != mime::Unscannable::no ? "unscannable" : problems.empty() ? "ok" : "found";
  row.fact = std::to_string(tree.parts.size()) + (tree.parts.size() == 1 ? " part" : " parts");
  problems.for_each([&](ContentProblem problem) {
    row.details.push_back(std::string(word(problem)) + ": " + describe(*found, problem));
  });
  for (std::size_t i = 0; i < tree.parts.size() && i < most_parts; ++i)
    row.details.push_back(describe_part(tree.parts[i]));
  if (tree.parts.size() > most_parts) row.details.push_back(std::to_string(tree.parts.size() - most_parts) + " more");
  return row;
}

}  // namespace sallyport::policies
