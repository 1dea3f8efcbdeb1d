// Cases that others wrote: address syntax, false ends of DATA, whole dialogues. They lie outside this tree, in the
// directory named by SALLYPORT_CORPORA or beside the source tree; without them these tests say so and pass.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/content_refusal.h"
#include "gateway/smtp/parameters.h"
#include "gateway/smtp/path.h"
#include "tests/unit/smtp/content_runs.h"

namespace sallyport::smtp {
namespace {

using Json = nlohmann::json;

std::optional<Json> load(const std::string& file) {
  const char* const named = std::getenv("SALLYPORT_CORPORA");
  const auto path = std::filesystem::path(named != nullptr ? named : "../shared/corpora") / file;
  std::ifstream stream(path);
  if (!stream) {
    std::cout << "skipped: corpora not found (" << path.string() << ")\n";
    return std::nullopt;
  }
  return Json::parse(stream);
}

TEST(Corpora, AddressSyntax) {
  const auto cases = load("address-isemail/tests.json");
  if (!cases) return;
  // The suite gates on RFC 5321, and so do we. Contested, all accepted here:
  // - a local part over 64 octets: VERP and SRS make such, the path's 256 octets are bound enough (S26);
  // - "::" in place of a single group of an IPv6 literal (RFC5321_IPV6DEPRECATED, which the suite accepts too):
  // forbidden by
  //   RFC 5321, 4.1.3, allowed by RFC 4291, and unambiguous;
  // - a lone top-level domain (test@org): valid syntax, whether it resolves is not asked here.
  const std::set<std::string> accepted_against_the_suite = {"RFC5322_LOCAL_TOOLONG"};
  std::size_t accepted = 0;
  for (const Json& test : *cases) {
    const auto address = test.at("address").get<std::string>();
    const bool expected = test.at("valid_as_smtp_mailbox").get<bool>() ||
                          accepted_against_the_suite.contains(test.at("diagnosis").get<std::string>());
    for (const PathKind kind : {PathKind::reverse, PathKind::forward}) {
      // "<>" is no mailbox but is a reverse-path.
      if (address.empty() && kind == PathKind::reverse) continue;
      const std::string text = "<" + address + ">";
      const auto parsed = parse_path(text, kind, false);
      EXPECT_EQ(parsed.ok() && parsed->rest.empty(), expected) << test.dump();
      if (!parsed) continue;
      ++accepted;
      const auto again = parse_path("<" + parsed->path.to_string() + ">", kind, false);
      ASSERT_TRUE(again) << test.dump();
      EXPECT_EQ(again->path, parsed->path) << test.dump();
    }
  }
  EXPECT_GT(accepted, 0U);
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// The octets as they would go on to an upstream: nothing for a message that is refused.
std::optional<std::string> relayed(const Outcome& outcome, BareNewline mode) {
  if (refuse_content(outcome.faults, mode)) return std::nullopt;
  const std::string wire = frame(outcome.content);
  return wire.substr(0, wire.size() - std::string(".\r\n").size());
}

TEST(Corpora, FalseEndsOfData) {
  const auto corpus = load("smtp-smuggling/eod-sequences.json");
  if (!corpus) return;
  const auto message = corpus->at("inbound_message_template").get<std::string>();
  for (const Json& test : corpus->at("sequences")) {
    const auto hex = test.at("sequence_hex").get<std::string>();
    const std::string sequence = text::from_hex(hex).value();
    const std::string stream = replaced(message, "{inject}", sequence) + "NOOP\r\n";
    const std::size_t true_end = stream.size() - std::string("NOOP\r\n").size();

    const Outcome whole = read_data(stream, {});
    EXPECT_TRUE(whole.ended) << hex;
    EXPECT_EQ(whole.consumed, true_end) << hex;
    EXPECT_EQ(read_data(stream, octet_by_octet(stream)), whole) << hex;
    for (std::size_t cut = 1; cut < true_end; ++cut)
      ASSERT_EQ(read_data(stream, {cut}), whole) << hex << " cut at " << cut;
    // Some carry the octets of a true end only after a CR or NUL of their own; those lines are never the end either.
    EXPECT_TRUE(whole.faults.any()) << hex;
    EXPECT_FALSE(relayed(whole, BareNewline::reject)) << hex;
    if (const auto wire = relayed(whole, BareNewline::normalize)) {
      EXPECT_EQ(wire->find(sequence), std::string::npos) << hex;
      EXPECT_EQ(wire->find("\r\n.\r\n"), std::string::npos) << hex;
    }

    const Outcome chunks = read_chunks(stream, {}, stream.size());
    EXPECT_EQ(read_chunks(stream, octet_by_octet(stream), 1), chunks) << hex;
    for (std::size_t cut = 1; cut < stream.size(); ++cut)
      ASSERT_EQ(read_chunks(stream, {cut}, stream.size()), chunks) << hex << " cut at " << cut;
    EXPECT_FALSE(relayed(chunks, BareNewline::reject)) << hex;
    if (const auto wire = relayed(chunks, BareNewline::normalize)) {
      EXPECT_EQ(wire->find(sequence), std::string::npos) << hex;
      EXPECT_EQ(wire->find("\r\n.\r\n"), std::string::npos) << hex;
    }
  }
}

Extensions offered_by_the_dialogues_server() {
  Extensions offered;
  offered.size = true;
  offered.eight_bit_mime = true;
  return offered;
}

// Whether a MAIL or RCPT line is fit, as far as a line alone can say.
bool is_fit(const Command& command) {
  if (command.is_malformed) return false;
  const auto kind = command.verb == Verb::mail ? PathKind::reverse : PathKind::forward;
  const auto parsed = parse_path(command.arguments, kind, asks_for_smtputf8(command.arguments));
  if (!parsed) return false;
  const Extensions offered = offered_by_the_dialogues_server();
  return kind == PathKind::reverse ? parse_mail_parameters(parsed->rest, offered).ok()
                                   : parse_rcpt_parameters(parsed->rest, offered).ok();
}

// Follows a dialogue as a server would that only parses: the lines of MAIL and RCPT and the end of each message must be
// what the expected replies say they are.
class DialogueFollower {
 public:
  void send(const std::string& octets) {
    if (in_data_) {
      reader_->read(octets, sink_);  // throws when the message has ended before
      return;
    }
    command_ = parse_command(std::string_view(octets).substr(0, octets.find("\r\n")));
  }

  void expect(const std::string& code) {
    if (code == "354") {
      in_data_ = true;
      reader_.emplace();
      return;
    }
    if (std::exchange(in_data_, false)) {
      // A reply to a message: its end has been seen, and only now.
      CollectingSink sink;
      EXPECT_THROW(reader_->read("x", sink), BrokenInvariant) << "the message has not ended";
      if (code == "521") EXPECT_TRUE(refuse_content(reader_->faults(), BareNewline::reject).has_value());
      if (code == "250") EXPECT_FALSE(refuse_content(reader_->faults(), BareNewline::reject).has_value());
      ++messages;
    } else if (command_ && (command_->verb == Verb::mail || command_->verb == Verb::rcpt)) {
      EXPECT_EQ(is_fit(*command_), code.front() == '2') << name(command_->verb) << command_->arguments << " " << code;
      ++paths;
    }
    command_.reset();
  }

  std::size_t messages = 0;
  std::size_t paths = 0;

 private:
  bool in_data_ = false;
  std::optional<BodyReader> reader_;
  CollectingSink sink_;
  std::optional<Command> command_;
};

TEST(Corpora, Dialogues) {
  const auto corpus = load("smtp-dialogues-chasquid/dialogues.json");
  if (!corpus) return;
  std::size_t messages = 0;
  std::size_t paths = 0;
  for (const Json& dialogue : corpus->at("dialogues")) {
    SCOPED_TRACE(dialogue.at("id").get<std::string>());
    DialogueFollower follower;
    for (const Json& step : dialogue.at("steps")) {
      if (step.contains("send")) {
        const auto& octets = step.at("send").get_ref<const std::string&>();
        for (int i = step.value("repeat", 1); i > 0; --i) follower.send(octets);
      } else if (step.contains("expect_code")) {
        follower.expect(step.at("expect_code").get<std::string>());
      }
    }
    messages += follower.messages;
    paths += follower.paths;
  }
  EXPECT_GT(messages, 0U);
  EXPECT_GT(paths, 0U);
}

}  // namespace
}  // namespace sallyport::smtp
