// Sessions that others wrote: smuggled ends of DATA, commands behind STARTTLS, a server's own dialogues, odd addresses;
// played to a whole session.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/text.h"
#include "tests/support/corpora.h"
#include "tests/unit/session/dialogue_client.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

using Json = nlohmann::json;

const std::string mail_command = "MAIL FROM:<ann@example.org>";
const std::string rcpt_command = "RCPT TO:<bob@example.com>";
constexpr std::string_view both_accepted = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n";

// A gateway in one mode before an upstream of one kind, to which one message is sent in many cuts.
class Smuggler {
 public:
  Smuggler(bool rejects, bool upstream_takes_chunks, std::string sequence)
      : sequence_(std::move(sequence)), upstream_takes_chunks_(upstream_takes_chunks) {
    world_.listener.settings.bare_newline =
        rejects ? config::BareNewlinePolicy::reject : config::BareNewlinePolicy::normalize;
    world_.settings.limits.junk_commands = 1000000;
    std::string extensions = upstream_takes_chunks ? "250-CHUNKING\r\n" : "";
    world_.upstream.replies["EHLO"] =
        "250-upstream.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n" + extensions + "250 SIZE 10000000\r\n";
    world_.greet();
  }

  void send_by_data(const std::string& content, std::size_t cut) {
    open_envelope();
    ASSERT_EQ(world_.say("DATA\r\n").substr(0, 4), "354 ");
    std::string heard = world_.say(content.substr(0, cut));
    if (cut < content.size()) heard += world_.say(content.substr(cut));
    judge(heard);
  }
  void send_by_data_octet_by_octet(const std::string& content) {
    open_envelope();
    ASSERT_EQ(world_.say("DATA\r\n").substr(0, 4), "354 ");
    std::string heard;
    for (char octet : content) heard += world_.say(std::string_view(&octet, 1));
    judge(heard);
  }
  void send_by_chunks(const std::string& content, std::size_t cut) {
    open_envelope();
    std::string rest = content.substr(cut);
    ASSERT_EQ(world_.say("BDAT " + std::to_string(cut) + "\r\n" + content.substr(0, cut)),
              "250 2.0.0 " + std::to_string(cut) + " octets received\r\n");
    judge(world_.say("BDAT " + std::to_string(rest.size()) + " LAST\r\n" + rest));
  }

 private:
  void open_envelope() { ASSERT_EQ(world_.say(mail_command + "\r\n" + rcpt_command + "\r\n"), both_accepted); }

