// The only file that knows Boost.Beast.
#include "gateway/admin/request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace sallyport::admin {

namespace {

namespace http = boost::beast::http;

constexpr std::string_view end_of_header = "\r\n\r\n";

unsigned status_of(const boost::beast::error_code& error) {
  if (error == http::error::body_limit) return 413;
  return 400;
}

}  // namespace

class RequestReader::Parser {
 public:
  Parser() {
    parser.header_limit(2 * max_header_bytes);  // the reader's own bound is lower
    parser.body_limit(max_body_bytes);
    parser.eager(true);
  }

  http::request_parser<http::string_body> parser;
};

RequestReader::RequestReader() : parser_(std::make_unique<Parser>()) {}
RequestReader::~RequestReader() = default;

RequestReader::Outcome RequestReader::next() {
  if (is_over_) return HttpRefusal{refused_with_};
  auto& parser = parser_->parser;
  // Only a whole header is looked at, so that it does not matter in which pieces it comes.
  if (!parser.is_header_done()) {
    const std::size_t end = pending_.find(end_of_header, searched_);
    if (std::min(end, pending_.size()) > max_header_bytes) return refuse(431);
    searched_ = pending_.size() - std::min(pending_.size(), end_of_header.size() - 1);
    if (end == std::string::npos) return NeedsMore{};
    searched_ = 0;
  }
  while (!pending_.empty() && !parser.is_done()) {
    boost::beast::error_code error;
    const std::size_t taken = parser.put(boost::asio::buffer(pending_), error);
    pending_.erase(0, taken);
    if (error == http::error::need_more) return NeedsMore{};
    if (error) return refuse(status_of(error));
    parser.get().body().clear();  // nobody wants it; its length is counted all the same
    if (taken == 0) break;
  }
  return parser.is_done() ? finish() : NeedsMore{};
}

RequestReader::Outcome RequestReader::finish() {
  const auto& message = parser_->parser.get();
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.path = std::string(message.target());
  request.path.resize(std::min(request.path.size(), request.path.find('?')));
  request.keeps_connection = message.keep_alive();
  // RFC 9112, 3.2: exactly one Host, which nobody looks at: it is the client's word.
  const bool has_host = message.version() < 11 || message.count(http::field::host) == 1;
  parser_ = std::make_unique<Parser>();
  return has_host ? Outcome(request) : refuse(400);
}

RequestReader::Outcome RequestReader::refuse(unsigned status) {
  is_over_ = true;
  refused_with_ = status;
  return HttpRefusal{status};
}

}  // namespace sallyport::admin
