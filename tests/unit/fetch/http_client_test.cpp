// The client that asks web servers for rules, against servers in memory: what it follows, how long it waits, how much
// it takes, and how many questions it asks at once.
#include "gateway/fetch/http_client.h"

#include <gtest/gtest.h>

#include "tests/support/manual_loop.h"
#include "tests/support/scripted_dialer.h"
#include "tests/support/table_resolver.h"

namespace sallyport::fetch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SocketAddress at(const std::string& ip, std::uint16_t port) { return {*IpAddress::parse(ip), port}; }

Task<std::shared_ptr<const tls::ClientContext>> no_tls(std::string) { co_return nullptr; }

// Reads one request, as far as it has a head, and answers.
Task<void> answer_with(std::unique_ptr<support::MemoryStream> stream, std::string answer, std::string* asked) {
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    if (!co_await stream->fill(async::no_deadline)) co_return;
    request += stream->input();
    stream->consume(stream->input().size());
  }
  if (asked) *asked += request;
  const auto written = co_await stream->write(answer, async::no_deadline);
  if (written) stream->close();
}

Task<void> count(Task<Result<io::HttpAnswer>> asking, std::size_t& answered, std::size_t& ended) {
  const auto answer = co_await std::move(asking);
  if (answer) ++answered;
  ++ended;
}

// Says one octet each second, for ever.
Task<void> drip(std::unique_ptr<support::MemoryStream> stream, async::Scheduler& scheduler) {
  if (!co_await stream->write("HTTP/1.1 200 OK\r\n\r\n", async::no_deadline)) co_return;
  while (co_await stream->write("x", async::no_deadline)) co_await async::sleep_for(scheduler, seconds(1));
}

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() {
    resolver.zone().a("web.example", "192.0.2.1");
    resolver.zone().a("other.example", "192.0.2.2");
  }
  void serve(const std::string& ip, const std::string& answer, std::string* asked = nullptr, std::uint16_t port = 80) {
    dialer.serve(at(ip, port), [answer, asked](std::unique_ptr<support::MemoryStream> stream) {
      return answer_with(std::move(stream), answer, asked);
    });
  }
  Task<Result<io::HttpAnswer>> question(const std::string& url, bool is_post = false) {
    io::HttpQuestion question;
    question.is_post = is_post;
    question.url = url;
    question.headers = {{"X-Key", "secret"}};
    question.hosts = {"web.example", "other.example:80", "six.example"};
    question.most_octets = 1000;
    return client.ask(std::move(question), resolver, loop.now() + seconds(5));
  }
  // The content of the answer, or why there is none.
  std::string ask(const std::string& url, bool is_post = false) {
    const auto answer = loop.run_until_done(question(url, is_post));
    return answer ? std::to_string(answer->status) + " " + answer->body : answer.error().message;
  }
  static std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string moved(const std::string& location) {
    return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + "\r\n\r\n";
  }

  support::ManualLoop loop;
  support::TableResolver resolver;
  support::ScriptedDialer dialer{loop.scheduler()};
  std::vector<std::unique_ptr<support::MemoryStream>> silent;  // connections on which nothing is said
  HttpClient client{loop.scheduler(), dialer, no_tls};
};

TEST_F(HttpClientTest, AsksAndGivesTheAnswer) {
  std::string asked;
  serve("192.0.2.1", ok("hello"), &asked);
  EXPECT_EQ(ask("http://web.example/x?y=1#z"), "200 hello");
  EXPECT_EQ(asked,
            "GET /x?y=1 HTTP/1.1\r\nHost: web.example\r\nAccept-Encoding: identity\r\nConnection: close\r\n"
            "User-Agent: sallyport\r\nX-Key: secret\r\n\r\n");
}

TEST_F(HttpClientTest, AsksNobodyElse) {
  serve("192.0.2.2", ok("other"), nullptr, 8080);
  for (const char* url : {"http://elsewhere.example/", "http://other.example:8080/", "http://192.0.2.1/",
                          "http://web.example.elsewhere.example/", "http://localhost/"}) {
    EXPECT_EQ(ask(url), "not_allowed") << url;
  }
  for (const char* url : {"http://web.example@elsewhere.example/", "ftp://web.example/", "http://web.example/a b",
                          "http://web.example\\@elsewhere.example/", "http://web.example:0/", ""}) {
    EXPECT_EQ(ask(url), "bad_url") << url;
  }
  EXPECT_TRUE(dialer.dialled().empty());
  EXPECT_TRUE(resolver.asked().empty());
}

TEST_F(HttpClientTest, IsSentOnOnlyWhereItMayAsk) {
  std::string asked;
  serve("192.0.2.1", moved("http://other.example/there"));
  serve("192.0.2.2", ok("there"), &asked);
  EXPECT_EQ(ask("http://web.example/"), "200 there");
  EXPECT_EQ(asked.find("secret"), std::string::npos) << "what is for one server is not told to another";
  EXPECT_EQ(ask("http://web.example/", true), "302 ") << "what was sent is not sent to another";
  for (const char* elsewhere : {"http://elsewhere.example/", "http://other.example:8080/", "http://169.254.169.254/",
                                "ftp://web.example/", "//elsewhere.example/"}) {
    serve("192.0.2.1", moved(elsewhere));
    EXPECT_EQ(ask("http://web.example/"), "302 ") << elsewhere;
  }
  serve("192.0.2.1", moved("/again"));
  const std::size_t before = dialer.dialled().size();
  EXPECT_EQ(ask("http://web.example/"), "302 ") << "in a circle";
  EXPECT_EQ(dialer.dialled().size() - before, 4u);
}

