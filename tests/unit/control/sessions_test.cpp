// Open sessions over the control socket.
#include "gateway/control/sessions.h"

#include <gtest/gtest.h>

#include "gateway/control/protocol.h"

namespace sallyport::control {
namespace {

SessionReport a_session() {
  SessionReport session;
  session.id = "01JD3K7Q";
  session.state = "content";
  session.verb = "DATA";
  session.protocol = "smtp";
  session.peer = "192.0.2.1:1234";
  session.client = "192.0.2.1";
  session.listener = "0.0.0.0:25";
  session.tenant = "acme";
  session.tls = true;
  session.helo = "mail.example";
  session.sender = "\"a b\"@example.org";
  session.recipients = 2;
  session.held = 4096;
  session.worker = 3;
  session.age = 12'345;
  session.in_state = 40;
  session.idle = 0;
  return session;
}

TEST(Sessions, TravelWhole) {
  SessionReports reports{12'034, 1, {a_session(), {}}};
  const auto read = decode_sessions(encode_sessions(reports));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, reports);
  EXPECT_EQ(sessions_json({0, 0, {}}), R"({"open":0,"silent_workers":0,"sessions":[]})");
}

TEST(Sessions, OctetsThatAreNoTextDoNotBreakTheAnswer) {
  SessionReport hostile = a_session();
  hostile.helo = "x\xff\r\n\x1b[2J\"}]";
  const std::string line = encode_sessions({1, 0, {hostile}});
  EXPECT_EQ(line.find('\n'), line.npos);
  const auto read = decode_sessions(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sessions.at(0).helo, "x\xef\xbf\xbd\r\n\x1b[2J\"}]");
}

TEST(Sessions, AnAnswerOfTheMostSessionsFitsIntoALine) {
  SessionReport longest = a_session();
  longest.helo = std::string(128, '"');
  longest.sender = std::string(128, '\\');
  longest.tenant = std::string(63, 't');
  const std::vector<SessionReport> all(SessionsRequest::most_sessions, longest);
  EXPECT_LT(encode_sessions({all.size(), 0, all}).size(), max_response_bytes);
}

TEST(Sessions, WhatIsNoAnswerIsAFailure) {
  for (const char* line : {"", "[]", "{}", R"({"ok":true})", R"({"ok":true,"open":1,"silent_workers":0})",
                           R"({"ok":true,"open":1,"silent_workers":0,"sessions":{}})",
                           R"({"ok":true,"open":-1,"silent_workers":0,"sessions":7})",
                           R"({"ok":true,"open":1,"silent_workers":0,"sessions":[{"id":7}]})"})
    EXPECT_FALSE(decode_sessions(line)) << line;
  EXPECT_EQ(decode_sessions(encode_error("no such thing")).error().message, "no such thing");
}

TEST(SessionsRequest, TravelsWhole) {
  for (const SessionOrder order : {SessionOrder::age, SessionOrder::idle, SessionOrder::held, SessionOrder::state}) {
    const SessionsRequest request{order, 7};
    const std::string line = encode_sessions_request(request);
    EXPECT_EQ(*decode_sessions_request(line), request);
    EXPECT_EQ(decode_request(line)->command, "sessions");
  }
  EXPECT_EQ(*decode_sessions_request(R"({"command":"sessions"})"), SessionsRequest());
}

TEST(SessionsRequest, WhatIsWrongWithItIsRefused) {
  for (const char* line : {R"({"sort":"size"})", R"({"sort":1})", R"({"limit":0})", R"({"limit":10001})",
                           R"({"limit":-1})", R"({"limit":"7"})", R"({"limit":1.5})", "[]", ""})
    EXPECT_FALSE(decode_sessions_request(line)) << line;
}

}  // namespace
}  // namespace sallyport::control
