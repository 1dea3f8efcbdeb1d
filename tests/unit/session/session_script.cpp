#include "tests/unit/session/session_script.h"

namespace sallyport::session {

const std::vector<Sender>& senders() {
  using enum Fate;
  static const std::vector<Sender> table{
      {.text = "<ann@example.org>", .canonical = "ann@example.org", .refusal = ""},
      {.text = "<>", .canonical = "", .refusal = ""},
      {.text = " <ann@Example.ORG>", .canonical = "ann@example.org", .refusal = ""},
      {.text = "ann@example.org", .canonical = "ann@example.org", .refusal = ""},
      {.text = "<\"ann\"@example.org>", .canonical = "ann@example.org", .refusal = ""},
      {.text = "<\"a b\"@example.org>", .canonical = "\"a b\"@example.org", .refusal = ""},
      {.text = "<@a.example,@b.example:ann@example.org>", .canonical = "ann@example.org", .refusal = ""},
      {.text = "<ann@[192.0.2.1]>", .canonical = "ann@[192.0.2.1]", .refusal = ""},
      {.text = "<ann@[192.0.2.256]>", .canonical = "", .refusal = "501 5.1.7"},
      {.text = "<ann@example..org>", .canonical = "", .refusal = "501 5.1.7"},
      {.text = "< ann..b.@example.org. >", .canonical = "ann..b.@example.org", .refusal = ""},
      {.text = "<ann>", .canonical = "", .refusal = "501 5.1.7"},
      {.text = "<a\"b@example.org>", .canonical = "", .refusal = "501 5.1.7"},
      {.text = "<ann@example.org", .canonical = "", .refusal = "501 5.1.7"},
      {.text = "<\xc3\xa4nn@example.org>", .canonical = "\xc3\xa4nn@example.org", .refusal = "", .is_utf8 = true},
      {.text = "<plan-reject@example.org>",
       .canonical = "plan-reject@example.org",
       .refusal = "",
       .at_mail = Plan::reject},
      {.text = "<plan-tempfail@example.org>",
       .canonical = "plan-tempfail@example.org",
       .refusal = "",
       .at_mail = Plan::tempfail},
      {.text = "<plan-drop@example.org>", .canonical = "plan-drop@example.org", .refusal = "", .at_mail = Plan::drop},
      {.text = "<plan-accept@example.org>",
       .canonical = "plan-accept@example.org",
       .refusal = "",
       .at_mail = Plan::accept},
      {.text = "<end-reject@example.org>",
       .canonical = "end-reject@example.org",
       .refusal = "",
       .at_end = Plan::reject},
      {.text = "<end-tempfail@example.org>",
       .canonical = "end-tempfail@example.org",
       .refusal = "",
       .at_end = Plan::tempfail},
      {.text = "<end-drop@example.org>", .canonical = "end-drop@example.org", .refusal = "", .at_end = Plan::drop},
      {.text = "<end-discard@example.org>",
       .canonical = "end-discard@example.org",
       .refusal = "",
       .at_end = Plan::discard},
      {.text = "<end-tag@example.org>", .canonical = "end-tag@example.org", .refusal = "", .at_end = Plan::tag},
      {.text = "<mail-550@example.org>", .canonical = "mail-550@example.org", .refusal = "", .fate = refused},
      {.text = "<mail-450@example.org>", .canonical = "mail-450@example.org", .refusal = "", .fate = deferred},
      {.text = "<mail-close@example.org>", .canonical = "mail-close@example.org", .refusal = "", .fate = closes},
      {.text = "<mail-reset@example.org>", .canonical = "mail-reset@example.org", .refusal = "", .fate = resets},
      {.text = "<mail-garble@example.org>", .canonical = "mail-garble@example.org", .refusal = "", .fate = garbles},
      {.text = "<mail-421@example.org>", .canonical = "mail-421@example.org", .refusal = "", .fate = says_421},
      {.text = "<mail-354@example.org>", .canonical = "mail-354@example.org", .refusal = "", .fate = says_354},
      {.text = "<data-550@example.org>",
       .canonical = "data-550@example.org",
       .refusal = "",
       .point = Point::data,
       .fate = refused},
      {.text = "<data-450@example.org>",
       .canonical = "data-450@example.org",
       .refusal = "",
       .point = Point::data,
       .fate = deferred},
      {.text = "<data-close@example.org>",
       .canonical = "data-close@example.org",
       .refusal = "",
       .point = Point::data,
       .fate = closes},
      {.text = "<data-garble@example.org>",
       .canonical = "data-garble@example.org",
       .refusal = "",
       .point = Point::data,
       .fate = garbles},
      {.text = "<data-354@example.org>",
       .canonical = "data-354@example.org",
       .refusal = "",
       .point = Point::data,
       .fate = says_354},
      {.text = "<end-550@example.org>",
       .canonical = "end-550@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = refused},
      {.text = "<end-450@example.org>",
       .canonical = "end-450@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = deferred},
      {.text = "<end-plain@example.org>",
       .canonical = "end-plain@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = plain},
      {.text = "<end-close@example.org>",
       .canonical = "end-close@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = closes},
      {.text = "<end-close-kept@example.org>",
       .canonical = "end-close-kept@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = closes,
       .keeps = true},
      {.text = "<end-reset-kept@example.org>",
       .canonical = "end-reset-kept@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = resets,
       .keeps = true},
      {.text = "<end-garble-kept@example.org>",
       .canonical = "end-garble-kept@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = garbles,
       .keeps = true},
      {.text = "<end-421@example.org>",
       .canonical = "end-421@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = says_421},
      {.text = "<end-354@example.org>",
       .canonical = "end-354@example.org",
       .refusal = "",
       .point = Point::end,
       .fate = says_354},
  };
  return table;
}

const std::vector<Recipient>& recipients() {
  using enum Fate;
  static const std::vector<Recipient> table{
      {.text = "<bob@example.com>", .canonical = "bob@example.com"},
      {.text = " bob@EXAMPLE.com", .canonical = "bob@example.com"},
      {.text = "<\"b\\ob\"@example.com>", .canonical = "bob@example.com"},
      {.text = "<@relay.example:Bob@example.com>", .canonical = "Bob@example.com"},
      {.text = "<.bob@example.com.>", .canonical = ".bob@example.com"},
      {.text = "<carl@sister.example>", .canonical = "carl@sister.example", .route = Route::sister},
      {.text = "<dora@other.example>", .canonical = "dora@other.example", .route = Route::other},
      {.text = "<eve@nowhere.example>", .canonical = "eve@nowhere.example", .route = Route::nobodys},
      {.text = "<Postmaster>", .canonical = "Postmaster"},
      {.text = "<bob@[192.0.2.1]>", .refused_by_rule = "550 5.1.2"},
      {.text = "<eve%there@example.com>", .refused_by_rule = "550 5.7.1"},
      {.text = "<\"eve@there\"@example.com>", .refused_by_rule = "550 5.7.1"},
      {.text = "<>", .refusal = "501 5.1.3"},
      {.text = "<bob@>", .refusal = "501 5.1.3"},
      {.text = "<bob@exa mple.com>", .refusal = "501 5.1.3"},
      {.text = "<b\xc3\xb6"
               "b@example.com>",
       .canonical = "b\xc3\xb6"
                    "b@example.com",
       .is_utf8 = true},
      {.text = "<plan-reject@example.com>", .canonical = "plan-reject@example.com", .plan = Plan::reject},
      {.text = "<plan-tempfail@example.com>", .canonical = "plan-tempfail@example.com", .plan = Plan::tempfail},
      {.text = "<plan-drop@example.com>", .canonical = "plan-drop@example.com", .plan = Plan::drop},
      {.text = "<plan-discard@example.com>", .canonical = "plan-discard@example.com", .plan = Plan::discard},
      {.text = "<plan-accept@example.com>", .canonical = "plan-accept@example.com", .plan = Plan::accept},
      {.text = "<rcpt-550@example.com>", .canonical = "rcpt-550@example.com", .fate = refused},
      {.text = "<rcpt-450@example.com>", .canonical = "rcpt-450@example.com", .fate = deferred},
      {.text = "<rcpt-plain@example.com>", .canonical = "rcpt-plain@example.com", .fate = plain},
      {.text = "<rcpt-misclass@example.com>", .canonical = "rcpt-misclass@example.com", .fate = misclass},
      {.text = "<rcpt-close@example.com>", .canonical = "rcpt-close@example.com", .fate = closes},
      {.text = "<rcpt-reset@other.example>",
       .canonical = "rcpt-reset@other.example",
       .route = Route::other,
       .fate = resets},
      {.text = "<rcpt-garble@example.com>", .canonical = "rcpt-garble@example.com", .fate = garbles},
      {.text = "<rcpt-421@example.com>", .canonical = "rcpt-421@example.com", .fate = says_421},
      {.text = "<rcpt-354@example.com>", .canonical = "rcpt-354@example.com", .fate = says_354},
  };
  return table;
}

const std::vector<Parameter>& mail_parameters() {
  static const std::vector<Parameter> table{
      {" SIZE=100", Needs::size, "", "", 100},
      {" size=1200", Needs::size, "", "", 1200},
      {" SIZE=1501", Needs::size, "", "", 1501},
      {" SIZE=99999999999999999999", Needs::size, "552 5.3.4", ""},
      {" SIZE=ten", Needs::size, "501 5.5.4", ""},
      {" SIZE=1 SIZE=1", Needs::size, "501 5.5.4", ""},
      {" BODY=7BIT", Needs::eight_bit, "", ""},
      {" BODY=8BITMIME", Needs::eight_bit, "", ""},
      {" BODY=BINARYMIME", Needs::nothing, "", "501 5.5.4"},
      {" SMTPUTF8", Needs::utf8, "", ""},
      {" RET=HDRS", Needs::dsn, "", ""},
      {" RET=ALL", Needs::dsn, "501 5.5.4", ""},
      {" ENVID=a+2Bb", Needs::dsn, "", ""},
      {" AUTH=<>", Needs::never, "", ""},
      {" REQUIRETLS", Needs::never, "", ""},
      {" =1", Needs::nothing, "", "501 5.5.4"},
      {"x", Needs::nothing, "", "501 5.5.4"},
  };
  return table;
}

const std::vector<Parameter>& rcpt_parameters() {
  static const std::vector<Parameter> table{
      {" NOTIFY=NEVER", Needs::dsn, "", ""},
      {" NOTIFY=SUCCESS,DELAY", Needs::dsn, "", ""},
      {" NOTIFY=SOMETIMES", Needs::dsn, "501 5.5.4", ""},
      {" ORCPT=rfc822;bob", Needs::dsn, "", ""},
      {" ORCPT=utf-8;b\\x{F6}b", Needs::dsn, "", ""},
      {" ORCPT=bob", Needs::dsn, "501 5.5.4", ""},
      {" FOO=1", Needs::never, "", ""},
  };
  return table;
}

const std::vector<Greeting>& greetings() {
  static const std::vector<Greeting> table{
      {" client.example", "", Plan::none},
      {" two words", "", Plan::none},
      {" [192.0.2.1]", "", Plan::none},
      {" plan-reject.example", "", Plan::reject},
      {" plan-tempfail.example", "", Plan::tempfail},
      {" plan-drop.example", "", Plan::drop},
      {" plan-accept.example", "", Plan::accept},
      {"", "501 5.5.4", Plan::none},
      {" a\x01z", "501 5.5.2", Plan::none},
      {"\t\t", "501 5.5.4", Plan::none},
      {":client.example", "501 5.5.4", Plan::none},
  };
  return table;
}

const std::vector<SimpleLine>& simple_lines() {
  using enum SimpleLine::Kind;
  static const std::string too_long = "NOOP " + std::string(5000, 'x');
  static const std::vector<SimpleLine> table{
      {noop, "NOOP", "250 2.0.0", ""},
      {noop, "noop whatever", "250 2.0.0", ""},
      {vrfy, "VRFY bob", "252 2.1.5", ""},
      {help, "HELP", "214 2.0.0", ""},
      {rset, "RSET", "250 2.0.0", ""},
      {rset, "rset ", "250 2.0.0", ""},
      {quit, "QUIT", "221 2.0.0", ""},
      {malformed, "RSET now", "501 5.5.4", "RSET"},
      {malformed, "QUIT now", "501 5.5.4", "QUIT"},
      {malformed, "DATA now", "501 5.5.4", "DATA"},
      {malformed, "STARTTLS now", "501 5.5.4", "STARTTLS"},
      {malformed, "MAIL TO:<ann@example.org>", "501 5.5.4", "MAIL"},
      {malformed, "MAIL", "501 5.5.4", "MAIL"},
      {malformed, "RCPT FROM:<bob@example.com>", "501 5.5.4", "RCPT"},
      {not_offered, "EXPN list", "502 5.5.1", "EXPN"},
      {not_offered, "ETRN example.com", "502 5.5.1", "ETRN"},
      {not_offered, "AUTH PLAIN AGJvYgBzZWNyZXQ=", "502 5.5.1", "AUTH"},
      {not_offered, "XCLIENT ADDR=10.0.0.1", "502 5.5.1", "XCLIENT"},
      {not_offered, "TURN", "502 5.5.1", "TURN"},
      {fixed, "", "500 5.5.1", ""},
      {fixed, "caf\xc3\xa9", "500 5.5.2", ""},
      {fixed, "DATA caf\xc3\xa9", "500 5.5.2", "DATA"},
      {fixed, "STARTTLS\xff", "500 5.5.2", "STARTTLS"},
      {fixed, too_long, "500 5.5.2", ""},
      {not_smtp, "GET / HTTP/1.1", "500 5.5.1", ""},
      {not_smtp, "Subject: hello", "500 5.5.1", ""},
      {not_smtp, "SSH-2.0-client", "500 5.5.1", ""},
      {bad_line, "NOOP\nNOOP", "500 5.5.2", ""},
      {bad_line, "NOOP\rNOOP", "500 5.5.2", ""},
      {bad_line, {"NO\0OP", 5}, "500 5.5.2", ""},
  };
  return table;
}

std::string line_of(const Step& step) {
  std::string line;
  switch (step.kind) {
    case Step::Kind::hello:
      line.append(step.extended ? "EHLO" : "HELO").append(greetings()[step.index].text);
      break;
    case Step::Kind::mail:
      line.append("MAIL FROM:").append(senders()[step.index].text);
      for (std::uint8_t parameter : step.parameters) line += mail_parameters()[parameter].text;
      break;
    case Step::Kind::rcpt:
      line.append("RCPT TO:").append(recipients()[step.index].text);
      for (std::uint8_t parameter : step.parameters) line += rcpt_parameters()[parameter].text;
      break;
    case Step::Kind::data:
      line = "DATA";
      break;
    case Step::Kind::chunk:
      line = "BDAT " + (step.announced.empty() ? std::to_string(step.content.size()) : step.announced);
      if (step.last) line += " LAST";
      break;
    case Step::Kind::simple:
      line = simple_lines()[step.index].text;
      break;
    case Step::Kind::junk:
      line = "ZZ" + step.content;
      break;
    case Step::Kind::starttls:
      line = "STARTTLS";
      break;
    case Step::Kind::hang_up:
    case Step::Kind::come_back:
    case Step::Kind::wait:
      return {};
  }
  return line + "\r\n";
}

namespace {

std::string shown(std::string_view octets) {
  constexpr std::size_t most = 300;
  std::string text;
  for (char c : octets.substr(0, most)) {
    static constexpr std::string_view digits = "0123456789abcdef";
    auto octet = static_cast<unsigned char>(c);
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (octet < 32 || octet > 126) {
      text += "\\x";
      text += digits[octet / 16];
      text += digits[octet % 16];
    } else {
      text += c;
    }
  }
  if (octets.size() > most) text += "... (" + std::to_string(octets.size()) + " octets)";
  return text;
}

std::string to_words(const Setting& setting) {
  std::string words = "world:";
  auto add = [&](bool holds, std::string_view word) {
    if (holds) words.append(" ").append(word);
  };
  add(setting.rejects_bare, "rejects-bare");
  add(setting.starttls, "starttls");
  add(setting.requires_tls, "requires-tls");
  add(setting.handshakes, "handshakes");
  add(setting.chunking_upstream, "chunking-upstream");
  add(!setting.pipelining_upstream, "lockstep-upstream");
  add(!setting.full_upstream, "bare-upstream");
  add(setting.sized_upstream, "sized-upstream");
  add(setting.has_policy, "policy");
  add(setting.watches, "watched");
  add(setting.spools, "spools");
  add(setting.at_connect != Plan::none, "connect-plan=" + std::to_string(static_cast<int>(setting.at_connect)));
  return words + " errors=" + std::to_string(setting.errors) + " junk=" + std::to_string(setting.junk) + "\n";
}

}  // namespace

std::string to_dialogue(const Script& script) {
  std::string text = to_words(script.setting);
  for (const Step& step : script.steps) {
    if (step.kind == Step::Kind::hang_up) text += step.last ? "upstreams go away\n" : "upstreams hang up\n";
    if (step.kind == Step::Kind::come_back) text += "upstreams come back\n";
    if (step.kind == Step::Kind::wait) text += step.last ? "wait 3s, others need the place\n" : "wait 3s\n";
    std::string line = line_of(step);
    if (line.empty()) continue;
    text += "C: " + shown(line);
    if (!step.content.empty() && step.kind != Step::Kind::junk) text += " + " + shown(step.content);
    if (step.at_once) text += "  (at once)";
    if (!step.is_alone) text += "  (and on)";
    for (std::uint16_t cut : step.cuts) text += " |" + std::to_string(cut);
    text += "\n";
  }
  if (script.breaks_off) text += script.resets ? "resets\n" : "leaves\n";
  return text;
}

}  // namespace sallyport::session
