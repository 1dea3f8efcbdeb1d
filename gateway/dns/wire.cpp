// Who checks what in a packet from outside; nothing is checked twice.
//
// ldns reads what has a fixed layout: the header, every number, and the data of A and AAAA records. Only ldns compares
// the length of that data with its type.
//
// This file reads what has its length inside: names, character-strings, and where each record begins and ends. ldns
// would read these too, but not at a bounded cost. It follows a name's pointers forward and thousands of times
// (threats.md D4), and for each string of a TXT record it allocates the length of the whole record: one packet of 64
// KiB takes it seconds and hundreds of megabytes (I6).
#include "gateway/dns/wire.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::dns {

namespace {

constexpr std::size_t header_octets = 12;
constexpr std::size_t most_name_octets = 255;  // in wire format, with the root label (RFC 1035, 3.1)
constexpr std::size_t most_label_octets = 63;
constexpr unsigned most_pointers = 127;  // per name: as many as it can have labels
// Bound on the length of all names read from a packet, per octet of the packet. A packet of address records that all
// point to the longest possible owner needs 16.
constexpr std::size_t most_growth = 32;
constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t type_opt = 41;
constexpr std::size_t opt_octets = 11;  // length of an OPT record without options

struct RecordFree {
  void operator()(ldns_rr* record) const noexcept { ldns_rr_free(record); }
};
using LdnsRecord = std::unique_ptr<ldns_rr, RecordFree>;

const std::uint8_t* octets_of(std::string_view packet) { return reinterpret_cast<const std::uint8_t*>(packet.data()); }

std::uint8_t octet_at(std::string_view packet, std::size_t at) { return octets_of(packet)[at]; }

std::uint16_t number16(std::string_view packet, std::size_t at) { return ldns_read_uint16(octets_of(packet) + at); }

std::uint32_t number32(std::string_view packet, std::size_t at) { return ldns_read_uint32(octets_of(packet) + at); }

// -- names

void append_octet(std::string& text, char octet) {
  if (octet == '.' || octet == '\\') {
    text += '\\';
    text += octet;
  } else if (octet > 0x20 && octet < 0x7f) {
    text += octet;
  } else {
    auto number = static_cast<std::uint8_t>(octet);
    text += '\\';
    text += static_cast<char>('0' + number / 100);
    text += static_cast<char>('0' + number / 10 % 10);
    text += static_cast<char>('0' + number % 10);
  }
}

// The name with the case of its nth letter set by bit n (modulo 64).
std::string with_case(std::string_view name, std::uint64_t case_bits) {
  std::string cased(name);
  unsigned letter = 0;
  for (char& c : cased) {
    if (!text::is_alpha(c)) continue;
    c = (case_bits >> (letter++ % 64) & 1) ? text::upper(c) : text::lower(c);
  }
  return cased;
}

enum class Case { keep, lower };

void append_label(std::string& text, std::string_view label, Case letters) {
  if (!text.empty()) text += '.';
  for (char octet : label) append_octet(text, letters == Case::lower ? text::lower(octet) : octet);
}

void append_number16(std::string& packet, std::uint16_t number) {
  packet += static_cast<char>(number >> 8);
  packet += static_cast<char>(number);
}

void append_name(std::string& packet, std::string_view name) {
  if (!name.empty()) {
    for (std::string_view label : text::split(name, '.')) {
      packet += static_cast<char>(label.size());
      packet += label;
    }
  }
  packet += '\0';
}

// Reads the name at `at` and gives its end in the packet; nothing if it is malformed. Unless `text` is null, it must be
// empty and receives the name in the form of master files.
//
// A pointer must lead to before the piece of name that holds it, so following pointers ends. Their number is bounded
// too: a chain of pointers that every name of the packet walks would cost the square of its length (threats.md D4).
std::optional<std::size_t> read_name(std::string_view packet, std::size_t at, std::string* text,
                                     Case letters = Case::lower) {
  std::optional<std::size_t> end;
  std::size_t piece = at;
  std::size_t name_octets = 1;
  unsigned pointers = 0;
  while (at < packet.size()) {
    std::size_t octet = octet_at(packet, at);
    if (octet == 0) return end.value_or(at + 1);
    if (octet <= most_label_octets) {
      name_octets += 1 + octet;
      if (name_octets > most_name_octets || octet >= packet.size() - at) return std::nullopt;
      if (text) append_label(*text, packet.substr(at + 1, octet), letters);
      at += 1 + octet;
      continue;
    }
    if (octet < 0xc0 || at + 2 > packet.size() || ++pointers > most_pointers) return std::nullopt;
    std::size_t target = number16(packet, at) & 0x3fff;
    if (target < header_octets || target >= piece) return std::nullopt;
    if (!end) end = at + 2;
    at = piece = target;
  }
  return std::nullopt;
}

// -- records

// Where a record's data is in the packet, and its fixed fields.
struct RecordPlace {
  std::size_t data = 0;
  std::size_t end = 0;
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::uint32_t ttl = 0;
};

// `owner` receives the record's owner, unless it is null.
std::optional<RecordPlace> place_of_record(std::string_view packet, std::size_t at, std::string* owner) {
  constexpr std::size_t fixed_octets = 10;
  auto name_end = read_name(packet, at, owner);
  if (!name_end || packet.size() - *name_end < fixed_octets) return std::nullopt;
  RecordPlace place;
  place.type = number16(packet, *name_end);
  place.record_class = number16(packet, *name_end + 2);
  place.ttl = number32(packet, *name_end + 4);
  // RFC 2181, 8: a TTL whose top bit is set counts as zero.
  if (place.ttl > 0x7fffffff) place.ttl = 0;
  place.data = *name_end + fixed_octets;
  place.end = place.data + number16(packet, *name_end + 8);
  if (place.end > packet.size()) return std::nullopt;
  return place;
}

bool is_known(std::uint16_t type) {
  switch (Type{type}) {
    case Type::A:
    case Type::NS:
    case Type::CNAME:
    case Type::SOA:
    case Type::PTR:
    case Type::MX:
    case Type::TXT:
    case Type::AAAA:
      return true;
  }
  return false;
}

// The address that an A or AAAA record holds; nothing if ldns does not find exactly one there.
template <std::size_t octets>
std::optional<std::array<std::uint8_t, octets>> read_address(std::string_view packet, const RecordPlace& place) {
  LdnsRecord record(ldns_rr_new());
  if (!record) return std::nullopt;
  ldns_rr_set_type(record.get(), static_cast<ldns_rr_type>(place.type));
  std::size_t at = place.data - 2;  // ldns begins at the field that gives the length of the data
  if (ldns_wire2rdf(record.get(), octets_of(packet), place.end, &at) != LDNS_STATUS_OK) return std::nullopt;
  // To ldns, empty data is no error, nor are octets behind the address.
  if (ldns_rr_rd_count(record.get()) != 1 || at != place.end) return std::nullopt;
  std::array<std::uint8_t, octets> address{};
  std::copy_n(ldns_rdf_data(ldns_rr_rdf(record.get(), 0)), octets, address.begin());
  return address;
}

// Character-strings (RFC 1035, 3.3), joined; they must fill the data exactly.
std::optional<std::string> read_strings(std::string_view data) {
  std::string joined;
  while (!data.empty()) {
    std::size_t length = octet_at(data, 0);
    if (data.size() < 1 + length) return std::nullopt;
    joined += data.substr(1, length);
    data.remove_prefix(1 + length);
  }
  return joined;
}

// A name that begins at `from` and ends with the record.
std::optional<std::string> read_last_name(std::string_view packet, std::size_t from, const RecordPlace& place) {
  std::string name;
  if (from >= place.end || read_name(packet, from, &name) != place.end) return std::nullopt;
  return name;
}

// False if the SOA is malformed. `server` receives the name of the primary server, unless it is null.
bool read_soa(std::string_view packet, const RecordPlace& place, std::string* server) {
  constexpr std::size_t number_octets = 20;
  auto server_end = read_name(packet, place.data, server);
  auto mailbox_end = server_end ? read_name(packet, *server_end, nullptr) : std::nullopt;
  return mailbox_end && *mailbox_end + number_octets == place.end;
}

// The data of a record of a known type; nothing if it is malformed.
std::optional<RecordData> read_data(std::string_view packet, const RecordPlace& place) {
  switch (Type{place.type}) {
    case Type::A: {
      auto octets = read_address<4>(packet, place);
      if (!octets) return std::nullopt;
      return IpAddress::v4(*octets);
    }
    case Type::AAAA: {
      auto octets = read_address<16>(packet, place);
      if (!octets) return std::nullopt;
      return IpAddress::v6(*octets);
    }
    case Type::TXT:
      return read_strings(packet.substr(place.data, place.end - place.data));
    case Type::MX: {
      auto exchange = read_last_name(packet, place.data + 2, place);
      if (!exchange) return std::nullopt;
      return Mx{number16(packet, place.data), std::move(*exchange)};
    }
    case Type::NS:
    case Type::CNAME:
    case Type::PTR:
      return read_last_name(packet, place.data, place);
    case Type::SOA: {
      std::string server;
      if (!read_soa(packet, place, &server)) return std::nullopt;
      return server;
    }
  }
  return std::nullopt;
}

// The length of the record's names, which the packet may have contained as pointers.
std::size_t name_octets(const Record& record) {
  std::size_t octets = record.owner.size();
  if (const auto* mx = std::get_if<Mx>(&record.data)) octets += mx->exchange.size();
  const auto* text = std::get_if<std::string>(&record.data);
  return text && record.type != Type::TXT ? octets + text->size() : octets;
}

// -- packets

Rcode rcode_of(unsigned code) {
  switch (code) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 16:
      return static_cast<Rcode>(code);
    default:
      return Rcode::other;
  }
}

