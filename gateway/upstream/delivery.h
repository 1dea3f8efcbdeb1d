// Delivery: one mail's transaction with the upstream, in lockstep with the client's (architecture.md, section 4). Each
// RCPT is answered with the upstream's own reply; the content goes in one burst after the verdict.
//
// It retries in two cases only. A kept connection that turns out to be dead, or accepts no further mail, is replaced
// once without the client noticing (U9). While no recipient has been accepted, a failed server is passed over and the
// next one tried (U6). Once content has been sent, nothing is sent a second time (U10).
//
// The session owns it, on its worker's loop.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/mail_address.h"
#include "gateway/mail/message.h"
#include "gateway/mail/outgoing_header.h"
#include "gateway/smtp/parameters.h"
#include "gateway/upstream/delivery_client.h"
#include "gateway/upstream/pool.h"

namespace sallyport::upstream {

class Delivery {
 public:
  Delivery(async::Scheduler& scheduler, UpstreamPool& pool, UpstreamGroup& group, UpstreamTimeouts timeouts,
           MailAddress from, smtp::MailParameters parameters);
  // Undoes an unfinished transaction: the connection is given back and RSET is sent, or, in the middle of content, it
  // is reset.
  ~Delivery();

  // Asks the upstream about one recipient and gives its reply; when the upstream refuses MAIL, that refusal.
  // passed_over() lists, until the next call, the servers that failed before the one that replied or gave the error.
  // When an error comes after a recipient has been accepted, the transaction is lost and every later call gives the
  // same error.
  Task<Result<smtp::UpstreamReply, UpstreamError>> recipient(const MailAddress& to,
                                                             const smtp::RcptParameters& parameters);
  const std::vector<FailedServer>& passed_over() const { return passed_over_; }

  // Sends the message and gives the upstream's final reply. `client` is asked right before the end of the message is
  // written, because nothing may be completed for a client that has left (U13).
  //
  // end_was_written(), after an error: true means that the outcome is unknown; false means that the server has not
  // taken the message, because the end of the message was not handed to the kernel whole, or the server answered 421.
  // After a reply: it is true when the server has taken the message.
  Task<Result<smtp::UpstreamReply, UpstreamError>> content(const mail::OutgoingHeader& header,
                                                           const mail::Message& message, DeliveryClient& client,
                                                           Time deadline);
  bool end_was_written() const { return end_written_; }
  // True if the transaction is lost; every further call gives the same error.
  bool has_failed() const { return failure_.has_value(); }

  // Called after the upstream's final reply: gives the connection back to the pool, for another mail.
  void finish();

  // The extensions of the connected server; null while there is no connection.
  const smtp::Extensions* extensions() const { return lease_ ? &lease_->extensions() : nullptr; }
  // True if the mail requires TLS on its whole way (REQUIRETLS, RFC 8689) and the connected server cannot promise that.
  bool lacks_required_tls() const {
    return parameters_.requiretls && lease_ && !group_.can_require_tls(lease_->extensions());
  }
  // The address of the server, or of the last one: "10.1.0.5:25"; empty when none was connected.
  std::string server_name() const;
  bool is_tls() const { return lease_ && lease_->is_tls(); }

 private:
  Task<Result<smtp::UpstreamReply, UpstreamError>> open_transaction(const MailAddress& to,
                                                                    const smtp::RcptParameters& parameters);
  bool pass_over_server(const UpstreamError& error, Time deadline);
  Task<Result<smtp::UpstreamReply, UpstreamError>> say_mail_and_rcpt(const MailAddress& to,
                                                                     const smtp::RcptParameters& parameters);
  Task<Result<Done, UpstreamError>> send_pieces(const mail::OutgoingHeader& header, const mail::Message& message,
                                                bool stuffed, std::string first, DeliveryClient& client, Time deadline);
  UpstreamError lost(UpstreamError error);
  std::string mail_line() const;
  std::string rcpt_line(const MailAddress& to, const smtp::RcptParameters& parameters) const;

  async::Scheduler& scheduler_;
  UpstreamPool& pool_;
  UpstreamGroup& group_;
  UpstreamTimeouts timeouts_;
  MailAddress from_;
  smtp::MailParameters parameters_;
  UpstreamPool::Lease lease_;
  bool mail_accepted_ = false;
  std::uint64_t recipients_ = 0;
  bool in_content_ = false;
  bool end_written_ = false;
  std::optional<UpstreamError> failure_;  // set once the transaction is lost
  std::vector<FailedServer> passed_over_;
  std::string last_server_;
};

}  // namespace sallyport::upstream
