#include "gateway/upstream/delivery.h"

#include <algorithm>

#include "gateway/smtp/body_writer.h"

namespace sallyport::upstream {

using Kind = UpstreamError::Kind;
using ReplyOrError = Result<smtp::UpstreamReply, UpstreamError>;

namespace {

// Most of an in-memory body that is written at once: little enough for the kernel to accept without a wait.
constexpr std::uint64_t burst_octets = std::uint64_t{64} * 1024;

}  // namespace

Delivery::Delivery(async::Scheduler& scheduler, UpstreamPool& pool, UpstreamGroup& group, UpstreamTimeouts timeouts,
                   MailAddress from, smtp::MailParameters parameters)
    : scheduler_(scheduler),
      pool_(pool),
      group_(group),
      timeouts_(timeouts),
      from_(std::move(from)),
      parameters_(std::move(parameters)) {}

Delivery::~Delivery() {
  // A lease destroyed without give_back() resets its connection, which is right for content cut short.
  if (lease_ && !in_content_) pool_.give_back(std::move(lease_), mail_accepted_);
}

std::string Delivery::server_name() const { return lease_ ? lease_.server().address().to_string() : last_server_; }

std::string Delivery::mail_line() const {
  const smtp::Extensions& can = lease_->extensions();
  std::string line = "MAIL FROM:<" + from_.to_string() + ">";
  if (can.size && parameters_.size) line += " SIZE=" + std::to_string(*parameters_.size);
  if (can.eight_bit_mime && parameters_.body == smtp::Body::eight_bit_mime) line += " BODY=8BITMIME";
  if (can.smtputf8 && parameters_.smtputf8) line += " SMTPUTF8";
  if (parameters_.requiretls) line += " REQUIRETLS";
  if (can.dsn && !parameters_.ret.empty()) line += " RET=" + parameters_.ret;
  if (can.dsn && !parameters_.envid.empty()) line += " ENVID=" + parameters_.envid;
  return line + "\r\n";
}

std::string Delivery::rcpt_line(const MailAddress& to, const smtp::RcptParameters& parameters) const {
  std::string line = "RCPT TO:<" + to.to_string() + ">";
  if (lease_->extensions().dsn && !parameters.notify.empty()) line += " NOTIFY=" + parameters.notify;
  if (lease_->extensions().dsn && !parameters.orcpt.empty()) line += " ORCPT=" + parameters.orcpt;
  return line + "\r\n";
}

UpstreamError Delivery::lost(UpstreamError error) {
  if (lease_) {
    last_server_ = lease_.server().address().to_string();
    lease_ = {};
  }
  mail_accepted_ = false;
  failure_ = error;
  return error;
}

Task<ReplyOrError> Delivery::recipient(const MailAddress& to, const smtp::RcptParameters& parameters) {
  passed_over_.clear();
  if (failure_) co_return *failure_;
  if (!mail_accepted_) co_return co_await open_transaction(to, parameters);

  auto reply = co_await lease_->ask(rcpt_line(to, parameters), scheduler_.now() + timeouts_.reply);
  if (reply && !reply->is_intermediate()) {
    if (reply->is_positive()) ++recipients_;
    co_return reply;
  }
  UpstreamError error = reply ? UpstreamError{Kind::protocol, "354 to RCPT", false} : std::move(reply).error();
  if (recipients_ > 0) co_return lost(std::move(error));
  // No recipient has been accepted yet, so another server may take the mail.
  if (!pass_over_server(error, async::no_deadline)) co_return error;
  co_return co_await open_transaction(to, parameters);
}

// Drops the connection of a server that failed; true when another server may be asked (U6). False when the server has
// answered, by a malformed reply or 421 (U2, U7), or when the deadline is over.
bool Delivery::pass_over_server(const UpstreamError& error, Time deadline) {
  UpstreamServer& server = lease_.server();
  last_server_ = server.address().to_string();
  lease_ = {};
  mail_accepted_ = false;
  if (error.kind != Kind::down && error.kind != Kind::timed_out) return false;
  server.failed(scheduler_.now());
  if (scheduler_.now() >= deadline) return false;
  passed_over_.push_back({&server, error});
  return true;
}

Task<ReplyOrError> Delivery::open_transaction(const MailAddress& to, const smtp::RcptParameters& parameters) {
  Time deadline = scheduler_.now() + timeouts_.connect;
  bool fresh = false;
  while (true) {
    if (!lease_) {  // after a refused MAIL the connection is kept
      auto acquired = co_await pool_.acquire(group_, passed_over_, fresh, deadline);
      if (!acquired) co_return std::move(acquired).error();
      lease_ = std::move(*acquired);
    }
    if (parameters_.smtputf8 && !lease_->extensions().smtputf8) {  // S11: known only at RCPT, when the server is known
      smtp::UpstreamReply cannot;
      cannot.code = 550;
      cannot.enhanced = "5.6.7";
      cannot.lines = {"5.6.7 The server for this recipient cannot take internationalized mail"};
      co_return cannot;
    }
    if (lacks_required_tls()) {  // T12: known only at RCPT, as above
      smtp::UpstreamReply cannot;
      cannot.code = 550;
      cannot.enhanced = "5.7.30";
      cannot.lines = {"5.7.30 The server for this recipient does not support REQUIRETLS"};
      co_return cannot;
    }
    bool reused = lease_.is_reused();
    auto reply = co_await say_mail_and_rcpt(to, parameters);
    // A server that accepts a limited number of mails on one connection answers 4xx to MAIL from then on.
    if (reply && reused && !mail_accepted_ && reply->is_temporary()) {
      lease_ = {};
      fresh = true;
      continue;
    }
    if (reply) co_return reply;
    UpstreamError error = std::move(reply).error();
    if (reused && error.nothing_read && error.kind == Kind::down) {  // U9: the server had closed the kept connection
      lease_ = {};
      fresh = true;
      continue;
    }
    if (!pass_over_server(error, deadline)) co_return error;
  }
}

// Sends MAIL and the first RCPT in one write where the server can take that (RFC 2920). When MAIL is refused, that
// refusal is the answer to RCPT.
Task<ReplyOrError> Delivery::say_mail_and_rcpt(const MailAddress& to, const smtp::RcptParameters& parameters) {
  Time deadline = scheduler_.now() + timeouts_.reply;
  bool pipelined = lease_->extensions().pipelining;
  std::string commands = mail_line();
  if (pipelined) commands += rcpt_line(to, parameters);
  auto sent = co_await lease_->send(commands, pipelined ? 2 : 1, deadline);
  if (!sent) co_return std::move(sent).error();

  auto mail = co_await lease_->read_reply(deadline);
  if (!mail) co_return mail;
  if (mail->is_intermediate()) co_return UpstreamError{Kind::protocol, "354 to MAIL", false};
  mail_accepted_ = mail->is_positive();
  deadline = scheduler_.now() + timeouts_.reply;
  if (!pipelined) {
    if (!mail_accepted_) co_return mail;
    sent = co_await lease_->send(rcpt_line(to, parameters), 1, deadline);
    if (!sent) co_return std::move(sent).error();
  }
  auto rcpt = co_await lease_->read_reply(deadline);
  if (!rcpt) co_return rcpt;
  if (rcpt->is_intermediate()) co_return UpstreamError{Kind::protocol, "354 to RCPT", false};
  if (!mail_accepted_) {
    // U5: a recipient cannot be accepted for a mail that was not.
    if (rcpt->is_positive()) co_return UpstreamError{Kind::protocol, "RCPT accepted after MAIL was refused", false};
    co_return mail;
  }
  if (rcpt->is_positive()) ++recipients_;
  co_return rcpt;
}

Task<ReplyOrError> Delivery::content(const mail::OutgoingHeader& header, const mail::Message& message,
                                     DeliveryClient& client, Time deadline) {
  if (failure_) co_return *failure_;
  ensure(lease_ && recipients_ > 0, "Delivery: content without a recipient");

  // With CHUNKING the message goes in one write and one round trip, without dot-stuffing.
  bool chunking = lease_->extensions().chunking;
  std::string first;
  if (chunking) {
    std::uint64_t octets = header.added.size() + header.subject.size() + message.body_octets();
    for (std::string_view part : header.original) octets += part.size();
    first = smtp::bdat_line(octets, true);
  } else {
    auto go_ahead = co_await lease_->ask("DATA\r\n", std::min(deadline, scheduler_.now() + timeouts_.reply));
    if (!go_ahead) co_return lost(std::move(go_ahead).error());
    if (go_ahead->is_positive()) co_return lost({Kind::protocol, "2xx to DATA", false});
    if (!go_ahead->is_intermediate()) co_return go_ahead;  // U11: the server refuses the message here
  }
  in_content_ = true;
  auto sent = co_await send_pieces(header, message, !chunking, std::move(first), client, deadline);
  if (!sent) co_return lost(std::move(sent).error());
  // U3: the loop reads before it writes, so what has arrived when the write ends was sent before the message's last
  // octet.
  if (lease_->has_spoken()) co_return lost({Kind::early, "reply before the end of data", false});
  auto reply = co_await lease_->read_reply(deadline);
  if (!reply) {
    // A final 421 is an answer: the server has not taken the message (RFC 5321, 4.2.5).
    if (reply.error().kind == Kind::closing) end_written_ = false;
    co_return lost(std::move(reply).error());
  }
  if (reply->is_intermediate()) co_return lost({Kind::protocol, "354 to the end of data", false});
  end_written_ = reply->is_positive();
  in_content_ = false;
  mail_accepted_ = false;  // the transaction has ended, accepted or not
  co_return reply;
}

// Writes what is in memory in one go, and what comes from a file piece by piece. The last piece is kept back for the
// final write: with BDAT its last octet is the end of the message (RFC 3030).
Task<Result<Done, UpstreamError>> Delivery::send_pieces(const mail::OutgoingHeader& header,
                                                        const mail::Message& message, bool stuffed, std::string first,
                                                        DeliveryClient& client, Time deadline) {
  smtp::BodyWriter writer;
  std::vector<std::string_view> parts;
  auto add = [&](std::string_view octets) {
    if (stuffed) {
      writer.frame(octets, parts);
    } else if (!octets.empty()) {
      parts.push_back(octets);
    }
  };
  if (!first.empty()) parts.push_back(first);
  add(header.added);
  for (std::size_t i = 0; i < header.original.size(); ++i) {
    add(header.original[i].empty() ? std::string_view(header.subject) : header.original[i]);
  }

  mail::Message::BodyPieces pieces = message.body();
  std::uint64_t left = message.body_octets();
  std::uint64_t in_parts = 0;
  while (left > 0) {
    auto piece = pieces.next();
    if (!piece) co_return UpstreamError{Kind::spool, piece.error().message, false};
    ensure(!piece->empty() && piece->size() <= left, "Delivery: a body of another size than it said");
    left -= piece->size();
    in_parts += piece->size();
    add(*piece);
    // The last piece goes out together with the end of data, after the client was asked: with BDAT it is the end of
    // data.
    if (left == 0) break;
    if (message.is_in_memory() && in_parts < burst_octets) continue;
    auto sent = co_await lease_->send_content(parts, std::min(deadline, scheduler_.now() + timeouts_.reply));
    if (!sent) co_return sent;
    parts.clear();
    in_parts = 0;
  }
  if (stuffed) parts.push_back(writer.end());
  if (client.has_left()) co_return UpstreamError{Kind::client_lost, "the client left before the end of data", false};
  auto sent = co_await lease_->finish_content(parts, std::min(deadline, scheduler_.now() + timeouts_.reply));
  end_written_ = sent.ok();
  co_return sent;
}

void Delivery::finish() {
  if (!lease_) return;
  last_server_ = lease_.server().address().to_string();
  pool_.give_back(std::move(lease_), mail_accepted_);
}

}  // namespace sallyport::upstream
