// An upstream's replies: the same whole and octet by octet, bounded, and fit for a client once passed on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/smtp/extensions.h"
#include "gateway/smtp/reply_parser.h"

namespace {

using namespace sallyport;
using namespace sallyport::smtp;

struct Heard {
  std::vector<UpstreamReply> replies;
  bool malformed = false;
};

Heard hear(std::string_view stream, std::size_t piece) {
  ReplyParser parser;
  Heard heard;
  for (std::size_t begin = 0, end = 0; end < stream.size();) {
    end = std::min(stream.size(), end + piece);
    while (true) {
      const auto progress = parser.read(stream.substr(begin, end - begin));
      if (!progress) {
        heard.malformed = true;
        return heard;
      }
      ensure(progress->consumed <= end - begin, "more consumed than was there");
      begin += progress->consumed;
      if (!progress->reply) break;
      heard.replies.push_back(*progress->reply);
    }
  }
  return heard;
}

void check_same(const Heard& a, const Heard& b) {
  ensure(a.malformed == b.malformed && a.replies.size() == b.replies.size(), "replies depend on the cuts");
  for (std::size_t i = 0; i < a.replies.size(); ++i) {
    const UpstreamReply& left = a.replies[i];
    const UpstreamReply& right = b.replies[i];
    ensure(left.code == right.code && left.enhanced == right.enhanced && left.lines == right.lines, "a reply differs");
  }
}

void check_passed_on(const UpstreamReply& reply) {
  ensure(reply.code >= 200 && reply.code <= 599, "code out of bounds");
  ensure(!reply.lines.empty() && reply.lines.size() <= 128, "lines out of bounds");
  read_ehlo_lines(reply.lines);

  const std::string wire = pass_on(reply).to_wire();
  for (std::size_t at = 0, end = 0; at < wire.size(); at = end + 2) {
    end = wire.find("\r\n", at);
    ensure(end != std::string::npos && end + 2 - at <= 512, "a line over its limit");
    ensure(std::all_of(wire.begin() + static_cast<std::ptrdiff_t>(at), wire.begin() + static_cast<std::ptrdiff_t>(end),
                       text::is_printable),
           "a line not printable");
  }
  // We read ourselves as we meant it, and pass on what is fit unchanged.
  ReplyParser parser;
  const bool is_bounded = wire.size() <= 16 * 1024 && std::count(wire.begin(), wire.end(), '\n') <= 128;
  if (!is_bounded) return;
  const auto again = parser.read(wire);
  ensure(again && again->reply && again->consumed == wire.size(), "our reply is not one reply");
  ensure(again->reply->code == reply.code, "our reply has another code");
  ensure(pass_on(*again->reply).to_wire() == wire, "passed on twice it differs");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const Heard whole = hear(stream, size + 1);
  check_same(whole, hear(stream, 1));
  check_same(whole, hear(stream, 5));
  for (const UpstreamReply& reply : whole.replies) check_passed_on(reply);
  return 0;
}
