// Contents: what stands in a mail's parts, decoded from the stored message when somebody asks, and kept for the next
// who asks for the same.
//
// One object serves all readers of a mail: policies and rules get it with the tree (policies::Findings). It may be used
// on the mail's loop only, and only while its message is there; the message and the tree given must be those of the
// mail, the same at each call. Each call reads the message from the part's beginning, in pieces; it holds up the loop
// as long as that takes, so large bounds are for small numbers of calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/mail/message.h"
#include "gateway/mime/html.h"
#include "gateway/mime/tree.h"

namespace sallyport::mime {

// Reads a part's decoded content from its beginning, piece by piece.
class PartReader {
 public:
  // All three must outlive the reader, which holds a few KiB.
  PartReader(const mail::Message& message, const Tree& tree, PartIndex part);
  PartReader(PartReader&&) noexcept;
  ~PartReader();

  // The next piece, valid until the next call; empty at the end. Failure: the message cannot be read back.
  Result<std::string_view> next();
  // Octets of the mail that were read so far: more than the part has, where it stands in another one's content.
  std::uint64_t octets_read() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Text {
  std::string utf8;
  // False: it was cut, the charset is not known, or octets are nothing in it (each of these became U+FFFD).
  bool is_whole = true;
};

class Contents {
 public:
  // Keeps texts of `most_kept` octets in all; when there is no room for one, it is cut. A part may stand at the end of
  // another one's content, which then has to be read each time; so all calls together read no more than twice the mail
  // and 4 MiB, and what is beyond is cut, too.
  explicit Contents(std::size_t most_kept = std::size_t{128} * 1024) : most_kept_(most_kept) {}

  // The first octets of the decoded content, `most` at the most; fewer when the work for it is used up. Not kept.
  Result<std::string> bytes(const mail::Message& message, const Tree& tree, PartIndex part, std::size_t most);

  // The content as UTF-8: by a byte order mark, the declared charset, or what it evidently is. Of HTML, its source.
  // NUL is left out. Empty for a container, or when the message cannot be read back.
  const Text& source(const mail::Message& message, const Tree& tree, PartIndex part);
  // The visible text: of HTML, what html() shows; else source().
  const std::string& text(const mail::Message& message, const Tree& tree, PartIndex part);
  // HTML read as such; of what is none, nothing.
  const Html& html(const mail::Message& message, const Tree& tree, PartIndex part);

  // Frees all that is kept; who asks once more makes it be read once more.
  void forget();

 private:
  bool may_read(const mail::Message& message) const;

  std::size_t most_kept_;
  std::size_t room_ = most_kept_;
  std::uint64_t octets_read_ = 0;
  std::map<PartIndex, Text> sources_;
  std::map<PartIndex, Html> htmls_;
};

}  // namespace sallyport::mime
