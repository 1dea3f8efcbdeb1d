// Script: a session to be played: the client's steps, and the world in which they happen.
//
// The steps are abstract. They are chosen from the tables below, which state what each step means, so that the model
// needs no parser. Addresses tell the test's policy and upstream what to do: "plan-reject" is refused by the policy,
// "rcpt-550" by the upstream (session_peers.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::session {

// What the test's policy does, named by a word in the address or the greeting.
enum class Plan : std::uint8_t { none, reject, tempfail, drop, discard, accept, tag };

// What the upstream does, named by a word in the address.
enum class Fate : std::uint8_t {
  good,
  refused,   // 550 5.1.1 to the command that the address names
  deferred,  // 450 4.2.0 to it
  plain,     // 550 without an enhanced code, with text that must be filtered before it is passed on
  misclass,  // "550 2.1.1 no", which the gateway corrects to 5.1.1
  closes,    // closes the connection
  resets,
  garbles,  // sends octets that are no reply
  says_421,
  says_354,  // 354 (or, to DATA, 250)
};
// The command at which a sender's fate happens.
enum class Point : std::uint8_t { mail, data, end };

// What EHLO must have offered for a parameter to be known.
enum class Needs : std::uint8_t { nothing, size, eight_bit, utf8, dsn, never };

struct Parameter {
  std::string_view text;  // " SIZE=100"
  Needs needs;
  std::string_view refusal;  // the reply when the parameter is known but wrong, such as "501 5.5.4"; empty: accepted
  std::string_view always;   // the reply whether the parameter is known or not
  std::uint64_t size = 0;    // size that it announces, in octets
};

struct Sender {
  std::string_view text;       // after FROM:
  std::string_view canonical;  // between < and >
  std::string_view refusal;    // empty: none
  bool is_utf8 = false;
  Plan at_mail = Plan::none;
  Plan at_end = Plan::none;
  Point point = Point::mail;
  Fate fate = Fate::good;
  bool keeps = false;  // for a bad reply to the end of data: the message is stored all the same
};

enum class Route : std::uint8_t { ours, sister, other, nobodys };  // sister: another tenant with the same upstream
struct Recipient {
  std::string_view text;  // after TO:
  std::string_view canonical;
  std::string_view refusal;          // reply to a malformed path
  std::string_view refused_by_rule;  // reply to a valid path that the rules refuse: a literal, a routed address
  bool is_utf8 = false;
  Route route = Route::ours;
  Plan plan = Plan::none;
  Fate fate = Fate::good;
};

struct Greeting {
  std::string_view text;     // after the verb, including the space
  std::string_view refusal;  // empty: none
  Plan plan = Plan::none;
};

// A line whose reply depends on little state.
struct SimpleLine {
  enum class Kind : std::uint8_t {
    fixed,        // always `reply`; counts as an error
    not_offered,  // 502 5.5.1; counts as an error
    noop,
    vrfy,
    help,
    rset,
    quit,
    malformed,   // 501 5.5.4 where `verb` is allowed, else as for that verb
    bad_line,    // 500 5.5.2, and the session ends
    not_smtp,    // as the first line 554 5.5.1, and the session ends; else `reply`
    early_data,  // "DATA x", "STARTTLS x": the order is checked before the form
  };
  Kind kind;
  std::string_view text;
  std::string_view reply;
  std::string_view verb;
};

struct Step {
  enum class Kind : std::uint8_t {
    hello,   // `extended`, `index` into greetings
    mail,    // `index` into senders, `parameters`
    rcpt,    // `index` into recipients, `parameters`
    data,    // `content`
    chunk,   // `content`, `last`; `announced` replaces the content's size
    simple,  // `index` into simple_lines
    junk,    // `content` is an unknown command made of any octets
    starttls,
    hang_up,    // the upstreams close their connections; with `last` they refuse new ones
    come_back,  // the upstreams accept connections again
    wait,       // three seconds; with `last` the one place at each upstream is then needed for somebody else's mail
  };
  Kind kind = Kind::simple;
  bool extended = true;
  bool last = false;
  bool at_once = false;  // DATA: sends the content in the same segment, which is not allowed
  bool is_alone = true;  // a segment ends with this step
  std::uint8_t index = 0;
  std::vector<std::uint8_t> parameters;
  std::string content;
  std::string announced;            // of a chunk: the words after BDAT where they are wrong or too large
  std::vector<std::uint16_t> cuts;  // segments also end after so many octets of this step
};

struct Setting {
  bool rejects_bare = false;
  bool starttls = false;
  bool requires_tls = false;
  bool handshakes = false;  // the client performs the TLS handshake; else it breaks it
  bool chunking_upstream = false;
  bool pipelining_upstream = true;
  bool full_upstream = true;  // 8BITMIME, SMTPUTF8, DSN
  bool sized_upstream = false;
  bool has_policy = false;
  bool watches = false;
  bool spools = false;
  Plan at_connect = Plan::none;
  std::uint64_t errors = 20;
  std::uint64_t junk = 100;
};

struct Script {
  Setting setting;
  std::vector<Step> steps;
  // breaks_off: the client leaves in the middle of the last step's content, or of a command after it, and with `resets`
  // by a reset. Else it leaves with QUIT.
  bool breaks_off = false;
  bool resets = false;
};

inline constexpr std::uint64_t script_message_size = 1500;
inline constexpr std::uint64_t script_upstream_size = 1200;
inline constexpr std::uint64_t script_text_line = 200;
inline constexpr std::uint64_t script_recipients = 4;
inline constexpr std::uint64_t script_chunks = 6;
inline constexpr std::uint64_t script_refused_recipients = 4;

// Beginnings of contents: two Received fields with our own host name, and a forged field of ours.
inline constexpr std::string_view looping_header =
    "Received: by mx.example.com id 0123456789ABCDEF; now\r\n"
    "Received: by mx.example.com id 0123456789ABCDEG; now\r\n";
inline constexpr std::string_view forged_header = "X-Sallyport-Verdict: clean\r\n";

const std::vector<Sender>& senders();
const std::vector<Recipient>& recipients();
const std::vector<Parameter>& mail_parameters();
const std::vector<Parameter>& rcpt_parameters();
const std::vector<Greeting>& greetings();
const std::vector<SimpleLine>& simple_lines();

// The octets of the step's line, without DATA's content or a chunk's octets.
std::string line_of(const Step& step);
// The script as a dialogue for people to read.
std::string to_dialogue(const Script& script);

}  // namespace sallyport::session
