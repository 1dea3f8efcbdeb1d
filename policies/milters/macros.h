// The macros that a milter is sent with a command: what the configuration names, else what the milter has asked for,
// else what Postfix and Sendmail send at that stage.
//
// Values come from what the session has parsed, without controls, so that no text of a peer ends a macro or begins
// another (threats.md F7). A macro that has no value here is not sent.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/milter/command.h"
#include "gateway/milter/mta_dialogue.h"
#include "policies/api/gathering.h"
#include "policies/api/transaction.h"
#include "policies/milters/settings.h"

namespace sallyport::policies {

class MacroSet {
 public:
  // What is sent at this stage. Everything must outlive the set, but `dialogue`. `refused`: how the recipient was
  // refused that the milter hears of; null: it was not.
  MacroSet(milter::MacroStage stage, const MilterSettings& milter, const milter::MtaDialogue& dialogue,
           const Transaction& mail, std::string_view hostname, const RefusedRecipient* refused = nullptr);

  // Valid as long as the set.
  milter::Macros for_command(milter::Verb verb) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

// The value of one macro ("j", "{client_addr}"); empty: it has none. A refused recipient has the mailer "error", its
// host is the enhanced code and its address the text of the refusal, as Sendmail and Postfix have it.
std::string macro_value(std::string_view name, const Transaction& mail, std::string_view hostname,
                        const RefusedRecipient* refused = nullptr);

}  // namespace sallyport::policies
