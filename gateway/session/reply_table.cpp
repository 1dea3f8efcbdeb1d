#include "gateway/session/reply_table.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "gateway/session/refusals.h"
#include "gateway/smtp/content_refusal.h"

namespace sallyport::session {

namespace {

constexpr std::string_view protocol_broken =
    "The sender: update or mend the program; it does not speak SMTP as it should.";
constexpr std::string_view comes_again = "The sender: nothing, his server comes again.";

struct Explained {
  const Refusal* refusal;
  std::string_view when;
  std::string_view remedy;
};

// All of refusals.h but those that pass on what the server behind says.
constexpr std::array explained{
    Explained{&refusals::unclean_line, "A command line has a lone CR, a lone LF or a NUL.", protocol_broken},
    Explained{&refusals::endless_line, "A command line does not end within what the gateway reads of one.",
              protocol_broken},
    Explained{&refusals::long_line, "A command line is longer than limits.command_line, or than its verb allows.",
              protocol_broken},
    Explained{&refusals::other_protocol, "The client speaks another protocol, such as HTTP or SSH.",
              "The sender: connect to the right port."},
    Explained{&refusals::not_ascii, "A command has octets beyond ASCII where SMTPUTF8 was not asked for.",
              protocol_broken},
    Explained{&refusals::unknown_command, "The command is none of SMTP's.", protocol_broken},
    Explained{&refusals::malformed_command, "The command has arguments that it does not take, or lacks one.",
              protocol_broken},
    Explained{&refusals::out_of_order, "The command does not belong here, such as RCPT before MAIL.", protocol_broken},
    Explained{&refusals::starttls_first, "The listener wants TLS before mail.",
              "The sender: switch on TLS. Here: require_tls of the listener."},
    Explained{&refusals::not_available, "The command is known and not offered here, such as AUTH.",
              "The sender: use a server for submission. Here: what the listener offers."},
    Explained{&refusals::poses_as_proxy, "A client says XCLIENT or XFORWARD and is no front end that is trusted.",
              "Here: xclient_from of the listener."},
    Explained{&refusals::no_recipients, "DATA or BDAT comes without a recipient that was accepted.", protocol_broken},
    Explained{&refusals::pipelined, "The client has sent commands ahead where it must wait for a reply.",
              protocol_broken},
    Explained{&refusals::input_behind, "Octets came behind a command after which the client must wait.",
              protocol_broken},
    Explained{&refusals::input_behind_starttls, "Octets came behind STARTTLS: an attack, or a broken client.",
              protocol_broken},
    Explained{&refusals::no_host_name, "HELO or EHLO comes without a name.", protocol_broken},
    Explained{&refusals::bad_host_name, "The name of HELO or EHLO is none.",
              "The sender: give his server a host name."},
    Explained{&refusals::mail_syntax, "MAIL is not followed by FROM: and an address in angle brackets.",
              protocol_broken},
    Explained{&refusals::rcpt_syntax, "RCPT is not followed by TO: and an address in angle brackets.", protocol_broken},
    Explained{&refusals::declared_size, "The SIZE that MAIL declares is over the limit.",
              "The sender: send a link in place of the file. Here: limits.message_size, and the server behind."},
    Explained{&refusals::too_many_recipients, "The mail has limits.recipients recipients already.",
              "The sender: nothing, his server sends to the others by itself. Here: limits.recipients."},
    Explained{&refusals::far_too_many_recipients, "The client goes on naming recipients after many such refusals.",
              "The sender: send in smaller portions. Here: limits.recipients."},
    Explained{&refusals::literal_recipient, "The recipient's domain is an address in brackets.",
              "The sender: write to a name."},
    Explained{&refusals::routed_recipient, "The recipient's address has a route in it (% or !, or @ before a colon).",
              "The sender: write the plain address. Here: limits.allow_routed_local."},
    Explained{&refusals::relaying, "Nobody here serves the recipient's domain.",
              "The sender: look at the address and the domain's MX record. Here: domains, tenants.*.domains."},
    Explained{&refusals::tenant_busy, "The tenant has its part of all places for mails under way.",
              "The sender: nothing, his server comes again. Here: limits.sessions; the server behind may be slow."},
    Explained{&refusals::split_route, "The recipient's mail goes another way than that of those before.",
              "The sender: nothing, his server sends to this one by itself."},
    Explained{&refusals::one_recipient_behind, "The server behind speaks LMTP, and answers for each recipient.",
              "The sender: nothing, his server sends to this one by itself."},
    Explained{&refusals::foreign_upstream, "A rule sends the mail to an upstream that is not the tenant's.",
              "Here: the rule; for a tenant's mail it may name its own upstream, or one that no other tenant has."},
    Explained{&refusals::no_smtputf8_behind, "The mail needs SMTPUTF8, and the server behind has it not.",
              "The sender: write to and from addresses of ASCII. Here: the server behind."},
    Explained{&refusals::no_requiretls_behind, "The mail demands REQUIRETLS, and the server behind cannot promise it.",
              "The sender: send without that demand. Here: tls of the upstream, the server behind."},
    Explained{&refusals::harvest, "The client has named limits.unknown_recipients_close recipients that were refused.",
              "The sender: clean his list of addresses. Here: that limit."},
    Explained{&refusals::bdat_syntax, "BDAT is not followed by a number of octets.", protocol_broken},
    Explained{&refusals::after_failed_chunk, "A chunk of the mail has been refused, and another one comes.",
              protocol_broken},
    Explained{&refusals::chunk_flood, "The mail comes in more than limits.bdat_chunks chunks.", protocol_broken},
    Explained{&refusals::message_too_large, "The mail is longer than the limit.",
              "The sender: send a link in place of the file. Here: limits.message_size."},
    Explained{&refusals::spool_failed, "The mail needs a file for its content, and there is no room or the disk fails.",
              "Here: the disk of state.path; `fault` lines of kind spool."},
    Explained{&refusals::header_too_large, "The header section has more octets or fields than the gateway reads.",
              "The sender: mend the program that writes the mail."},
    Explained{&refusals::control_in_field_name, "A field's name has a control character.", protocol_broken},
    Explained{&refusals::begins_with_continuation, "The first line of the header section begins with a space.",
              protocol_broken},
    Explained{&refusals::loop, "The mail has more Received fields than limits.hops, or came through here before.",
              "Here: does the server behind send it back to the gateway?"},
    Explained{&refusals::no_8bitmime_behind, "The mail has 8-bit content, and the server behind takes none.",
              "The sender: send it encoded. Here: the server behind."},
    Explained{&refusals::redirect_takes_one_recipient,
              "A rule sends a mail of several recipients to an upstream that speaks LMTP.", "Here: the rule."},
    Explained{&refusals::not_recorded, "A mail was to be discarded, and the log could not take the line.",
              "Here: the log's disk; `fault` lines of kind log."},
    Explained{&refusals::too_many_errors, "The client has made limits.errors_per_session mistakes.", protocol_broken},
    Explained{&refusals::idle, "The client has said nothing for timeouts.command, or for less under pressure.",
              "The sender: nothing. Here: that timeout."},
    Explained{&refusals::slow_content, "The mail's content comes slower than limits.data_rate.",
              "The sender: look at his line. Here: that limit."},
    Explained{&refusals::shutting_down, "The gateway stops, and the session has no content under way.", comes_again},
    Explained{&refusals::internal_error, "A mistake of the gateway's, or memory ran out.",
              "Here: `fault` lines of kind internal and resource."},
    Explained{&refusals::too_many_sessions,
              "The client, or its IPv6 network, has limits.sessions_per_ip sessions open.",
              "The sender: nothing, his server comes again. Here: that limit."},
    Explained{&refusals::overloaded_at_connect, "Four fifths of the memory or of limits.sessions are in use.",
              "The sender: nothing, his server comes again. Here: `event=pressure` in the log, more memory."},
    Explained{&refusals::overloaded, "Nearly all of the memory is in use.",
              "The sender: nothing, his server comes again. Here: `event=pressure` in the log, more memory."},
    Explained{&refusals::shutting_down_at_connect, "The gateway stops.", comes_again},
};

ReplyRow row_of(const Refusal& refusal, std::string_view when, std::string_view remedy) {
  ReplyRow row;
  row.code = refusal.code;
  row.dsn = refusal.dsn;
  row.text = refusal.text;
  row.kind = refusal.incident ? record::name(*refusal.incident) : refusal.check;
  row.when = when;
  row.remedy = remedy;
  row.ends_session = refusal.closes;
  return row;
}

void add_paths(std::vector<ReplyRow>& rows) {
  for (int i = 0; i <= static_cast<int>(smtp::PathError::bad_utf8); ++i) {
    for (const smtp::PathKind kind : {smtp::PathKind::reverse, smtp::PathKind::forward}) {
      const bool is_sender = kind == smtp::PathKind::reverse;
      rows.push_back(row_of(refusal_of(static_cast<smtp::PathError>(i), kind),
                            is_sender ? "The sender's address, behind MAIL FROM, will not do."
                                      : "The recipient's address, behind RCPT TO, will not do.",
                            "The sender: write the address as RFC 5321 has it, or correct it."));
    }
  }
}

void add_parameters(std::vector<ReplyRow>& rows) {
  for (int i = 0; i <= static_cast<int>(smtp::ParameterError::too_large); ++i) {
    rows.push_back(row_of(refusal_of(static_cast<smtp::ParameterError>(i)),
                          "What follows the address of MAIL or RCPT will not do.", protocol_broken));
  }
}

// In place of its own words, where it has none.
void add_upstream(std::vector<ReplyRow>& rows) {
  using Kind = upstream::UpstreamError::Kind;
  const auto add = [&rows](upstream::UpstreamError error, bool after_end, std::string_view when,
                           std::string_view remedy) {
    rows.push_back(row_of(refusal_of(error, after_end, About::mail), when, remedy));
  };
  constexpr std::string_view look = "Here: `sallyport upstreams`, and the server behind.";
  const auto of_kind = [](Kind kind) {
    upstream::UpstreamError error;
    error.kind = kind;
    return error;
  };
  add(of_kind(Kind::down), false, "The server behind does not answer, takes no connection or has no free one.", look);
  add(of_kind(Kind::timed_out), true,
      "The server behind has not answered the end of the mail; what became of it there is unknown.",
      "Here: the log of the server behind, by the id in X-Sallyport-Id.");
  add(of_kind(Kind::protocol), false, "The server behind breaks the protocol, or ends the session.", look);
  add(of_kind(Kind::tls), false, "TLS to the server behind is demanded and cannot be had.",
      "Here: tls of the upstream, the server's certificate.");
  add(of_kind(Kind::client_lost), false, "The client has left before its mail was complete; nobody hears it.",
      comes_again);
  for (int i = 0; i <= static_cast<int>(io::Shortage::packet_filter); ++i) {
    upstream::UpstreamError error = of_kind(Kind::resource);
    error.shortage = static_cast<io::Shortage>(i);
    for (const bool after_end : {false, true}) {
      add(error, after_end, "This host has none left of what a connection to the server behind takes.",
          "Here: the limits of the process and the host; `fault` lines of kind resource.");
    }
  }
}

void add_content(std::vector<ReplyRow>& rows) {
  const auto add = [&rows](const smtp::ContentFaults& faults, Violation kind, std::string_view when,
                           std::string_view remedy) {
    const auto reply = smtp::refuse_content(faults, smtp::BareNewline::reject);
    if (!reply) return;
    rows.push_back({reply->code(), reply->enhanced(), reply->text(), std::string(name(kind)), when, remedy, false});
  };
  smtp::ContentFaults nul, line, newline;
  nul.nul = true;
  line.line_too_long = true;
  newline.bare_lf = true;
  add(nul, Violation::nul, "The content has a NUL.", protocol_broken);
  add(line, Violation::line_long, "A line of the content is longer than limits.text_line.",
      "The sender: send it encoded, in lines of at most 998 octets.");
  add(newline, Violation::bare_lf, "A line of the content ends in a lone CR or LF: a way to smuggle a second mail.",
      "The sender: update the program. Here: bare_newline of the listener.");
}

// What says yes.
void add_good(std::vector<ReplyRow>& rows) {
  const auto add = [&rows](int code, std::string_view dsn, std::string_view text, std::string_view when) {
    rows.push_back({code, std::string(dsn), std::string(text), {}, when, {}, code == 221});
  };
  add(214, "2.0.0", "See RFC 5321", "To HELP.");
  add(220, "", "{} ESMTP Sallyport", "The greeting, with our host name.");
  add(220, "2.0.0", "Ready to start TLS", "To STARTTLS: the handshake follows.");
  add(221, "2.0.0", "{} Bye", "To QUIT.");
  add(250, "", "{}", "To HELO and EHLO: our host name, and with EHLO a line for each extension.");
  add(250, "2.0.0", "Ok", "To NOOP and RSET.");
  add(250, "2.0.0", "{} octets received", "To a chunk of BDAT that is not the last.");
  add(250, "2.1.0", "Ok",
      "To MAIL. To RCPT and to the end of the mail the client hears the words of the server behind.");
  add(252, "2.1.5", "Send mail to find out", "To VRFY: whether a recipient exists is said to RCPT alone.");
  add(354, "", "End data with <CR><LF>.<CR><LF>", "To DATA: the content follows.");
}

void add_verdicts(std::vector<ReplyRow>& rows) {
  constexpr std::string_view look = "Here: `check`, `rule` and `because` of the line in the log that has the id.";
  const auto add = [&rows](const checks::Disposition& disposition, std::string_view kind, std::string_view when,
                           std::string_view remedy) {
    const smtp::Reply reply = reply_for(disposition, {});
    rows.push_back({reply.code(), reply.enhanced(), reply.text(), std::string(kind), when, remedy, false});
  };
  checks::Disposition wordless;
  wordless.action = policies::Action::reject;
  add(wordless, "rules", "A rule refuses the mail and has no words of its own.", look);
  wordless.action = policies::Action::tempfail;
  add(wordless, "rules", "A rule refuses the mail for now and has no words of its own.", look);
  const policies::ActionSettings actions;
  const policies::Verdict too_much = policies::Verdict::scored(actions.reject, {});
  add(checks::dispose({&too_much, 1}, actions), "score",
      "The scores of all that was found reach policy.actions.reject.",
      "Here: `symbols` of the line in the log that has the id; policy.actions.reject.");
}

}  // namespace

std::vector<ReplyRow> reply_table() {
  std::vector<ReplyRow> rows;
  add_good(rows);
  for (const Explained& about : explained) rows.push_back(row_of(*about.refusal, about.when, about.remedy));
  add_paths(rows);
  add_parameters(rows);
  add_upstream(rows);
  add_content(rows);
  add_verdicts(rows);
  const auto key = [](const ReplyRow& row) { return std::tie(row.code, row.dsn, row.text, row.when); };
  std::stable_sort(rows.begin(), rows.end(), [&](const ReplyRow& a, const ReplyRow& b) { return key(a) < key(b); });
  const auto is_same = [&](const ReplyRow& a, const ReplyRow& b) { return key(a) == key(b); };
  rows.erase(std::unique(rows.begin(), rows.end(), is_same), rows.end());
  return rows;
}

}  // namespace sallyport::session
