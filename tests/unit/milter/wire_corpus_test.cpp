// Packets that others have written down (corpora, milter-wire).
//
// Eleven of its 97 commands say what one library in another language thinks, not what the wire is: octets that are no
// UTF-8 in a macro, a host name, a path or a parameter's name, a parameter with two equals signs, and a version above
// ours, which libmilter answers with its own. They are taken here, as libmilter takes them, and must survive unchanged.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "gateway/milter/answer.h"
#include "gateway/milter/command.h"
#include "tests/support/corpora.h"

namespace sallyport::milter {
namespace {

std::string octets_of(const std::string& hex) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return octets;
}

const std::set<std::string> opinions = {
    "options_negotiate_invalid/unsupported-protocol-version",
    "define_macro_invalid/utf8-impossible-byte-3.5.1-symbol",
    "define_macro_invalid/utf8-impossible-byte-3.5.1-value",
    "connect_invalid/ipv4-invalid-char-hostname",
    "connect_invalid/ipv6-invalid-char-hostname",
    "connect_invalid/hostname-utf8-impossible-byte-3.5.1",
    "connect_invalid/unix-socket-invalid-char",
    "mail_from_rcpt_to_invalid/MailFrom-non-ascii-esmtp-arg-name",
    "mail_from_rcpt_to_invalid/MailFrom-multiple-key-value-separators",
    "mail_from_rcpt_to_invalid/RcptTo-non-ascii-esmtp-arg-name",
    "mail_from_rcpt_to_invalid/RcptTo-multiple-key-value-separators",
};

// The one packet in these octets.
Packet only_packet(PacketReader& reader, std::string_view octets) {
  EXPECT_EQ(reader.read(octets), PacketReader::Status::packet);
  EXPECT_TRUE(octets.empty());
  return reader.packet();
}

TEST(MilterWire, CommandsOfMtas) {
  const auto corpus = support::load_corpus("milter-wire/vectors.json");
  SALLYPORT_SKIP_WITHOUT(corpus);
  support::CorpusScore score("milter-wire commands");
  for (const auto& one : (*corpus)["mta_to_milter_commands"]) {
    const std::string id = one["id"];
    SCOPED_TRACE(id);
    const std::string octets = octets_of(one["packet_hex"]);
    PacketReader reader;
    const Packet packet = only_packet(reader, octets);
    const auto command = decode_command(packet);
    EXPECT_EQ(command.has_value(), one["valid"].get<bool>() || opinions.contains(id));
    if (command) {
      std::string again;
      encode(again, *command);
      // Only the end of an unknown command's line may differ: it is written with its NUL.
      if (!std::holds_alternative<Unknown>(*command)) EXPECT_EQ(again, octets);
    }
    score.count_case();
  }
}

TEST(MilterWire, AnswersOfMilters) {
  const auto corpus = support::load_corpus("milter-wire/vectors.json");
  SALLYPORT_SKIP_WITHOUT(corpus);
  support::CorpusScore score("milter-wire answers");
  for (const auto& one : (*corpus)["milter_to_mta_responses"]) {
    SCOPED_TRACE(one["id"].get<std::string>());
    const std::string octets = octets_of(one["packet_hex"]);
    PacketReader reader;
    const auto answer = decode_answer(only_packet(reader, octets));
    EXPECT_TRUE(answer);
    std::string again;
    if (answer) encode(again, *answer);
    EXPECT_EQ(again, octets);
    score.count_case();
  }
}

TEST(MilterWire, Framing) {
  const auto corpus = support::load_corpus("milter-wire/vectors.json");
  SALLYPORT_SKIP_WITHOUT(corpus);
  support::CorpusScore score("milter-wire framing");
  for (const auto& one : (*corpus)["framing"]) {
    SCOPED_TRACE(one["id"].get<std::string>());
    const std::string stream = octets_of(one["stream_hex"]);
    const bool is_valid = one.value("valid", true);
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
      PacketReader reader;
      std::vector<std::string> payloads;
      bool is_malformed = false;
      for (std::size_t begin = 0; begin < stream.size(); begin += piece) {
        std::string_view rest = std::string_view(stream).substr(begin, piece);
        while (!rest.empty() && !is_malformed) {
          const auto status = reader.read(rest);
          is_malformed = status == PacketReader::Status::malformed;
          if (status == PacketReader::Status::packet)
            payloads.push_back(reader.packet().letter + std::string(reader.packet().data));
        }
      }
      EXPECT_EQ(!is_malformed && !reader.is_in_packet(), is_valid);
      std::vector<std::string> wanted;
      if (one.contains("payloads_hex"))
        for (const auto& hex : one["payloads_hex"]) wanted.push_back(octets_of(hex));
      EXPECT_EQ(payloads, wanted);
    }
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::milter
