// The readers against the model: every short string over the octets that matter, and long random ones.
#include "tests/unit/smtp/content_model.h"

#include <gtest/gtest.h>

#include <ostream>
#include <random>
#include <string>

#include "gateway/smtp/content_refusal.h"

namespace sallyport::smtp {
namespace {

constexpr std::string_view true_end = "\r\n.\r\n";
constexpr std::string_view next_command = "NOOP\r\n";
constexpr std::uint64_t default_line = ContentLimits{}.max_line_octets;

// Calls `body` with every string of at most `most` octets over CR, LF, dot, NUL and x.
template <class Body>
void for_each_string(std::size_t most, Body body) {
  constexpr std::string_view alphabet("\r\n.\0x", 5);
  for (std::size_t length = 0; length <= most; ++length) {
    std::size_t count = 1;
    for (std::size_t i = 0; i < length; ++i) count *= alphabet.size();
    std::string text(length, ' ');
    for (std::size_t number = 0; number < count; ++number) {
      std::size_t digits = number;
      for (char& c : text) {
        c = alphabet[digits % alphabet.size()];
        digits /= alphabet.size();
      }
      body(text);
      if (testing::Test::HasFailure()) return;  // one is enough to read
    }
  }
}

TEST(ContentModel, DataAgreesOnEveryShortString) {
  std::size_t count = 0;
  for_each_string(7, [&](const std::string& text) {
    const std::string input = text + std::string(true_end) + std::string(next_command);
    const Outcome expected = model_data(input, default_line);
    ASSERT_TRUE(expected.ended);
    EXPECT_EQ(read_data(input, {}), expected) << "whole: " << escaped(text);
    EXPECT_EQ(read_data(input, octet_by_octet(input)), expected) << "octet by octet: " << escaped(text);
    ++count;
  });
  EXPECT_EQ(count, 97656U);  // 5^0 + ... + 5^7
}

TEST(ContentModel, DataAgreesAtEveryCut) {
  for_each_string(7, [](const std::string& text) {
    const std::string input = text + std::string(true_end);
    const Outcome expected = model_data(input, default_line);
    for (std::size_t cut = 1; cut < input.size(); ++cut)
      EXPECT_EQ(read_data(input, {cut}), expected) << "cut at " << cut << ": " << escaped(text);
  });
}

TEST(ContentModel, ChunksAgreeOnEveryShortString) {
  for_each_string(7, [](const std::string& text) {
    const Outcome expected = model_chunks(text, default_line);
    EXPECT_EQ(read_chunks(text, {}, text.size()), expected) << "whole: " << escaped(text);
    EXPECT_EQ(read_chunks(text, {}, 1), expected) << "octet by octet: " << escaped(text);
    EXPECT_EQ(read_chunks(text, octet_by_octet(text), 1), expected) << "chunks of one octet: " << escaped(text);
  });
}

TEST(ContentModel, ChunksAgreeAtEveryCut) {
  for_each_string(7, [](const std::string& text) {
    const Outcome expected = model_chunks(text, default_line);
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
      EXPECT_EQ(read_chunks(text, {cut}, 1), expected) << "second chunk at " << cut << ": " << escaped(text);
  });
}

// What goes to an upstream: nothing for a message that is refused.
struct Sent {
  std::string refusal;  // its enhanced code, or empty
  std::string data;     // towards an upstream without CHUNKING
  std::string chunk;    // and with it

