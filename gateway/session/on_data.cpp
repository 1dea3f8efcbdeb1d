// DATA (RFC 5321, 4.1.1.4): content up to CRLF . CRLF.
#include <algorithm>

#include "gateway/session/session.h"

namespace sallyport::session {

// Everything that takes the content of one message in, for DATA and BDAT alike.
void Session::begin_content() {
  const mail::MessageLimits bounds{max_size(), mail_settings().limits.memory_per_message};
  mail_->message = std::make_unique<mail::Message>(bounds, host_.spool);
  mail_->transaction.message = mail_->message.get();
  mail_->intake = std::make_unique<ContentIntake>(*mail_->message, *checks_, mail_->transaction);
}

void Session::weigh_content() {
  mail_->held.set(mail_->message->memory_octets());
  if (host_.pressure.level() == io::Pressure::Level::none) return;
  mail_->message->hold_in_memory(mail_settings().limits.memory_under_pressure);
}

// R1. A span in which the loop has stood still is not the client's.
Task<Result<Done, io::Error>> Session::wait_for_content(ContentPace& pace, Time deadline) {
  const Time began = now();
  const std::uint64_t standstills = host_.scheduler.standstills();
  const Duration data_block = mail_ ? mail_settings().timeouts.data_block : settings().timeouts.data_block;
  auto more = co_await channel_.fill(std::min({deadline, pace.deadline(began), began + patience(data_block)}));
  if (standstills == host_.scheduler.standstills()) pace.waited(now() - began);
  co_return more;
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
  enter(Phase::content);
  while (true) {
    auto progress = reader.read(channel_.input(), *mail_->intake);
    host_.counters.add(Total::octets_received, progress.consumed);
    channel_.consume(progress.consumed);
    mail_->pace.came(progress.consumed);
    weigh_content();
    if (progress.ended) break;
    auto more = co_await wait_for_content(mail_->pace, end_of_patience);
    if (!more) co_return handle_lost_client(more.error());
  }
  co_return co_await end_of_data(reader.faults());
}

}  // namespace sallyport::session
