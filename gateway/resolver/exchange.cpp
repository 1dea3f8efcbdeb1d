#include "gateway/resolver/exchange.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::resolver {

namespace {

constexpr unsigned most_strays = 20;  // packets that are not our answer before we change to TCP (D1)
constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t edns_payload = 1232;  // D5: fits every path without fragments; fragments could be forged

// A question as sent.
struct Query {
  std::uint16_t id = 0;
  std::string cased_name;
  std::uint16_t type = 0;
  bool has_edns = false;
  std::string packet;
};

// How a response relates to a query.
enum class Match {
  ours,
  other_case,  // matches except for the case of the letters
  stranger,
};

// The outcome of asking by UDP.
struct UdpOutcome {
  bool needs_tcp = false;
  Heard heard;
};

Heard failed(io::Error error) {
  if (error == io::Error::timed_out) return Heard{Heard::Kind::silence, {}};
  return Heard{error == io::Error::exhausted ? Heard::Kind::unasked : Heard::Kind::failure, {}};
}

Query make_query(Transport& transport, const dns::Question& question, bool with_edns) {
  dns::QueryOptions options;
  options.id = static_cast<std::uint16_t>(transport.entropy.next());
  options.udp_payload = with_edns ? edns_payload : 0;
  options.case_bits = transport.use_0x20 ? transport.entropy.next() : 0;
  auto packet = dns::write_query(question, options);
  ensure(packet.ok(), "resolver: a name that cannot be asked for came this far");
  return Query{options.id, dns::apply_case(question.name, options.case_bits), static_cast<std::uint16_t>(question.type),
               with_edns, std::move(*packet)};
}

// A server that cannot parse our packet may send back only a header. If somebody forges one, with the right id, the
// only effect is that we ask again without EDNS.
bool is_refusal_of_edns(const dns::Response& response, const Query& query) {
  bool is_bare = response.question_type == 0 && response.question_name.empty();
  return is_bare && query.has_edns && (response.rcode == dns::Rcode::formerr || response.rcode == dns::Rcode::notimp);
}

Match match(const dns::Response& response, const Query& query) {
  if (response.id != query.id || !response.is_response || response.opcode != 0) return Match::stranger;
  if (is_refusal_of_edns(response, query)) return Match::ours;
  if (response.question_type != query.type || response.question_class != class_in) return Match::stranger;
  if (response.question_name == query.cased_name) return Match::ours;
  bool is_same_name = text::equals_ignoring_case(response.question_name, query.cased_name);
  return is_same_name ? Match::other_case : Match::stranger;
}

// Classifies a response that matches the query. A referral to other servers is a failure, since we ask recursive
// servers only.
Heard judge(dns::Response response) {
  bool is_answer = !response.is_truncated && !response.is_referral &&
                   (response.rcode == dns::Rcode::noerror || response.rcode == dns::Rcode::nxdomain);
  return Heard{is_answer ? Heard::Kind::answer : Heard::Kind::failure, std::move(response)};
}

Task<UdpOutcome> ask_by_udp(Transport& transport, SocketAddress server, const Query& query, Time patience) {
  auto socket = transport.datagrams.open(server);
  if (!socket) co_return UdpOutcome{false, failed(socket.error())};
  transport.recorder.note(Total::dns_questions);
  auto sent = co_await (*socket)->send(query.packet, patience);
  if (!sent) co_return UdpOutcome{false, failed(sent.error())};
  for (unsigned strays = 0; strays < most_strays; ++strays) {
    auto packet = co_await (*socket)->receive(patience);
    if (!packet) co_return UdpOutcome{false, failed(packet.error())};
    auto response = dns::read_response(*packet);
    if (!response) {
      transport.recorder.note(Violation::dns_malformed, server);
      continue;
    }
    Match whose = match(*response, query);
    if (whose == Match::ours) {
      if (response->is_truncated) co_return UdpOutcome{true, {}};
      co_return UdpOutcome{false, judge(std::move(*response))};
    }
    transport.recorder.note(Violation::dns_spoof, server);
    // Either a server that does not preserve the case, or an attacker who guessed all but the case: TCP decides.
    if (whose == Match::other_case) break;
  }
  co_return UdpOutcome{true, {}};
}

Task<Result<std::string, io::Error>> read_exactly(io::Stream& stream, std::size_t octets, Time deadline) {
  std::string read;
  while (true) {
    std::size_t taken = std::min(octets - read.size(), stream.input().size());
    read += stream.input().substr(0, taken);
    stream.consume(taken);
    if (read.size() == octets) co_return read;
    auto filled = co_await stream.fill(deadline);
    if (!filled) co_return filled.error();
  }
}

Task<Heard> ask_by_tcp(Transport& transport, SocketAddress server, const Query& query, Time deadline) {
  auto stream = co_await transport.connections.dial(server, deadline);
  if (!stream) co_return failed(stream.error());
  transport.recorder.note(Total::dns_questions);
  // RFC 1035, 4.2.2: a message is preceded by its length; RFC 7766, 8: in one write.
  std::string framed;
  framed += static_cast<char>(query.packet.size() >> 8);
  framed += static_cast<char>(query.packet.size());
  framed += query.packet;
  auto sent = co_await (*stream)->write(framed, deadline);
  if (!sent) co_return failed(sent.error());
  auto prefix = co_await read_exactly(**stream, 2, deadline);
  if (!prefix) co_return failed(prefix.error());
  std::size_t length = static_cast<std::uint8_t>((*prefix)[0]) * 256u + static_cast<std::uint8_t>((*prefix)[1]);
  auto packet = co_await read_exactly(**stream, length, deadline);
  if (!packet) co_return failed(packet.error());
  (*stream)->close();
  auto response = dns::read_response(*packet);
  if (!response) {
    transport.recorder.note(Violation::dns_malformed, server);
    co_return Heard{};
  }
  // The case is not checked over TCP, where forging is hard; a server that does not preserve it is why we may be here.
  if (match(*response, query) == Match::stranger) {
    transport.recorder.note(Violation::dns_spoof, server);
    co_return Heard{};
  }
  co_return judge(std::move(*response));
}

bool does_not_know_edns(const Heard& heard) {
  if (heard.kind != Heard::Kind::failure || !heard.response.is_response) return false;
  dns::Rcode rcode = heard.response.rcode;
  return rcode == dns::Rcode::formerr || rcode == dns::Rcode::notimp || rcode == dns::Rcode::badvers;
}

}  // namespace

Task<Heard> ask_server(Transport& transport, SocketAddress server, const dns::Question& question, bool& use_edns,
                       Time patience, Time deadline) {
  while (true) {
    Query query = make_query(transport, question, use_edns);
    UdpOutcome outcome = co_await ask_by_udp(transport, server, query, patience);
    if (outcome.needs_tcp) outcome.heard = co_await ask_by_tcp(transport, server, query, deadline);
    if (!use_edns || !does_not_know_edns(outcome.heard)) co_return std::move(outcome.heard);
    use_edns = false;
  }
}

}  // namespace sallyport::resolver
