// Splitter: splits octets into entities (RFC 2046) under one reading of them, as they stream past, and adds the parts
// to the tree. Where another reading is plausible, it has the octets in question read again (Builder::want).
//
// By lines: the end of a line is LF, with or without CR. Holds one line of a header section (64 KiB), or of what may be
// a delimiter (1 KiB), and nothing of content. Multiparts and attached messages that are open stand on a stack
// (open_parts.h); nothing recurses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/mime/builder.h"
#include "gateway/mime/content_fields.h"
#include "gateway/mime/leaf_scan.h"
#include "gateway/mime/open_parts.h"
#include "gateway/mime/tree.h"

namespace sallyport::mime {

class Splitter {
 public:
  // Where what is read stands.
  struct Place {
    PartIndex parent = the_message;
    std::optional<PartIndex> source = {};
    std::uint64_t offset = 0;  // of the first octet, in the source
    bool is_alternate = false;
    Origin origin = Origin::attached;  // of the entity, where what is read is one
  };

  // Reads the body of the mail whose header section, of so many octets, says `fields`; adds the mail itself as a part.
  Splitter(Builder& builder, ContentFields fields, std::uint64_t header_octets, bool has_odd_header);
  // Reads a range, for parts below place.parent.
  Splitter(Builder& builder, const Place& place, SplitOptions options);

  void feed(std::string_view octets);
  void end();

 private:
  void header_octets(std::string_view& octets);
  void header_line(std::string_view line, std::string_view with_end);
  void content_octets(std::string_view& octets);
  void held_line();

  void delimiter(const OpenParts::Match& match, std::uint64_t content_end);

  void begin_entity(PartIndex parent, Origin origin, std::uint64_t header_begin);
  void end_header(std::uint64_t content_begin);
  void begin_content(PartIndex index, ContentFields fields);
  void begin_multipart(PartIndex index, ContentFields& fields);
  void begin_message(PartIndex index);
  void begin_leaf(PartIndex index, ContentFields fields);
  void begin_text(Origin origin);
  std::size_t most_kept_of(std::string_view type) const;
  void emit(std::string_view octets);
  void begin_text_part();
  void end_content(std::uint64_t end);
  void close(std::size_t depth, std::uint64_t end);
  void close_top(std::uint64_t end);
  void want_early_end(PartIndex index, std::uint64_t end);
  void want_split(const OpenPart& open, std::string boundary, bool is_loose, std::uint64_t end);

  Builder& builder_;
  Place place_;
  SplitOptions options_;
  bool is_first_reading_ = false;  // of the mail's body
  OpenParts open_;

  std::uint64_t offset_ = 0;  // in the source, of the next octet to be looked at
  bool in_header_ = false;
  bool at_line_start_ = true;

  // The header section that is being read.
  std::unique_ptr<HeaderReader> header_;
  PartIndex entity_parent_ = the_message;
  Origin entity_origin_ = Origin::child;
  std::uint64_t header_begin_ = 0;
  std::optional<std::uint64_t> first_odd_line_;  // where other readers end the header section
  bool header_was_cut_ = false;
  std::string line_;

  // Content: the leaf that is being read, or text between parts, which becomes one when there is more than white space.
  std::unique_ptr<LeafScan> leaf_;
  PartIndex leaf_index_ = the_message;
  ContentFields leaf_fields_;
  bool leaf_has_odd_header_ = false;
  std::optional<Origin> text_;
  std::uint64_t emitted_ = 0;  // offset of the next octet of content
  // Held back, because a line end in front of a delimiter belongs to that: the end of the line before, and the
  // beginning of a line that may be a delimiter.
  std::string line_end_;
  std::string held_;
};

}  // namespace sallyport::mime
