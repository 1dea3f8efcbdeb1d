#include "gateway/explain/explain_checks.h"

#include <utility>

namespace sallyport::explain {

namespace {

// The words for a check without an `explain` function: taken from its last verdict.
policies::Explained words_of_verdicts(std::string_view check, const std::vector<policies::Verdict>& said) {
  policies::Explained words;
  for (const policies::Verdict& verdict : said) {
    if (verdict.check != check) continue;
    words.result = word(verdict.action);
    words.fact = verdict.because;
  }
  return words;
}

}  // namespace

std::vector<CheckRow> rows_of(const Explanation& about) {
  const record::MailRecord& record = about.record;
  std::vector<CheckRow> rows;
  for (const ExplainedCheck& check : about.checks) {
    const policies::PolicyEntry& entry = *check.entry;
    CheckRow row;
    row.check = entry.name;
    row.mode = check.mode;
    row.words = entry.explain ? entry.explain(record.transaction, record.facts, check.settings)
                              : words_of_verdicts(entry.name, record.verdicts);
    for (const policies::Verdict& verdict : record.verdicts) {
      if (verdict.check == entry.name) row.score += verdict.score;
    }
    row.decided = record.check == entry.name;
    row.facts = record.facts.to_json(entry.facts);
    row.evidence = record.facts.tell(entry.facts).evidence;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace sallyport::explain
