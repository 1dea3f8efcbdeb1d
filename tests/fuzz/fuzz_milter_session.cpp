// One connection to a filter on libsallyport-milter: any octets from the MTA, in any pieces, and a filter that gives
// any verdict, calls any function of the library anywhere, writes into what it is given, and throws. One callback at a
// time; xxfi_abort for messages only, once each; xxfi_close at the end; answers that an MTA understands, one to a
// command; none after the end; and the same whatever the pieces are.
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/milter_library/session.h"
#include "tests/unit/milter_library/callbacks.h"

namespace {

using namespace sallyport;
using namespace sallyport::milter_library;

// How an input is read: what the filter agrees on, what it does in each callback in turn, whether the MTA can be
// written to, and what the MTA sends.
struct Input {
  std::uint32_t actions = 0;
  std::uint32_t options = 0;
  sfsistat negotiated = SMFIS_CONTINUE;
  std::size_t sends = SIZE_MAX;  // that succeed
  std::array<std::uint8_t, 16> deeds{};
  std::string stream;
};

class Octets {
 public:
  explicit Octets(std::string_view rest) : rest_(rest) {}
  bool is_at_end() const { return rest_.empty(); }
  std::uint8_t take() {
    if (rest_.empty()) return 0;
    const auto octet = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return octet;
  }
  std::string_view take(std::size_t most) {
    const std::string_view taken = rest_.substr(0, most);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

Input read_input(std::string_view octets) {
  Octets from(octets);
  Input input;
  const std::uint8_t flags = from.take();
  for (int i = 0; i < 2; ++i) input.actions = input.actions << 8 | from.take();
  for (int i = 0; i < 3; ++i) input.options = input.options << 8 | from.take();
  if ((flags & 1) != 0) input.negotiated = SMFIS_ALL_OPTS;
  if ((flags & 2) != 0) input.sends = from.take();
  for (std::uint8_t& deed : input.deeds) deed = from.take();
  if ((flags & 4) != 0) {  // as it is on the wire
    input.stream = from.take(SIZE_MAX);
    return input;
  }
  while (!from.is_at_end()) {  // letters, each with an octet for the length of its data
    const auto letter = static_cast<char>(from.take());
    const std::size_t size = from.take();
    milter::PacketWriter(input.stream, letter).octets(from.take(size));
  }
  return input;
}

char* text(const char* value) { return const_cast<char*>(value); }

// The right half of a deed: what is called.
void call_function(SMFICTX* context, unsigned what) {
  static std::array<unsigned char, 70'000> body{};
  switch (what) {
    case 1:
      smfi_addheader(context, text("X-Added"), text("one\n\ttwo"));
      break;
    case 2:
      smfi_chgheader(context, text("Subject"), 1, nullptr);
      break;
    case 3:
      smfi_insheader(context, 1, text("X-Inserted"), text(""));
      break;
    case 4:
      smfi_chgfrom(context, text("<>"), text("SIZE=1"));
      break;
    case 5:
      smfi_addrcpt(context, text("<a@b>"));
      break;
    case 6:
      smfi_addrcpt_par(context, text("<a@b>"), text("NOTIFY=NEVER"));
      break;
    case 7:
      smfi_delrcpt(context, text("<a@b>"));
      break;
    case 8:
      smfi_replacebody(context, body.data(), 0);
      break;
    case 9:
      smfi_quarantine(context, text("why"));
      break;
    case 10:
      smfi_progress(context);
      break;
    case 11:
      smfi_setreply(context, text("550"), text("5.7.1"), text("no"));
      break;
    case 12:
      smfi_setmlreply(context, "451", "4.7.1", "not", "now", static_cast<char*>(nullptr));
      break;
    case 13:
      smfi_setsymlist(context, SMFIM_CONNECT, text("j i"));
      break;
    case 14:
      // It may write into the values.
      for (const char* name : {"i", "{i}", "{j}"}) {
        for (char* value = smfi_getsymval(context, text(name)); value != nullptr && *value != '\0'; ++value)
          *value = 'w';
      }
      break;
    case 15:
      smfi_replacebody(context, body.data(), static_cast<int>(body.size()));
      break;
    default:
      break;
  }
}

// The left half: how the callback ends.
sfsistat end_callback(unsigned how) {
  constexpr std::array<sfsistat, 12> verdicts = {SMFIS_CONTINUE, SMFIS_CONTINUE, SMFIS_CONTINUE, SMFIS_CONTINUE,
                                                 SMFIS_ACCEPT,   SMFIS_REJECT,   SMFIS_TEMPFAIL, SMFIS_DISCARD,
                                                 SMFIS_SKIP,     SMFIS_NOREPLY,  SMFIS_ALL_OPTS, 99};
  if (how == 14) throw std::bad_alloc();
  if (how == 15) throw std::runtime_error("of the filter");
  return how < verdicts.size() ? verdicts[how] : SMFIS_CONTINUE;
}

const Input* playing = nullptr;

sfsistat negotiate(SMFICTX* context, unsigned long, unsigned long, unsigned long, unsigned long, unsigned long* actions,
                   unsigned long* options, unsigned long*, unsigned long*) {
  *actions &= playing->actions;
  *options = playing->options;
  call_function(context, playing->deeds.front() & 0xf);
  return playing->negotiated;
}

bool is_change(const milter::Answer& answer) { return milter::action_of(answer) != 0; }

struct Play final : SessionHost {
  Play(const Filter& its_filter, std::size_t sends_left) : SessionHost(its_filter), sends(sends_left) {}

  bool send() override {
    if (sends == 0) return false;
    if (sends != SIZE_MAX) --sends;
    sent += std::exchange(answers, {});
    return true;
  }
  void report(std::string_view) override {}

  std::size_t sends;
  std::string sent;
};

// What has been sent since `begin`: answers that may come to that command.
void check_answers(std::string_view octets, char letter) {
  milter::PacketReader reader;
  int endings = 0;
  while (!octets.empty()) {
    ensure(reader.read(octets) == milter::PacketReader::Status::packet, "half a packet is sent");
    const auto answer = milter::decode_answer(reader.packet());
    ensure(answer.has_value(), "an answer that is none");
    if (const auto* word = std::get_if<milter::Word>(&*answer); word && *word == milter::Word::progress) continue;
    ensure(endings == 0, "something is said after the answer");
    if (is_change(*answer)) {
      ensure(letter == 'E', "a message is changed before its end");
      continue;
    }
    ensure(std::holds_alternative<milter::Negotiated>(*answer) == (letter == 'O'), "the answer to another command");
    ++endings;
  }
}

struct Told {
  std::string sent;
  std::vector<std::string> calls;
  friend bool operator==(const Told&, const Told&) = default;
};

Told play(const Input& input, std::size_t piece_octets) {
  playing = &input;
  Callbacks callbacks;
  callbacks.description.xxfi_negotiate = negotiate;
  bool is_called = false;
  const char* fault =
      nullptr;  // seen in a callback, through which nothing may be thrown: a session takes all at its end
  bool was_in_message = false;
  int aborts = 0;
  std::size_t next = 0;
  for (const char* name :
       {"connect", "helo", "envfrom", "envrcpt", "data", "header", "eoh", "body", "eom", "abort", "close", "unknown"}) {
    const std::string callback = name;
    callbacks.does[callback] = [&, callback](SMFICTX* context) {
      if (std::exchange(is_called, true)) fault = "two callbacks at a time";
      if (callback == "abort" && (!was_in_message || ++aborts > 1)) fault = "an abort of no message";
      const std::uint8_t deed = input.deeds[next++ % input.deeds.size()];
      call_function(context, deed & 0xf);
      is_called = false;
      return end_callback(deed >> 4);
    };
  }
  const auto filter = *make_filter(callbacks.description);
  Play mta(filter, input.sends);
  Session session;
  milter::PacketReader reader(milter::default_data_octets + 1);
  const auto take_piece = [&](std::string piece) {
    std::string_view rest = piece;
    while (!rest.empty()) {
      const auto status = reader.read(rest);
      if (status == milter::PacketReader::Status::malformed) return false;
      if (status == milter::PacketReader::Status::want_more) return true;
      const std::size_t before = mta.sent.size();
      was_in_message = session.is_in_message();
      aborts = 0;
      const bool goes_on = session.take(reader.packet(), mta);
      ensure(goes_on || mta.answers.empty(), "something is left to say at the end");
      if (!goes_on || !mta.send()) return false;
      check_answers(std::string_view(mta.sent).substr(before), reader.packet().letter);
    }
    return true;
  };
  try {
    std::string_view rest = input.stream;
    while (!rest.empty()) {
      const std::string_view piece = rest.substr(0, piece_octets);
      rest.remove_prefix(piece.size());
      if (!take_piece(std::string(piece))) break;
    }
  } catch (const std::bad_alloc&) {  // the filter's
  } catch (const std::runtime_error&) {
  }
  was_in_message = session.is_in_message();
  aborts = 0;
  mta.answers.clear();  // what could not be sent
  const std::size_t sent_before = mta.sent.size();
  session.finish(mta);
  ensure(mta.sent.size() == sent_before && mta.answers.empty(), "something is said after the end");
  ensure(aborts == (was_in_message ? 1 : 0), "the message under way is not aborted");
  ensure(!session.is_in_message(), "a message goes on after the end");
  Told told{std::move(mta.sent), callbacks.take_calls()};
  ensure(!told.calls.empty() && told.calls.back() == "close", "no close at the end");
  session.finish(mta);
  ensure(callbacks.take_calls().empty(), "a second end");
  ensure(fault == nullptr, fault);
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Input input = read_input({reinterpret_cast<const char*>(data), size});
  const Told told = play(input, input.stream.size() + 1);
  ensure(told == play(input, 1), "the pieces matter");
  ensure(told == play(input, 7), "the pieces matter");
  return 0;
}
