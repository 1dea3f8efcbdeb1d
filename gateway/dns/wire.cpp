#include "gateway/dns/wire.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <memory>

#include "gateway/base/text.h"

namespace sallyport::dns {

namespace {

constexpr std::size_t header_octets = 12;
constexpr std::size_t most_name_octets = 255;  // on the wire, with the root's (RFC 1035, 3.1)
constexpr std::size_t most_label_octets = 63;
constexpr unsigned most_pointers = 127;  // of one name: as many as it can have labels
// What the names of all records may grow to, for each octet of their packet. The longest owner there is, in front of an
// address, is 16.
constexpr std::size_t most_growth = 32;
constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t type_opt = 41;
constexpr std::size_t opt_octets = 11;  // of an OPT record without options

template <auto free_it>
struct Freer {
  template <class T>
  void operator()(T* thing) const noexcept {
    free_it(thing);
  }
};
using RecordPointer = std::unique_ptr<ldns_rr, Freer<ldns_rr_free>>;

std::uint8_t octet_at(std::string_view packet, std::size_t at) { return static_cast<std::uint8_t>(packet[at]); }

std::uint16_t number16(std::string_view packet, std::size_t at) {
  return static_cast<std::uint16_t>(octet_at(packet, at) << 8 | octet_at(packet, at + 1));
}

std::uint32_t number32(std::string_view packet, std::size_t at) {
  return std::uint32_t{number16(packet, at)} << 16 | number16(packet, at + 2);
}

// -- names
// --------------------------------------------------------------------------------------------------------------

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

// Of a name that ldns has read: labels without compression.
std::string name_text(const ldns_rdf* name) {
  std::string_view wire(reinterpret_cast<const char*>(ldns_rdf_data(name)), ldns_rdf_size(name));
  std::string text;
  for (std::size_t at = 0; at < wire.size() && octet_at(wire, at) != 0;) {
    std::size_t length = octet_at(wire, at);
    if (!text.empty()) text += '.';
    for (char octet : wire.substr(at + 1, length)) append_octet(text, octet);
    at += 1 + length;
  }
  return text;
}

// The name with the letters' case set by the bits, each letter taking the next one.
std::string with_case(std::string_view name, std::uint64_t case_bits) {
  std::string cased(name);
  unsigned letter = 0;
  for (char& c : cased) {
    if (!text::is_alpha(c)) continue;
    c = (case_bits >> (letter++ % 64) & 1) ? text::upper(c) : text::lower(c);
  }
  return cased;
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

// Where the name at `at` ends in the packet; nothing when it is not well formed. Every pointer must lead to before the
// piece of name that holds it, so following them comes to an end, and their number is bounded: a chain of pointers that
// every name of the packet walks again would cost the square of its length (threats.md D4).
std::optional<std::size_t> end_of_name(std::string_view packet, std::size_t at) {
  std::optional<std::size_t> end;
  std::size_t piece = at;
  std::size_t name_octets = 1;
  unsigned pointers = 0;
  while (at < packet.size()) {
    std::size_t octet = octet_at(packet, at);
    if (octet == 0) return end.value_or(at + 1);
    if (octet <= most_label_octets) {
      name_octets += 1 + octet;
      if (name_octets > most_name_octets) return std::nullopt;
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
// ------------------------------------------------------------------------------------------------------------

// Where a record lies in the packet, and its fixed fields.
struct RecordPlace {
  std::size_t start = 0;
  std::size_t data = 0;
  std::size_t end = 0;
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::uint32_t ttl = 0;
};

std::optional<RecordPlace> place_of_record(std::string_view packet, std::size_t at) {
  constexpr std::size_t fixed_octets = 10;
  auto name_end = end_of_name(packet, at);
  if (!name_end || packet.size() - *name_end < fixed_octets) return std::nullopt;
  RecordPlace place;
  place.start = at;
  place.type = number16(packet, *name_end);
  place.record_class = number16(packet, *name_end + 2);
  place.ttl = number32(packet, *name_end + 4);
  // RFC 2181, 8: a TTL with its top bit set is zero.
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

// True when the character-strings fill the data exactly.
bool are_strings(std::string_view data) {
  while (!data.empty()) {
    std::size_t length = octet_at(data, 0);
    if (data.size() < 1 + length) return false;
    data.remove_prefix(1 + length);
  }
  return true;
}

// ldns reads what has passed here: it follows pointers in any direction and as often as it is asked to.
bool is_well_formed(std::string_view packet, const RecordPlace& place) {
  std::size_t octets = place.end - place.data;
  auto name_fills = [&](std::size_t from) { return from < place.end && end_of_name(packet, from) == place.end; };
  switch (Type{place.type}) {
    case Type::A:
      return octets == 4;
    case Type::AAAA:
      return octets == 16;
    case Type::TXT:
      return are_strings(packet.substr(place.data, octets));
    case Type::MX:
      return name_fills(place.data + 2);
    case Type::NS:
    case Type::CNAME:
    case Type::PTR:
      return name_fills(place.data);
    case Type::SOA: {
      constexpr std::size_t number_octets = 20;
      auto server_end = end_of_name(packet, place.data);
      auto mailbox_end = server_end ? end_of_name(packet, *server_end) : std::nullopt;
      return mailbox_end && *mailbox_end + number_octets == place.end;
    }
  }
  return false;
}

// Octets of the record's names, which the packet may have held as pointers.
std::size_t name_octets(const Record& record) {
  std::size_t octets = record.owner.size();
  if (const auto* mx = std::get_if<Mx>(&record.data)) octets += mx->exchange.size();
  const auto* text = std::get_if<std::string>(&record.data);
  return text && record.type != Type::TXT ? octets + text->size() : octets;
}

RecordPointer read_with_ldns(std::string_view packet, std::size_t at, ldns_pkt_section section) {
  ldns_rr* record = nullptr;
  const auto* octets = reinterpret_cast<const std::uint8_t*>(packet.data());
  if (ldns_wire2rr(&record, octets, packet.size(), &at, section) != LDNS_STATUS_OK) return nullptr;
  return RecordPointer(record);
}

std::string joined_strings(const ldns_rr& record) {
  std::string joined;
  for (std::size_t n = 0; n < ldns_rr_rd_count(&record); ++n) {
    const ldns_rdf* part = ldns_rr_rdf(&record, n);
    // Its first octet is its length.
    joined.append(reinterpret_cast<const char*>(ldns_rdf_data(part)) + 1, ldns_rdf_size(part) - 1);
  }
  return joined;
}

template <std::size_t octets>
std::array<std::uint8_t, octets> address_octets(const ldns_rdf* field) {
  std::array<std::uint8_t, octets> address{};
  std::copy_n(ldns_rdf_data(field), octets, address.begin());
  return address;
}

// The data of a record that is well formed.
RecordData data_of(const ldns_rr& record, Type type) {
  switch (type) {
    case Type::A:
      return IpAddress::v4(address_octets<4>(ldns_rr_rdf(&record, 0)));
    case Type::AAAA:
      return IpAddress::v6(address_octets<16>(ldns_rr_rdf(&record, 0)));
    case Type::TXT:
      return joined_strings(record);
    case Type::MX: {
      Mx mx;
      mx.preference = ldns_rdf2native_int16(ldns_rr_rdf(&record, 0));
      mx.exchange = text::to_lower(name_text(ldns_rr_rdf(&record, 1)));
      return mx;
    }
    default:
      return text::to_lower(name_text(ldns_rr_rdf(&record, 0)));
  }
}

// -- packets
// ------------------------------------------------------------------------------------------------------------

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

// Reads one packet from its header to its end; every step is false when the packet is malformed.
class ResponseReader {
 public:
  explicit ResponseReader(std::string_view packet) : packet_(packet), growth_left_(packet.size() * most_growth) {}

  bool read() {
    if (packet_.size() < header_octets) return false;
    response_.id = number16(packet_, 0);
    std::uint16_t flags = number16(packet_, 2);
    response_.is_response = flags & 0x8000;
    response_.opcode = flags >> 11 & 0xf;
    response_.is_truncated = flags & 0x0200;
    rcode_ = flags & 0xf;
    if (!read_question()) return false;
    // A truncated packet may end anywhere, and nobody uses what is left of it (RFC 2181, 9).
    if (!response_.is_truncated && !(read_answers() && read_authority() && read_additional())) return false;
    bool is_authoritative = flags & 0x0400;
    response_.is_referral = has_name_servers_ && !is_authoritative && answer_count_ == 0 && !response_.negative_ttl;
    response_.rcode = rcode_of(rcode_);
    return true;
  }

  Response take() { return std::move(response_); }

 private:
  bool read_question() {
    std::uint16_t count = number16(packet_, 4);
    if (count == 0) return true;  // a server that could not read ours may leave it out
    auto name_end = end_of_name(packet_, at_);
    if (count != 1 || !name_end || packet_.size() - *name_end < 4) return false;
    auto question = read_with_ldns(packet_, at_, LDNS_SECTION_QUESTION);
    if (!question) return false;
    response_.question_name = name_text(ldns_rr_owner(question.get()));
    response_.question_type = number16(packet_, *name_end);
    response_.question_class = number16(packet_, *name_end + 2);
    at_ = *name_end + 4;
    return true;
  }

  bool read_answers() {
    answer_count_ = number16(packet_, 6);
    for (unsigned n = 0; n < answer_count_; ++n) {
      auto place = next_record();
      if (!place) return false;
      if (place->record_class != class_in || !is_known(place->type)) continue;
      if (!is_well_formed(packet_, *place)) return false;
      auto record = read_with_ldns(packet_, place->start, LDNS_SECTION_ANSWER);
      if (!record) return false;
      std::string owner = text::to_lower(name_text(ldns_rr_owner(record.get())));
      Type type{place->type};
      Record read{std::move(owner), type, place->ttl, data_of(*record, type)};
      // I6: thousands of pointers to one long name cost their sender two octets each.
      std::size_t octets = name_octets(read);
      if (octets > growth_left_) return false;
      growth_left_ -= octets;
      response_.answers.push_back(std::move(read));
    }
    return true;
  }

  bool read_authority() {
    for (unsigned left = number16(packet_, 8); left > 0; --left) {
      auto place = next_record();
      if (!place) return false;
      if (place->record_class != class_in) continue;
      if (Type{place->type} == Type::NS) has_name_servers_ = true;
      if (Type{place->type} != Type::SOA) continue;
      if (!is_well_formed(packet_, *place)) return false;
      // RFC 2308, 5: the lesser of the record's own TTL and its MINIMUM field, the last four octets.
      response_.negative_ttl = std::min(place->ttl, number32(packet_, place->end - 4));
    }
    return true;
  }

  bool read_additional() {
    for (unsigned left = number16(packet_, 10); left > 0; --left) {
      auto place = next_record();
      if (!place) return false;
      // RFC 6891, 6.1.3: the upper eight bits of the code are in OPT, where others have their TTL. place_of_record()
      // has made a TTL of those whose top bit is set, so it is read again.
      if (place->type == type_opt) rcode_ |= unsigned{octet_at(packet_, place->data - 6)} << 4;
    }
    return true;
  }

  std::optional<RecordPlace> next_record() {
    auto place = place_of_record(packet_, at_);
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
    // RFC 6891, 6.1.2: the root, OPT, our buffer's size, no extended code, version 0, no flags, no options.
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
