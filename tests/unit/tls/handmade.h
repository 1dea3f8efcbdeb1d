// TLS made by hand: what no library would send (RFC 5246, RFC 8446).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/tls/openssl.h"

namespace sallyport::tls {

// Types of records.
inline constexpr char alert_type = 21;
inline constexpr char handshake_type = 22;
inline constexpr char data_type = 23;

// A number in network order.
std::string number(std::uint64_t value, int octets);

// A ClientHello that offers these suites at most at this version. `extensions` is the content of their list; without
// any there is no list, as before TLS 1.2.
std::string client_hello_message(int version, const std::vector<std::uint16_t>& suites, std::string_view extensions);
// The same in one record.
std::string client_hello(int version, const std::vector<std::uint16_t>& suites, std::string_view extensions);
std::string extension(std::uint16_t type, std::string_view body);
// What a client with elliptic curves has to say for its suites to be of use.
std::string usual_extensions();
// A handshake message cut into records of so many octets.
std::string in_records(std::string_view message, std::size_t octets);
// A fatal alert in the clear, as a server answers a hello.
std::string alert_record(int description);

// Makes records of a TLS 1.2 connection (RFC 5246, 6.2.3.3; RFC 5288) with any content, for a client that has shaken
// hands with ECDHE-ECDSA-AES128-GCM-SHA256 and sent nothing since.
class RecordForger {
 public:
  explicit RecordForger(SSL* client);

  std::string record(char type, const std::string& plain);

 private:
  std::string seal(std::string nonce, std::string associated, std::string plain);

  std::string key_;
  std::string iv_;
  std::uint64_t sequence_ = 1;  // Finished was 0
};

}  // namespace sallyport::tls
