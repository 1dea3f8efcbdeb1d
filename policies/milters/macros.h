// The macros that a milter is sent with a command: what the configuration names, else what the milter has asked for,
// else what Postfix and Sendmail send at that stage.
//
// Values come from what the session has parsed, without controls, so that no text of a peer ends a macro or begins
// another (threats.md F7). A macro that has no value here is not sent.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "gateway/milter/mta_dialogue.h"
#include "policies/api/gathering.h"
#include "policies/api/transaction.h"
#include "policies/milters/settings.h"

namespace sallyport::policies {

// What the values come from. All of it outlives the object.
struct MacroSource {
  const Transaction& mail;
  std::string_view hostname;
  // How the recipient was refused that the milter hears of; null: it was not.
  const RefusedRecipient* refused = nullptr;
  // How many sessions there are of a client's address; null or empty: nobody knows.
  const std::function<std::uint64_t(const IpAddress&)>* sessions_of = nullptr;
};

// Adds the names and values that are sent at this stage to `out`, as MtaDialogue::add_event() takes them.
void append_macros(std::string& out, milter::MacroStage stage, const MilterSettings& milter,
                   const milter::MtaDialogue& dialogue, const MacroSource& source);

// The value of one macro ("j", "{client_addr}"); empty: it has none. A refused recipient has the mailer "error", its
// host is the enhanced code and its address the text of the refusal, as Sendmail and Postfix have it.
std::string macro_value(std::string_view name, const MacroSource& source);

}  // namespace sallyport::policies
