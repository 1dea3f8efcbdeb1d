// Message: the content of one mail, held until the verdict: the header section in memory, the body in memory up to a
// bound and beyond it in an unnamed file.
//
// append() takes the octets as they are scanned, hashed and sent (threats.md I2), cut anywhere. The header section ends
// at the first empty line. A message that begins with an empty line has no fields; one without an empty line is all
// header. If max_header_octets pass without an empty line, the header is over its limit
// (HeaderFaults::section_too_long) and counts as complete; the rest is body, so that memory stays bounded.
//
// Beyond the size limit append() only counts octets and releases the stored body, so that the session can read the
// message to its end at no cost (S29). If the spool fails, has_failed() tells the session, which answers 452 4.3.1 at
// the end of data (R6).
//
// Memory: at most the header section plus `memory_octets`, in blocks that grow with the message; all is released with
// the message.
#pragma once

#include <algorithm>
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
  // `spool` must outlive the message; its open() is called only when the message grows beyond its memory.
  Message(MessageLimits limits, Spool& spool);
  // Views from header() of the source stay valid and refer to the new object.
  Message(Message&&) noexcept;
  Message& operator=(Message&&) noexcept;
  ~Message();

  void append(std::string_view octets);
  // True once the empty line that ends the header section has been appended (or the header is over its limit); what
  // follows is body.
  bool header_is_complete() const { return header_complete_; }
  // Parses the header section. Call it when the header is complete, or at the end of a message without a body. First
  // removes a mailbox `From ` line at the very start (M3).
  void parse_header();

  std::uint64_t octets() const { return octets_; }  // all octets appended, whether stored or not
  // From now on it takes no more memory than this, whatever it has taken already (R3); what comes goes to the file.
  void hold_in_memory(std::uint64_t most) { limits_.memory_octets = std::min(limits_.memory_octets, most); }
  // What it holds in memory.
  std::uint64_t memory_octets() const { return memory_used_; }
  bool is_over_limit() const { return octets_ > limits_.max_octets; }
  bool has_failed() const { return failed_; }
  // Whether parse_header() has removed a mailbox `From ` line.
  bool had_mailbox_line() const { return had_mailbox_line_; }

  // The header section with its empty line, as far as it has arrived.
  std::string_view header_octets() const { return header_; }
  const HeaderSection& header() const { return section_; }
  std::uint64_t body_octets() const { return body_octets_; }
  // True if no part is in a file; the pieces of body() then stay valid as long as the message.
  bool is_in_memory() const { return file_ == nullptr; }

  // Reads the body from its beginning, piece by piece. A piece is valid until the next call. The message must not be
  // appended to or moved meanwhile.
  class BodyPieces {
   public:
    // The next piece; empty at the end. Failures: the file cannot be read; or the message was over its limit or its
    // spool failed, so that the body was not kept.
    Result<std::string_view> next();

   private:
    friend class Message;
    Result<std::string_view> next_whole();
    explicit BodyPieces(const Message& message) : message_(message) {}
    const Message& message_;
    std::size_t block_ = 0;
    std::uint64_t file_offset_ = 0;
    std::uint64_t skip_ = 0;  // octets of the next piece that are before the beginning
    std::string from_file_;
  };
  BodyPieces body() const { return BodyPieces(*this); }
  // The same from this offset of the body on, which is passed over without being read.
  BodyPieces body_from(std::uint64_t offset) const;

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
  // The body in order. Without a file: all of blocks_. With a file: blocks_ except the last, the file, the last block.
  // Octets are appended to the last block.
  std::vector<std::string> blocks_;
  std::size_t room_ = 0;       // free octets of the last block
  bool last_is_tail_ = false;  // the last block will be written to the file
  std::unique_ptr<SpoolFile> file_;
  std::uint64_t file_octets_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t body_octets_ = 0;
  std::uint64_t memory_used_ = 0;
  bool failed_ = false;
};

}  // namespace sallyport::mail
