#include "gateway/report/mail_sender.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/text.h"

namespace sallyport::report {

namespace {

using upstream::UpstreamError;
using upstream::UpstreamPool;

using Outcome = SentMail::Outcome;

SentMail refusal(const smtp::UpstreamReply& reply) {
  std::string words = std::to_string(reply.code);
  for (const std::string& line : reply.lines) words += " " + text::printable(line, 200);
  return {Outcome::not_sent, "the server says: " + words};
}

SentMail broken(const upstream::UpstreamError& error, Outcome outcome) {
  return {outcome, error.detail.empty() ? "the server cannot be reached" : error.detail};
}

// The dialogue on a connection; `usable` says whether it can serve another mail afterwards.
Task<SentMail> say_mail(upstream::UpstreamPool::Lease& lease, const OutgoingMail& mail,
                        const config::TimeoutSettings& timeouts, async::Scheduler& scheduler, bool& usable) {
  usable = false;
  for (const std::string& command :
       {"MAIL FROM:<" + mail.from + ">\r\n", "RCPT TO:<" + mail.to + ">\r\n", std::string("DATA\r\n")}) {
    auto reply = co_await lease->ask(command, scheduler.now() + timeouts.upstream_reply);
    if (!reply) co_return broken(reply.error(), Outcome::not_sent);
    usable = reply->code != 421;
    const bool wanted = command == "DATA\r\n" ? reply->is_intermediate() : reply->is_positive();
    if (!wanted) co_return refusal(*reply);
  }
  usable = false;
  const std::array<std::string_view, 2> content{mail.message, ".\r\n"};
  auto sent = co_await lease->finish_content(content, scheduler.now() + timeouts.data_block);
  if (!sent) co_return broken(sent.error(), Outcome::unknown);
  auto reply = co_await lease->read_reply(scheduler.now() + timeouts.final_reply);
  if (!reply) co_return broken(reply.error(), Outcome::unknown);
  usable = reply->code != 421;
  if (!reply->is_positive()) co_return refusal(*reply);
  co_return SentMail{Outcome::sent, {}};
}

}  // namespace

Task<SentMail> send_mail(OutgoingMail mail, upstream::UpstreamPool& pool, const upstream::UpstreamGroup& group,
                         const config::TimeoutSettings& timeouts, async::Scheduler& scheduler) {
  std::vector<upstream::FailedServer> failed;
  const Time deadline = scheduler.now() + timeouts.upstream_connect;
  const UpstreamPool::Wish wish{.deadline = deadline};
  auto lease = co_await pool.acquire(group, failed, wish);
  if (!lease) co_return broken(lease.error(), Outcome::not_sent);
  (*lease)->count_mail();
  bool usable = false;
  auto sent = co_await say_mail(*lease, mail, timeouts, scheduler, usable);
  if (usable) pool.give_back(std::move(*lease), sent.outcome != Outcome::sent);
  co_return sent;
}

}  // namespace sallyport::report
