#include "gateway/mime/splitter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/mime/limits.h"
#include "gateway/mime/mismatch.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t most_of_subject = 250;
constexpr std::size_t most_header_line = max_part_header_octets + 1;

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Splitter::Splitter(Builder& builder, ContentFields fields, std::uint64_t header_octets, bool has_odd_header)
    : builder_(builder), is_first_reading_(true), offset_(header_octets), emitted_(header_octets) {
  if (has_odd_header) first_odd_line_ = 0;
  Part message;
  message.origin = Origin::message;
  message.begin = message.end = header_octets;
  message.declared_type = fields.type();
  message.charset = fields.charset();
  message.joins_lines = fields.joins_lines;
  message.names = fields.names;
  message.is_attachment = fields.is_attachment;
  message.oddities = fields.oddities;
  if (const auto index = builder_.add(std::move(message))) begin_content(*index, std::move(fields));
}

Splitter::Splitter(Builder& builder, const Place& place, SplitOptions options)
    : builder_(builder), place_(place), options_(std::move(options)), offset_(place.offset), emitted_(place.offset) {
  if (!options_.boundary) {
    begin_entity(place_.parent, place_.origin, offset_);
    return;
  }
  OpenPart open;
  open.part = place_.parent;
  open.boundaries = {*options_.boundary};
  open.begin = offset_;
  open_.push(std::move(open));
  begin_text(Origin::preamble);
}

void Splitter::feed(std::string_view octets) {
  while (!octets.empty() && !builder_.is_over()) {
    if (in_header_) {
      header_octets(octets);
    } else {
      content_octets(octets);
    }
  }
}

void Splitter::end() {
  if (builder_.is_over()) return;
  if (in_header_) {
    if (!line_.empty()) {
      std::string last = std::exchange(line_, {});
      header_line(without_line_end(last), last);
    }
    if (in_header_) {
      header_was_cut_ = true;
      end_header(offset_);
    }
  }
  if (!held_.empty()) held_line();
  if (in_header_) end_header(offset_);
  // Without a delimiter behind it, the last line end is content.
  if (!line_end_.empty()) emit(std::exchange(line_end_, {}));
  close(0, offset_);
}

// ---- header sections ----

void Splitter::header_octets(std::string_view& octets) {
  const void* found = std::memchr(octets.data(), '\n', octets.size());
  const std::size_t count =
      found ? static_cast<std::size_t>(static_cast<const char*>(found) - octets.data()) + 1 : octets.size();
  const std::string_view piece = octets.substr(0, count);
  octets.remove_prefix(count);
  offset_ += count;
  if (found && line_.empty()) {
    header_line(without_line_end(piece), piece);
    return;
  }
  line_ += piece.substr(0, most_header_line - std::min(most_header_line, line_.size()));
  if (!found) return;
  const std::string line = std::exchange(line_, {});
  header_line(without_line_end(line), line);
}

// `with_end` ends at offset_.
void Splitter::header_line(std::string_view line, std::string_view with_end) {
  const std::uint64_t begin = offset_ - with_end.size();
  if (line.empty()) return end_header(offset_);
  if (line.starts_with("--") || options_.is_loose) {
    if (const auto found = open_.match(line, options_.is_loose)) {
      header_was_cut_ = true;
      end_header(begin);
      return delimiter(*found, begin);
    }
  }
  const HeaderReader::Line kind = header_->take(line);
  if (header_->is_over_limit()) return builder_.fail(Unscannable::header);
  if (kind == HeaderReader::Line::field) return;
  if (!options_.ends_header_early) {
    if (!first_odd_line_) first_odd_line_ = kind == HeaderReader::Line::white ? offset_ : begin;
    return;
  }
  end_header(kind == HeaderReader::Line::white ? offset_ : begin);
  if (kind == HeaderReader::Line::white) return;
  // The line belongs to the content.
  offset_ = begin;
  const std::string copy(with_end);
  feed(copy);
}

void Splitter::begin_entity(PartIndex parent, Origin origin, std::uint64_t header_begin) {
  in_header_ = true;
  header_ = std::make_unique<HeaderReader>();
  entity_parent_ = parent;
  entity_origin_ = origin;
  header_begin_ = header_begin;
  first_odd_line_.reset();
  header_was_cut_ = false;
  line_.clear();
}

