// One mail's transaction with the upstream, lockstep with the client's (architecture, section 4): each RCPT gets the
// upstream's own answer, and the content goes in one burst after the verdict.
//
// Retries are U9's and U6's and no others: a kept connection that turns out dead, or to take no more mail, is replaced
// once, silently; while no recipient has been accepted the next server is tried. Once the content has gone out nothing
// is ever sent twice (U10).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/message.h"
#include "gateway/session/client_channel.h"
#include "gateway/session/upstream_pool.h"
#include "gateway/smtp/parameters.h"
#include "gateway/smtp/path.h"

namespace sallyport::session {

// The header section as it is sent: what stands on top, and the message's own, less what is removed.
struct OutgoingHeader {
  std::string added;                       // whole fields with CRLF
  std::vector<std::string_view> original;  // the message's octets, in order; a removed field is a gap between two, and
                                           // an empty piece is the place of `subject`
  std::string subject;                     // a rewritten Subject field, or empty
  bool left_out_forged = false;            // a field that pretended to be ours
  bool is_changed = false;                 // something that came is not as it was; what we add on top does not count
};

class Delivery {
 public:
  Delivery(async::Scheduler& scheduler, UpstreamPool& pool, UpstreamGroup& group, UpstreamTimeouts timeouts,
           smtp::Path from, smtp::MailParameters parameters);
  // Whatever is unfinished is undone: RSET, or the connection's end in the middle of content.
  ~Delivery();

  // The upstream's answer to one recipient; when it refuses MAIL, that refusal. The servers that failed before the one
  // that answered, or whose error it is, are in passed_over() until the next call. After an error with recipients
  // accepted before it the transaction is lost, and every later step gives the same error.
  Task<Result<smtp::UpstreamReply, UpstreamError>> recipient(const smtp::Path& to,
                                                             const smtp::RcptParameters& parameters);
  const std::vector<FailedServer>& passed_over() const { return passed_over_; }

  // Sends the message and gives the upstream's final word. `client` is asked right before the end is written: nothing
  // is completed for a client that is gone (U13). When this fails, end_was_written() tells whether the outcome is
  // unknown: an end that was not handed to the kernel whole cannot have reached the server. When it does not, it tells
  // whether the server has taken the message.
  Task<Result<smtp::UpstreamReply, UpstreamError>> content(const OutgoingHeader& header, const mail::Message& message,
                                                           ClientChannel& client, Time deadline);
  bool end_was_written() const { return end_written_; }
  // The transaction is lost: what comes now is the same error again.
  bool has_failed() const { return failure_.has_value(); }

  // After a positive final answer the connection may serve another mail.
  void finish();

  // What the server behind this transaction can do; null before there is a connection.
  const smtp::Extensions* extensions() const { return lease_ ? &lease_->extensions() : nullptr; }
  // The mail must not leave TLS (REQUIRETLS), and the server that is connected cannot see to that.
  bool lacks_required_tls() const {
    return parameters_.requiretls && lease_ && !group_.can_require_tls(lease_->extensions());
  }
  // "10.1.0.5:25", or empty.
  std::string server_name() const;
  bool is_tls() const { return lease_ && lease_->is_tls(); }

 private:
  Task<Result<smtp::UpstreamReply, UpstreamError>> open_transaction(const smtp::Path& to,
                                                                    const smtp::RcptParameters& parameters);
  bool pass_over_server(const UpstreamError& error, Time deadline);
  Task<Result<smtp::UpstreamReply, UpstreamError>> say_mail_and_rcpt(const smtp::Path& to,
                                                                     const smtp::RcptParameters& parameters);
  Task<Result<Done, UpstreamError>> send_pieces(const OutgoingHeader& header, const mail::Message& message,
                                                bool stuffed, std::string first, ClientChannel& client, Time deadline);
  UpstreamError lost(UpstreamError error);
  std::string mail_line() const;
  std::string rcpt_line(const smtp::Path& to, const smtp::RcptParameters& parameters) const;

  async::Scheduler& scheduler_;
  UpstreamPool& pool_;
  UpstreamGroup& group_;
  UpstreamTimeouts timeouts_;
  smtp::Path from_;
  smtp::MailParameters parameters_;
  UpstreamPool::Lease lease_;
  bool mail_accepted_ = false;
  std::uint64_t recipients_ = 0;
  bool in_content_ = false;
  bool end_written_ = false;
  std::optional<UpstreamError> failure_;  // the transaction is lost
  std::vector<FailedServer> passed_over_;
  std::string last_server_;
};

}  // namespace sallyport::session