  // One reply, to one message; what was stored is that message, without the sequence; and no command came of it.
  void judge(const std::string& heard) {
    ASSERT_EQ(std::count(heard.begin(), heard.end(), '\n'), 1) << heard;
    bool is_accepted = heard == "250 2.0.0 Stored\r\n";
    ASSERT_TRUE(is_accepted || heard.starts_with("550 5.5.2 ") || heard.starts_with("550 5.6.0 ")) << heard;
    if (is_accepted) ++accepted_;
    ASSERT_EQ(world_.upstream.stored.size(), accepted_);
    if (is_accepted) {
      const FakeUpstream::Stored& stored = world_.upstream.stored.back();
      // In chunks a line with a lone dot is just that, and "\n.\r\n" is in it when its line ends are mended; that no CR
      // or LF stands alone the world sees to.
      if (!upstream_takes_chunks_) {
        const std::string_view before_the_end(stored.wire.data(),
                                              stored.wire.size() - std::string_view(".\r\n").size());
        EXPECT_EQ(before_the_end.find(sequence_), std::string_view::npos) << stored.wire;
      }
      EXPECT_EQ(stored.mail.substr(0, mail_command.size()), mail_command);
      EXPECT_EQ(stored.rcpts, std::vector<std::string>{rcpt_command});
    }
    for (; commands_seen_ < world_.upstream.commands.size(); ++commands_seen_) {
      const std::string& command = world_.upstream.commands[commands_seen_];
      EXPECT_EQ(command.find("smuggled"), std::string::npos) << command;
    }
    ASSERT_EQ(world_.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
  }

  World world_;
  std::string sequence_;
  bool upstream_takes_chunks_;
  std::size_t accepted_ = 0;
  std::size_t commands_seen_ = 0;
};

TEST(SessionCorpora, SmuggledEndsOfData) {
  const auto corpus = support::load_corpus("smtp-smuggling/eod-sequences.json");
  SALLYPORT_SKIP_WITHOUT(corpus);
  support::CorpusScore score("smtp-smuggling, whole sessions");
  const std::string place = "{inject}";
  const auto message = corpus->at("inbound_message_template").get<std::string>();
  const std::size_t begin = message.find(place);
  for (const Json& test : corpus->at("sequences")) {
    SCOPED_TRACE(test.at("id").get<std::string>());
    const std::string sequence = text::from_hex(test.at("sequence_hex").get<std::string>()).value();
    const std::string content = std::string(message).replace(begin, place.size(), sequence);
    for (bool rejects : {false, true}) {
      for (bool upstream_takes_chunks : {false, true}) {
        Smuggler smuggler(rejects, upstream_takes_chunks, sequence);
        smuggler.send_by_data(content, content.size());
        smuggler.send_by_data_octet_by_octet(content);
        // At every octet around the sequence and the command behind it; tests/unit/smtp cuts everywhere.
        const std::size_t last = content.find('\n', begin + sequence.size() + 2) + 3;
        for (std::size_t cut = begin - 3; cut < last && !testing::Test::HasFatalFailure(); ++cut) {
          smuggler.send_by_data(content, cut);
          smuggler.send_by_chunks(content, cut);
        }
      }
    }
    score.count_case();
  }
}

TEST(SessionCorpora, CommandsBehindStarttls) {
  const auto corpus = support::load_corpus("smtp-smuggling/starttls-injection.json");
  SALLYPORT_SKIP_WITHOUT(corpus);
  support::CorpusScore score("smtp-smuggling, STARTTLS");
  for (const Json& test : corpus->at("cases")) {
    SCOPED_TRACE(test.at("id").get<std::string>());
    World world;
    auto client = connect_before_tls(world);
    EXPECT_EQ(client->heard().substr(0, 4), "220 ");
    std::string heard;
    for (const Json& plain : test.at("plain")) heard = client->say(plain.get<std::string>());
    if (heard.starts_with("220 ")) {
      ASSERT_TRUE(client->start_tls());
      EXPECT_EQ(client->heard(), "") << "an answer to what was said in the clear";
      const std::string wanted = test.at("expect").get<std::string>() == "221" ? "221 " : "500 ";
      EXPECT_EQ(client->say(test.at("then_send").get<std::string>()).substr(0, 4), wanted);
    } else {  // refused, and the connection dropped
      EXPECT_TRUE(test.contains("vulnerable_if"));
      EXPECT_EQ(heard.substr(0, 10), "554 5.5.0 ");
      EXPECT_TRUE(world.is_over());
      EXPECT_EQ(world.counters.get(Total::tls_handshakes), 0U);
    }
    score.count_case();
  }
}

// Plays what a server's own tests say to it. That server takes AUTH and gives up after three errors.
class DialoguePlayer {
 public:
  void play(const Json& steps) {
    for (const Json& step : steps) {
      if (step.contains("connect")) connect(step.at("connect").get<std::string>());
      if (step.contains("send")) send(step);
      if (step.contains("expect_code")) expect(step.at("expect_code").get<std::string>());
      if (step.contains("close")) client_->leave();
    }
  }
  const std::vector<FakeUpstream::Stored>& stored() const { return world_->upstream.stored; }

