// The parts of a mail (threats.md, section 13). The input is the mail. What must hold: the tree does not depend on how
// the mail was cut, it keeps its bounds and its order, and every part can be read.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/field_json.h"
#include "gateway/mail/message.h"
#include "gateway/mime/analysis.h"
#include "gateway/mime/contents.h"

using namespace sallyport;

namespace {

class NoSpool final : public mail::Spool {
 public:
  Result<std::unique_ptr<mail::SpoolFile>> open() override { return Failure{"there is none"}; }
};

mime::Tree read(const mail::Message& message, std::string_view body, std::size_t piece) {
  mime::Analysis analysis(message.header_octets());
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) analysis.feed(body.substr(0, piece));
  analysis.end();
  while (analysis.has_more()) analysis.step(message, std::max<std::size_t>(piece, 16));
  return analysis.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 64 * 1024));
  NoSpool spool;
  mail::Message message(mail::MessageLimits{std::uint64_t{1} << 20, std::uint64_t{1} << 20}, spool);
  message.append(input);
  message.parse_header();
  std::string body;
  mail::Message::BodyPieces pieces = message.body();
  for (auto piece = pieces.next(); piece && !piece->empty(); piece = pieces.next()) body += *piece;

  const mime::Limits limits;
  const mime::Tree tree = read(message, body, body.size() + 1);
  const std::string whole = FieldWriter::json(tree);
  ensure(FieldWriter::json(read(message, body, 1)) == whole, "the tree depends on the pieces: 1");
  ensure(FieldWriter::json(read(message, body, 7)) == whole, "the tree depends on the pieces: 7");

  ensure(tree.parts.size() <= limits.parts, "more parts than allowed");
  mime::Contents contents;
  for (mime::PartIndex i = 0; i < tree.parts.size(); ++i) {
    const mime::Part& part = tree.parts[i];
    ensure(i == 0 ? part.parent == 0 : part.parent < i, "a part stands before its parent");
    ensure(!part.source || *part.source < i, "a part stands before its source");
    ensure(part.depth <= limits.depth, "deeper than allowed");
    ensure(part.begin <= part.end || tree.unscannable != mime::Unscannable::no, "a part ends before it begins");
    ensure(part.names.size() <= mime::max_names, "more names than allowed");
    if (i > 50) continue;
    const auto octets = contents.bytes(message, tree, i, std::size_t{1} << 20);
    ensure(octets.ok(), "a part cannot be read");
    ensure(part.is_container || tree.unscannable != mime::Unscannable::no || octets->size() == part.size,
           "a part has another size");
    contents.text(message, tree, i);
  }
  return 0;
}
