// What becomes of a client whose server_name extension is out of order (threats.md T5).
//
// A name that is no host name, or none of ours, gets the default certificate. An extension that is no server_name at
// all by its lengths is another matter: the library reads it after us and ends the handshake with the alert that RFC
// 6066 and RFC 8446 have for it. We choose nothing by it and keep nothing of it.
#include <gtest/gtest.h>

#include "gateway/tls/engine.h"
#include "tests/unit/tls/engine_pair.h"
#include "tests/unit/tls/handmade.h"

namespace sallyport::tls {
namespace {

using Status = Engine::Status;

constexpr char host_name = 0;

std::string name_list(char type, std::string_view name) {
  std::string entry = type + number(name.size(), 2) + std::string(name);
  return number(entry.size(), 2) + entry;
}

// A handshake up to the server's first flight, or its alert.
struct Answer {
  Status status;
  std::string octets;
  std::string sni;
  std::string failure;
};
Answer answer_to(std::string_view server_name_body) {
  auto server = server_context()->make_engine();
  std::string hello =
      client_hello(TLS1_2_VERSION, {0xc02b}, extension(TLSEXT_TYPE_server_name, server_name_body) + usual_extensions());
  std::string_view rest = hello;
  Status status = server->handshake(rest);
  return {status, server->take_output(), server->info().sni, std::string(server->failure())};
}

TEST(MalformedName, OneThatIsNoHostNameGetsTheDefaultCertificate) {
  for (std::string name : {"a..b", "a b", "-", ".", "..", "\r\nX: y", "\xff\xfe", "[192.0.2.1]", "a.example\t", ""}) {
    Answer answer = answer_to(name_list(host_name, name));
    EXPECT_EQ(answer.status, Status::want_input) << name << ": " << answer.failure;
    EXPECT_EQ(answer.sni, "") << name;
    EXPECT_NE(answer.octets.find("mx.example.test"), std::string::npos) << "the certificate is there in the clear";
  }
  std::string longest_name(255, 'a');
  EXPECT_EQ(answer_to(name_list(host_name, longest_name)).status, Status::want_input);
}

TEST(MalformedName, AnExtensionThatIsNoneEndsTheHandshake) {
  std::string good = name_list(host_name, "mx.example.test");
  for (std::string body :
       {std::string(), std::string("\0", 1), std::string("\0\0", 2), good.substr(0, good.size() - 1), good + "x",
        name_list(1, "mx.example.test"), std::string("\0\3\0\0\7", 5), std::string("\xff\xff\0\0\1a", 6)}) {
    Answer answer = answer_to(body);
    EXPECT_EQ(answer.status, Status::failed);
    EXPECT_EQ(answer.octets, alert_record(SSL_AD_DECODE_ERROR));
    EXPECT_EQ(answer.sni, "");
  }
}

TEST(MalformedName, ANameThatNoCertificateCanBearEndsTheHandshake) {
  for (const std::string& name :
       {std::string(256, 'a'), std::string(4000, 'a'), std::string("mx\0.example.test", 16)}) {
    Answer answer = answer_to(name_list(host_name, name));
    EXPECT_EQ(answer.status, Status::failed);
    EXPECT_EQ(answer.octets, alert_record(SSL_AD_UNRECOGNIZED_NAME));
    EXPECT_EQ(answer.sni, "");
  }
}

}  // namespace
}  // namespace sallyport::tls
