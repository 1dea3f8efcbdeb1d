// ResponseReader: what a web server answers (RFC 9112), octet by octet, to one request on a connection of its own.
//
// The server is a stranger: the header section is at most 64 KiB and 200 fields, the content as long as the caller
// says, interim answers (1xx) at most 5. What two readers could take for different answers is refused: a content length
// beside a transfer coding, two different lengths, a line without CR, white space before a colon, folded lines. The
// answer does not depend on how its octets are cut into pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::http {

struct Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // The first field of this name, which is in lower case; null: there is none.
  const std::string* find(std::string_view name) const;
};

class ResponseReader {
 public:
  static constexpr std::size_t most_head_octets = std::size_t{64} << 10;
  static constexpr std::size_t most_fields = 200;

  enum class State : std::uint8_t { wants_more, done, failed };

  explicit ResponseReader(std::size_t most_body_octets) : most_body_octets_(most_body_octets) {}

  // Takes the next octets; what follows the end of the answer is ignored.
  void feed(std::string_view octets);
  // To be called when the server has ended the connection.
  void end();

  State state() const { return state_; }
  // Why it failed, in words of ours; "too_large" for content that is too long.
  std::string_view problem() const { return problem_; }
  // Once it is done.
  Response take() { return std::move(response_); }

 private:
  enum class Part : std::uint8_t {
    status_line,
    field,
    counted_content,
    content_to_the_end,
    chunk_size,
    chunk,
    chunk_end,
    trailer,
  };

  void fail(std::string_view problem);
  void take_line(std::string_view line);
  void take_status_line(std::string_view line);
  void take_field(std::string_view line);
  void end_of_head();
  void take_chunk_size(std::string_view line);
  std::size_t take_content(std::string_view octets);
  bool frame_content();

  const std::size_t most_body_octets_;
  State state_ = State::wants_more;
  std::string_view problem_;
  Part part_ = Part::status_line;
  std::string line_;
  std::size_t head_octets_ = 0;
  int interim_answers_ = 0;
  std::uint64_t left_ = 0;  // of the content, or of the chunk
  Response response_;
};

}  // namespace sallyport::http
