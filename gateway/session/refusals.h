// Refusals: all the ways in which the session itself says no to a client, each once, with its reply, what it is
// recorded as, and what follows (contract.md, section 4; threats.md, sections 3 and 4). The session says them with
// refuse().
//
// What checks say is a Disposition, and what the upstream says is passed on as it is; reply_for() and the `by_upstream`
// refusals are for those.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/checks/checks.h"
#include "gateway/checks/disposition.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/mail/message.h"
#include "gateway/record/incident.h"
#include "gateway/record/mail_record.h"
#include "gateway/smtp/content_sink.h"
#include "gateway/smtp/parameters.h"
#include "gateway/smtp/path.h"
#include "gateway/smtp/reply.h"
#include "gateway/upstream/channel.h"

namespace sallyport::session {

// What a refusal is about, and so what it is recorded with.
enum class About : std::uint8_t {
  command,     // the command alone: its incident has a line of its own, and it counts as one of the client's errors
  recipient,   // one recipient: the line of that recipient
  mail,        // the whole mail: the line of the mail
  session,     // the session ends: the line of the mail that is under way; without one, a line of the incident's own
  connection,  // the connection is refused before the greeting: the line of the connection
};

// What a refusal at RCPT refuses. One of the sender or the client is said again for each recipient, and counts once
// (S20).
enum class Concern : std::uint8_t {
  recipient,
  mail,       // the sender, or something that the mail needs
  by_wording  // whoever says it knows; we look at its code and words
};

struct Refusal {
  int code;
  std::string_view dsn;
  // "{}" stands for what the caller has to name: a verb, a number.
  std::string_view text;
  About about = About::command;
  // What is counted, and named in the line. Nothing: `check` is named, and nothing is counted.
  std::optional<record::Incident> incident;
  std::string_view check = {};
  bool names_host = false;  // the text follows our host name, as RFC 5321 has it for 421
  bool has_id = false;      // the text ends with the transaction's id: "(id 01JD3K7Q)"
  bool closes = false;      // the session ends after the reply
  Concern concern = Concern::recipient;
};

namespace refusals {

// ---- what a command line is ----
inline constexpr Refusal unclean_line{.code = 500,
                                      .dsn = "5.5.2",
                                      .text = "Bare CR, bare LF or NUL in a command line",
                                      .about = About::session,
                                      .incident = Violation::bad_line,
                                      .closes = true};
inline constexpr Refusal endless_line{.code = 500,
                                      .dsn = "5.5.2",
                                      .text = "Line too long",
                                      .about = About::session,
                                      .incident = Violation::line_long,
                                      .closes = true};
inline constexpr Refusal long_line{
    .code = 500, .dsn = "5.5.2", .text = "Line too long", .incident = Violation::line_long};
inline constexpr Refusal other_protocol{.code = 554,
                                        .dsn = "5.5.1",
                                        .text = "This is an SMTP server",
                                        .about = About::session,
                                        .incident = Violation::non_smtp,
                                        .closes = true};
inline constexpr Refusal not_ascii{
    .code = 500, .dsn = "5.5.2", .text = "Only ASCII is allowed here", .incident = Violation::nonascii};
inline constexpr Refusal unknown_command{
    .code = 500, .dsn = "5.5.1", .text = "Unknown command", .incident = Violation::bad_command};
inline constexpr Refusal malformed_command{
    .code = 501, .dsn = "5.5.4", .text = "{} is not said like that", .incident = Violation::syntax};

// ---- when it comes ----
inline constexpr Refusal out_of_order{
    .code = 503, .dsn = "5.5.1", .text = "{} is out of order here", .incident = Violation::sequence};
inline constexpr Refusal starttls_first{
    .code = 530, .dsn = "5.7.0", .text = "Must issue a STARTTLS command first", .incident = Violation::tls_error};
inline constexpr Refusal not_available{
    .code = 502, .dsn = "5.5.1", .text = "Command not available", .incident = Violation::syntax};
// S35: a client that passes itself off as a trusted front end.
inline constexpr Refusal poses_as_proxy{
    .code = 502, .dsn = "5.5.1", .text = "Command not available", .incident = Violation::proxy_untrusted};
inline constexpr Refusal no_recipients{
    .code = 554, .dsn = "5.5.1", .text = "No valid recipients", .incident = Violation::sequence};
// S13
inline constexpr Refusal pipelined{.code = 554,
                                   .dsn = "5.5.0",
                                   .text = "Commands were pipelined against the rules",
                                   .about = About::session,
                                   .incident = Violation::sync,
                                   .closes = true};
// The verb: EHLO, DATA.
inline constexpr Refusal input_behind{.code = 554,
                                      .dsn = "5.5.0",
                                      .text = "Nothing may follow {} before its reply",
                                      .about = About::session,
                                      .incident = Violation::sync,
                                      .closes = true};
// S14
inline constexpr Refusal input_behind_starttls{.code = 554,
                                               .dsn = "5.5.0",
                                               .text = "Nothing may follow STARTTLS before its reply",
                                               .about = About::session,
                                               .incident = Violation::starttls_inject,
                                               .closes = true};

// ---- HELO, EHLO (S36) ----
inline constexpr Refusal no_host_name{
    .code = 501, .dsn = "5.5.4", .text = "A host name is needed", .incident = Violation::syntax};
inline constexpr Refusal bad_host_name{
    .code = 501, .dsn = "5.5.2", .text = "That is no host name", .incident = Violation::syntax};

// ---- MAIL, RCPT ----
inline constexpr Refusal mail_syntax{
    .code = 501, .dsn = "5.5.4", .text = "Syntax: MAIL FROM:<address>", .incident = Violation::syntax};
inline constexpr Refusal rcpt_syntax{
    .code = 501, .dsn = "5.5.4", .text = "Syntax: RCPT TO:<address>", .incident = Violation::syntax};
// S29; the limit
inline constexpr Refusal declared_size{
    .code = 552, .dsn = "5.3.4", .text = "Message is larger than {} octets", .incident = Violation::size};
// S21
inline constexpr Refusal too_many_recipients{.code = 452,
                                             .dsn = "4.5.3",
                                             .text = "Too many recipients, send the message again for the others",
                                             .about = About::recipient,
                                             .incident = Violation::rcpt_limit};
inline constexpr Refusal far_too_many_recipients{.code = 421,
                                                 .dsn = "4.7.0",
                                                 .text = "Too many recipients, closing connection",
                                                 .about = About::recipient,
                                                 .incident = Violation::rcpt_limit,
                                                 .names_host = true,
                                                 .closes = true};
// S25
inline constexpr Refusal literal_recipient{.code = 550,
                                           .dsn = "5.1.2",
                                           .text = "Address literals are not served here",
                                           .about = About::recipient,
                                           .incident = Violation::syntax,
                                           .has_id = true};
// S23
inline constexpr Refusal routed_recipient{.code = 550,
                                          .dsn = "5.7.1",
                                          .text = "Routed addresses are not accepted",
                                          .about = About::recipient,
                                          .incident = Violation::routed_address,
                                          .has_id = true};
inline constexpr Refusal relaying{.code = 550,
                                  .dsn = "5.7.1",
                                  .text = "Relaying denied",
                                  .about = About::recipient,
                                  .incident = {},
                                  .check = "recipients",
                                  .has_id = true};
// I13: it has its part of all places.
inline constexpr Refusal tenant_busy{.code = 451,
                                     .dsn = "4.3.2",
                                     .text = "Too many messages for this domain at once, try again later",
                                     .about = About::recipient,
                                     .incident = Fault::resource,
                                     .has_id = true,
                                     .concern = Concern::mail};
// S22
inline constexpr Refusal split_route{.code = 452,
                                     .dsn = "4.5.3",
                                     .text = "Send the message to this recipient separately",
                                     .about = About::recipient,
                                     .incident = Violation::split_route,
                                     .has_id = true};
// The server behind speaks LMTP: it answers for each recipient, and the client gets one reply (S22).
inline constexpr Refusal one_recipient_behind{
    .code = 452,
    .dsn = "4.5.3",
    .text = "One recipient at a time, send the message to this one separately",
    .about = About::recipient,
    .incident = Violation::split_route,
    .has_id = true};
// I13: a verdict sends the mail to an upstream that is another tenant's, or none.
inline constexpr Refusal foreign_upstream{.code = 451,
                                          .dsn = "4.3.5",
                                          .text = "Local policy cannot be followed, try again later",
                                          .about = About::recipient,
                                          .incident = {},
                                          .check = "redirect",
                                          .has_id = true,
                                          .concern = Concern::mail};
// S11, T12: the server that the recipient's mail goes to has not what the mail needs.
inline constexpr Refusal no_smtputf8_behind{.code = 550,
                                            .dsn = "5.6.7",
                                            .text = "The server for this recipient takes no internationalized mail",
                                            .about = About::recipient,
                                            .incident = Violation::nonascii,
                                            .has_id = true,
                                            .concern = Concern::mail};
inline constexpr Refusal no_requiretls_behind{.code = 550,
                                              .dsn = "5.7.30",
                                              .text = "The server for this recipient does not support REQUIRETLS",
                                              .about = About::recipient,
                                              .incident = Violation::tls_error,
                                              .has_id = true,
                                              .concern = Concern::mail};
// S20
inline constexpr Refusal harvest{.code = 421,
                                 .dsn = "4.7.0",
                                 .text = "Too many unknown recipients, closing connection",
                                 .about = About::session,
                                 .incident = Violation::harvest,
                                 .names_host = true,
                                 .closes = true};
// What the server behind says no with is the reply; these say how that is recorded.
inline constexpr Refusal recipient_by_upstream{.code = 0,
                                               .dsn = {},
                                               .text = {},
                                               .about = About::recipient,
                                               .incident = {},
                                               .check = "upstream",
                                               .concern = Concern::by_wording};
// The server's answer to MAIL, which it gets with the first recipient.
inline constexpr Refusal sender_by_upstream{.code = 0,
                                            .dsn = {},
                                            .text = {},
                                            .about = About::recipient,
                                            .incident = {},
                                            .check = "upstream",
                                            .concern = Concern::mail};
inline constexpr Refusal mail_by_upstream{
    .code = 0, .dsn = {}, .text = {}, .about = About::mail, .incident = {}, .check = "upstream"};

// ---- BDAT ----
inline constexpr Refusal bdat_syntax{.code = 501,
                                     .dsn = "5.5.4",
                                     .text = "Syntax: BDAT octets [LAST]",
                                     .about = About::session,
                                     .incident = Violation::bdat_syntax,
                                     .closes = true};
inline constexpr Refusal after_failed_chunk{
    .code = 503, .dsn = "5.5.1", .text = "An earlier chunk has failed", .incident = Violation::sequence};
inline constexpr Refusal chunk_flood{.code = 421,
                                     .dsn = "4.7.0",
                                     .text = "Too many chunks",
                                     .about = About::session,
                                     .incident = Violation::bdat_flood,
                                     .closes = true};

// ---- content ----
inline constexpr Refusal message_too_large{.code = 552,
                                           .dsn = "5.3.4",
                                           .text = "Message is too large",
                                           .about = About::mail,
                                           .incident = Violation::size,
                                           .has_id = true};
inline constexpr Refusal spool_failed{.code = 452,
                                      .dsn = "4.3.1",
                                      .text = "Insufficient system storage",
                                      .about = About::mail,
                                      .incident = Fault::spool,
                                      .has_id = true};
inline constexpr Refusal header_too_large{.code = 550,
                                          .dsn = "5.6.0",
                                          .text = "The header section is too large",
                                          .about = About::mail,
                                          .incident = Violation::header_limit,
                                          .has_id = true};
inline constexpr Refusal control_in_field_name{.code = 550,
                                               .dsn = "5.6.0",
                                               .text = "Control character in a header field name",
                                               .about = About::mail,
                                               .incident = Violation::header_malformed,
                                               .has_id = true};
// S37: it would continue the last field that we put on top.
inline constexpr Refusal begins_with_continuation{.code = 550,
                                                  .dsn = "5.6.0",
                                                  .text = "The header section begins with a continuation line",
                                                  .about = About::mail,
                                                  .incident = Violation::header_malformed,
                                                  .has_id = true};
inline constexpr Refusal loop{.code = 554,
                              .dsn = "5.4.6",
                              .text = "Mail loop detected",
                              .about = About::mail,
                              .incident = Violation::loop,
                              .has_id = true};
inline constexpr Refusal no_8bitmime_behind{.code = 554,
                                            .dsn = "5.6.3",
                                            .text = "The server for this message takes no 8-bit content",
                                            .about = About::mail,
                                            .incident = Violation::nonascii,
                                            .has_id = true};
// The upstream that a verdict sends the message to speaks LMTP, and the client was not told so at its recipients (S22).
inline constexpr Refusal redirect_takes_one_recipient{.code = 451,
                                                      .dsn = "4.3.5",
                                                      .text = "Local policy cannot be followed, try again later",
                                                      .about = About::mail,
                                                      .incident = {},
                                                      .check = "redirect",
                                                      .has_id = true};
// A discard that the log has not taken (I1).
inline constexpr Refusal not_recorded{.code = 451,
                                      .dsn = "4.3.0",
                                      .text = "The message could not be recorded, try again later",
                                      .about = About::mail,
                                      .incident = {},
                                      .check = "log",
                                      .has_id = true};

// ---- the session's end ----
inline constexpr Refusal too_many_errors{.code = 421,
                                         .dsn = "4.7.0",
                                         .text = "Too many errors, closing connection",
                                         .about = About::session,
                                         .incident = Violation::error_limit,
                                         .names_host = true,
                                         .closes = true};
inline constexpr Refusal idle{.code = 421,
                              .dsn = "4.4.2",
                              .text = "Idle for too long, closing connection",
                              .about = About::session,
                              .incident = Violation::slow_client,
                              .names_host = true,
                              .closes = true};
// R1: its content comes slower than limits.data_rate.
inline constexpr Refusal slow_content{.code = 421,
                                      .dsn = "4.4.2",
                                      .text = "Too slow, closing connection",
                                      .about = About::session,
                                      .incident = Violation::slow_client,
                                      .names_host = true,
                                      .closes = true};
inline constexpr Refusal shutting_down{.code = 421,
                                       .dsn = "4.3.2",
                                       .text = "Shutting down",
                                       .about = About::session,
                                       .incident = {},
                                       .check = "shutdown",
                                       .names_host = true,
                                       .closes = true};
inline constexpr Refusal internal_error{.code = 421,
                                        .dsn = "4.3.0",
                                        .text = "Internal error, closing connection",
                                        .about = About::session,
                                        .incident = Fault::internal,
                                        .names_host = true,
                                        .closes = true};
inline constexpr Refusal too_many_sessions{.code = 421,
                                           .dsn = "4.7.0",
                                           .text = "Too many connections",
                                           .about = About::connection,
                                           .incident = Violation::session_limit,
                                           .names_host = true,
                                           .has_id = true,
                                           .closes = true};
// R3: four fifths of the memory or of all places are in use, and then nearly all.
inline constexpr Refusal overloaded_at_connect{.code = 421,
                                               .dsn = "4.3.2",
                                               .text = "Too busy, try again later",
                                               .about = About::connection,
                                               .incident = Fault::resource,
                                               .names_host = true,
                                               .has_id = true,
                                               .closes = true};
inline constexpr Refusal overloaded{.code = 452,
                                    .dsn = "4.3.1",
                                    .text = "Insufficient system storage",
                                    .about = About::mail,
                                    .incident = Fault::resource,
                                    .has_id = true};
inline constexpr Refusal shutting_down_at_connect{.code = 421,
                                                  .dsn = "4.3.2",
                                                  .text = "Shutting down",
                                                  .about = About::connection,
                                                  .incident = {},
                                                  .check = "shutdown",
                                                  .names_host = true,
                                                  .closes = true};

}  // namespace refusals

// A path or a parameter that will not do (threats.md S11, S24-S27).
Refusal refusal_of(smtp::PathError error, smtp::PathKind kind);
Refusal refusal_of(smtp::ParameterError error);
// An upstream's failure, as a refusal of the mail or of a recipient. `after_end`: the whole message had been sent.
Refusal refusal_of(const upstream::UpstreamError& error, bool after_end, About about);
// The kind under which the failure is counted and logged.
record::Incident incident_of(const upstream::UpstreamError& error);

// What makes the header section unfit, whatever it says; null: nothing. Its header has been parsed.
const Refusal* objection_to_header(const mail::Message& message, const config::Settings& settings);

// What a refusal sounds like. `id` is what it ends with, where it has one; `what` stands in the place of "{}".
smtp::Reply reply_to(const Refusal& refusal, std::string_view hostname, std::string_view id,
                     std::string_view what = {});
// Of one that refuses.
record::Outcome outcome_of(const smtp::Reply& reply);

// A reply with the transaction's id at its end: "550 5.7.1 Listed by zen.dnsbl.example (id 01JD3K7Q)".
smtp::Reply reply_with_id(int code, std::string_view dsn, std::string_view text, std::string_view id);
// What a refusal by checks sounds like.
smtp::Reply reply_for(const checks::Disposition& disposition, std::string_view id);

// What checks have decided, as it is recorded; `reply` is what the client hears of it.
record::Decision decision_of(const checks::Disposition& disposition, policies::Stage stage, const smtp::Reply& reply);
void set_reply(record::Decision& decision, const smtp::Reply& reply);
// The decision that refuses a recipient, for checks that hear of such. It must outlive the result.
policies::RefusedRecipient refused_recipient(const record::Decision& decision);

}  // namespace sallyport::session
