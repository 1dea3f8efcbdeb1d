#include <optional>
#include <string>
#include <utility>

#include "policies/content/content.h"
#include "policies/content/problems.h"
#include "policies/content/replies.h"

namespace sallyport::policies {

namespace {

Action to_action(ContentAction action) {
  switch (action) {
    case ContentAction::none:
      return Action::none;
    case ContentAction::tag:
      return Action::tag;
    case ContentAction::quarantine:
      return Action::quarantine;
    case ContentAction::reject:
      return Action::reject;
  }
  return Action::none;
}

// What a problem leads to by itself; nothing where it only counts.
std::optional<ContentAction> action_of(ContentProblem problem, const ContentFacts& facts,
                                       const ContentSettings& settings) {
  const bool is_unscannable = facts.tree.unscannable != mime::Unscannable::no;
  switch (problem) {
    case ContentProblem::mime_limit:
    case ContentProblem::header_limit:
      return settings.on_unscannable;
    case ContentProblem::mime_malformed: {
      const bool is_by_content = facts.tree.unscannable == mime::Unscannable::tnef ||
                                 facts.tree.unscannable == mime::Unscannable::smime ||
                                 facts.tree.unscannable == mime::Unscannable::storage;
      return is_unscannable && is_by_content ? std::optional(settings.on_unscannable) : std::nullopt;
    }
    case ContentProblem::header_malformed:
      return settings.on_malformed;
    case ContentProblem::conflict:
      return settings.on_conflict;
    case ContentProblem::partial:
      return settings.on_partial;
    case ContentProblem::encrypted:
      return settings.on_encrypted;
    default:
      return std::nullopt;
  }
}

const ReplyText& refusal_of(ContentProblem problem) {
  switch (problem) {
    case ContentProblem::conflict:
      return content_reply::conflict;
    case ContentProblem::partial:
      return content_reply::partial;
    case ContentProblem::header_malformed:
      return content_reply::malformed;
    case ContentProblem::encrypted:
      return content_reply::encrypted;
    default:
      return content_reply::unscannable;
  }
}

Verdict judge_problem(ContentProblem problem, const ContentFacts& facts, const ContentSettings& settings) {
  Verdict verdict;
  const ContentAction action = action_of(problem, facts, settings).value_or(ContentAction::none);
  if (action == ContentAction::reject) verdict = refuse_with(refusal_of(problem));
  verdict.action = to_action(action);
  if (problem == ContentProblem::mime_ambiguous || problem == ContentProblem::name_ambiguous)
    verdict.score = settings.score;
  if (problem == ContentProblem::type_mismatch) verdict.score = settings.mismatch_score;
  verdict.rule = word(problem);
  verdict.because = describe(facts, problem);
  return verdict;
}

}  // namespace

void judge_content(Stage stage, const Transaction&, const Facts& facts, const ContentSettings& settings,
                   Verdicts& out) {
  const ContentFacts* found = stage == Stage::message ? facts.find<ContentFacts>() : nullptr;
  if (found == nullptr) return;
  problems_of(*found).for_each([&](ContentProblem problem) { out.add(judge_problem(problem, *found, settings)); });
}

}  // namespace sallyport::policies
