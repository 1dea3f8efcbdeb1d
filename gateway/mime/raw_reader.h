// RawReader: reads a range of a mail's octets again from the stored message: of the mail as it came, or of the decoded
// content of a part, which may itself stand in the decoded content of another. Iterative; holds one piece for each step
// of that way.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/mail/message.h"
#include "gateway/mime/transfer.h"
#include "gateway/mime/tree.h"

namespace sallyport::mime {

class RawReader {
 public:
  // Octets `begin` to `end` of the decoded content of `source`, or of the mail, header section first. `message` must
  // outlive the reader; the tree is not needed later.
  RawReader(const mail::Message& message, const Tree& tree, std::optional<PartIndex> source, std::uint64_t begin,
            std::uint64_t end);

  // The next piece, valid until the next call; empty at the end. Failure: the message cannot be read back.
  Result<std::string_view> next();
  // Of the mail, so far.
  std::uint64_t octets_read() const { return octets_read_; }

 private:
  // Cuts a range out of what comes in, and decodes it.
  struct Step {
    std::uint64_t skip = 0;
    std::uint64_t left = 0;
    std::unique_ptr<TransferDecoder> decoder;  // null: not encoded
    std::string decoded;
  };
  static std::string_view cut(Step& step, std::string_view octets);
  std::string_view pass(std::size_t from, std::string_view octets);

  mail::Message::BodyPieces pieces_;
  Result<std::string_view> next_of_mail();

  std::string_view header_;  // what is to be read of the header section
  std::uint64_t mail_left_ = 0;
  std::uint64_t octets_read_ = 0;
  std::vector<Step> steps_;  // from the mail inwards; the last one only cuts
  std::size_t ended_ = 0;    // steps whose decoders have been ended
};

}  // namespace sallyport::mime
