// Transfer decoders and the reader of TNEF (threats.md, section 13). The first octet of the input chooses one, the
// others are what it gets. What must hold: the same comes out whether the input comes whole or in pieces, and no more
// than the coding can make of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/mime/tnef.h"
#include "gateway/mime/transfer.h"

using namespace sallyport;

namespace {

std::string decode(mime::Coding coding, std::string_view input, std::size_t piece) {
  std::string out;
  const auto decoder = mime::make_decoder(coding);
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) decoder->feed(input.substr(0, piece), out);
  decoder->end(out);
  return out;
}

// How many times the input may come out, and how many octets beside that.
std::pair<std::size_t, std::size_t> largest(mime::Coding coding) {
  switch (coding) {
    case mime::Coding::binhex:
      return {256, 0};
    case mime::Coding::uuencode:
      return {64, 0};
    case mime::Coding::compressed_rtf:
      return {9, 0};
    case mime::Coding::compressed_cms:
      return {50, 192 * 1024};
    default:
      return {1, 0};
  }
}

mime::TnefScan scan(std::string_view input, std::size_t piece) {
  mime::TnefScan tnef;
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) tnef.feed(input.substr(0, piece));
  tnef.end();
  return tnef;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t choice = data[0] % (words_of<mime::Coding>.size() + 1);
  if (choice == words_of<mime::Coding>.size()) {
    const mime::TnefScan whole = scan(input, input.size() + 1);
    const mime::TnefScan pieces = scan(input, 1);
    ensure(whole.is_broken() == pieces.is_broken(), "TNEF depends on the pieces");
    ensure(whole.files().size() == pieces.files().size(), "files of TNEF depend on the pieces");
    for (const mime::TnefFile& file : whole.files()) {
      ensure(file.begin <= file.end, "a file of TNEF ends before it begins");
      ensure(whole.is_broken() || file.end <= input.size(), "a file of TNEF goes beyond its envelope");
    }
    return 0;
  }
  const auto coding = static_cast<mime::Coding>(choice);
  if (coding == mime::Coding::identity) return 0;
  const std::string whole = decode(coding, input, input.size() + 1);
  ensure(decode(coding, input, 1) == whole, "what is decoded depends on the pieces: 1");
  ensure(decode(coding, input, 5) == whole, "what is decoded depends on the pieces: 5");
  const auto [factor, more] = largest(coding);
  ensure(whole.size() <= factor * input.size() + more, "more was decoded than there can be");
  return 0;
}