void Splitter::end_header(std::uint64_t content_begin) {
  in_header_ = false;
  ContentFields fields = header_->finish();
  header_.reset();
  if (fields.is_over_limit) return builder_.fail(Unscannable::header);
  if (header_was_cut_ && first_odd_line_ && !options_.ends_header_early) {
    // No empty line, but one that is no field: the content begins there.
    Job job{.kind = Job::Kind::split,
            .part = entity_parent_,
            .source = place_.source,
            .begin = header_begin_,
            .end = content_begin,
            .is_alternate = place_.is_alternate};
    job.origin = entity_origin_;
    job.options.ends_header_early = true;
    builder_.want(std::move(job));
    text_.reset();
    return;
  }
  if (header_was_cut_ && content_begin == header_begin_) {  // one delimiter right behind another
    text_.reset();
    return;
  }
  Part part;
  part.parent = entity_parent_;
  part.depth = static_cast<std::uint8_t>(std::min<std::size_t>(builder_.part(entity_parent_).depth + 1U, 255));
  part.origin = entity_origin_;
  part.is_alternate = place_.is_alternate;
  part.source = place_.source;
  part.header_begin = header_begin_;
  part.begin = content_begin;
  part.end = content_begin;
  part.declared_type = fields.type();
  part.charset = fields.charset();
  part.joins_lines = fields.joins_lines;
  part.names = fields.names;
  part.is_attachment = fields.is_attachment;
  part.oddities = fields.oddities;
  if (header_was_cut_ && fields.fields > 0) part.oddities.add(Oddity::header_without_end);
  // A message's subject is the name under which it is stored.
  if (entity_origin_ == Origin::attached && !fields.subject.empty()) {
    std::vector<Name>& names = builder_.part(entity_parent_).names;
    if (names.size() < max_names)
      names.push_back({fields.subject.substr(0, most_of_subject) + ".eml", NameSource::subject});
  }
  const auto index = builder_.add(std::move(part));
  if (!index) return;
  begin_content(*index, std::move(fields));
}

// ---- content ----

void Splitter::begin_content(PartIndex index, ContentFields fields) {
  emitted_ = builder_.part(index).begin;
  line_end_.clear();
  held_.clear();
  at_line_start_ = true;
  text_.reset();
  std::string_view type = fields.type();
  const bool is_in_digest = !open_.empty() && open_.innermost().is_multipart && open_.innermost().is_digest;
  if (type.empty() && is_in_digest && fields.codings.empty()) {
    builder_.part(index).declared_type = "message/rfc822";
    type = "message/rfc822";
  }
  if (is_multipart_type(type)) return begin_multipart(index, fields);
  if (is_message_type(type) && fields.coding() == Coding::identity) return begin_message(index);
  if (type == "message/partial") builder_.part(index).oddities.add(Oddity::partial_message);
  if (type == "message/external-body") builder_.part(index).oddities.add(Oddity::external_body);
  begin_leaf(index, std::move(fields));
}

void Splitter::begin_multipart(PartIndex index, ContentFields& fields) {
  Part& part = builder_.part(index);
  part.is_container = true;
  if (part.declared_type == "multipart/encrypted") part.is_encrypted = true;
  if (fields.coding() != Coding::identity) part.oddities.add(Oddity::encoded_composite);
  if (fields.boundaries.empty()) part.oddities.add(Oddity::missing_boundary);
  for (const std::string& boundary : fields.boundaries) {
    if (!is_fit_boundary(boundary)) part.oddities.add(Oddity::bad_boundary);
    if (open_.has_boundary(boundary)) part.oddities.add(Oddity::boundary_reused);
  }
  OpenPart open;
  open.part = index;
  open.is_digest = part.declared_type == "multipart/digest";
  open.boundaries = std::move(fields.boundaries);
  open.codings = std::move(fields.codings);
  open.begin = part.begin;
  open.has_odd_header = first_odd_line_.has_value();
  open_.push(std::move(open));
  begin_text(Origin::preamble);
}

void Splitter::begin_message(PartIndex index) {
  Part& part = builder_.part(index);
  part.is_container = true;
  OpenPart open;
  open.part = index;
  open.is_multipart = false;
  open.begin = part.begin;
  open.has_odd_header = first_odd_line_.has_value();
  open_.push(std::move(open));
  begin_entity(index, Origin::attached, part.begin);
}

void Splitter::begin_leaf(PartIndex index, ContentFields fields) {
  Part& part = builder_.part(index);
  part.coding = fields.coding();
  leaf_index_ = index;
  leaf_ = std::make_unique<LeafScan>(part.coding, scans_text(part.declared_type, part.coding),
                                     most_kept_of(part.declared_type));
  leaf_fields_ = std::move(fields);
  leaf_has_odd_header_ = first_odd_line_.has_value();
}

void Splitter::begin_text(Origin origin) {
  text_ = origin;
  line_end_.clear();
  held_.clear();
  at_line_start_ = true;
}

