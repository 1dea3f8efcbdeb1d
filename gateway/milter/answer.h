// Answers: what a milter tells an MTA, as values. Texts are views: decoded ones into the packet.
//
// decode_answer() checks the form of the data and, of header fields, that they can be written into a message
// (threats.md F6). Whether an answer may come now, and whether its action was agreed on, the reader of the dialogue
// checks (mta_dialogue.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/milter/command.h"
#include "gateway/milter/packet.h"

namespace sallyport::milter {

// The macros that a milter wants for a stage, in place of the MTA's own choice; names separated by blanks.
struct MacroList {
  MacroStage stage = MacroStage::connect;
  std::string_view names;
};

struct Negotiated {
  Terms terms;
  std::vector<MacroList> macros;
};

// Answers that are a letter and nothing else.
enum class Word : char {
  go_on = static_cast<char>(AnswerLetter::go_on),
  accept = static_cast<char>(AnswerLetter::accept),
  discard = static_cast<char>(AnswerLetter::discard),
  reject = static_cast<char>(AnswerLetter::reject),
  tempfail = static_cast<char>(AnswerLetter::tempfail),
  skip = static_cast<char>(AnswerLetter::skip),
  progress = static_cast<char>(AnswerLetter::progress),
  shutdown = static_cast<char>(AnswerLetter::shutdown),
  connection_failed = static_cast<char>(AnswerLetter::connection_failed),
};

// A refusal in the milter's own words, as on the wire: "550 5.7.1 text", several lines separated by CRLF, `%` doubled.
// custom_reply.h takes it apart.
struct ReplyText {
  std::string_view text;
};

// Changes, which come between the end of the message and the answer to it.
struct AddRcpt {
  std::string_view path;
  std::string_view parameters;  // ESMTP parameters, separated by blanks
};
struct DeleteRcpt {
  std::string_view path;  // as the MTA has sent it
};
struct ChangeSender {
  std::string_view path;
  std::string_view parameters;
};
// Lines of a value are separated by LF, each after the first begins with a blank or a tab.
struct AddHeader {  // behind all others
  std::string_view name;
  std::string_view value;
};
struct InsertHeader {
  std::uint32_t index = 0;  // before the field of this number; 0: above everything
  std::string_view name;
  std::string_view value;
};
struct ChangeHeader {
  std::uint32_t index = 1;  // of the fields of that name, from 1 on
  std::string_view name;
  std::string_view value;  // empty: the field goes
};
struct ReplaceBody {
  std::string_view octets;  // the first takes the place of the body, further ones are added
};
struct Quarantine {
  std::string_view reason;
};

using Answer = std::variant<Negotiated, Word, ReplyText, AddRcpt, DeleteRcpt, ChangeSender, AddHeader, InsertHeader,
                            ChangeHeader, ReplaceBody, Quarantine>;

// Nothing for a letter that is no answer's, and for data that are not as they must be (threats.md F1, F6).
std::optional<Answer> decode_answer(const Packet& packet);

// Adds the packet to `out`. NULs in texts are left out.
void encode(std::string& out, const Answer& answer);

// The action that a change needs to have been agreed on; 0 for what is no change.
std::uint32_t action_of(const Answer& answer);

// No CR, no NUL, and no LF but before a blank or a tab: nothing in it can end the field or begin another.
bool is_field_value(std::string_view value);

}  // namespace sallyport::milter
