// The engine's two ends as OpenSSL sees them: a BIO that reads from one buffer and writes to another.
//
// OpenSSL's own memory BIOs would copy what arrives once more and keep their memory between messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct bio_st;

namespace sallyport::tls {

struct Wire {
  std::string_view input;   // ciphertext that has arrived; taken from the front
  std::string output;       // ciphertext to send; added at the end
  std::uint64_t taken = 0;  // octets taken from the input so far
};

// The BIO refers to the wire, which must not move while it exists. An empty input is "try again", never an end.
bio_st* make_bio(Wire& wire);

}  // namespace sallyport::tls