// Reads one packet from its header to its end; every step returns false if the packet is malformed.
class ResponseReader {
 public:
  explicit ResponseReader(std::string_view packet) : packet_(packet), growth_left_(packet.size() * most_growth) {}

  bool read() {
    if (packet_.size() < header_octets) return false;
    const std::uint8_t* header = octets_of(packet_);
    response_.id = LDNS_ID_WIRE(header);
    response_.is_response = LDNS_QR_WIRE(header);
    response_.opcode = LDNS_OPCODE_WIRE(header);
    response_.is_truncated = LDNS_TC_WIRE(header);
    rcode_ = LDNS_RCODE_WIRE(header);
    if (!read_question()) return false;
    // A truncated packet may end anywhere, and its records are not used (RFC 2181, 9).
    if (!response_.is_truncated && !(read_answers() && read_authority() && read_additional())) return false;
    bool is_authoritative = LDNS_AA_WIRE(header);
    response_.is_referral = has_name_servers_ && !is_authoritative && answer_count_ == 0 && !response_.negative_ttl;
    response_.rcode = rcode_of(rcode_);
    return true;
  }

  Response take() { return std::move(response_); }

 private:
  bool read_question() {
    std::uint16_t count = LDNS_QDCOUNT(octets_of(packet_));
    if (count == 0) return true;  // a server that could not parse our question may leave it out
    if (count != 1) return false;
    auto name_end = read_name(packet_, at_, &response_.question_name, Case::keep);
    if (!name_end || packet_.size() - *name_end < 4) return false;
    response_.question_type = number16(packet_, *name_end);
    response_.question_class = number16(packet_, *name_end + 2);
    at_ = *name_end + 4;
    return true;
  }