TEST_F(HttpClientTest, TakesNoMoreThanItsBounds) {
  serve("192.0.2.1", ok(std::string(1000, 'x')));
  EXPECT_EQ(ask("http://web.example/").size(), 1004u);
  serve("192.0.2.1", ok(std::string(1001, 'x')));
  EXPECT_EQ(ask("http://web.example/"), "too_large");
  serve("192.0.2.1", "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'));
  EXPECT_EQ(ask("http://web.example/"), "too_large");
  serve("192.0.2.1", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(ask("http://web.example/"), "bad_response: a header section that is too long");
}

TEST_F(HttpClientTest, WaitsUntilTheDeadlineAndNoLonger) {
  const Time begun = loop.now();
  dialer.serve(at("192.0.2.1", 80),
               [this](std::unique_ptr<support::MemoryStream> s) { return drip(std::move(s), loop.scheduler()); });
  EXPECT_EQ(ask("http://web.example/"), "timeout");
  dialer.fail(at("192.0.2.1", 80), io::Error::timed_out);
  EXPECT_EQ(ask("http://web.example/"), "timeout");
  EXPECT_LE(loop.now() - begun, seconds(10));
  dialer.fail(at("192.0.2.1", 80), io::Error::refused);
  EXPECT_EQ(ask("http://web.example/"), "connect: refused");
  EXPECT_EQ(ask("https://web.example/"), "tls: the authorities cannot be read");
}

TEST_F(HttpClientTest, FindsAServerByEitherFamily) {
  resolver.zone().a("six.example", "192.0.2.6");
  resolver.zone().a("six.example", "2001:db8::6");
  dialer.fail(at("192.0.2.6", 80), io::Error::timed_out);
  serve("2001:db8::6", ok("six"));
  EXPECT_EQ(ask("http://six.example/"), "200 six");
}

TEST_F(HttpClientTest, ABusyServerIsNotToldAsOneThatIsNotThere) {
  resolver.zone().a("web.example", "2001:db8::1");
  dialer.fail(at("192.0.2.1", 80), io::Error::timed_out);
  dialer.fail(at("2001:db8::1", 80), io::Error::refused);
  EXPECT_EQ(ask("http://web.example/"), "timeout");
}

TEST_F(HttpClientTest, AsksAHostFewQuestionsAtOnce) {
  serve("192.0.2.1", ok("x"));
  dialer.set_latency(milliseconds(10));
  async::Nursery nursery(loop.scheduler());
  std::size_t answered = 0;
  std::size_t ended = 0;
  for (int i = 0; i < 100; ++i) nursery.spawn(count(question("http://web.example/"), answered, ended));
  loop.run();
  EXPECT_EQ(dialer.dialled().size(), 32u);
  loop.advance(seconds(1));
  EXPECT_EQ(answered, 100u);
}

// Ten thousand mails wait for a server that says nothing: few connections, and all end by their deadline. Those that
// are dropped while they wait or ask hold up nobody.
TEST_F(HttpClientTest, TenThousandWaitForASilentServer) {
  dialer.accept(at("192.0.2.1", 80),
                [this](std::unique_ptr<support::MemoryStream> stream) { silent.push_back(std::move(stream)); });
  async::Nursery nursery(loop.scheduler());
  std::size_t answered = 0;
  std::size_t ended = 0;
  for (int i = 0; i < 10'000; ++i) nursery.spawn(count(question("http://web.example/"), answered, ended));
  {
    async::Nursery dropped(loop.scheduler());
    for (int i = 0; i < 100; ++i) dropped.spawn(count(question("http://web.example/"), answered, ended));
    loop.run();
  }
  EXPECT_EQ(dialer.dialled().size(), 32u);
  loop.advance(seconds(6));
  EXPECT_EQ(ended, 10'000u);
  EXPECT_EQ(answered, 0u);
  EXPECT_EQ(nursery.size(), 0u);
  silent.clear();
  serve("192.0.2.1", ok("again"));
  EXPECT_EQ(ask("http://web.example/"), "200 again");
}

TEST_F(HttpClientTest, ADroppedQuestionMakesRoom) {
  dialer.accept(at("192.0.2.1", 80),
                [this](std::unique_ptr<support::MemoryStream> stream) { silent.push_back(std::move(stream)); });
  {
    async::Nursery dropped(loop.scheduler());
    std::size_t answered = 0;
    std::size_t ended = 0;
    for (int i = 0; i < 40; ++i) dropped.spawn(count(question("http://web.example/"), answered, ended));
    loop.run();
    EXPECT_EQ(silent.size(), 32u);
  }
  silent.clear();
  serve("192.0.2.1", ok("x"));
  EXPECT_EQ(ask("http://web.example/"), "200 x");
}

}  // namespace
}  // namespace sallyport::fetch