 private:
  void connect(const std::string& how) {
    client_.reset();
    world_ = std::make_unique<World>();
    world_->settings.tenants["default"] = {"default", {"testserver"}, "default", {}};
    world_->settings.limits.errors_per_session = 3;
    world_->settings.limits.message_size = std::uint64_t{1024} * 1024;
    world_->listener.settings.bare_newline = config::BareNewlinePolicy::reject;
    client_ = how == "plain" ? connect_in_the_clear(*world_) : connect_over_tls(*world_, false);
    heard_.clear();
  }
  void send(const Json& step) {
    const auto& octets = step.at("send").get_ref<const std::string&>();
    for (int i = step.value("repeat", 1); i > 0; --i) heard_ += client_->say(octets);
    last_sent_ = octets;
  }
  // The corpus gates on these codes, but to AUTH; of the rest only the class counts, or that the connection is closed.
  void expect(const std::string& code) {
    static const std::set<std::string> exact{"220", "250", "354", "501", "503", "221"};
    heard_ += client_->heard();
    const std::string reply = next_reply();
    if (exact.contains(code) && !last_sent_.starts_with("AUTH ")) {
      EXPECT_EQ(reply.substr(0, 3), code) << reply;
    } else {
      EXPECT_TRUE(reply.starts_with('4') || reply.starts_with('5') || (reply.empty() && world_->is_over())) << reply;
    }
  }
  // The last line of it.
  std::string next_reply() {
    while (true) {
      const std::size_t end = heard_.find("\r\n");
      if (end == std::string::npos) return {};
      const std::string line = heard_.substr(0, end);
      heard_.erase(0, end + 2);
      if (line.size() < 4 || line[3] != '-') return line;
    }
  }

  std::unique_ptr<World> world_;
  std::unique_ptr<DialogueClient> client_;
  std::string heard_;
  std::string last_sent_;
};

TEST(SessionCorpora, DialoguesOfAnotherServer) {
  const auto corpus = support::load_corpus("smtp-dialogues-chasquid/dialogues.json");
  SALLYPORT_SKIP_WITHOUT(corpus);
  support::CorpusScore score("smtp-dialogues-chasquid");
  const std::set<std::string> contested{
      // AUTH that succeeds: here it is refused (S34).
      "dialog-auth_multi_dialog",
      // A header line without a colon: refused there; here policy decides what it means (M3).
      "dialog-bad_data"};
  for (const Json& dialogue : corpus->at("dialogues")) {
    const auto id = dialogue.at("id").get<std::string>();
    SCOPED_TRACE(id);
    if (contested.contains(id)) continue;
    DialoguePlayer player;
    player.play(dialogue.at("steps"));
    if (dialogue.contains("delivered_message_contains")) {
      ASSERT_EQ(player.stored().size(), 1U);
      const auto wanted = dialogue.at("delivered_message_contains").get<std::string>();
      EXPECT_NE(player.stored()[0].content.find(wanted), std::string::npos) << player.stored()[0].content;
    }
    score.count_case();
  }
}

TEST(SessionCorpora, Addresses) {
  const auto cases = support::load_corpus("address-isemail/tests.json");
  SALLYPORT_SKIP_WITHOUT(cases);
  support::CorpusScore score("address-isemail, whole sessions");
  // A local part over 64 octets is accepted: VERP and SRS make such (S26). So is what people have and servers take:
  // dots at the ends of a local part, blanks just inside the brackets, a domain's final dot (S27).
  const std::set<std::string> accepted_against_the_suite{"RFC5322_LOCAL_TOOLONG"};
  const std::set<std::string> as_people_write_them{" test@iana.org", "test@iana.org ", ".test@iana.org",
                                                   "test.@iana.org", "test@iana.org."};
  for (const Json& test : *cases) {
    const auto address = test.at("address").get<std::string>();
    SCOPED_TRACE(test.dump());
    const bool is_valid = test.at("valid_as_smtp_mailbox").get<bool>() || as_people_write_them.contains(address) ||
                          accepted_against_the_suite.contains(test.at("diagnosis").get<std::string>());
    World world;
    world.greet();
    const std::string to_mail = world.say("MAIL FROM:<" + address + ">\r\n");
    EXPECT_EQ(to_mail.substr(0, 1), is_valid || address.empty() ? "2" : "5") << to_mail;
    if (!world.is_over()) {
      world.say("RSET\r\n" + mail_command + "\r\n");
      // A valid one is somebody's, but nobody's here.
      const std::string to_rcpt = world.say("RCPT TO:<" + address + ">\r\n");
      const bool is_relaying = to_rcpt.starts_with("550 5.7.1 ") || to_rcpt.starts_with("550 5.1.2 ");
      EXPECT_EQ(is_relaying || to_rcpt.starts_with("250 "), is_valid) << to_rcpt;
      EXPECT_EQ(to_rcpt.find(address.empty() ? "@" : address), std::string::npos) << "an echo";
    }
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::session
