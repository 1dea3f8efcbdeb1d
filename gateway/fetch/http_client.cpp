#include "gateway/fetch/http_client.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gateway/async/share.h"
#include "gateway/base/address.h"
#include "gateway/base/text.h"
#include "gateway/dns/answer.h"
#include "gateway/dns/question.h"
#include "gateway/stream/tls_stream.h"

namespace sallyport::fetch {

namespace {

constexpr std::size_t most_addresses = 4;
constexpr std::string_view slow = "timeout";

using Addresses = Result<std::vector<IpAddress>>;

Addresses addresses_in(const dns::Answer& answer) {
  std::vector<IpAddress> addresses;
  for (const dns::RecordData& record : answer.records) {
    const auto* ip = std::get_if<IpAddress>(&record);
    if (ip && addresses.size() < most_addresses) addresses.push_back(*ip);
  }
  if (addresses.empty()) return Failure{"dns: " + std::string(dns::name(answer.status))};
  return addresses;
}

// The addresses of one family.
Task<Addresses> find_addresses(const std::string& host, dns::Type type, io::Resolver& resolver, Time deadline) {
  const bool is_v4 = type == dns::Type::A;
  if (const auto literal = IpAddress::parse(host)) {
    if (literal->is_v4() == is_v4) co_return std::vector{*literal};
    co_return Failure{"dns: no_data"};
  }
  // RFC 6761, 6.3.
  if (host == "localhost") co_return std::vector{*IpAddress::parse(is_v4 ? "127.0.0.1" : "::1")};
  dns::Question question{host, type};
  co_return addresses_in(co_await resolver.lookup(std::move(question), deadline));
}

std::string request_of(const io::HttpQuestion& question, const http::Url& url) {
  std::string request = (question.is_post ? "POST " : "GET ") + url.target + " HTTP/1.1\r\nHost: " + url.authority() +
                        "\r\nAccept-Encoding: identity\r\nConnection: close\r\n";
  const bool has_agent = std::any_of(question.headers.begin(), question.headers.end(), [](const auto& header) {
    return text::equals_ignoring_case(header.first, "user-agent");
  });
  if (!has_agent) request += "User-Agent: sallyport\r\n";
  if (question.is_post) request += "Content-Length: " + std::to_string(question.body.size()) + "\r\n";
  for (const auto& [name, value] : question.headers) request += name + ": " + value + "\r\n";
  return request + "\r\n" + question.body;
}

std::string words_of_error(io::Error error) {
  return error == io::Error::timed_out ? std::string(slow) : "connection: " + std::string(io::name(error));
}

// Where to ask next; nothing: the answer is what there is.
std::optional<http::Url> next_url(const io::HttpQuestion& question, const http::Url& url,
                                  const http::Response& response) {
  if (question.is_post) return std::nullopt;
  auto next = http::redirect_target(url, response.status, response.find("location"));
  return next && http::is_allowed(*next, question.hosts) ? next : std::nullopt;
}

}  // namespace

Task<Result<io::HttpAnswer>> HttpClient::ask(io::HttpQuestion question, io::Resolver& resolver, Time deadline) {
  auto url = http::Url::parse(question.url);
  if (!url) co_return Failure{"bad_url"};
  if (!http::is_allowed(*url, question.hosts)) co_return Failure{"not_allowed"};
  for (int redirects = 0;; ++redirects) {
    auto response = co_await ask_once(question, *url, resolver, deadline);
    if (!response) co_return std::move(response).error();
    auto next = next_url(question, *url, *response);
    if (!next || redirects == http::most_redirects) {
      co_return io::HttpAnswer{response->status, std::move(response->headers), std::move(response->body)};
    }
    // What the rule has for the first server, such as a password, is none of another's business.
    if (next->authority() != url->authority()) question.headers.clear();
    url = std::move(next);
  }
}

// The place of one question in the line of its host.
class HttpClient::Turn {
 public:
  Turn(Host& host, async::Signal& signal) : host_(host), at_(host.waiting.insert(host.waiting.end(), &signal)) {}
  ~Turn() {
    if (has_begun_) {
      --host_.asked;
    } else {
      host_.waiting.erase(at_);
    }
    wake_first();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // True: it is the turn, which lasts until this object is destroyed.
  bool begin() {
    if (host_.asked >= most_questions_at_once || at_ != host_.waiting.begin()) return false;
    host_.waiting.erase(at_);
    ++host_.asked;
    has_begun_ = true;
    wake_first();
    return true;
  }

 private:
  void wake_first() noexcept {
    if (host_.asked < most_questions_at_once && !host_.waiting.empty()) host_.waiting.front()->notify();
  }

  Host& host_;
  const std::list<async::Signal*>::iterator at_;
  bool has_begun_ = false;
};

Task<Result<http::Response>> HttpClient::ask_once(const io::HttpQuestion& question, const http::Url& url,
                                                  io::Resolver& resolver, Time deadline) {
  async::Signal signal(scheduler_);
  Turn turn(hosts_[url.host], signal);
  while (!turn.begin()) {
    const async::Woken woken = co_await signal.wait(deadline);
    if (woken == async::Woken::timed_out) co_return Failure{std::string(slow)};
  }
  auto stream = co_await connect(url, question.ca_file, resolver, deadline);
  if (!stream) co_return std::move(stream).error();
  const std::string request = request_of(question, url);
  auto sent = co_await (*stream)->write(request, deadline);
  // A server may answer, and close, before it has read everything.
  if (!sent && sent.error() == io::Error::timed_out) co_return Failure{std::string(slow)};
  http::ResponseReader reader(question.most_octets);
  while (reader.state() == http::ResponseReader::State::wants_more) {
    const std::string_view arrived = (*stream)->input();
    if (!arrived.empty()) {
      const std::size_t octets = arrived.size();
      reader.feed(arrived);
      (*stream)->consume(octets);
      co_await async::Share(scheduler_, octets);
      continue;
    }
    auto more = co_await (*stream)->fill(deadline);
    if (more) continue;
    if (more.error() != io::Error::closed) co_return Failure{words_of_error(more.error())};
    reader.end();
  }
  (*stream)->close();
  if (reader.state() == http::ResponseReader::State::done) co_return reader.take();
  const std::string problem(reader.problem());
  co_return Failure{problem == "too_large" ? problem : "bad_response: " + problem};
}

// First over IPv4; IPv6 where that leads nowhere, so that a server has an answer though one of the two is broken.
Task<Result<std::unique_ptr<io::Stream>>> HttpClient::connect(const http::Url& url, const std::string& ca_file,
                                                              io::Resolver& resolver, Time deadline) {
  std::shared_ptr<const tls::ClientContext> context;
  if (url.is_https) {
    context = co_await tls_(ca_file);
    if (!context) co_return Failure{"tls: the authorities cannot be read"};
  }
  std::string problem;
  for (const dns::Type type : {dns::Type::A, dns::Type::AAAA}) {
    const Addresses addresses = co_await find_addresses(url.host, type, resolver, deadline);
    if (!addresses) {
      if (problem.empty()) problem = addresses.error().message;
      continue;
    }
    for (std::size_t i = 0; i < addresses->size(); ++i) {
      // One that does not answer leaves time for the others, and for the other family.
      const Time now = scheduler_.now();
      const auto left = static_cast<std::int64_t>(addresses->size() - i) + (type == dns::Type::A ? 1 : 0);
      const SocketAddress to{(*addresses)[i], url.port};
      auto dialed = co_await dialer_.dial(to, now + std::max((deadline - now) / left, Duration::zero()));
      if (!dialed) {
        // A server that was too busy for us on one address is not told as one that is not there on the other.
        const bool was_slow = problem == slow || dialed.error() == io::Error::timed_out;
        problem = was_slow ? std::string(slow) : "connect: " + std::string(io::name(dialed.error()));
        continue;
      }
      if (!context) co_return std::move(*dialed);
      auto secure = std::make_unique<stream::TlsStream>(std::move(*dialed), context->make_engine(url.host));
      auto agreed = co_await secure->handshake(deadline);
      if (agreed) co_return std::unique_ptr<io::Stream>(std::move(secure));
      // The same certificate stands at the other addresses.
      if (agreed.error() == io::Error::timed_out) co_return Failure{std::string(slow)};
      if (agreed.error() == io::Error::tls) co_return Failure{"tls: " + secure->failure()};
      problem = words_of_error(agreed.error());
    }
  }
  co_return Failure{problem};
}

}  // namespace sallyport::fetch
