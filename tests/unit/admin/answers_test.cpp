#include "gateway/admin/answers.h"

#include <gtest/gtest.h>

namespace sallyport::admin {
namespace {

GatewayState serving() {
  return control::State{{{"sallyport_sessions", "Sessions.", MetricType::gauge, {{"", {}, 2}}}}, {}};
}
GatewayState draining() { return control::State{{}, {"draining", "upstream a: no server is up"}}; }
GatewayState silent() { return Failure{"no answer in time"}; }

HttpResponse get(std::string path, const GatewayState& state) {
  return answer(HttpRequest{"GET", std::move(path), true}, state);
}

TEST(Answers, MetricsAreTextForPrometheus) {
  const HttpResponse response = get("/metrics", serving());
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(response.body.find("\nsallyport_up 1\n"), std::string::npos);
  EXPECT_NE(response.body.find("\nsallyport_ready 1\n"), std::string::npos);
  EXPECT_NE(response.body.find(
                "# HELP sallyport_sessions Sessions.\n# TYPE sallyport_sessions gauge\nsallyport_sessions 2\n"),
            std::string::npos);
  EXPECT_NE(get("/metrics", draining()).body.find("\nsallyport_ready 0\n"), std::string::npos);
}

TEST(Answers, MetricsOfASilentGatewayAreThatItIsDown) {
  const HttpResponse response = get("/metrics", silent());
  EXPECT_EQ(response.status, 200u);
  EXPECT_NE(response.body.find("\nsallyport_up 0\n"), std::string::npos);
  EXPECT_EQ(response.body.find("sallyport_ready"), std::string::npos);
}

TEST(Answers, HealthIsThatTheGatewayAnswers) {
  EXPECT_EQ(get("/healthz", serving()).status, 200u);
  EXPECT_EQ(get("/healthz", draining()).status, 200u);
  EXPECT_EQ(get("/healthz", silent()).status, 503u);
  EXPECT_NE(get("/healthz", silent()).body.find("no answer in time"), std::string::npos);
}

TEST(Answers, ReadinessSaysWhyNot) {
  EXPECT_EQ(get("/readyz", serving()).status, 200u);
  EXPECT_EQ(get("/readyz", draining()).status, 503u);
  EXPECT_EQ(get("/readyz", draining()).body, "draining\nupstream a: no server is up\n");
  EXPECT_EQ(get("/readyz", silent()).status, 503u);
}

TEST(Answers, OnlyReadingIsAllowed) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"}) {
    const HttpResponse response = answer(HttpRequest{method, "/metrics", true}, serving());
    EXPECT_EQ(response.status, 405u) << method;
    EXPECT_NE(response.to_text().find("\r\nAllow: GET, HEAD\r\n"), std::string::npos);
    EXPECT_FALSE(needs_state(HttpRequest{method, "/metrics", true})) << method;
  }
}

TEST(Answers, NothingOfTheRequestComesBack) {
  for (const char* path : {"/", "/metrics/", "//metrics", "/nonsense-7b31", "http://nonsense-7b31/metrics", "*"}) {
    const HttpResponse response = get(path, serving());
    EXPECT_EQ(response.status, 404u) << path;
    EXPECT_EQ(response.to_text().find("7b31"), std::string::npos);
  }
}

TEST(Answers, AHeadHasTheLengthAndNoBody) {
  const std::string whole = get("/metrics", serving()).to_text();
  const std::string head = answer(HttpRequest{"HEAD", "/metrics", true}, serving()).to_text();
  EXPECT_EQ(head, whole.substr(0, whole.find("\r\n\r\n") + 4));
}

TEST(Answers, ARefusalEndsTheConnection) {
  const std::string text = answer(HttpRefusal{431}).to_text();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n")) << text;
  EXPECT_NE(text.find("\r\nConnection: close\r\n"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::admin
