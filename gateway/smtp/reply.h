// Reply: a reply that the gateway sends to a client (RFC 5321, 4.2; enhanced codes RFC 2034, 3463).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::smtp {

class Reply {
 public:
  Reply() = default;
  // `enhanced` is for example "5.7.1", or empty (greeting, EHLO, 354). Its class must be that of `code` (ensure).
  Reply(int code, std::string_view enhanced, std::string_view text);
  // A reply of several lines, each with the same code.
  Reply(int code, std::string_view enhanced, std::vector<std::string> lines);

  int code() const { return code_; }
  const std::string& enhanced() const { return enhanced_; }
  const std::vector<std::string>& lines() const { return lines_; }  // text without codes
  bool is_positive() const { return code_ >= 200 && code_ < 400; }
  bool is_temporary() const { return code_ >= 400 && code_ < 500; }
  bool is_permanent() const { return code_ >= 500; }

  // The octets to send, with CRLF after each line. Every line is printable ASCII and at most 512 octets: longer text is
  // folded into more lines, unprintable octets become '?'.
  std::string to_wire() const;
  void append_to(std::string& wire) const;
  std::string text() const;  // the lines joined by " "

  friend bool operator==(const Reply&, const Reply&) = default;

 private:
  int code_ = 0;
  std::string enhanced_;
  std::vector<std::string> lines_;
};

}  // namespace sallyport::smtp
