// What verdicts change besides the mail's fate: its header, its way, and how much other checks' verdicts do.
//
// Only enforced verdicts that count change anything (disposition.h). They act in the order in which they were given:
// by stage, and within a stage in the order of the rules.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/mail/header.h"
#include "gateway/mail/message.h"
#include "policies/api/verdict.h"

namespace sallyport::checks {

// What becomes of a header. Edits name fields as they came: what one rule adds, no other removes. Of several edits of
// one field the last one holds.
struct HeaderChanges {
  std::vector<std::pair<std::string, std::string>> added;  // on top
  // For each field that came, or empty where none changes: it stays, is removed, or has another value.
  enum class Fate { stays, removed, replaced };
  struct Field {
    Fate fate = Fate::stays;
    std::string_view value;  // of the verdict that replaces it
  };
  std::vector<Field> fields;
  std::vector<std::string> tags;  // of the subject
  // What milters want, in their order. They have seen the fields as they came, too; where a rule changes a field that
  // a milter removes or replaces, the milter's word holds.
  std::vector<milter::HeaderChange> by_milters;
};
// The result points into `said`.
HeaderChanges header_changes(std::span<const policies::Verdict> said, const mail::HeaderSection& header);

// The body that the mail goes out with, in the place of the one that came: that of the last verdict with one. It lies
// behind an empty line. Null: the one that came.
const mail::Message* new_body(std::span<const policies::Verdict> said);

// What verdicts change of the envelope, milter after milter: the last sender holds. Points into `said`.
struct EnvelopeChanges {
  const milter::EnvelopeRcpt* sender = nullptr;
  std::vector<const milter::EnvelopeRcpt*> added;
  std::vector<std::string_view> removed;  // paths as milters were told them: "<ann@example.org>"
  std::string by;                         // "milters:mlmmj": who wants the first of it
  bool is_empty() const { return sender == nullptr && added.empty() && removed.empty(); }
};
EnvelopeChanges envelope_changes(std::span<const policies::Verdict> said);

// The upstream that verdicts send the mail to; empty: its tenant's. A later stage's verdict comes before an earlier
// one's; of one stage's, the first.
std::string_view redirect(std::span<const policies::Verdict> said);

// What the verdict would change or changes, in words: "add X-Spam", "remove X-Old", "replace X-Old", "subject [spam]",
// "redirect archive", "override dmarc to tag". Values of fields are left out.
std::string change_words(const policies::Verdict& verdict);
// What was changed, each by its rule: "rules:OLD remove X-Old". The header of a mail that was not relayed was not.
std::vector<std::string> changes(std::span<const policies::Verdict> said, bool is_relayed);

}  // namespace sallyport::checks
