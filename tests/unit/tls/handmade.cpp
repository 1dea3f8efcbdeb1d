#include "tests/unit/tls/handmade.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

namespace sallyport::tls {

namespace {

unsigned char* octets_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string with_length(std::string_view content, int length_octets) {
  return number(content.size(), length_octets).append(content);
}

// RFC 5246, 6.3.
std::string expand(std::string& secret, std::string& seed) {
  std::unique_ptr<EVP_KDF, Freed<EVP_KDF_free>> prf(made(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr)));
  std::unique_ptr<EVP_KDF_CTX, Freed<EVP_KDF_CTX_free>> context(made(EVP_KDF_CTX_new(prf.get())));
  char sha256[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()),
      OSSL_PARAM_construct_end(),
  };
  std::string keys(40, '\0');
  EXPECT_EQ(EVP_KDF_derive(context.get(), octets_of(keys), keys.size(), parameters), 1);
  return keys;
}

}  // namespace

std::string number(std::uint64_t value, int octets) {
  std::string text;
  while (octets-- > 0) text += static_cast<char>(value >> (8 * octets));
  return text;
}

std::string client_hello_message(int version, const std::vector<std::uint16_t>& suites, std::string_view extensions) {
  std::string list;
  for (std::uint16_t suite : suites) list += number(suite, 2);
  std::string random(32, 'r');
  std::string hello = number(static_cast<std::uint64_t>(version), 2) + random;
  hello += with_length("", 1);  // no session
  hello += with_length(list, 2);
  hello += with_length(std::string_view("\0", 1), 1);  // no compression
  if (!extensions.empty()) hello += with_length(extensions, 2);
  return "\x01" + with_length(hello, 3);
}

std::string client_hello(int version, const std::vector<std::uint16_t>& suites, std::string_view extensions) {
  return "\x16\x03\x01" + with_length(client_hello_message(version, suites, extensions), 2);
}

std::string extension(std::uint16_t type, std::string_view body) { return number(type, 2) + with_length(body, 2); }

std::string usual_extensions() {
  std::string groups = number(0x001d, 2) + number(0x0017, 2);
  std::string algorithms = number(0x0403, 2) + number(0x0804, 2);
  return extension(TLSEXT_TYPE_supported_groups, with_length(groups, 2)) +
         extension(TLSEXT_TYPE_signature_algorithms, with_length(algorithms, 2)) +
         extension(TLSEXT_TYPE_ec_point_formats, with_length(std::string_view("\0", 1), 1));
}

std::string in_records(std::string_view message, std::size_t octets) {
  std::string records;
  while (!message.empty()) {
    std::string_view part = message.substr(0, octets);
    records += "\x16\x03\x01" + with_length(part, 2);
    message.remove_prefix(part.size());
  }
  return records;
}

std::string alert_record(int description) {
  return std::string("\x15\x03\x03\x00\x02\x02", 6) + static_cast<char>(description);
}

RecordForger::RecordForger(SSL* client) {
  std::string master(48, '\0');
  SSL_SESSION_get_master_key(SSL_get_session(client), octets_of(master), master.size());
  std::string seed(std::string_view("key expansion"));
  std::string random(32, '\0');
  SSL_get_server_random(client, octets_of(random), random.size());
  seed += random;
  SSL_get_client_random(client, octets_of(random), random.size());
  seed += random;
  std::string keys = expand(master, seed);
  key_ = keys.substr(0, 16);
  iv_ = keys.substr(32, 4);
}

std::string RecordForger::record(char type, const std::string& plain) {
  std::string nonce = number(sequence_, 8);
  std::string associated = number(sequence_, 8) + type + "\x03\x03" + number(plain.size(), 2);
  ++sequence_;
  std::string sealed = seal(iv_ + nonce, associated, plain);
  return type + std::string("\x03\x03") + number(nonce.size() + sealed.size(), 2) + nonce + sealed;
}

std::string RecordForger::seal(std::string nonce, std::string associated, std::string plain) {
  std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>> context(made(EVP_CIPHER_CTX_new()));
  std::string sealed(plain.size(), '\0');
  std::string tag(16, '\0');
  int octets = 0;
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, octets_of(key_), octets_of(nonce));
  EVP_EncryptUpdate(context.get(), nullptr, &octets, octets_of(associated), static_cast<int>(associated.size()));
  EVP_EncryptUpdate(context.get(), octets_of(sealed), &octets, octets_of(plain), static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(context.get(), octets_of(sealed), &octets);
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag.size()), tag.data());
  return sealed + tag;
}

}  // namespace sallyport::tls
