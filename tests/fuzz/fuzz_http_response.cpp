// What a web server answers to a rule's question. What must hold for any octets: the answer is the same whole and in
// pieces, its content is no longer than was asked for, and its names and values are on one line.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/http/response.h"
#include "gateway/http/url.h"

namespace {

using namespace sallyport;

constexpr std::size_t most_body_octets = 500;

struct Outcome {
  std::string problem;
  http::Response response;
};

Outcome read(std::string_view octets, std::size_t piece) {
  http::ResponseReader reader(most_body_octets);
  for (std::size_t at = 0; at < octets.size(); at += piece) reader.feed(octets.substr(at, piece));
  reader.end();
  ensure(reader.state() != http::ResponseReader::State::wants_more, "an answer that does not end");
  if (reader.state() == http::ResponseReader::State::failed) return {std::string(reader.problem()), {}};
  return {{}, reader.take()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const Outcome whole = read(octets, size + 1);
  const Outcome pieces = read(octets, 3);
  ensure(whole.problem == pieces.problem, "pieces have another problem");
  ensure(whole.response.body == pieces.response.body, "pieces have another content");
  ensure(whole.response.headers == pieces.response.headers, "pieces have other headers");
  ensure(whole.response.body.size() <= most_body_octets, "too much content");
  for (const auto& [name, value] : whole.response.headers) {
    ensure((name + value).find_first_of("\r\n") == std::string::npos, "a line end in a header");
  }
  if (const auto url = http::Url::parse(octets)) {
    const auto again = http::Url::parse(url->to_string());
    ensure(again && again->to_string() == url->to_string(), "a URL is read differently again");
  }
  return 0;
}
