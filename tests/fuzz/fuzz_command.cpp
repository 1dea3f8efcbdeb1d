// What a client says outside a message: ServerParser, then each line as a command, its path and its parameters. The
// same events come of any cuts, and what was understood is bounded and clean.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/extensions.h"
#include "gateway/smtp/parameters.h"
#include "gateway/smtp/path.h"
#include "gateway/smtp/server_parser.h"

namespace {

using namespace sallyport;
using namespace sallyport::smtp;

struct Seen {
  LineEvent::Kind kind;
  std::string text;
  friend bool operator==(const Seen&, const Seen&) = default;
};

std::vector<Seen> split(std::string_view stream, std::size_t piece) {
  ServerParser parser(64);
  std::vector<Seen> events;
  for (std::size_t begin = 0, end = 0; end < stream.size();) {
    end = std::min(stream.size(), end + piece);
    while (true) {
      std::size_t discardable = 0;
      const auto event = parser.next(stream.substr(begin, end - begin), discardable);
      const std::size_t consumed = event ? event->consumed : discardable;
      ensure(consumed <= end - begin, "more consumed than was there");
      begin += consumed;
      if (!event) break;
      events.push_back({event->kind, std::string(event->text)});
      if (event->kind == LineEvent::Kind::bad || event->kind == LineEvent::Kind::flood) return events;
    }
  }
  return events;
}

Extensions everything() {
  Extensions offered;
  offered.size = offered.eight_bit_mime = offered.smtputf8 = offered.dsn = offered.requiretls = true;
  return offered;
}

void check_path_command(const Command& command) {
  const auto kind = command.verb == Verb::mail ? PathKind::reverse : PathKind::forward;
  const auto parsed = parse_path(command.arguments, kind, asks_for_smtputf8(command.arguments));
  if (!parsed) return;
  if (const auto mail = parse_mail_parameters(parsed->rest, everything()))
    ensure(mail->envid.size() <= 100 && text::is_ascii(mail->envid), "ENVID out of bounds");
  if (const auto rcpt = parse_rcpt_parameters(parsed->rest, everything())) {
    ensure(rcpt->orcpt.size() <= 500 && text::is_ascii(rcpt->orcpt), "ORCPT out of bounds");
    const auto again = parse_rcpt_parameters(rcpt->notify.empty() ? "" : " NOTIFY=" + rcpt->notify, everything());
    ensure(again && again->notify == rcpt->notify, "NOTIFY does not read back");
  }
}

void check_line(std::string_view line) {
  is_other_protocol(line);
  const Command command = parse_command(line);
  const char* const begin = command.arguments.data();
  ensure(begin >= line.data() && begin + command.arguments.size() <= line.data() + line.size(),
         "arguments outside the line");
  if (!command.is_malformed && (command.verb == Verb::mail || command.verb == Verb::rcpt)) check_path_command(command);
  if (const auto bdat = parse_bdat(command.arguments)) ensure(bdat->octets >> 63 == 0, "BDAT over 63 bits");
  if (const auto greeting = parse_greeting(command.arguments))
    ensure(!greeting->empty() && greeting->size() <= 255 && text::is_ascii(*greeting), "greeting out of bounds");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  is_tls_record(stream);
  const auto events = split(stream, size + 1);
  ensure(split(stream, 1) == events && split(stream, 7) == events, "events depend on the cuts");
  for (const Seen& event : events)
    if (event.kind == LineEvent::Kind::line) check_line(event.text);
  check_line(stream);  // longer ones, too
  return 0;
}
