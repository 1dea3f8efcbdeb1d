#include "gateway/mime/raw_reader.h"

#include <algorithm>
#include <utility>

namespace sallyport::mime {

namespace {

// The parts from the mail inwards in whose decoded contents `source` stands, itself included.
std::vector<PartIndex> way_to(const Tree& tree, std::optional<PartIndex> source) {
  std::vector<PartIndex> way;
  while (source && *source < tree.parts.size()) {
    way.push_back(*source);
    const auto outer = tree.parts[*source].source;
    if (outer && *outer >= *source) break;  // a part stands behind its source
    source = outer;
  }
  std::reverse(way.begin(), way.end());
  return way;
}

// Where reading the mail begins.
std::uint64_t first_offset(const Tree& tree, std::optional<PartIndex> source, std::uint64_t begin) {
  const std::vector<PartIndex> way = way_to(tree, source);
  return way.empty() ? begin : tree.parts[way.front()].begin;
}

std::uint64_t in_body(const mail::Message& message, std::uint64_t offset) {
  return offset - std::min<std::uint64_t>(offset, message.header_octets().size());
}

std::uint64_t length(std::uint64_t begin, std::uint64_t end) { return end > begin ? end - begin : 0; }

}  // namespace

RawReader::RawReader(const mail::Message& message, const Tree& tree, std::optional<PartIndex> source,
                     std::uint64_t begin, std::uint64_t end)
    : pieces_(message.body_from(in_body(message, first_offset(tree, source, begin)))) {
  const std::string_view header = message.header_octets();
  header_ = header.substr(
      static_cast<std::size_t>(std::min<std::uint64_t>(first_offset(tree, source, begin), header.size())));
  const std::vector<PartIndex> way = way_to(tree, source);
  if (way.empty()) {
    mail_left_ = length(begin, end);
    return;
  }
  const Part& outermost = tree.parts[way.front()];
  mail_left_ = length(outermost.begin, outermost.end);
  for (std::size_t i = 0; i < way.size(); ++i) {
    const Part& part = tree.parts[way[i]];
    // The mail is read from the outermost part on, so nothing is to be skipped.
    steps_.push_back({i == 0 ? 0 : part.begin, length(part.begin, part.end), make_decoder(part.coding), {}});
  }
  steps_.push_back({begin, length(begin, end), nullptr, {}});
}

std::string_view RawReader::cut(Step& step, std::string_view octets) {
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(step.skip, octets.size()));
  step.skip -= skipped;
  octets.remove_prefix(skipped);
  octets = octets.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(step.left, octets.size())));
  step.left -= octets.size();
  return octets;
}

// What `octets`, which come into the step `from`, are behind the last one.
std::string_view RawReader::pass(std::size_t from, std::string_view octets) {
  for (std::size_t i = from; i < steps_.size() && !octets.empty(); ++i) {
    Step& step = steps_[i];
    octets = cut(step, octets);
    if (!step.decoder || octets.empty()) continue;
    step.decoded.clear();
    step.decoder->feed(octets, step.decoded);
    octets = step.decoded;
  }
  return octets;
}

Result<std::string_view> RawReader::next_of_mail() {
  return header_.empty() ? pieces_.next() : Result<std::string_view>(std::exchange(header_, {}));
}

Result<std::string_view> RawReader::next() {
  while (mail_left_ > 0) {
    if (!steps_.empty() && steps_.back().left == 0) return std::string_view();
    auto piece = next_of_mail();
    if (!piece) return piece;
    if (piece->empty()) break;
    const std::string_view octets =
        piece->substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(mail_left_, piece->size())));
    mail_left_ -= octets.size();
    octets_read_ += octets.size();
    const std::string_view passed = pass(0, octets);
    if (!passed.empty()) return passed;
  }
  mail_left_ = 0;
  // What decoders have held back comes out from the outermost on.
  while (ended_ < steps_.size()) {
    Step& step = steps_[ended_++];
    if (!step.decoder) continue;
    step.decoded.clear();
    step.decoder->end(step.decoded);
    if (step.decoded.empty()) continue;
    const std::string_view passed = pass(ended_, step.decoded);
    if (!passed.empty()) return passed;
  }
  return std::string_view();
}

}  // namespace sallyport::mime
