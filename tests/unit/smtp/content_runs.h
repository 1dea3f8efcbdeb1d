// Runs content through the readers and the writer, cut as a test likes, and gives what came out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/smtp/body_reader.h"
#include "gateway/smtp/body_writer.h"
#include "gateway/smtp/chunk_reader.h"
#include "gateway/smtp/content_sink.h"

namespace sallyport::smtp {

class CollectingSink final : public ContentSink {
 public:
  void append(std::string_view octets) override {
    content.append(octets);
    ++calls;
  }
  std::string content;
  std::size_t calls = 0;
};

struct Outcome {
  std::string content;
  ContentFaults faults;
  std::size_t consumed = 0;
  bool ended = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

inline std::string escaped(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    if (c == '\r')
      out += "\\r";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\0')
      out += "\\0";
    else
      out += c;
  }
  return out;
}

inline std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  const ContentFaults& faults = outcome.faults;
  return out << "\"" << escaped(outcome.content) << "\" consumed=" << outcome.consumed << " ended=" << outcome.ended
             << " bare_lf=" << faults.bare_lf << " bare_cr=" << faults.bare_cr << " nul=" << faults.nul
             << " long=" << faults.line_too_long << " lookalike=" << faults.eod_lookalike
             << " 8bit=" << faults.has_8bit;
}

// DATA, shown in the given cuts (lengths of pieces; the rest comes as the last one).
inline Outcome read_data(std::string_view input, const std::vector<std::size_t>& cuts, ContentLimits limits = {}) {
  BodyReader reader(limits);
  CollectingSink sink;
  Outcome outcome;
  for (std::size_t i = 0; !outcome.ended; ++i) {
    const std::string_view rest = input.substr(outcome.consumed);
    if (rest.empty()) break;
    const auto progress = reader.read(rest.substr(0, i < cuts.size() ? cuts[i] : rest.size()), sink);
    outcome.consumed += progress.consumed;
    outcome.ended = progress.ended;
  }
  outcome.content = std::move(sink.content);
  outcome.faults = reader.faults();
  return outcome;
}

// BDAT, a chunk for each cut, each chunk shown in pieces of `piece` octets.
inline Outcome read_chunks(std::string_view input, const std::vector<std::size_t>& cuts, std::size_t piece,
                           ContentLimits limits = {}) {
  ChunkReader reader(limits);
  CollectingSink sink;
  Outcome outcome;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t left = input.size() - outcome.consumed;
    reader.begin_chunk(i < cuts.size() ? std::min(cuts[i], left) : left);
    while (!reader.chunk_ended())
      outcome.consumed += reader.read(input.substr(outcome.consumed).substr(0, piece), sink);
  }
  reader.finish(sink);
  outcome.ended = true;
  outcome.content = std::move(sink.content);
  outcome.faults = reader.faults();
  return outcome;
}

inline std::vector<std::size_t> octet_by_octet(std::string_view input) {
  return std::vector<std::size_t>(input.size(), 1);
}

// The content as DATA, its end included.
inline std::string frame(std::string_view content, std::size_t piece = std::string_view::npos) {
  BodyWriter writer;
  std::vector<std::string_view> parts;
  for (std::string_view rest = content; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
    writer.frame(rest.substr(0, piece), parts);
  parts.push_back(writer.end());
  std::string wire;
  for (const std::string_view part : parts) wire += part;
  return wire;
}

}  // namespace sallyport::smtp