  bool read_answers() {
    answer_count_ = LDNS_ANCOUNT(octets_of(packet_));
    for (unsigned n = 0; n < answer_count_; ++n) {
      std::string owner;
      auto place = next_record(&owner);
      if (!place) return false;
      if (place->record_class != class_in || !is_known(place->type)) continue;
      auto data = read_data(packet_, *place);
      if (!data) return false;
      Record read{std::move(owner), Type{place->type}, place->ttl, std::move(*data)};
      // I6: thousands of pointers to one long name cost their sender two octets each.
      std::size_t octets = name_octets(read);
      if (octets > growth_left_) return false;
      growth_left_ -= octets;
      response_.answers.push_back(std::move(read));
    }
    return true;
  }

  bool read_authority() {
    for (unsigned left = LDNS_NSCOUNT(octets_of(packet_)); left > 0; --left) {
      auto place = next_record(nullptr);
      if (!place) return false;
      if (place->record_class != class_in) continue;
      if (Type{place->type} == Type::NS) has_name_servers_ = true;
      if (Type{place->type} != Type::SOA) continue;
      if (!read_soa(packet_, *place, nullptr)) return false;
      // RFC 2308, 5: the lesser of the record's own TTL and its MINIMUM field, the last four octets.
      response_.negative_ttl = std::min(place->ttl, number32(packet_, place->end - 4));
    }
    return true;
  }

