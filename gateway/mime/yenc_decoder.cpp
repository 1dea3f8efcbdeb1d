// yEnc (yenc.org, draft 1.3): each octet plus 42, a few of them escaped. Lines of yEnc may be longer than others and
// have any octets, so it is decoded octet by octet.
#include <cstddef>

#include "gateway/mime/transfer.h"

namespace sallyport::mime {

namespace {

class YencDecoder final : public TransferDecoder {
 public:
  void feed(std::string_view octets, std::string& out) override {
    for (const char c : octets) take(c, out);
  }
  void end(std::string&) override { faults_.incomplete = !is_over_; }

 private:
  void take(char c, std::string& out) {
    if (c == '\n') {
      if (is_keyword_line_) end_keyword_line();
      at_line_start_ = true;
      is_escaped_ = false;
      is_keyword_line_ = false;
      return;
    }
    if (c == '\r') return;
    if (is_keyword_line_) {
      if (keyword_.size() < 8) keyword_ += c;
      return;
    }
    if (is_escaped_ && at_line_start_ && c == 'y') {
      // =ybegin, =ypart, =yend: "y" is never escaped data at the start of a line, where "=" stands for an escape only.
      is_keyword_line_ = true;
      keyword_.clear();
      return;
    }
    if (is_over_) return skip(c);
    if (is_escaped_) {
      out += static_cast<char>(static_cast<unsigned char>(c) - 64 - 42);
      is_escaped_ = false;
      at_line_start_ = false;
    } else if (c == '=') {
      is_escaped_ = true;  // at_line_start_ stays: this may be a keyword
    } else {
      out += static_cast<char>(static_cast<unsigned char>(c) - 42);
      at_line_start_ = false;
    }
  }

  // Between two files: only the next keyword counts.
  void skip(char c) {
    is_escaped_ = c == '=' && at_line_start_;
    if (!is_escaped_) at_line_start_ = false;
  }

  void end_keyword_line() {
    if (keyword_.starts_with("begin")) {
      faults_.several |= has_begun_;
      has_begun_ = true;
      is_over_ = false;
    }
    if (keyword_.starts_with("end")) is_over_ = true;
  }

  std::string keyword_;
  bool at_line_start_ = true;
  bool is_escaped_ = false;
  bool is_keyword_line_ = false;
  bool has_begun_ = false;
  bool is_over_ = false;
};

}  // namespace

std::unique_ptr<TransferDecoder> make_yenc_decoder() { return std::make_unique<YencDecoder>(); }

}  // namespace sallyport::mime
