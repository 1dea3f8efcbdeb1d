// A milter that answers anything, and the MTA's side of the dialogue: whatever comes, it is the outcome of what was
// asked, a part of it, or a breach; what a milter may not change is not changed, and what it may ends no field
// (threats.md F1, F2, F4-F6, F8).
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/milter/mta_dialogue.h"

namespace {

using namespace sallyport;
using namespace sallyport::milter;

constexpr int most_mails = 3;

// Where the milter's answers come from.
class Milter {
 public:
  explicit Milter(std::string_view stream) : stream_(stream) {}

  // False: there is nothing more.
  bool read() {
    while (!stream_.empty()) {
      const auto status = reader_.read(stream_);
      if (status == PacketReader::Status::malformed) return false;
      if (status == PacketReader::Status::packet) return true;
    }
    return false;
  }
  const Packet& packet() const { return reader_.packet(); }

 private:
  std::string_view stream_;
  PacketReader reader_;
};

void check_said(std::string_view octets) {
  PacketReader reader;
  while (!octets.empty()) {
    ensure(reader.read(octets) == PacketReader::Status::packet, "what is said to a milter is no packet");
    ensure(decode_command(reader.packet()).has_value(), "what is said to a milter is no command");
  }
}

void check_field(const HeaderField& field) {
  ensure(!field.name.empty() && field.name.find_first_of(std::string_view(":\r\n\0 ", 5)) == std::string::npos,
         "a name");
  for (std::size_t i = 0; i < field.value.size(); ++i) {
    const char c = field.value[i];
    ensure(c != '\0', "NUL in a value");
    if (c == '\r') ensure(i + 1 < field.value.size() && field.value[i + 1] == '\n', "a bare CR in a value");
    if (c != '\n') continue;
    ensure(i > 0 && field.value[i - 1] == '\r', "a bare LF in a value");
    const char next = i + 1 < field.value.size() ? field.value[i + 1] : '\0';
    ensure(next == ' ' || next == '\t', "a value that ends its field");
  }
}

void check_changes(const Changes& changes, const Terms& terms) {
  const auto may = [&terms](std::uint32_t action) { return (terms.actions & action) != 0; };
  for (const HeaderChange& change : changes.header) {
    const bool changes_one = change.kind == HeaderChange::Kind::change;
    ensure(may(changes_one ? action::change_headers : action::add_headers), "a field without the right");
    check_field(change.field);
  }
  ensure(changes.deleted_rcpts.empty() || may(action::delete_rcpt), "a recipient without the right");
  ensure(!changes.sender || may(action::change_sender), "a sender without the right");
  ensure(!changes.quarantine || may(action::quarantine), "a quarantine without the right");
}

// One step of the dialogue; false: it is over.
bool step(MtaDialogue& dialogue, Milter& milter, const Command& event) {
  using namespace std::string_view_literals;
  constexpr std::string_view macros = "i\00001ID\0{client_addr}\000192.0.2.1\0"sv;
  const bool is_answered = dialogue.would_answer(verb_of(event));
  check_said(dialogue.next_event(event, macros));
  ensure(dialogue.awaits_answer() == is_answered, "an answer that was not foreseen");
  const bool is_end = verb_of(event) == Verb::end_of_message;
  bool has_body = false;
  while (dialogue.awaits_answer()) {
    if (!milter.read()) return false;
    const auto taken = dialogue.take(milter.packet());
    if (!taken) {
      ensure(!name(taken.error()).empty(), "a breach without a name");
      return false;
    }
    if (const auto piece = dialogue.take_body_piece()) has_body = true;
    if (!is_end) ensure(dialogue.changes().is_empty(), "a change before the end");
    if (!*taken) continue;
    const Outcome& outcome = **taken;
    const bool is_refusal = outcome.kind == Outcome::Kind::reject || outcome.kind == Outcome::Kind::tempfail;
    ensure(!outcome.reply || is_refusal, "words without a refusal");
    if (outcome.reply) ensure(outcome.reply->code >= 400 && outcome.reply->code < 600, "a code of no refusal");
  }
  if (is_end) {
    ensure(!has_body || (dialogue.terms().actions & action::change_body) != 0, "a body without the right");
    check_changes(dialogue.take_changes(), dialogue.terms());
    ensure(dialogue.changes().is_empty(), "changes that are taken twice");
  }
  return true;
}

bool mail(MtaDialogue& dialogue, Milter& milter) {
  const std::vector<Command> events = {Mail{"<ann@example.org>", {"SIZE=10"}},
                                       Rcpt{"<bob@example.com>", {}},
                                       Rcpt{"<eve@example.com>", {}},
                                       Data{},
                                       Header{"From", " ann@example.org"},
                                       Header{"Subject", " a\n b"},
                                       EndOfHeader{},
                                       Body{"text\r\n"},
                                       Body{"more\r\n"},
                                       EndOfMessage{}};
  for (const Command& event : events) {
    if (!step(dialogue, milter, event)) return false;
  }
  ensure(!dialogue.hears_of_message(), "the message goes on behind its end");
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Milter milter({reinterpret_cast<const char*>(data), size});
  MtaDialogue dialogue({newest_version, action::all, option::all});
  check_said(dialogue.open());
  if (!milter.read() || !dialogue.take(milter.packet()) || dialogue.awaits_answer()) return 0;
  for (int i = 0; i < most_mails; ++i) {
    if (!step(dialogue, milter, Connect{"client.example", *SocketAddress::parse("192.0.2.1:25"), {}})) return 0;
    if (!step(dialogue, milter, Helo{"client.example"}) || !mail(dialogue, milter)) return 0;
    const auto end = dialogue.end_session();
    if (!end) return 0;
    check_said(*end);
  }
  return 0;
}
