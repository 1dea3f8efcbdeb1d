// Wire: the engine's connection to OpenSSL: a BIO that reads from one buffer and writes to another.
//
// OpenSSL's own memory BIOs would copy the input once more and keep their memory between messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct bio_st;

namespace sallyport::tls {

struct Wire {
  std::string_view input;   // ciphertext that has arrived; OpenSSL consumes it from the front
  std::string output;       // ciphertext to send; OpenSSL appends to it
  std::uint64_t taken = 0;  // octets consumed from the input so far
};

// The BIO refers to `wire`, which must not move while the BIO exists. An empty input means "try again", never the end.
bio_st* make_bio(Wire& wire);

}  // namespace sallyport::tls
