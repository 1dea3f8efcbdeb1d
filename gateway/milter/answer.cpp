#include "gateway/milter/answer.h"

#include "gateway/base/field_name.h"

namespace sallyport::milter {

namespace {

std::optional<Answer> decode_negotiated(DataReader data) {
  Negotiated negotiated;
  Terms& terms = negotiated.terms;
  if (!data.u32(terms.version) || !data.u32(terms.actions) || !data.u32(terms.options)) return std::nullopt;
  while (!data.is_at_end()) {
    std::uint32_t stage = 0;
    std::string_view names;
    if (!data.u32(stage) || stage >= macro_stages || !data.text(names)) return std::nullopt;
    negotiated.macros.push_back({static_cast<MacroStage>(stage), names});
  }
  return negotiated;
}

std::optional<Answer> decode_word(const Packet& packet) {
  if (!packet.data.empty()) return std::nullopt;
  return static_cast<Word>(packet.letter);
}

std::optional<Answer> decode_reply(DataReader data) {
  ReplyText reply;
  if (!data.text(reply.text) || !data.is_at_end()) return std::nullopt;
  return reply;
}

// A path, and perhaps parameters.
template <class Change>
std::optional<Answer> decode_path_and_parameters(DataReader data) {
  Change change;
  if (!data.text(change.path) || change.path.empty()) return std::nullopt;
  if (!data.is_at_end() && !data.text(change.parameters)) return std::nullopt;
  if (!data.is_at_end()) return std::nullopt;
  return change;
}

template <class Change>
std::optional<Answer> decode_path(DataReader data) {
  Change change;
  if (!data.text(change.path) || change.path.empty() || !data.is_at_end()) return std::nullopt;
  return change;
}

template <class Change>
std::optional<Answer> decode_field(DataReader data, Change change) {
  if (!data.text(change.name) || !data.text(change.value) || !data.is_at_end()) return std::nullopt;
  if (!is_field_name(change.name) || !is_field_value(change.value)) return std::nullopt;
  return change;
}

template <class Change>
std::optional<Answer> decode_indexed_field(DataReader data) {
  Change change;
  if (!data.u32(change.index)) return std::nullopt;
  return decode_field(data, change);
}

std::optional<Answer> decode_quarantine(DataReader data) {
  Quarantine quarantine;
  if (!data.text(quarantine.reason) || !data.is_at_end()) return std::nullopt;
  return quarantine;
}

struct LetterOf {
  using Letter = AnswerLetter;
  Letter operator()(const Negotiated&) const { return Letter::negotiate; }
  Letter operator()(Word word) const { return static_cast<Letter>(word); }
  Letter operator()(const ReplyText&) const { return Letter::reply_code; }
  Letter operator()(const AddRcpt& add) const {
    return add.parameters.empty() ? Letter::add_rcpt : Letter::add_rcpt_with_parameters;
  }
  Letter operator()(const DeleteRcpt&) const { return Letter::delete_rcpt; }
  Letter operator()(const ChangeSender&) const { return Letter::change_sender; }
  Letter operator()(const AddHeader&) const { return Letter::add_header; }
  Letter operator()(const InsertHeader&) const { return Letter::insert_header; }
  Letter operator()(const ChangeHeader&) const { return Letter::change_header; }
  Letter operator()(const ReplaceBody&) const { return Letter::replace_body; }
  Letter operator()(const Quarantine&) const { return Letter::quarantine; }
};

// Writes the data behind the letter.
struct WriteData {
  PacketWriter& out;