  friend bool operator==(const Sent&, const Sent&) = default;
};

std::ostream& operator<<(std::ostream& out, const Sent& sent) {
  return out << "refusal=" << sent.refusal << " data=\"" << escaped(sent.data) << "\" chunk=\"" << escaped(sent.chunk)
             << "\"";
}

// By the gateway's own parts.
Sent send_on(const Outcome& read, BareNewline mode, std::size_t piece) {
  Sent sent;
  if (const auto refusal = refuse_content(read.faults, mode)) {
    sent.refusal = refusal->enhanced();
    return sent;
  }
  sent.data = frame(read.content, piece);
  sent.chunk = bdat_line(read.content.size(), true) + read.content;
  return sent;
}

// By the model alone.
Sent model_send(const Outcome& decoded, bool rejects) {
  Sent sent;
  if (decoded.faults.nul || decoded.faults.line_too_long)
    sent.refusal = "5.6.0";
  else if (rejects && (decoded.faults.bare_cr || decoded.faults.bare_lf))
    sent.refusal = "5.5.2";
  if (!sent.refusal.empty()) return sent;
  sent.chunk = "BDAT " + std::to_string(decoded.content.size()) + " LAST\r\n" + decoded.content;
  for (std::size_t at = 0; at < decoded.content.size(); ++at) {
    const bool begins_a_line = at == 0 || decoded.content[at - 1] == '\n';
    if (begins_a_line && decoded.content[at] == '.') sent.data += '.';
    sent.data += decoded.content[at];
  }
  sent.data += ".\r\n";
  return sent;
}

// S1-S8, I2: the same verdict and the same octets towards the upstream, by DATA and BDAT in and by DATA and BDAT out,
// in both modes; sent whole and octet by octet.
TEST(ContentModel, EveryShortStringIsSentOnAsTheModelSays) {
  for_each_string(7, [](const std::string& text) {
    const std::string input = text + std::string(true_end);
    const Outcome by_data = model_data(input, default_line);
    const Outcome by_chunks = model_chunks(text, default_line);
    for (const bool rejects : {false, true}) {
      const BareNewline mode = rejects ? BareNewline::reject : BareNewline::normalize;
      const Sent data = model_send(by_data, rejects);
      EXPECT_EQ(send_on(read_data(input, {}), mode, input.size()), data) << escaped(text);
      EXPECT_EQ(send_on(read_data(input, octet_by_octet(input)), mode, 1), data) << escaped(text);
      const Sent chunks = model_send(by_chunks, rejects);
      EXPECT_EQ(send_on(read_chunks(text, {}, text.size()), mode, text.size() + 1), chunks) << escaped(text);
      EXPECT_EQ(send_on(read_chunks(text, octet_by_octet(text), 1), mode, 1), chunks) << escaped(text);
    }
  });
}

// I2, I3: what was decoded goes out framed anew, and comes back the same without a fault, by DATA as by BDAT.
TEST(ContentModel, WhatIsFramedReadsBackTheSame) {
  for_each_string(7, [](const std::string& text) {
    const Outcome decoded = read_chunks(text, {}, text.size());
    if (decoded.faults.nul) return;
    const std::string wire = frame(decoded.content);
    EXPECT_EQ(frame(decoded.content, 1), wire) << escaped(text);
    const Outcome again = read_data(wire, {});
    EXPECT_EQ(again, (Outcome{.content = decoded.content, .faults = {}, .consumed = wire.size(), .ended = true}))
        << escaped(text);
    EXPECT_EQ(wire.find(true_end), wire.size() == 3 ? std::string::npos : wire.size() - true_end.size());
    const Outcome chunk = read_chunks(decoded.content, {}, decoded.content.size());
    EXPECT_EQ(chunk.content, decoded.content) << escaped(text);
    EXPECT_EQ(chunk.faults, ContentFaults{}) << escaped(text);
  });
}

// Long enough to cross the blocks in which content is looked at, with every mixture of odd and ordinary stretches.
class RandomContent : public testing::TestWithParam<unsigned> {};

TEST_P(RandomContent, AgreesInAnyCuts) {
  std::mt19937 random(GetParam());
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (int round = 0; round < 40; ++round) {
    // One octet in so many is bare or NUL or 8-bit: from none in the message to one in each line.
    const std::size_t odd_every = 1 + below(round % 4 == 0 ? 1000000 : 3000);
    const std::size_t wanted = below(20000);
    std::string text;
    while (text.size() < wanted) {
      const std::size_t length = below(10) == 0 ? below(6000) : below(100);
      if (below(3) == 0) text += '.';
      for (std::size_t i = 0; i < length; ++i) {
        if (below(odd_every) == 0)
          text += std::string_view("\r\n\0\xe9.\n", 6)[below(6)];
        else
          text += "abc. \t"[below(6)];
      }
      text += "\r\n";
    }
    const std::uint64_t max_line = below(2) == 0 ? default_line : 1 + below(6200);
    const ContentLimits limits{.max_line_octets = max_line};
    const std::string input = text + std::string(true_end) + std::string(next_command);
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at < input.size(); at += cuts.back()) cuts.push_back(1 + below(below(2) == 0 ? 5 : 9000));

    const Outcome expected = model_data(input, max_line);
    ASSERT_TRUE(read_data(input, {}, limits) == expected) << "whole, round " << round;
    ASSERT_TRUE(read_data(input, cuts, limits) == expected) << "cut, round " << round;
    const Outcome expected_chunks = model_chunks(input, max_line);
    ASSERT_TRUE(read_chunks(input, {}, input.size(), limits) == expected_chunks) << "chunk, round " << round;
    ASSERT_TRUE(read_chunks(input, cuts, 1 + below(5000), limits) == expected_chunks) << "chunks, round " << round;
    const Outcome& clean = expected_chunks;
    if (!clean.faults.nul) {
      ASSERT_TRUE(frame(clean.content, 1 + below(5000)) == frame(clean.content)) << "framed, round " << round;
      ASSERT_TRUE(read_data(frame(clean.content), cuts, limits).content == clean.content) << "again, round " << round;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomContent, testing::Range(1U, 9U));

}  // namespace
}  // namespace sallyport::smtp
