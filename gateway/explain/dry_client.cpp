#include "gateway/explain/dry_client.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "gateway/base/text.h"
#include "gateway/smtp/reply_parser.h"

namespace sallyport::explain {

namespace {

// Longer than any wait inside the gateway (timeouts.policy, upstream_reply), whose own deadlines end the session
// earlier.
constexpr Duration patience = std::chrono::hours(1);

// Frames the content for DATA: doubles dots at the beginning of lines (RFC 5321, 4.5.2) and adds the final dot.
// Everything else, bare CR and LF too, is sent unchanged, because the gateway has to judge it.
std::string framed(std::string_view content) {
  std::string out;
  out.reserve(content.size() + content.size() / 64 + 8);
  while (!content.empty()) {
    const std::size_t end = content.find("\r\n");
    const std::string_view line = content.substr(0, end == std::string_view::npos ? end : end + 2);
    if (line.front() == '.') out += '.';
    out += line;
    content.remove_prefix(line.size());
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out += ".\r\n";
}

class Dialogue {
 public:
  Dialogue(io::Stream& stream, async::Scheduler& scheduler, std::vector<Exchange>& said)
      : stream_(stream), scheduler_(scheduler), said_(said) {}

  // Sends the octets and returns the code of the reply; 0 when the server has closed the connection or sent no valid
  // reply.
  Task<int> ask(std::string command, std::string_view octets) {
    said_.push_back({std::move(command), {}});
    if (!octets.empty()) {
      const auto sent = co_await stream_.write(octets, scheduler_.now() + patience);
      if (!sent) co_return 0;
    }
    while (true) {
      auto progress = parser_.read(stream_.input());
      if (!progress) co_return 0;
      stream_.consume(progress->consumed);
      if (progress->reply) {
        keep(*progress->reply);
        co_return progress->reply->code;
      }
      const auto more = co_await stream_.fill(scheduler_.now() + patience);
      if (!more) co_return 0;
    }
  }
  Task<int> ask(std::string command) {
    const std::string line = command + "\r\n";
    co_return co_await ask(std::move(command), line);
  }

 private:
  void keep(const smtp::UpstreamReply& reply) {
    for (std::size_t i = 0; i < reply.lines.size(); ++i) {
      const char* separator = i + 1 < reply.lines.size() ? "-" : " ";
      said_.back().reply.push_back(std::to_string(reply.code) + separator + reply.lines[i]);
    }
  }

  io::Stream& stream_;
  async::Scheduler& scheduler_;
  std::vector<Exchange>& said_;
  smtp::ReplyParser parser_;
};

std::string mail_command(const Envelope& envelope, std::size_t octets) {
  std::string command = "MAIL FROM:<" + envelope.from + "> SIZE=" + std::to_string(octets);
  const bool needs_utf8 =
      !text::is_ascii(envelope.from) ||
      std::any_of(envelope.to.begin(), envelope.to.end(), [](const std::string& to) { return !text::is_ascii(to); });
  if (needs_utf8) command += " SMTPUTF8";
  return command;
}

bool is_positive(int code) { return code >= 200 && code < 300; }

}  // namespace

Task<void> say_mail(io::Stream& stream, async::Scheduler& scheduler, const Envelope& envelope, std::string_view content,
                    std::vector<Exchange>& dialogue) {
  Dialogue server(stream, scheduler, dialogue);
  int code = co_await server.ask("", {});
  if (is_positive(code)) code = co_await server.ask("EHLO " + envelope.helo);
  if (is_positive(code)) code = co_await server.ask(mail_command(envelope, content.size()));
  if (is_positive(code)) {
    bool has_recipient = false;
    for (const std::string& to : envelope.to) {
      code = co_await server.ask("RCPT TO:<" + to + ">");
      has_recipient = has_recipient || is_positive(code);
      if (code == 0) break;
    }
    if (code != 0 && has_recipient) code = co_await server.ask("DATA");
    if (code == 354) {
      const std::string end = framed(content);
      code = co_await server.ask("(the message)", end);
    }
  }
  if (code != 0) {
    std::vector<Exchange> farewell;
    Dialogue last(stream, scheduler, farewell);
    co_await last.ask("QUIT");
  }
  stream.close();
}

}  // namespace sallyport::explain
