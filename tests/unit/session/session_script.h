// A session as it is to be played: what the client does, step by step, and in what world.
//
// The steps are abstract, made from the tables below: each says what it means, so that the model need not parse a
// single octet of it. Addresses tell the policy and the upstream of the test what to do: "trap-reject" is refused by
// the policy, "gone-550" by the upstream (session_peers.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::session {

// What a policy of the test does with what it is shown, by the word in the address or the greeting.
enum class Plan : std::uint8_t { none, reject, tempfail, drop, discard, accept, tag };

// The upstream's part, by the word in the address.
enum class Fate : std::uint8_t {
  good,
  refused,   // 550 5.1.1 at the command that is named
  deferred,  // 450 4.2.0 there
  plain,     // 550 without an enhanced code, not fit to be passed on as it is
  misclass,  // "550 2.1.1 no": corrected to 5.1.1
  closes,    // hangs up
  resets,
  garbles,  // no reply at all
  says_421,
  says_354,  // 354 (or, to DATA, 250)
};
// Where a sender's fate strikes.
enum class Point : std::uint8_t { mail, data, end };

// What an offer must hold for a parameter to be known.
enum class Needs : std::uint8_t { nothing, size, eight_bit, utf8, dsn, never };

struct Parameter {
  std::string_view text;  // " SIZE=100"
  Needs needs;
  std::string_view refusal;  // "501 5.5.4" when it is offered and all the same wrong; empty: fine
  std::string_view always;   // the refusal whether it is offered or not
  std::uint64_t size = 0;    // what it announces
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
  bool keeps = false;  // of an end that is not answered well: the message is stored all the same
};

enum class Route : std::uint8_t { ours, sister, other, nobodys };  // sister: another tenant, the same upstream
struct Recipient {
  std::string_view text;  // after TO:
  std::string_view canonical;
  std::string_view refusal;          // of the path itself
  std::string_view refused_by_rule;  // of a good path: literal, routed
  bool is_utf8 = false;
  Route route = Route::ours;
  Plan plan = Plan::none;
  Fate fate = Fate::good;
};

struct Greeting {
  std::string_view text;     // after the verb, with its space
  std::string_view refusal;  // empty: none
  Plan plan = Plan::none;
};

// A line whose answer depends on little.
struct SimpleLine {
  enum class Kind : std::uint8_t {
    fixed,        // `reply`, always; an error
    not_offered,  // 502 5.5.1, an error
    noop,
    vrfy,
    help,
    rset,
    quit,
    malformed,   // 501 5.5.4 where the verb may come at all; see `verb`
    bad_line,    // 500 5.5.2 and the end
    not_smtp,    // as the first line 554 5.5.1 and the end, else `reply`
    early_data,  // "DATA x", "STARTTLS x": malformed, and out of order first
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
    chunk,   // `content`, `last`; `announced` when it is not the content's size
    simple,  // `index` into simple_lines
    junk,    // `content` is an unknown command, of any octets
    starttls,
    hang_up,    // the upstreams end their connections; with `last` nobody listens there any more
    come_back,  // they listen again
    wait,       // three seconds
  };
  Kind kind = Kind::simple;
  bool extended = true;
  bool last = false;
  bool at_once = false;  // DATA: the content in the same segment, against the rules
  bool is_alone = true;  // a segment ends with this step
  std::uint8_t index = 0;
  std::vector<std::uint8_t> parameters;
  std::string content;
  std::string announced;            // of a chunk: the words after BDAT, when they are wrong or too large
  std::vector<std::uint16_t> cuts;  // segments end after so many octets of this step, too
};

struct Setting {
  bool rejects_bare = false;
  bool starttls = false;
  bool requires_tls = false;
  bool handshakes = false;  // the client can; else it breaks the handshake
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
  // After the last step: the client breaks off inside the step after it, or leaves in order.
  bool breaks_off = false;
  bool resets = false;
};

inline constexpr std::uint64_t script_message_size = 1500;
inline constexpr std::uint64_t script_upstream_size = 1200;
inline constexpr std::uint64_t script_text_line = 200;
inline constexpr std::uint64_t script_recipients = 4;
inline constexpr std::uint64_t script_chunks = 6;
inline constexpr std::uint64_t script_refused_recipients = 4;

// Contents that begin like this: two marks of our own host, and a field of ours that is not.
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

// The step's octets, DATA's content and a chunk's octets apart.
std::string line_of(const Step& step);
// For people: the script as a dialogue.
std::string to_dialogue(const Script& script);

}  // namespace sallyport::session