  void operator()(const Negotiated& negotiated) const {
    const Terms& terms = negotiated.terms;
    out.u32(terms.version).u32(terms.actions).u32(terms.options);
    for (const MacroList& list : negotiated.macros) out.u32(static_cast<std::uint32_t>(list.stage)).text(list.names);
  }
  void operator()(Word) const {}
  void operator()(const ReplyText& reply) const { out.text(reply.text); }
  void operator()(const AddRcpt& add) const { write_path(add.path, add.parameters); }
  void operator()(const DeleteRcpt& change) const { out.text(change.path); }
  void operator()(const ChangeSender& change) const { write_path(change.path, change.parameters); }
  void operator()(const AddHeader& add) const { out.text(add.name).text(add.value); }
  void operator()(const InsertHeader& insert) const { out.u32(insert.index).text(insert.name).text(insert.value); }
  void operator()(const ChangeHeader& change) const { out.u32(change.index).text(change.name).text(change.value); }
  void operator()(const ReplaceBody& body) const { out.octets(body.octets); }
  void operator()(const Quarantine& quarantine) const { out.text(quarantine.reason); }

  void write_path(std::string_view path, std::string_view parameters) const {
    out.text(path);
    if (!parameters.empty()) out.text(parameters);
  }
};

struct ActionOf {
  std::uint32_t operator()(const Negotiated&) const { return 0; }
  std::uint32_t operator()(Word) const { return 0; }
  std::uint32_t operator()(const ReplyText&) const { return 0; }
  std::uint32_t operator()(const AddRcpt& add) const {
    return add.parameters.empty() ? action::add_rcpt : action::add_rcpt_with_parameters;
  }
  std::uint32_t operator()(const DeleteRcpt&) const { return action::delete_rcpt; }
  std::uint32_t operator()(const ChangeSender&) const { return action::change_sender; }
  std::uint32_t operator()(const AddHeader&) const { return action::add_headers; }
  std::uint32_t operator()(const InsertHeader&) const { return action::add_headers; }
  std::uint32_t operator()(const ChangeHeader&) const { return action::change_headers; }
  std::uint32_t operator()(const ReplaceBody&) const { return action::change_body; }
  std::uint32_t operator()(const Quarantine&) const { return action::quarantine; }
};

}  // namespace

bool is_field_value(std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\r' || value[i] == '\0') return false;
    if (value[i] != '\n') continue;
    if (i + 1 == value.size() || (value[i + 1] != ' ' && value[i + 1] != '\t')) return false;
  }
  return true;
}

std::optional<Answer> decode_answer(const Packet& packet) {
  const DataReader data(packet.data);
  switch (static_cast<AnswerLetter>(packet.letter)) {
    case AnswerLetter::negotiate:
      return decode_negotiated(data);
    case AnswerLetter::go_on:
    case AnswerLetter::accept:
    case AnswerLetter::discard:
    case AnswerLetter::reject:
    case AnswerLetter::tempfail:
    case AnswerLetter::skip:
    case AnswerLetter::progress:
    case AnswerLetter::shutdown:
    case AnswerLetter::connection_failed:
      return decode_word(packet);
    case AnswerLetter::reply_code:
      return decode_reply(data);
    case AnswerLetter::add_rcpt:
      return decode_path<AddRcpt>(data);
    case AnswerLetter::add_rcpt_with_parameters:
      return decode_path_and_parameters<AddRcpt>(data);
    case AnswerLetter::delete_rcpt:
      return decode_path<DeleteRcpt>(data);
    case AnswerLetter::change_sender:
      return decode_path_and_parameters<ChangeSender>(data);
    case AnswerLetter::add_header:
      return decode_field(data, AddHeader{});
    case AnswerLetter::insert_header:
      return decode_indexed_field<InsertHeader>(data);
    case AnswerLetter::change_header:
      return decode_indexed_field<ChangeHeader>(data);
    case AnswerLetter::replace_body:
      return ReplaceBody{packet.data};
    case AnswerLetter::quarantine:
      return decode_quarantine(data);
  }
  return std::nullopt;
}

void encode(std::string& out, const Answer& answer) {
  PacketWriter packet(out, static_cast<char>(std::visit(LetterOf{}, answer)));
  std::visit(WriteData{packet}, answer);
}

std::uint32_t action_of(const Answer& answer) { return std::visit(ActionOf{}, answer); }

}  // namespace sallyport::milter
