#include "gateway/upstream/envelope.h"

#include <algorithm>
#include <iterator>

namespace sallyport::upstream {

using Kind = UpstreamError::Kind;

namespace {

// So many recipients go in one write: few enough for the replies to fit the connection's buffers, while we do not read.
constexpr std::size_t group_size = 50;
// A command of this length is written without a copy.
constexpr std::size_t usual_line_octets = 128;

UpstreamError changed(std::string_view command, const smtp::UpstreamReply& reply) {
  return {Kind::changed, std::string(command) + " was accepted, and now gets " + std::to_string(reply.code), false};
}

// The first `most` commands of `all`, which is cut by them.
std::string_view take_commands(std::string_view& all, std::size_t most, std::size_t& count) {
  std::size_t end = 0;
  for (count = 0; count < most && end < all.size(); ++count) end = all.find('\n', end) + 1;
  const std::string_view taken = all.substr(0, end);
  all.remove_prefix(end);
  return taken;
}

}  // namespace

void Envelope::begin(std::string mail, const smtp::Extensions& to) {
  ensure(is_empty(), "Envelope: MAIL after accepted recipients");
  mail_ = std::move(mail);
  extensions_ = to;
}

bool Envelope::suits(const smtp::Extensions& other) const {
  struct Parameter {
    std::string_view text;
    bool smtp::Extensions::*extension;
  };
  static constexpr Parameter all[] = {
      {" SIZE=", &smtp::Extensions::size},        {" BODY=", &smtp::Extensions::eight_bit_mime},
      {" SMTPUTF8", &smtp::Extensions::smtputf8}, {" REQUIRETLS", &smtp::Extensions::requiretls},
      {" RET=", &smtp::Extensions::dsn},          {" ENVID=", &smtp::Extensions::dsn},
      {" NOTIFY=", &smtp::Extensions::dsn},       {" ORCPT=", &smtp::Extensions::dsn},
  };
  return std::none_of(std::begin(all), std::end(all), [&](const Parameter& one) {
    const bool is_used = mail_.find(one.text) != std::string::npos || recipients_.find(one.text) != std::string::npos;
    return is_used && !(other.*one.extension);
  });
}

Task<Result<Done, UpstreamError>> Envelope::say_again(async::Scheduler& scheduler, UpstreamChannel& channel,
                                                      Duration patience) const {
  channel.count_mail();
  auto mail = co_await channel.ask(mail_, scheduler.now() + patience);
  if (!mail) co_return std::move(mail).error();
  if (!mail->is_positive()) co_return changed("MAIL", *mail);

  std::string_view left = recipients_;
  while (!left.empty()) {
    std::size_t count = 0;
    const std::string_view commands = take_commands(left, channel.extensions().pipelining ? group_size : 1, count);
    const Time deadline = scheduler.now() + channel.timeouts().reply;
    auto sent = co_await channel.send(commands, count, deadline);
    if (!sent) co_return std::move(sent).error();
    for (; count > 0; --count) {
      auto reply = co_await channel.read_reply(deadline);
      if (!reply) co_return std::move(reply).error();
      if (!reply->is_positive()) co_return changed("RCPT", *reply);
    }
  }
  co_return Done{};
}

std::string mail_command(const MailAddress& from, const smtp::MailParameters& parameters, const smtp::Extensions& can) {
  std::string line;
  line.reserve(usual_line_octets);
  line.append("MAIL FROM:<").append(from.to_string()).append(">");
  if (can.size && parameters.size) line += " SIZE=" + std::to_string(*parameters.size);
  if (can.eight_bit_mime && parameters.body == smtp::Body::eight_bit_mime) line += " BODY=8BITMIME";
  if (can.smtputf8 && parameters.smtputf8) line += " SMTPUTF8";
  if (parameters.requiretls) line += " REQUIRETLS";
  if (can.dsn && !parameters.ret.empty()) line += " RET=" + parameters.ret;
  if (can.dsn && !parameters.envid.empty()) line += " ENVID=" + parameters.envid;
  line += "\r\n";
  return line;
}

std::string rcpt_command(const MailAddress& to, const smtp::RcptParameters& parameters, const smtp::Extensions& can) {
  std::string line;
  line.reserve(usual_line_octets);
  line.append("RCPT TO:<").append(to.to_string()).append(">");
  if (can.dsn && !parameters.notify.empty()) line += " NOTIFY=" + parameters.notify;
  if (can.dsn && !parameters.orcpt.empty()) line += " ORCPT=" + parameters.orcpt;
  line += "\r\n";
  return line;
}

}  // namespace sallyport::upstream
