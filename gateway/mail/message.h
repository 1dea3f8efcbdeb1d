// The content of one mail, held until the verdict: the header section in memory, the body in memory up to a bound and
// then in an unnamed file.
//
// append() takes the octets as they will be scanned, hashed and sent (threats.md I2), cut anywhere. The header section
// ends at the first empty line and nowhere else; a message that begins with an empty line has no fields, one without
// any is all header. Past max_header_octets without an empty line the header is over its limit
// (HeaderFaults::section_too_long) and counts as complete; the rest is kept as body, so that memory stays bounded.
//
// Past the size limit it only counts, so that the sender can be read on to its end without costing anything (S29); what
// it has kept of the body is given back then. A spool that fails is remembered, and answered at the end with 452 4.3.1
// (R6).
//
// Memory: the content takes at most `memory_octets` (the header section what it is long), in blocks that grow with the
// message; all of it is released with the message.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/header.h"
#include "gateway/mail/spool.h"

namespace sallyport::mail {

struct MessageLimits {
  std::uint64_t max_octets = 50u << 20;
  std::uint64_t memory_octets = 256u << 10;
};

class Message {
 public:
  // `spool` outlives the message; it is asked for a file only when the message grows over its memory.
  Message(MessageLimits limits, Spool& spool);
  // The views of header() stay valid in the message moved to.
  Message(Message&&) noexcept;
  Message& operator=(Message&&) noexcept;
  ~Message();

  void append(std::string_view octets);
  // True once the empty line that ends the header section has been appended; what came after it is body.
  bool header_is_complete() const { return header_complete_; }
  // Parses the header section; to be called when it is complete, or at the end of a message without a body. A mailbox
  // `From ` line at its very start is removed first (M3).
  void parse_header();

  std::uint64_t octets() const { return octets_; }  // all that were appended, kept or not
  bool is_over_limit() const { return octets_ > limits_.max_octets; }
  bool has_failed() const { return failed_; }
  // Whether parse_header() has removed a mailbox `From ` line.
  bool had_mailbox_line() const { return had_mailbox_line_; }

  // The header section with its empty line; as far as it has come.
  std::string_view header_octets() const { return header_; }
  const HeaderSection& header() const { return section_; }
  std::uint64_t body_octets() const { return body_octets_; }
  // Nothing of it is in a file: the pieces of body() then stay valid as long as the message.
  bool is_in_memory() const { return file_ == nullptr; }

  // Reads the body again from its beginning, piece by piece. A piece is valid until the next call; the message may not
  // be appended to or moved meanwhile.
  class BodyPieces {
   public:
    // The next piece; empty at the end. A file that cannot be read is an error, and so is the body of a message that
    // was over its limit or whose spool has failed: it is not there.
    Result<std::string_view> next();

   private:
    friend class Message;
    explicit BodyPieces(const Message& message) : message_(message) {}
    const Message& message_;
    std::size_t block_ = 0;
    std::uint64_t file_offset_ = 0;
    std::string from_file_;
  };
  BodyPieces body() const { return BodyPieces(*this); }

 private:
  void append_header(std::string_view octets);
  void append_body(std::string_view octets);
  void make_room();
  void write_out_tail();
  void drop_body();
  std::uint64_t tail_capacity() const;

  MessageLimits limits_;
  Spool* spool_;
  std::string header_;
  HeaderSection section_;
  bool header_complete_ = false;
  bool had_mailbox_line_ = false;
  // The body in order: blocks_ without the last, the file, the last block. The last one is what octets are appended to.
  std::vector<std::string> blocks_;
  std::size_t room_ = 0;       // of the last block
  bool last_is_tail_ = false;  // the last block waits to go to the file
  std::unique_ptr<SpoolFile> file_;
  std::uint64_t file_octets_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t body_octets_ = 0;
  std::uint64_t memory_used_ = 0;
  bool failed_ = false;
};

}  // namespace sallyport::mail
