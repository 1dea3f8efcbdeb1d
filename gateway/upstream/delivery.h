// Delivery: one mail's transaction with the upstream, in lockstep with the client's (architecture.md, section 4). Each
// RCPT is answered with the upstream's own reply; the content goes in one burst after the verdict.
//
// What goes wrong before any content was sent is often mended without the client noticing:
//   - A kept connection that turns out to be dead, or takes no further mail, is replaced once (U9).
//   - While no recipient has been accepted, a server that fails or takes no mail for now is passed over, and the next
//     one is asked (U6, U7).
//   - While the client is slow, the transaction may end: the server closes it, or its connection is needed more by
//   others
//     (U18). It is then opened again when the client goes on (U17, envelope.h).
//   - A recipient that a long-lived session of the server's refuses is asked for in a new one: that knows the mailboxes
//     of today.
// Once content has been sent, nothing is sent a second time (U10).
//
// The session owns it, on its worker's loop.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/mail_address.h"
#include "gateway/mail/message.h"
#include "gateway/mail/outgoing_header.h"
#include "gateway/smtp/parameters.h"
#include "gateway/upstream/client_info.h"
#include "gateway/upstream/delivery_client.h"
#include "gateway/upstream/envelope.h"
#include "gateway/upstream/pool.h"
#include "gateway/upstream/silent_transaction.h"

namespace sallyport::upstream {

class Delivery final : private SilentTransaction {
 public:
  // The client outlives it.
  Delivery(async::Scheduler& scheduler, UpstreamPool& pool, UpstreamGroup& group, UpstreamTimeouts timeouts,
           MailAddress from, smtp::MailParameters parameters, DeliveryClient& client);
  // Undoes an unfinished transaction: the connection is given back and RSET is sent, or, in the middle of content, it
  // is reset.
  ~Delivery();

  // Before the first recipient, where upstreams.*.client_info wants servers to know more of the client than our header
  // says.
  void speak_for(ClientInfo client) { spoken_for_ = std::move(client); }
  // At whose expense it waits for a place, and takes the loop's time.
  void pay_as(async::Payer payer) { payer_ = payer; }
  // Recipients are asked for until then at the latest; without it, for as long as the timeouts allow.
  void answer_by(Time deadline) { answer_by_ = deadline; }
  // Why the server could not be told, when that is news of that server; for the caller to record.
  std::optional<std::string> take_untold() { return std::exchange(untold_, std::nullopt); }

  // Asks the upstream about one recipient and gives its reply; when the upstream refuses MAIL, that refusal.
  // passed_over() lists, until the next call, the servers that failed before the one that replied or gave the error.
  // When an error comes after a recipient has been accepted, the transaction is lost and every later call gives the
  // same error. A client that leaves while its mail waits for a connection gets `client_lost`.
  Task<Result<smtp::UpstreamReply, UpstreamError>> recipient(const MailAddress& to,
                                                             const smtp::RcptParameters& parameters);
  const std::vector<FailedServer>& passed_over() const { return passed_over_; }

  // Sends the message and gives the upstream's final reply. The client is asked right before the end of the message is
  // written, because nothing may be completed for a client that has left (U13). passed_over() as above.
  //
  // end_was_written(), after an error: true means that the outcome is unknown; false means that the server has not
  // taken the message, because the end of the message was not handed to the kernel whole, or the server answered 421.
  // After a reply: it is true when the server has taken the message.
  Task<Result<smtp::UpstreamReply, UpstreamError>> content(const mail::OutgoingHeader& header,
                                                           const mail::Message& message, Time deadline);
  bool end_was_written() const { return end_written_; }
  // True if the transaction is lost; every further call gives the same error.
  bool has_failed() const { return failure_.has_value(); }

  // Called after the upstream's final reply: gives the connection back to the pool, for another mail.
  void finish();

