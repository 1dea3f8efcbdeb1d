// The content of a mail's transaction with the upstream: the go-ahead, the message in one burst, the final reply. What
// precedes it, up to the last recipient, is in delivery.cpp.
#include <algorithm>
#include <cstdint>

#include "gateway/async/share.h"
#include "gateway/smtp/body_writer.h"
#include "gateway/upstream/delivery.h"

namespace sallyport::upstream {

using Kind = UpstreamError::Kind;
using ReplyOrError = Result<smtp::UpstreamReply, UpstreamError>;

namespace {

// Most of an in-memory body that is written at once: little enough for the kernel to accept without a wait.
constexpr std::uint64_t burst_octets = std::uint64_t{64} * 1024;

}  // namespace

Task<ReplyOrError> Delivery::content(const mail::OutgoingHeader& header, const mail::Message& message, Time deadline) {
  passed_over_.clear();
  if (failure_) co_return *failure_;
  ensure(!envelope_.is_empty(), "Delivery: content without a recipient");
  notice_end_of_silence();
  while (true) {
    if (!mail_accepted_) {
      auto opened = co_await open_again(std::min(deadline, scheduler_.now() + timeouts_.connect));
      if (!opened) co_return lost(std::move(opened).error());
    }
    auto refusal = co_await get_go_ahead(deadline);
    if (refusal && *refusal) {
      note_answer(**refusal);
      co_return std::move(**refusal);  // U11: the server refuses the message here
    }
    if (refusal) break;
    if (!may_open_again_after(refusal.error())) co_return lost(std::move(refusal).error());
  }
  in_content_ = true;
  auto reply = co_await send_content(header, message, deadline);
  if (!reply) co_return lost(std::move(reply).error());
  note_answer(*reply);
  end_written_ = reply->is_positive();
  in_content_ = false;
  mail_accepted_ = false;  // the transaction has ended, accepted or not
  co_return reply;
}

// DATA and its 354. With CHUNKING nothing need be asked, but for whether a server that has heard nothing for a while is
// still there: what is lost together with the content could not be sent again.
Task<Result<std::optional<smtp::UpstreamReply>, UpstreamError>> Delivery::get_go_ahead(Time deadline) {
  const bool chunking = lease_->extensions().chunking;
  if (chunking && silence_ < long_silence) co_return std::nullopt;
  Duration patience = timeouts_.reply;
  if (silence_ >= 2 * patience_with_old && !has_opened_again_) patience = std::min(patience, patience_with_old);
  lease_->start_anew();
  auto reply =
      co_await lease_->ask(chunking ? "NOOP\r\n" : "DATA\r\n", std::min(deadline, scheduler_.now() + patience));
  if (!reply) co_return std::move(reply).error();
  if (chunking) co_return std::nullopt;
  if (reply->is_positive()) co_return UpstreamError{Kind::protocol, "2xx to DATA", false};
  if (reply->is_intermediate()) co_return std::nullopt;
  co_return std::move(*reply);
}

Task<ReplyOrError> Delivery::send_content(const mail::OutgoingHeader& header, const mail::Message& message,
                                          Time deadline) {
  // With CHUNKING the message goes in one write and one round trip, without dot-stuffing.
  const bool chunking = lease_->extensions().chunking;
  std::string first;
  if (chunking) {
    std::uint64_t octets = header.added.size() + message.body_octets();
    for (std::string_view part : header.below) octets += part.size();
    first = smtp::bdat_line(octets, true);
  }
  auto sent = co_await send_pieces(header, message, !chunking, std::move(first), deadline);
  if (!sent) co_return std::move(sent).error();
  // U3: the loop reads before it writes, so what has arrived when the write ends was sent before the message's last
  // octet.
  if (lease_->has_spoken()) co_return UpstreamError{Kind::early, "reply before the end of data", false};
  const Time written = scheduler_.now();
  auto reply = co_await lease_->read_reply(deadline);
  if (reply) group_.figures->final_reply.add(scheduler_.now() - written);
  // A final 421 is an answer: the server has not taken the message (RFC 5321, 4.2.5).
  if (!reply && reply.error().kind == Kind::closing) end_written_ = false;
  if (reply && lease_->has_undelivered()) {  // U3
    co_return UpstreamError{Kind::early, "reply before all of the content arrived", false};
  }
  if (reply && reply->is_intermediate()) co_return UpstreamError{Kind::protocol, "354 to the end of data", false};
  co_return reply;
}

// Writes what is in memory in one go, and what comes from a file piece by piece. The last piece is kept back for the
// final write: with BDAT its last octet is the end of the message (RFC 3030).
Task<Result<Done, UpstreamError>> Delivery::send_pieces(const mail::OutgoingHeader& header,
                                                        const mail::Message& message, bool stuffed, std::string first,
                                                        Time deadline) {
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
  for (std::string_view part : header.below) add(part);

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
    co_await async::Share(scheduler_, in_parts, payer_);
    auto sent = co_await lease_->send_content(parts, std::min(deadline, scheduler_.now() + timeouts_.reply));
    if (!sent) co_return sent;
    parts.clear();
    in_parts = 0;
  }
  if (stuffed) parts.push_back(writer.end());
  // Here, as nothing may come between the question below and the end of data.
  co_await async::Share(scheduler_, in_parts, payer_);
  if (client_.has_left()) co_return UpstreamError{Kind::client_lost, "the client left before the end of data", false};
  // Who destroys this coroutine while it waits cannot know how much has left.
  end_written_ = true;
  auto sent = co_await lease_->finish_content(parts, std::min(deadline, scheduler_.now() + timeouts_.reply));
  end_written_ = sent.ok();
  co_return sent;
}

}  // namespace sallyport::upstream
