#include "gateway/mime/contents.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/base/charset.h"
#include "gateway/base/text.h"
#include "gateway/mime/raw_reader.h"
#include "gateway/mime/text_charset.h"
#include "gateway/mime/transfer.h"

namespace sallyport::mime {

struct PartReader::State {
  RawReader raw;
  std::unique_ptr<TransferDecoder> decoder;
  std::string decoded;
  bool is_ended = false;
};

std::uint64_t PartReader::octets_read() const { return state_->raw.octets_read(); }

PartReader::PartReader(const mail::Message& message, const Tree& tree, PartIndex part)
    : state_(std::make_unique<State>(
          State{RawReader(message, tree, tree.parts[part].source, tree.parts[part].begin, tree.parts[part].end),
                make_decoder(tree.parts[part].coding),
                {},
                false})) {}
PartReader::PartReader(PartReader&&) noexcept = default;
PartReader::~PartReader() = default;

Result<std::string_view> PartReader::next() {
  State& state = *state_;
  while (!state.is_ended) {
    auto piece = state.raw.next();
    if (!piece || !state.decoder) return piece;
    state.decoded.clear();
    state.is_ended = piece->empty();
    if (state.is_ended)
      state.decoder->end(state.decoded);
    else
      state.decoder->feed(*piece, state.decoded);
    if (!state.decoded.empty()) return std::string_view(state.decoded);
  }
  return std::string_view();
}

namespace {

// `is_certain`: whatever the octets say, it is read as declared.
Text to_text(std::string octets, std::string_view declared, bool is_certain, bool is_html, std::size_t most) {
  Text made;
  std::string_view content = octets;
  std::string_view charset;
  if (!is_certain) {
    std::size_t mark = 0;
    charset = marked_charset(content, mark);
    content.remove_prefix(mark);
    if (charset.empty()) charset = evident_charset(content);
  }
  if (charset.empty() && is_known_charset(declared)) charset = declared;
  // A label of ASCII or none at all says nothing when there are other octets.
  const bool is_unsaid = charset.empty() || charset == "us-ascii" || charset == "ascii";
  if (is_unsaid && !is_certain && is_html && is_known_charset(meta_charset(content))) charset = meta_charset(content);
  if (is_unsaid && charset.empty()) made.is_whole = declared.empty();
  const bool is_utf8 = text::is_utf8(content);
  if (is_unsaid && (charset.empty() || charset.size() <= 8)) {
    if (is_utf8) charset = "utf-8";
    if (charset.empty() || charset == "us-ascii" || charset == "ascii") charset = "windows-1252";
  }
  if (text::equals_ignoring_case(charset, "utf-8") && is_utf8) {
    made.utf8 = content.size() == octets.size() ? std::move(octets) : std::string(content);
  } else if (auto converted = to_utf8(content, charset, most)) {
    made.utf8 = std::move(converted->utf8);
    made.is_whole &= converted->is_whole;
  }
  if (made.utf8.find('\0') != std::string::npos) std::erase(made.utf8, '\0');
  return made;
}

// Cuts between two characters.
void cut(Text& text, std::size_t most) {
  if (text.utf8.size() <= most) return;
  while (most > 0 && (static_cast<unsigned char>(text.utf8[most]) & 0xc0) == 0x80) --most;
  text.utf8.resize(most);
  text.is_whole = false;
}

}  // namespace

Result<std::string> Contents::bytes(const mail::Message& message, const Tree& tree, PartIndex part, std::size_t most) {
  std::string octets;
  if (part >= tree.parts.size() || most == 0) return octets;
  if (const std::string* content = tree.parts[part].sha256.content()) return content->substr(0, most);
  if (!may_read(message)) return octets;
  octets.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(most, tree.parts[part].size)));
  PartReader reader(message, tree, part);
  while (octets.size() < most) {
    auto piece = reader.next();
    if (!piece) return piece.error();
    if (piece->empty()) break;
    octets += piece->substr(0, most - octets.size());
  }
  octets_read_ += reader.octets_read();
  return octets;
}

bool Contents::may_read(const mail::Message& message) const {
  return octets_read_ < 2 * message.octets() + (std::uint64_t{4} << 20);
}

const Text& Contents::source(const mail::Message& message, const Tree& tree, PartIndex part) {
  const auto [found, is_new] = sources_.try_emplace(part);
  Text& kept = found->second;
  if (!is_new || part >= tree.parts.size() || tree.parts[part].is_container) return kept;
  const Part& about = tree.parts[part];
  auto octets = bytes(message, tree, part, room_);
  if (!octets) {
    kept.is_whole = false;
    return kept;
  }
  const bool is_cut = octets->size() < about.size;
  kept = to_text(std::move(*octets), about.charset, about.is_other_charset, is_html(about), room_);
  cut(kept, room_);
  kept.is_whole &= !is_cut;
  room_ -= kept.utf8.size();
  return kept;
}

const std::string& Contents::text(const mail::Message& message, const Tree& tree, PartIndex part) {
  if (part < tree.parts.size() && is_html(tree.parts[part])) return html(message, tree, part).text;
  return source(message, tree, part).utf8;
}

const Html& Contents::html(const mail::Message& message, const Tree& tree, PartIndex part) {
  const auto [found, is_new] = htmls_.try_emplace(part);
  if (!is_new || part >= tree.parts.size() || !is_html(tree.parts[part])) return found->second;
  const Text& of = source(message, tree, part);
  HtmlLimits limits;
  limits.text = std::min(limits.text, room_);
  found->second = read_html(of.utf8, limits);
  found->second.is_whole &= of.is_whole;
  room_ -= std::min(room_, found->second.text.size() + found->second.hidden_text.size());
  return found->second;
}

void Contents::forget() {
  sources_.clear();
  htmls_.clear();
  room_ = most_kept_;
}

}  // namespace sallyport::mime
