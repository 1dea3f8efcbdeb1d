// Cases that others wrote: address syntax, false ends of DATA. They lie outside this tree, in the
// directory named by SALLYPORT_CORPORA or beside the source tree; without them these tests say so and pass. What a
// whole session makes of them is in tests/unit/session/corpora_test.cpp.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "gateway/base/text.h"
#include "gateway/smtp/content_refusal.h"
#include "gateway/smtp/path.h"
#include "tests/support/corpora.h"
#include "tests/unit/smtp/content_runs.h"

namespace sallyport::smtp {
namespace {

using Json = nlohmann::json;

TEST(Corpora, AddressSyntax) {
  const auto cases = support::load_corpus("address-isemail/tests.json");
  SALLYPORT_SKIP_WITHOUT(cases);
  support::CorpusScore score("address-isemail");
  // The suite gates on RFC 5321, and so do we. Contested, all accepted here:
  // - a local part over 64 octets: VERP and SRS make such, the path's 256 octets are bound enough (S26);
  // - "::" in place of a single group of an IPv6 literal (RFC5321_IPV6DEPRECATED, which the suite accepts too):
  // forbidden by
  //   RFC 5321, 4.1.3, allowed by RFC 4291, and unambiguous;
  // - a lone top-level domain (test@org): valid syntax, whether it resolves is not asked here;
  // - dots at the ends of a local part, blanks just inside the brackets, a domain's final dot: as people write them
  // (S27).
  const std::set<std::string> accepted_against_the_suite = {"RFC5322_LOCAL_TOOLONG"};
  const std::set<std::string> as_people_write_them = {" test@iana.org", "test@iana.org ", ".test@iana.org",
                                                      "test.@iana.org", "test@iana.org."};
  for (const Json& test : *cases) {
    const auto address = test.at("address").get<std::string>();
    const bool expected = test.at("valid_as_smtp_mailbox").get<bool>() || as_people_write_them.contains(address) ||
                          accepted_against_the_suite.contains(test.at("diagnosis").get<std::string>());
    for (const PathKind kind : {PathKind::reverse, PathKind::forward}) {
      // "<>" is no mailbox but is a reverse-path.
      if (address.empty() && kind == PathKind::reverse) continue;
      const std::string text = "<" + address + ">";
      const auto parsed = parse_path(text, kind, false);
      EXPECT_EQ(parsed.ok() && parsed->rest.empty(), expected) << test.dump();
      if (!parsed) continue;
      const auto again = parse_path("<" + parsed->path.to_string() + ">", kind, false);
      ASSERT_TRUE(again) << test.dump();
      EXPECT_EQ(again->path, parsed->path) << test.dump();
    }
    score.count_case();
  }
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
  const auto corpus = support::load_corpus("smtp-smuggling/eod-sequences.json");
  SALLYPORT_SKIP_WITHOUT(corpus);
  support::CorpusScore score("smtp-smuggling, in any cuts");
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
    EXPECT_TRUE(whole.faults.bare_lf || whole.faults.bare_cr || whole.faults.nul) << hex;
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
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::smtp