// Looks for lines that begin with a hyphen; all others pass in runs.
void Splitter::content_octets(std::string_view& octets) {
  if (line_end_ == "\r") {
    if (octets.front() == '\n') {
      line_end_ = "\r\n";
      at_line_start_ = true;
      octets.remove_prefix(1);
      ++offset_;
      return;
    }
    emit(std::exchange(line_end_, {}));
    at_line_start_ = false;
  }
  const auto may_begin_delimiter = [this](char c) {
    return c == '-' || (options_.is_loose && is_white(c) && c != '\n');
  };
  if (!held_.empty() || (at_line_start_ && may_begin_delimiter(octets.front()))) {
    const void* found = std::memchr(octets.data(), '\n', octets.size());
    const std::size_t count =
        found ? static_cast<std::size_t>(static_cast<const char*>(found) - octets.data()) + 1 : octets.size();
    constexpr std::size_t most_held = 4 * max_boundary_octets;
    const std::string_view piece = octets.substr(0, std::min(count, most_held + 1));
    held_ += piece;
    octets.remove_prefix(piece.size());
    offset_ += piece.size();
    if (held_.ends_with('\n')) return held_line();
    const bool is_none = held_.size() > most_held || (held_.size() >= 2 && !options_.is_loose && held_[1] != '-');
    if (!is_none) return;
    emit(std::exchange(line_end_, {}));
    // A CR at the end may belong to the end of the line, as below.
    const bool holds_cr = held_.ends_with('\r');
    if (holds_cr) held_.pop_back();
    emit(std::exchange(held_, {}));
    if (holds_cr) line_end_ = "\r";
    at_line_start_ = false;
    return;
  }
  std::size_t at = 0;
  while (true) {
    const void* found = std::memchr(octets.data() + at, '\n', octets.size() - at);
    if (found == nullptr) {
      // A CR at the end may belong to the end of the line.
      const bool holds_cr = octets.ends_with('\r');
      const std::string_view run = octets.substr(0, octets.size() - (holds_cr ? 1 : 0));
      emit(std::exchange(line_end_, {}));
      emit(run);
      if (holds_cr) line_end_ = "\r";
      at_line_start_ = false;
      offset_ += octets.size();
      octets = {};
      return;
    }
    at = static_cast<std::size_t>(static_cast<const char*>(found) - octets.data()) + 1;
    if (at < octets.size() && !may_begin_delimiter(octets[at])) continue;
    const std::string_view run = octets.substr(0, at);
    const std::string_view line = without_line_end(run);
    emit(std::exchange(line_end_, {}));
    emit(line);
    line_end_ = run.substr(line.size());
    at_line_start_ = true;
    offset_ += at;
    octets.remove_prefix(at);
    return;
  }
}

// A whole line is held: a delimiter, or content.
void Splitter::held_line() {
  const std::string held = std::exchange(held_, {});
  const std::string_view line = without_line_end(held);
  at_line_start_ = true;
  if (const auto found = open_.match(line, options_.is_loose)) {
    const std::uint64_t end = offset_ - held.size() - line_end_.size();
    line_end_.clear();
    return delimiter(*found, end);
  }
  emit(std::exchange(line_end_, {}));
  emit(line);
  line_end_ = std::string_view(held).substr(line.size());
}

void Splitter::emit(std::string_view octets) {
  if (octets.empty()) return;
  if (!leaf_ && text_) {
    // Text between parts becomes a part of its own with its first octet that is no white space.
    const auto* const text = std::find_if_not(octets.begin(), octets.end(), is_white);
    emitted_ += static_cast<std::uint64_t>(text - octets.begin());
    octets.remove_prefix(static_cast<std::size_t>(text - octets.begin()));
    if (octets.empty()) return;
    begin_text_part();
  }
  if (leaf_) leaf_->feed(octets);
  emitted_ += octets.size();
}

void Splitter::begin_text_part() {
  Part part;
  part.parent = open_.innermost().part;
  part.depth = static_cast<std::uint8_t>(std::min<std::size_t>(builder_.part(part.parent).depth + 1U, 255));
  part.origin = *text_;
  part.is_alternate = place_.is_alternate;
  part.source = place_.source;
  part.header_begin = part.begin = part.end = emitted_;
  const auto index = builder_.add(std::move(part));
  if (!index) return;
  leaf_index_ = *index;
  leaf_fields_ = {};
  leaf_has_odd_header_ = false;
  leaf_ = std::make_unique<LeafScan>(Coding::identity, true, most_kept_of({}));
}

// The content of such a leaf is kept when it has no more octets.
std::size_t Splitter::most_kept_of(std::string_view type) const {
  const bool is_read = type.empty() || type.starts_with("text/") || type == "application/xhtml+xml";
  return is_first_reading_ && is_read ? builder_.room_for_content() : 0;
}