  bool read_additional() {
    for (unsigned left = LDNS_ARCOUNT(octets_of(packet_)); left > 0; --left) {
      auto place = next_record(nullptr);
      if (!place) return false;
      // RFC 6891, 6.1.3: the upper eight bits of the code are in the first octet of OPT's TTL field. Read from the
      // packet again, because RecordPlace::ttl is zero if the top bit is set.
      if (place->type == type_opt) rcode_ |= unsigned{octet_at(packet_, place->data - 6)} << 4;
    }
    return true;
  }

  std::optional<RecordPlace> next_record(std::string* owner) {
    auto place = place_of_record(packet_, at_, owner);
    if (place) at_ = place->end;
    return place;
  }

  std::string_view packet_;
  std::size_t growth_left_;
  std::size_t at_ = header_octets;
  unsigned rcode_ = 0;
  unsigned answer_count_ = 0;
  bool has_name_servers_ = false;
  Response response_;
};

}  // namespace

bool is_askable(std::string_view name) {
  if (name.empty()) return true;
  if (name.size() > most_name_octets - 2) return false;
  std::size_t label_octets = 0;
  for (char c : name) {
    if (c != '.') {
      if (++label_octets > most_label_octets) return false;
    } else {
      if (label_octets == 0) return false;
      label_octets = 0;
    }
  }
  return label_octets > 0;
}

std::string apply_case(std::string_view name, std::uint64_t case_bits) {
  std::string form;
  for (char octet : with_case(name, case_bits)) {
    if (octet == '.') {
      form += '.';
    } else {
      append_octet(form, octet);
    }
  }
  return form;
}

Result<std::string> write_query(const Question& question, const QueryOptions& options) {
  if (!is_askable(question.name))
    return Failure{"not a name for DNS: a label of 0 or over 63 octets, or over 253 in all"};
  constexpr std::uint16_t recursion_desired = 0x0100;
  const bool has_edns = options.udp_payload > 0;
  std::string packet;
  packet.reserve(header_octets + question.name.size() + 2 + 4 + opt_octets);
  append_number16(packet, options.id);
  append_number16(packet, recursion_desired);
  append_number16(packet, 1);  // questions
  append_number16(packet, 0);
  append_number16(packet, 0);
  append_number16(packet, has_edns ? 1 : 0);
  append_name(packet, with_case(question.name, options.case_bits));
  append_number16(packet, static_cast<std::uint16_t>(question.type));
  append_number16(packet, class_in);
  if (has_edns) {
    // RFC 6891, 6.1.2: root name, type OPT, our buffer size, no extended code, version 0, no flags, no options.
    packet += '\0';
    append_number16(packet, type_opt);
    append_number16(packet, options.udp_payload);
    packet.append(6, '\0');
  }
  return packet;
}

Result<Response, PacketError> read_response(std::string_view packet) {
  ResponseReader reader(packet);
  if (!reader.read()) return PacketError::malformed;
  return reader.take();
}

}  // namespace sallyport::dns
