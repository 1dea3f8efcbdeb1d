// LineDecoder: what the decoders of encodings by lines have in common. Lines are handed on whole, without their ends;
// one longer than 1 KiB is cut there and goes on as another.
#pragma once

#include <string>
#include <string_view>

#include "gateway/mime/transfer.h"

namespace sallyport::mime {

class LineDecoder : public TransferDecoder {
 public:
  void feed(std::string_view octets, std::string& out) final {
    while (!octets.empty()) {
      const std::size_t end = octets.find('\n');
      const bool is_whole = end != std::string_view::npos;
      const std::string_view piece = octets.substr(0, is_whole ? end : octets.size());
      const std::size_t room = most_line - line_.size();
      if (piece.size() > room) {  // cut at the same place, however the pieces are cut
        line_ += piece.substr(0, room);
        octets.remove_prefix(room);
        hand_on(line_, out);
        line_.clear();
        continue;
      }
      octets.remove_prefix(is_whole ? end + 1 : octets.size());
      if (is_whole && line_.empty()) {
        hand_on(piece, out);
        continue;
      }
      line_ += piece;
      if (is_whole) {
        hand_on(line_, out);
        line_.clear();
      }
    }
  }
  void end(std::string& out) final {
    if (!line_.empty()) hand_on(line_, out);
    line_.clear();
    end_lines(out);
  }

 protected:
  virtual void line(std::string_view line, std::string& out) = 0;
  virtual void end_lines(std::string& out) = 0;

 private:
  static constexpr std::size_t most_line = 1024;

  void hand_on(std::string_view whole, std::string& out) {
    if (whole.ends_with('\r')) whole.remove_suffix(1);
    line(whole, out);
  }

  std::string line_;
};

}  // namespace sallyport::mime