void Splitter::end_content(std::uint64_t end) {
  text_.reset();
  if (!leaf_) return;
  Part& part = builder_.part(leaf_index_);
  part.end = std::max(end, part.begin);
  const std::unique_ptr<LeafScan> leaf = std::move(leaf_);
  leaf->end(part);
  if (const std::string* content = part.sha256.content()) builder_.note_kept(content->size());
  const bool is_known = part.is_alternate && builder_.is_known(part);
  if (is_known && leaf_index_ + 1 == builder_.tree().parts.size()) return builder_.take_back();
  if (leaf_has_odd_header_) want_early_end(leaf_index_, end);
  const Origin origin = part.origin;
  builder_.leaf_ended(leaf_index_, *leaf, leaf_fields_);
  Oddities& oddities = builder_.part(leaf_index_).oddities;  // the parts may have moved
  if (!oddities.has(Oddity::undeclared_structure)) return;
  if (origin == Origin::preamble) oddities.add(Oddity::odd_preamble);
  if (origin == Origin::epilogue) oddities.add(Oddity::odd_epilogue);
}

// ---- delimiters ----

void Splitter::delimiter(const OpenParts::Match& match, std::uint64_t content_end) {
  end_content(content_end);
  close(match.open + 1, content_end);
  if (builder_.is_over()) return;
  OpenPart& open = open_[match.open];
  open.chosen = match.boundary;
  if (match.is_close) {
    open.is_closed = true;
    emitted_ = offset_;
    begin_text(Origin::epilogue);
    return;
  }
  if (open.is_closed) builder_.part(open.part).oddities.add(Oddity::text_after_close);
  open.is_closed = false;
  open.has_parts = true;
  begin_entity(open.part, Origin::child, offset_);
}

// ---- ends ----

// Closes what is open from `depth` inwards.
void Splitter::close(std::size_t depth, std::uint64_t end) {
  end_content(end);
  while (open_.size() > depth && !builder_.is_over()) close_top(end);
}

void Splitter::close_top(std::uint64_t end) {
  const OpenPart open = open_.pop();
  const bool is_own = !options_.boundary || !open_.empty();
  if (is_own) {
    Part& part = builder_.part(open.part);
    part.end = end;
    part.size = end - part.begin;
    if (open.is_multipart && !open.has_parts && !open.boundaries.empty()) part.oddities.add(Oddity::boundary_not_found);
    if (open.is_multipart && open.chosen && !open.is_closed) part.oddities.add(Oddity::missing_close);
    if (open.has_prefix) part.oddities.add(Oddity::boundary_prefix);
    if (open.other) part.oddities.add(Oddity::conflicting_boundary);
  }
  if (open.has_odd_header) want_early_end(open.part, end);
  if (!open.is_multipart) return;
  if (open.other) want_split(open, open.boundaries[*open.other], false, end);
  if (open.has_prefix && !options_.is_loose) {
    want_split(open, open.boundaries[open.chosen.value_or(0)], true, end);
  }
  if (open.chosen || !is_own) return;
  // No delimiter at all: content that is encoded as a whole, to readers that do so with a multipart.
  for (Coding coding : open.codings) {
    if (coding == Coding::identity) continue;
    Part whole = builder_.part(open.part);
    whole.parent = open.part;
    whole.depth = static_cast<std::uint8_t>(std::min<std::size_t>(whole.depth + 1U, 255));
    whole.origin = Origin::child;
    whole.is_container = false;
    whole.is_alternate = true;
    whole.coding = coding;
    if (const auto index = builder_.add(std::move(whole)))
      builder_.want({.kind = Job::Kind::digest, .part = *index, .is_alternate = true});
  }
}

// The same entity, for readers to which its header section ends at the first line that is no field.
void Splitter::want_early_end(PartIndex index, std::uint64_t end) {
  const Part& part = builder_.part(index);
  Job job{.kind = Job::Kind::split,
          .part = part.parent,
          .source = place_.source,
          .begin = part.header_begin,
          .end = end,
          .is_alternate = true};
  job.origin = part.origin == Origin::message ? Origin::child : part.origin;
  job.options.ends_header_early = true;
  builder_.want(std::move(job));
}

void Splitter::want_split(const OpenPart& open, std::string boundary, bool is_loose, std::uint64_t end) {
  Job job{.kind = Job::Kind::split,
          .part = open.part,
          .source = place_.source,
          .begin = open.begin,
          .end = end,
          .is_alternate = true};
  job.options.boundary = std::move(boundary);
  job.options.is_loose = is_loose;
  builder_.want(std::move(job));
}

}  // namespace sallyport::mime
