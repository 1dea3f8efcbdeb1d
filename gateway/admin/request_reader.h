// RequestReader: octets of an HTTP connection in, requests out (RFC 9112), with the bounds of threats.md A7: a header
// of 16 KiB, a body of 1 MiB, which is read and dropped; Content-Length beside Transfer-Encoding is refused.
//
// Feed it octets in pieces of any size: what it gives is the same. It does no I/O and knows no time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace sallyport::admin {

inline constexpr std::size_t max_header_bytes = 16u << 10;
inline constexpr std::size_t max_body_bytes = 1u << 20;

struct HttpRequest {
  std::string method;
  std::string path;  // of the target, without what follows a "?"
  bool keeps_connection = false;
  friend bool operator==(const HttpRequest&, const HttpRequest&) = default;
};

// The octets are no request. The connection ends with this status.
struct HttpRefusal {
  unsigned status = 400;
  friend bool operator==(const HttpRefusal&, const HttpRefusal&) = default;
};

struct NeedsMore {
  friend bool operator==(const NeedsMore&, const NeedsMore&) = default;
};

class RequestReader {
 public:
  using Outcome = std::variant<NeedsMore, HttpRequest, HttpRefusal>;

  RequestReader();
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  void feed(std::string_view octets) { pending_.append(octets); }
  // The next request among what was fed. After a refusal nothing more is read.
  Outcome next();

 private:
  class Parser;
  Outcome finish();
  Outcome refuse(unsigned status);

  std::unique_ptr<Parser> parser_;
  std::string pending_;
  std::size_t searched_ = 0;  // of pending_, for the end of the header
  bool is_over_ = false;
  unsigned refused_with_ = 0;
};

}  // namespace sallyport::admin
