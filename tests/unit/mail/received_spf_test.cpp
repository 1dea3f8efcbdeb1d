// The Received-SPF field: its shape, and that nothing a stranger says can leave its place in it.
#include "gateway/mail/received_spf.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::mail {
namespace {

ReceivedSpfInfo example() {
  ReceivedSpfInfo info;
  info.result = "pass";
  info.identity = "mailfrom";
  info.client_ip = "192.0.2.1";
  info.envelope_from = "ann@example.org";
  info.helo = "mail.example.org";
  info.receiver = "mx.example.net";
  info.mechanism = "ip4:192.0.2.0/24";
  return info;
}

TEST(ReceivedSpf, SaysWhatWasCheckedAndWhatDecided) {
  EXPECT_EQ(make_received_spf(example()),
            "Received-SPF: pass receiver=mx.example.net; identity=mailfrom;\r\n"
            "\tclient-ip=192.0.2.1; envelope-from=\"ann@example.org\"; helo=mail.example.org;\r\n"
            "\tmechanism=\"ip4:192.0.2.0/24\"\r\n");
}

TEST(ReceivedSpf, SaysWhatWasWrong) {
  ReceivedSpfInfo info = example();
  info.result = "permerror";
  info.mechanism = "";
  info.problem = "unknown mechanism: \"x\\y\"";
  const std::string field = make_received_spf(info);
  EXPECT_NE(field.find("mechanism=default;"), std::string::npos) << field;
  EXPECT_NE(field.find("problem=\"unknown mechanism: \\\"x\\\\y\\\"\"\r\n"), std::string::npos) << field;
}

TEST(ReceivedSpf, QuotesWhatIsNoDotAtom) {
  ReceivedSpfInfo info = example();
  info.client_ip = "2001:db8::1";
  info.mechanism = "-all";
  const std::string field = make_received_spf(info);
  EXPECT_NE(field.find("client-ip=\"2001:db8::1\""), std::string::npos) << field;
  EXPECT_NE(field.find("mechanism=-all\r\n"), std::string::npos) << field;
}

TEST(ReceivedSpf, LeavesOutTheSenderThatIsNotThere) {
  ReceivedSpfInfo info = example();
  info.envelope_from = "";
  EXPECT_EQ(make_received_spf(info).find("envelope-from"), std::string::npos);
}

TEST(ReceivedSpf, KeepsStrangersInTheirPlace) {
  ReceivedSpfInfo info = example();
  info.envelope_from = "a\r\nX-Evil: 1\r\n\r\n\"; identity=helo@example.org\x80";
  info.helo = "h; identity=helo\r\n(";
  const std::string slashes(5000, '\\');
  info.mechanism = slashes;
  info.problem = std::string_view("\0\n", 2);
  const std::string field = make_received_spf(info);
  EXPECT_EQ(field.find("\nX-Evil"), std::string::npos);
  EXPECT_NE(field.find("envelope-from=\"a??X-Evil: 1????\\\"; identity=helo@example.org?\";"), std::string::npos)
      << field;
  EXPECT_NE(field.find("helo=h??identity?helo???;"), std::string::npos) << field;
  for (std::size_t at = 0; (at = field.find('\n', at)) != std::string::npos; ++at) {
    ASSERT_GT(at, 0u);
    EXPECT_EQ(field[at - 1], '\r');
    if (at + 1 < field.size()) {
      EXPECT_EQ(field[at + 1], '\t');
    }
  }
}

TEST(ReceivedSpf, HasUtf8OnlyWhereItIsAllowed) {
  ReceivedSpfInfo info = example();
  info.envelope_from = "\xc3\xa9milie@example.org";
  EXPECT_NE(make_received_spf(info).find("\"??milie@example.org\""), std::string::npos);
  info.utf8 = true;
  EXPECT_NE(make_received_spf(info).find("\"\xc3\xa9milie@example.org\""), std::string::npos);
  info.envelope_from = "\xc3\xa9\r\n@example.org";
  EXPECT_NE(make_received_spf(info).find("\"\xc3\xa9??@example.org\""), std::string::npos);
  info.envelope_from = "\xc3@example.org";
  EXPECT_NE(make_received_spf(info).find("\"?@example.org\""), std::string::npos);
}

}  // namespace
}  // namespace sallyport::mail
