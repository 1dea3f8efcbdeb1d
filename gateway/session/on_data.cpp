// DATA (RFC 5321, 4.1.1.4): content up to CRLF . CRLF.
#include "gateway/session/session.h"

namespace sallyport::session {

// Everything that takes the content of one message in, for DATA and BDAT alike.
void Session::begin_content() {
  const mail::MessageLimits bounds{max_size(), mail_settings().limits.memory_per_message};
  mail_->message = std::make_unique<mail::Message>(bounds, host_.spool);
  mail_->transaction.message = mail_->message.get();
  mail_->intake = std::make_unique<ContentIntake>(*mail_->message, *checks_, mail_->transaction);
}

Time Session::content_deadline() {
  // A chunk of no mail: each counts as an error.
  if (!mail_) return now() + settings().timeouts.data_total;
  if (!mail_->content_deadline) mail_->content_deadline = now() + mail_settings().timeouts.data_total;
  return *mail_->content_deadline;
}

Task<Flow> Session::on_data() {
  channel_.queue(smtp::Reply(354, "", "End data with <CR><LF>.<CR><LF>"));
  auto sent = co_await channel_.flush(now() + reply_patience);
  if (!sent) co_return handle_lost_client(sent.error());
  begin_content();

  // The message keeps what is within its limit and counts the rest: we read on to the dot either way, or what is left
  // of it would be taken for commands.
  smtp::BodyReader reader({mail_settings().limits.text_line});
  const Time end_of_patience = content_deadline();
  while (true) {
    auto progress = reader.read(channel_.input(), *mail_->intake);
    host_.counters.add(Total::octets_received, progress.consumed);
    channel_.consume(progress.consumed);
    if (progress.ended) break;
    auto more = co_await channel_.fill(std::min(end_of_patience, now() + mail_settings().timeouts.data_block));
    if (!more) co_return handle_lost_client(more.error());
  }
  co_return co_await end_of_data(reader.faults());
}

}  // namespace sallyport::session
