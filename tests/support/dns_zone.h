// DnsZone: a table that stands for all of DNS, in the format of the conformance data.
//
//   { "example.org": { "A": ["192.0.2.1"], "TXT": ["v=spf1 -all", ["in ", "parts"]], "MX": [[10, "mx.example.org"]] },
//     "www.example.org": { "CNAME": ["example.org"] },
//     "slow.example.org": { "A": "TIMEOUT", "TXT": "SERVFAIL", "AAAA": "NODATA" } }
//
// A name that is not in the table gives NXDOMAIN (or what set_default() says); a type that its name does not have gives
// NODATA. CNAMEs are followed. Types that dns::Type does not know are ignored.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/dns/answer.h"
#include "gateway/dns/question.h"

namespace sallyport::support {

class DnsZone {
 public:
  // How the strings of the JSON become octets: as UTF-8, or as one octet for each code point up to U+00FF.
  enum class Strings { utf8, latin1 };

  DnsZone() = default;
  // Each throws a std::exception whose text says what is wrong with the table.
  static DnsZone from_json(const nlohmann::json& table, Strings strings = Strings::utf8);
  static DnsZone from_text(std::string_view json_text, Strings strings = Strings::utf8);
  static DnsZone from_file(const std::string& path, Strings strings = Strings::utf8);

  // The answer for names that are not in the table: "NXDOMAIN", "NODATA", "SERVFAIL", "TIMEOUT" (`dns_default`).
  void set_default(std::string_view word);

  // For tests that list their records in code: add() adds a record, set() gives a status instead of records.
  void add(std::string_view owner, dns::Type type, dns::RecordData data);
  void set(std::string_view owner, dns::Type type, dns::Status status);
  void a(std::string_view owner, std::string_view address);  // A or AAAA
  void txt(std::string_view owner, std::string_view text) { add(owner, dns::Type::TXT, std::string(text)); }
  void mx(std::string_view owner, std::uint16_t preference, std::string_view exchange);
  void ptr(std::string_view owner, std::string_view name) { add(owner, dns::Type::PTR, std::string(name)); }
  void cname(std::string_view owner, std::string_view name) { add(owner, dns::Type::CNAME, std::string(name)); }

  // Answers one question. The TTL of a positive answer is 300 s, of a negative one 60 s.
  dns::Answer answer(const dns::Question& question) const;

 private:
  struct Entry {
    dns::Status status = dns::Status::ok;
    std::vector<dns::RecordData> records;
  };
  using Types = std::map<dns::Type, Entry>;

  Types& at(std::string_view owner);

  std::map<std::string, Types, std::less<>> names_;
  std::map<std::string, dns::Status, std::less<>> whole_names_;  // one status for every type
  dns::Status default_ = dns::Status::nxdomain;
};

// Converts "NXDOMAIN", "NODATA", "SERVFAIL" or "TIMEOUT"; throws for any other word.
dns::Status status_of_word(std::string_view word);

}  // namespace sallyport::support
