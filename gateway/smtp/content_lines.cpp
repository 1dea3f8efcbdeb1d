#include "gateway/smtp/content_lines.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "gateway/smtp/octets.h"

namespace sallyport::smtp {
namespace {

// Content is scanned in blocks of this size: long enough for a fast scan, short enough to stay in the first-level cache
// between the scans and to send little of a malformed message down the octet-by-octet path.
constexpr std::uint64_t block_octets = 4096;

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

}  // namespace

// A run of input octets that goes to the sink unchanged.
class ContentLines::Span {
 public:
  Span(const char* begin, ContentSink& sink) : begin_(begin), sink_(sink) {}

  // Sends the octets before `at` to the sink, then `replacement` in place of the octet at `at`.
  void replace(const char* at, std::string_view replacement) {
    flush(at);
    sink_.append(replacement);
    begin_ = at + 1;
  }
  void flush(const char* end) {
    if (end != begin_) sink_.append(between(begin_, end));
    begin_ = end;
  }

 private:
  const char* begin_;
  ContentSink& sink_;
};

void ContentLines::append(std::string_view octets, ContentSink& sink) {
  if (octets.empty()) return;
  if (!faults_.has_8bit) faults_.has_8bit = has_8bit(octets);
  if (!faults_.nul) faults_.nul = has_nul(octets);
  settle_held_cr(octets, sink);
  if (octets.empty()) return;

  // A CR at the very end is held: only the next piece shows whether it is bare.
  held_cr_ = octets.back() == '\r';
  if (held_cr_) octets.remove_suffix(1);

  const char* at = octets.data();
  const char* const end = at + octets.size();
  // A block is never longer than the longest line allowed, so pass_ordinary() need not check lines that lie inside one.
  const std::uint64_t block = std::clamp<std::uint64_t>(limits_.max_line_octets, 1, block_octets);
  Span span(at, sink);
  while (at != end) {
    const char* block_end = at + std::min<std::uint64_t>(block, static_cast<std::uint64_t>(end - at));
    if (block_end != end && block_end[-1] == '\r') ++block_end;  // a block cut inside a CRLF would take the slow path
    const std::string_view here = between(at, block_end);
    if (here.front() != '\n' && here.back() != '\r' && has_only_crlf_inside(here)) {
      pass_ordinary(here);
      at = block_end;
    } else {
      at = pass_mixed(at, block_end, end, span);
    }
  }
  span.flush(end);
}

void ContentLines::settle_held_cr(std::string_view& octets, ContentSink& sink) {
  if (!held_cr_) return;
  held_cr_ = false;
  if (octets.front() == '\n') {
    sink.append("\r\n");
    end_line();
    octets.remove_prefix(1);
  } else {
    faults_.bare_cr = true;
    sink.append(" ");
    ++line_octets_;
  }
}

// Counts a block in which all line ends are CRLF: only the line it completes and the line it begins need counting.
void ContentLines::pass_ordinary(std::string_view block) {
  const std::size_t first = block.find('\n');
  if (first == std::string_view::npos) {
    line_octets_ += block.size();
    return;
  }
  line_octets_ += first - 1;
  end_line();
  const auto* last = static_cast<const char*>(::memrchr(block.data(), '\n', block.size()));
  line_octets_ = static_cast<std::uint64_t>(block.data() + block.size() - (last + 1));
}

// Handles a block with a bare CR or LF, one line end at a time. Returns where it stopped: one octet past the block when
// a CRLF lies across its end.
const char* ContentLines::pass_mixed(const char* at, const char* block_end, const char* end, Span& span) {
  while (true) {
    const char* const stop = std::find_if(at, block_end, [](char c) { return c == '\n' || c == '\r'; });
    line_octets_ += static_cast<std::uint64_t>(stop - at);
    if (stop == block_end) return stop;
    at = stop + 1;
    if (*stop == '\n') {
      faults_.bare_lf = true;
      span.replace(stop, "\r\n");
      end_line();
    } else if (at != end && *at == '\n') {
      ++at;
      end_line();
      if (at > block_end) return at;
    } else {
      faults_.bare_cr = true;
      span.replace(stop, " ");
      ++line_octets_;
    }
  }
}

void ContentLines::end_line() {
  // RFC 5321, 4.5.3.1.6: the length of a text line counts its CRLF.
  if (line_octets_ + 2 > limits_.max_line_octets) faults_.line_too_long = true;
  line_octets_ = 0;
}

void ContentLines::finish(ContentSink& sink) {
  if (held_cr_) {
    held_cr_ = false;
    faults_.bare_cr = true;
    sink.append(" ");
    ++line_octets_;
  }
  if (line_octets_ == 0) return;
  sink.append("\r\n");
  end_line();
}

}  // namespace sallyport::smtp
