// Reads a mail in a test: stores it, finds its parts as the session does, and decodes them.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/field_json.h"
#include "gateway/mail/message.h"
#include "gateway/mime/analysis.h"
#include "gateway/mime/contents.h"
#include "tests/unit/mail/fake_spool.h"

namespace sallyport::mime {

// Line ends as SMTP has them.
inline std::string with_crlf(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) octets += '\r';
    octets += text[i];
  }
  return octets;
}

// The last octet first.
inline std::string little(std::uint64_t value, int octets) {
  std::string out;
  for (int i = 0; i < octets; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// What is to be found in every reading.
inline const std::string harm = "harm, wherever it hides\r\n";

inline std::string multipart(const std::string& type, const std::string& body) {
  return "MIME-Version: 1.0\r\nContent-Type: " + type + "\r\n\r\n" + body;
}

// A mail with this one part, header and content.
inline std::string mixed(const std::string& part) {
  return multipart("multipart/mixed; boundary=b", "--b\r\n" + part + "\r\n--b--\r\n");
}

struct ReadMail {
  std::unique_ptr<mail::FakeSpool> spool;
  std::unique_ptr<mail::Message> message;
  Tree tree;

  const Part& part(PartIndex index) const { return tree.parts.at(index); }
  std::string content(PartIndex index) const {
    Contents contents;
    auto octets = contents.bytes(*message, tree, index, std::size_t{64} << 20);
    return octets ? *octets : "cannot be read";
  }
  // The parts of the most plausible reading that hold content of their own, without the text around parts.
  std::vector<PartIndex> leaves() const {
    std::vector<PartIndex> all;
    for (PartIndex i = 0; i < tree.parts.size(); ++i) {
      const Part& one = tree.parts[i];
      const bool is_around = one.origin == Origin::preamble || one.origin == Origin::epilogue;
      if (!one.is_container && !one.is_alternate && !is_around) all.push_back(i);
    }
    return all;
  }
  // Whether some part holds these octets.
  bool holds(std::string_view octets) const {
    for (PartIndex i = 0; i < tree.parts.size(); ++i) {
      if (content(i).find(octets) != std::string::npos) return true;
    }
    return false;
  }
  bool has_extension(std::string_view extension) const {
    return std::any_of(tree.parts.begin(), tree.parts.end(), [extension](const Part& one) {
      const std::vector<std::string> all = extensions_of(one.names);
      return std::find(all.begin(), all.end(), extension) != all.end();
    });
  }
};

// `piece`: so many octets at a time. `memory`: what the message may keep in memory.
inline ReadMail read_mail(std::string_view octets, std::size_t piece = std::size_t{1} << 20,
                          std::uint64_t memory = std::uint64_t{256} << 10, const Limits& limits = {}) {
  ReadMail read;
  read.spool = std::make_unique<mail::FakeSpool>();
  read.message = std::make_unique<mail::Message>(mail::MessageLimits{std::uint64_t{256} << 20, memory}, *read.spool);
  std::unique_ptr<Analysis> analysis;
  for (std::string_view rest = octets; !rest.empty();) {
    const std::string_view next = rest.substr(0, piece);
    rest.remove_prefix(next.size());
    const std::uint64_t before = read.message->body_octets();
    read.message->append(next);
    if (!read.message->header_is_complete()) continue;
    if (!analysis) {
      read.message->parse_header();
      analysis = std::make_unique<Analysis>(read.message->header_octets(), limits);
    }
    const std::uint64_t of_body = read.message->body_octets() - before;
    analysis->feed(next.substr(next.size() - static_cast<std::size_t>(of_body)));
  }
  if (!analysis) {
    read.message->parse_header();
    analysis = std::make_unique<Analysis>(read.message->header_octets(), limits);
  }
  analysis->end();
  while (analysis->has_more()) analysis->step(*read.message, std::max<std::size_t>(piece, 64));
  read.tree = analysis->take();
  return read;
}

}  // namespace sallyport::mime
