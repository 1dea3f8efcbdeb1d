#include "gateway/milter/command.h"

#include "gateway/milter/connect_text.h"

namespace sallyport::milter {

namespace {

constexpr std::string_view verbs = "ABCDEHKLMNOQRTU";

bool is_verb(char letter) { return verbs.find(letter) != std::string_view::npos; }

std::optional<Command> decode_terms(DataReader data) {
  Terms terms;
  if (!data.u32(terms.version) || !data.u32(terms.actions) || !data.u32(terms.options) || !data.is_at_end())
    return std::nullopt;
  return terms;
}

std::optional<Command> decode_macros(DataReader data) {
  char of = 0;
  if (!data.letter(of) || !is_verb(of)) return std::nullopt;
  Macros macros{static_cast<Verb>(of), {}};
  while (!data.is_at_end()) {
    std::string_view name;
    std::string_view value;
    if (!data.text(name) || name.empty() || !data.text(value)) return std::nullopt;
    macros.values.emplace_back(name, value);
  }
  return macros;
}

std::optional<Command> decode_connect(DataReader data) {
  const auto client = take_connect_text(data);
  if (!client) return std::nullopt;
  Connect connect;
  connect.host = client->host;
  if (client->family == ClientFamily::unknown) return connect;
  if (!data.is_at_end()) return std::nullopt;
  if (client->family == ClientFamily::unix_domain) {
    connect.path = client->address;
    return connect;
  }
  // An IPv4-mapped address of family 6 is an IPv4 address for us.
  const bool has_colon = client->address.find(':') != std::string_view::npos;
  const bool is_of_family = has_colon == (client->family == ClientFamily::ipv6);
  const auto ip = is_of_family ? IpAddress::parse(client->address) : std::nullopt;
  if (!ip) return std::nullopt;
  connect.address = SocketAddress{*ip, client->port};
  return connect;
}

template <class Envelope>
std::optional<Command> decode_envelope(DataReader data) {
  Envelope envelope;
  if (!data.text(envelope.path) || envelope.path.empty()) return std::nullopt;
  while (!data.is_at_end()) {
    std::string_view parameter;
    if (!data.text(parameter)) return std::nullopt;
    envelope.parameters.push_back(parameter);
  }
  return envelope;
}

std::optional<Command> decode_helo(DataReader data) {
  Helo helo;
  if (!data.text(helo.name) || !data.is_at_end()) return std::nullopt;
  return helo;
}

std::optional<Command> decode_header(DataReader data) {
  Header header;
  if (!data.text(header.name) || header.name.empty() || !data.text(header.value) || !data.is_at_end())
    return std::nullopt;
  return header;
}

// Sendmail ends the line with NUL, others do not.
Command decode_unknown(std::string_view data) { return Unknown{data.substr(0, data.find('\0'))}; }

template <class Empty>
std::optional<Command> decode_empty(std::string_view data) {
  if (!data.empty()) return std::nullopt;
  return Empty{};
}

struct VerbOf {
  Verb operator()(const Terms&) const { return Verb::negotiate; }
  Verb operator()(const Macros&) const { return Verb::macros; }
  Verb operator()(const Connect&) const { return Verb::connect; }
  Verb operator()(const Helo&) const { return Verb::helo; }
  Verb operator()(const Mail&) const { return Verb::mail; }
  Verb operator()(const Rcpt&) const { return Verb::rcpt; }
  Verb operator()(const Data&) const { return Verb::data; }
  Verb operator()(const Header&) const { return Verb::header; }
  Verb operator()(const EndOfHeader&) const { return Verb::end_of_header; }
  Verb operator()(const Body&) const { return Verb::body; }
  Verb operator()(const EndOfMessage&) const { return Verb::end_of_message; }
  Verb operator()(const Unknown&) const { return Verb::unknown; }
  Verb operator()(const Abort&) const { return Verb::abort; }
  Verb operator()(const QuitAndReuse&) const { return Verb::quit_and_reuse; }
  Verb operator()(const Quit&) const { return Verb::quit; }
};

// Writes the data behind the letter.
struct WriteData {
  PacketWriter& out;

  void operator()(const Terms& terms) const { out.u32(terms.version).u32(terms.actions).u32(terms.options); }
  void operator()(const Macros& macros) const {
    out.letter(static_cast<char>(macros.of));
    for (const auto& [name, value] : macros.values) out.text(name).text(value);
  }
  void operator()(const Connect& connect) const {
    out.text(connect.host);
    if (connect.address) {
      const IpAddress& ip = connect.address->ip;
      family(ip.is_v4() ? ClientFamily::ipv4 : ClientFamily::ipv6).u16(connect.address->port).text(ip.to_string());
    } else if (!connect.path.empty()) {
      family(ClientFamily::unix_domain).u16(0).text(connect.path);
    } else {
      family(ClientFamily::unknown);
    }
  }
  void operator()(const Helo& helo) const { out.text(helo.name); }
  void operator()(const Mail& mail) const { write_envelope(mail.path, mail.parameters); }
  void operator()(const Rcpt& rcpt) const { write_envelope(rcpt.path, rcpt.parameters); }
  void operator()(const Header& header) const { out.text(header.name).text(header.value); }
  void operator()(const Body& body) const { out.octets(body.octets); }
  void operator()(const EndOfMessage& end) const { out.octets(end.octets); }
  void operator()(const Unknown& unknown) const { out.text(unknown.line); }
  void operator()(const Data&) const {}
  void operator()(const EndOfHeader&) const {}
  void operator()(const Abort&) const {}
  void operator()(const QuitAndReuse&) const {}
  void operator()(const Quit&) const {}

  PacketWriter& family(ClientFamily family) const { return out.letter(static_cast<char>(family)); }
  void write_envelope(std::string_view path, const std::vector<std::string_view>& parameters) const {
    out.text(path);
    for (const std::string_view parameter : parameters) out.text(parameter);
  }
};

}  // namespace

Verb verb_of(const Command& command) { return std::visit(VerbOf{}, command); }

std::optional<Command> decode_command(const Packet& packet) {
  if (!is_verb(packet.letter)) return std::nullopt;
  const DataReader data(packet.data);
  switch (static_cast<Verb>(packet.letter)) {
    case Verb::negotiate:
      return decode_terms(data);
    case Verb::macros:
      return decode_macros(data);
    case Verb::connect:
      return decode_connect(data);
    case Verb::helo:
      return decode_helo(data);
    case Verb::mail:
      return decode_envelope<Mail>(data);
    case Verb::rcpt:
      return decode_envelope<Rcpt>(data);
    case Verb::data:
      return decode_empty<Data>(packet.data);
    case Verb::header:
      return decode_header(data);
    case Verb::end_of_header:
      return decode_empty<EndOfHeader>(packet.data);
    case Verb::body:
      return Body{packet.data};
    case Verb::end_of_message:
      return EndOfMessage{packet.data};
    case Verb::unknown:
      return decode_unknown(packet.data);
    case Verb::abort:
      return decode_empty<Abort>(packet.data);
    case Verb::quit_and_reuse:
      return decode_empty<QuitAndReuse>(packet.data);
    case Verb::quit:
      return decode_empty<Quit>(packet.data);
  }
  return std::nullopt;
}

void encode(std::string& out, const Command& command) {
  PacketWriter packet(out, static_cast<char>(verb_of(command)));
  std::visit(WriteData{packet}, command);
}

void encode_macros(std::string& out, Verb of, std::string_view texts) {
  PacketWriter packet(out, static_cast<char>(Verb::macros));
  packet.letter(static_cast<char>(of)).octets(texts);
}

}  // namespace sallyport::milter