  // True while a server holds the mail's transaction: it has accepted MAIL.
  bool is_mail_accepted() const { return mail_accepted_; }
  // The extensions of the server that has accepted recipients, or else of the one that is connected; null while there
  // is neither.
  const smtp::Extensions* extensions() const;
  // True if the mail requires TLS on its whole way (REQUIRETLS, RFC 8689) and the connected server cannot promise that.
  bool lacks_required_tls() const {
    return parameters_.requiretls && lease_ && !group_.can_require_tls(lease_->extensions());
  }
  // The address of the server, or of the last one: "10.1.0.5:25"; empty when none was connected.
  std::string server_name() const;
  bool is_tls() const { return lease_ && lease_->is_tls(); }

 private:
  // How long a connection that may be dead has for its first answer (U9).
  static constexpr Duration patience_with_old = std::chrono::seconds(5);
  // A transaction in which nothing was said for so long may have been ended by the server.
  static constexpr Duration long_silence = std::chrono::seconds(1);

  async::Payer payer_ = 0;
  using ReplyOrError = Result<smtp::UpstreamReply, UpstreamError>;

  UpstreamServer* held_server() const override { return lease_ ? &lease_.server() : nullptr; }
  void give_up() noexcept override;
  void fall_silent();
  void notice_end_of_silence();

  Task<ReplyOrError> ask_recipient(const MailAddress& to, const smtp::RcptParameters& parameters);
  Task<ReplyOrError> open_transaction(const MailAddress& to, const smtp::RcptParameters& parameters);
  const ClientInfo* spoken_for() const { return spoken_for_ ? &*spoken_for_ : nullptr; }
  // Says who the client is, on a connection on which MAIL comes next. Gives the server's refusal of that client.
  Task<Result<std::optional<smtp::UpstreamReply>, UpstreamError>> introduce_client(UpstreamPool::Lease& lease);
  Task<ReplyOrError> say_envelope(const MailAddress& to, const smtp::RcptParameters& parameters);
  // A reply of our own, where the connected server lacks what the mail needs.
  std::optional<smtp::UpstreamReply> refuse_unfit_server() const;
  // MAIL is the envelope's.
  Task<ReplyOrError> say_mail_and_rcpt(std::string rcpt_line);
  Task<ReplyOrError> ask_new_session(smtp::UpstreamReply refusal, const MailAddress& to,
                                     const smtp::RcptParameters& parameters);
  Task<Result<Done, UpstreamError>> open_again(Time deadline);
  bool is_dead_when_kept(const UpstreamError& error, bool reused) const;
  bool may_open_again_after(const UpstreamError& error);
  bool pass_over_server(const UpstreamError& error, Time deadline);
  void let_go();
  // In so much time, or when answer_by() says.
  Time deadline_in(Duration patience) const { return std::min(scheduler_.now() + patience, answer_by_); }

  // Nothing: the content may be sent.
  Task<Result<std::optional<smtp::UpstreamReply>, UpstreamError>> get_go_ahead(Time deadline);
  Task<ReplyOrError> send_content(const mail::OutgoingHeader& header, const mail::Message& message, Time deadline);
  Task<Result<Done, UpstreamError>> send_pieces(const mail::OutgoingHeader& header, const mail::Message& message,
                                                bool stuffed, std::string first, Time deadline);
  UpstreamError lost(UpstreamError error);
  void note_answer(const smtp::UpstreamReply& reply);

  async::Scheduler& scheduler_;
  UpstreamPool& pool_;
  UpstreamGroup& group_;
  UpstreamTimeouts timeouts_;
  MailAddress from_;
  smtp::MailParameters parameters_;
  DeliveryClient& client_;
  Time answer_by_ = async::no_deadline;
  std::optional<ClientInfo> spoken_for_;
  std::optional<std::string> untold_;
  UpstreamPool::Lease lease_;
  bool mail_accepted_ = false;  // a transaction is open on the connection
  Envelope envelope_;
  Duration silence_{};             // how long nothing had been said when the client went on
  bool has_opened_again_ = false;  // after a fault; what has ended in silence does not count
  bool in_content_ = false;
  bool end_written_ = false;
  std::optional<UpstreamError> failure_;  // set once the transaction is lost
  std::vector<FailedServer> passed_over_;
  UpstreamServer* last_server_ = nullptr;  // of the group, which keeps it alive
};

}  // namespace sallyport::upstream
