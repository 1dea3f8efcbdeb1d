// Analysis: finds the parts of one mail while its content comes in (RFC 5322, 2045-2047, 2049, 2231, 6532).
//
// The mail is read once, octet by octet in pieces of any size, under its most plausible reading; types, digests and
// sizes of the parts are then known when its last octet has come. What another reader could take differently (two
// boundaries, base64 with other octets in it, text that holds uuencode) and what stands within decoded content (a
// message in base64, TNEF, opaque S/MIME) is noted meanwhile and read again from the stored message, in steps, so that
// the caller can give other sessions their turn. For an ordinary mail there is nothing to read again.
//
// Bounded (limits.h), iterative, linear; it never throws for what a mail holds. No clock, no log, no I/O of its own.
// The tree does not depend on how the content was cut into pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "gateway/mail/message.h"
#include "gateway/mime/limits.h"
#include "gateway/mime/tree.h"

namespace sallyport::mime {

class Analysis {
 public:
  // `header`: the header section with its empty line, as the message has stored it (Message::header_octets, once it was
  // parsed). It is read here and not needed later.
  explicit Analysis(std::string_view header, const Limits& limits = {});
  Analysis(Analysis&&) noexcept;
  Analysis& operator=(Analysis&&) noexcept;
  ~Analysis();

  // The next octets of the body. A few nanoseconds an octet.
  void feed(std::string_view octets);
  // To be called when the body is complete.
  void end();

  // True while there is something to be read again. Only after end().
  bool has_more() const;
  // Reads about `most` octets again (a digest and a decoder or two over each). `message` is the one whose body was fed,
  // complete; the same at each call.
  void step(const mail::Message& message, std::uint64_t most);

  // The parts. When has_more() is still true, the tree is unscannable because of `work`.
  Tree take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The parts of a message that is stored whole.
Tree read_tree(const mail::Message& message, const Limits& limits = {});

}  // namespace sallyport::mime
