// Entries of the journal: their fields, and the socket they are sent to. The journal is a socket of the test's own.
#include "gateway/base/log_journal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <optional>
#include <thread>

#include "gateway/base/counters.h"
#include "gateway/base/journal_socket.h"
#include "tests/unit/base/log_files.h"

namespace sallyport {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

using Fields = std::multimap<std::string, std::string>;

// What a journal makes of an entry. Nothing: it would refuse it.
std::optional<Fields> read_entry(std::string_view entry) {
  Fields fields;
  while (!entry.empty()) {
    const std::size_t end = entry.find('\n');
    if (end == entry.npos) return std::nullopt;
    std::string_view line = entry.substr(0, end);
    entry.remove_prefix(end + 1);
    if (const std::size_t equals = line.find('='); equals != line.npos) {
      fields.emplace(line.substr(0, equals), line.substr(equals + 1));
      continue;
    }
    if (entry.size() < 8) return std::nullopt;
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(entry[static_cast<std::size_t>(i)]);
    entry.remove_prefix(8);
    if (entry.size() <= length || entry[length] != '\n') return std::nullopt;
    fields.emplace(line, entry.substr(0, length));
    entry.remove_prefix(length + 1);
  }
  return fields;
}

std::vector<std::string> values(const Fields& fields, const std::string& name) {
  std::vector<std::string> found;
  for (auto [one, end] = fields.equal_range(name); one != end; ++one) found.push_back(one->second);
  return found;
}

class Journal {
 public:
  explicit Journal(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    ::unlink(path.c_str());
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address), 0);
  }

  // The next entry within `patience`, from a datagram or from sealed memory.
  std::optional<std::string> take(int patience_ms = 20'000) {
    ::pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, patience_ms) <= 0) return std::nullopt;
    std::string entry(256 * 1024, '\0');
    ::iovec piece{entry.data(), entry.size()};
    alignas(::cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    ::msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ::ssize_t octets = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (octets < 0) return std::nullopt;
    entry.resize(static_cast<std::size_t>(octets));
    if (const ::cmsghdr* header = CMSG_FIRSTHDR(&message)) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header), sizeof number);
      return from_memory(Descriptor(number));
    }
    return entry;
  }
  Fields next() {
    const auto entry = take();
    EXPECT_TRUE(entry);
    const auto fields = read_entry(entry.value_or(""));
    EXPECT_TRUE(fields) << *entry;
    return fields.value_or(Fields());
  }
  int memories() const { return memories_; }

 private:
  std::string from_memory(const Descriptor& memory) {
    ++memories_;
    const int seals = ::fcntl(memory.get(), F_GET_SEALS);
    EXPECT_EQ(seals & (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
    struct ::stat status {};
    EXPECT_EQ(::fstat(memory.get(), &status), 0);
    std::string entry(static_cast<std::size_t>(status.st_size), '\0');
    EXPECT_EQ(::pread(memory.get(), entry.data(), entry.size(), 0), static_cast<::ssize_t>(entry.size()));
    return entry;
  }

  Descriptor socket_;
  int memories_ = 0;
};

const std::atomic<bool> never = false;

class JournalLog : public testing::Test {
 protected:
  std::unique_ptr<Log> open(LogFormat format = LogFormat::text, LogBounds bounds = {}) {
    auto log = open_log({format, "journal:" + path, LogLevel::debug}, counters, bounds);
    EXPECT_TRUE(log) << log.error().message;
    return std::move(*log);
  }

  TemporaryDirectory folder;
  std::string path = folder.file("socket");
  Journal journal{path};
  Counters counters;
};

TEST(JournalField, NoValueBeginsAnotherField) {
  for (const std::string& value :
       {std::string(), std::string("plain"), std::string("a=b"), std::string("x\nPRIORITY=0\n"), std::string("\n"),
        std::string("\0\xff\n\x1b", 4), std::string(100'000, '\n')}) {
    std::string entry;
    log_journal::append_field(entry, "SALLYPORT_HELO", value);
    log_journal::append_field(entry, "PRIORITY", "6");
    const auto fields = read_entry(entry);
    ASSERT_TRUE(fields);
    EXPECT_EQ(*fields, (Fields{{"SALLYPORT_HELO", value}, {"PRIORITY", "6"}}));
  }
}

TEST_F(JournalLog, AnEventIsAnEntryWithItsFields) {
  const std::vector<std::string> to{"bob@example.com", "eve@example.com"};
  auto log = open();
  log->write(LogLevel::info, "transaction",
             {{"id", "01JD3K7Q"},
              {"verdict", "reject"},
              {"code", std::int64_t{550}},
              {"score", 7.5},
              {"from", "", true},
              {"to", LogList(to), true},
              {"ok", true}});
  const Fields fields = journal.next();
  EXPECT_THAT(values(fields, "MESSAGE"),
              ElementsAre(MatchesRegex("[-0-9]+T[0-9:.]+Z info event=transaction id=01JD3K7Q verdict=reject code=550 "
                                       "score=7.5 from=<> to=<bob@example.com>,<eve@example.com> ok=true")));
  EXPECT_THAT(values(fields, "PRIORITY"), ElementsAre("6"));
  EXPECT_THAT(values(fields, "SYSLOG_IDENTIFIER"), ElementsAre("sallyport"));
  EXPECT_THAT(values(fields, "SALLYPORT_EVENT"), ElementsAre("transaction"));
  EXPECT_THAT(values(fields, "SALLYPORT_ID"), ElementsAre("01JD3K7Q"));
  EXPECT_THAT(values(fields, "SALLYPORT_CODE"), ElementsAre("550"));
  EXPECT_THAT(values(fields, "SALLYPORT_SCORE"), ElementsAre("7.5"));
  EXPECT_THAT(values(fields, "SALLYPORT_FROM"), ElementsAre(""));
  EXPECT_THAT(values(fields, "SALLYPORT_TO"), ElementsAre("bob@example.com", "eve@example.com"));
  EXPECT_THAT(values(fields, "SALLYPORT_OK"), ElementsAre("true"));
}

TEST_F(JournalLog, PrioritiesAreThoseOfTheLevels) {
  auto log = open(LogFormat::json);
  for (const auto& [level, priority] : {std::pair(LogLevel::debug, "7"), std::pair(LogLevel::info, "6"),
                                        std::pair(LogLevel::warning, "4"), std::pair(LogLevel::error, "3")}) {
    log->write(level, "x", {});
    const Fields fields = journal.next();
    EXPECT_THAT(values(fields, "PRIORITY"), ElementsAre(priority));
    EXPECT_THAT(values(fields, "MESSAGE"), ElementsAre(testing::StartsWith("{\"time\":\"")));
  }
}

TEST_F(JournalLog, HostileOctetsStayInTheirField) {
  const std::string hostile("x\nPRIORITY=0\nMESSAGE=forged\n\x1b[2J\0\xff\xe2\x80\xae", 37);
  auto log = open();
  log->write(LogLevel::info, "connection", {{"helo", hostile}, {"ip", "192.0.2.1"}});
  const Fields fields = journal.next();
  EXPECT_THAT(values(fields, "PRIORITY"), ElementsAre("6"));
  EXPECT_THAT(values(fields, "MESSAGE"), SizeIs(1));
  EXPECT_THAT(values(fields, "SALLYPORT_HELO"), ElementsAre("x?PRIORITY=0?MESSAGE=forged??[2J???"));
  EXPECT_THAT(values(fields, "SALLYPORT_IP"), ElementsAre("192.0.2.1"));
  for (const auto& [name, value] : fields) {
    for (const char c : value) EXPECT_TRUE(c >= ' ' && c != '\x7f') << name;
  }
}

TEST_F(JournalLog, LongValuesAndManyFieldsAreBounded) {
  const std::string long_text(100'000, 'y');
  const std::vector<std::string> many(5000, std::string(50, 'z'));
  const std::string umlauts = "x" + [] {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "\xc3\xa4";
    return text;
  }();
  auto log = open();
  log->write(LogLevel::info, "x",
             {{"helo", long_text}, {"rdns", umlauts}, {"to", LogList(many)}, {"code", std::int64_t{7}}});
  const auto entry = journal.take();
  ASSERT_TRUE(entry);
  EXPECT_LT(entry->size(), log_journal::max_fields_octets + 9000);
  const auto fields = read_entry(*entry);
  ASSERT_TRUE(fields);
  EXPECT_THAT(values(*fields, "SALLYPORT_HELO"), ElementsAre(std::string(1024, 'y')));
  const std::string cut = values(*fields, "SALLYPORT_RDNS").at(0);
  EXPECT_EQ(cut.size(), 1023u);
  EXPECT_EQ(cut.find('?'), cut.npos);
}

TEST_F(JournalLog, RepeatsAreTold) {
  auto log = open();
  for (int i = 0; i < 3; ++i) log->write(LogLevel::warning, "fault", {{"kind", "spool"}});
  log->write(LogLevel::warning, "fault", {{"kind", "dns_error"}});
  EXPECT_THAT(values(journal.next(), "SALLYPORT_REPEATED"), IsEmpty());
  const Fields repeated = journal.next();
  EXPECT_THAT(values(repeated, "SALLYPORT_REPEATED"), ElementsAre("2"));
  EXPECT_THAT(values(repeated, "SALLYPORT_KIND"), ElementsAre("spool"));
  EXPECT_THAT(values(repeated, "MESSAGE"), ElementsAre(testing::EndsWith("warning event=fault kind=spool repeated=2")));
  EXPECT_THAT(values(journal.next(), "SALLYPORT_KIND"), ElementsAre("dns_error"));
}

// A journal that takes nothing: the caller never waits, and what does not fit is counted and told.
TEST_F(JournalLog, AJournalThatTakesNothingCostsLinesAndNoTime) {
  auto log = open(LogFormat::text, {.lines = 50});
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) log->write(LogLevel::info, "x", {{"n", std::int64_t{i}}});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  const std::uint64_t lost = counters.get(Fault::log);
  EXPECT_GT(lost, 9'000u);
  std::uint64_t taken = 0, told_lost = 0;
  while (const auto entry = journal.take(taken + told_lost < 10'000 ? 20'000 : 0)) {
    const auto fields = read_entry(*entry);
    ASSERT_TRUE(fields);
    const auto more = values(*fields, "SALLYPORT_LOST");
    if (more.empty()) {
      ++taken;
    } else {
      told_lost += std::stoull(more.at(0));
      EXPECT_THAT(values(*fields, "SALLYPORT_EVENT"), ElementsAre("log_lost"));
    }
  }
  EXPECT_EQ(taken + told_lost, 10'000u);
  EXPECT_EQ(told_lost, counters.get(Fault::log));
}

TEST_F(JournalLog, AJournalThatIsStartedAnewIsFoundAgain) {
  auto log = open();
  log->write(LogLevel::info, "first", {});
  EXPECT_THAT(values(journal.next(), "SALLYPORT_EVENT"), ElementsAre("first"));
  Journal next(path);
  journal = Journal(folder.file("elsewhere"));  // the old socket is closed
  log->write(LogLevel::info, "second", {});
  EXPECT_THAT(values(next.next(), "SALLYPORT_EVENT"), ElementsAre("second"));
  EXPECT_EQ(counters.get(Fault::log), 0u);
}

TEST_F(JournalLog, WhatNoDatagramHoldsGoesInSealedMemory) {
  auto socket = JournalSocket::open(path);
  ASSERT_TRUE(socket);
  const int small = 1;  // the kernel makes it the least it allows
  ASSERT_EQ(::setsockopt(socket->descriptor().get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  std::string entry;
  log_journal::append_field(entry, "MESSAGE", std::string(30'000, 'x'));
  EXPECT_TRUE(socket->send(entry, never));
  EXPECT_EQ(journal.take(), entry);
  EXPECT_EQ(journal.memories(), 1);
  EXPECT_TRUE(socket->send("MESSAGE=short\n", never));
  EXPECT_EQ(journal.take(), "MESSAGE=short\n");
  EXPECT_EQ(journal.memories(), 1);
}

TEST(JournalSocket, WhereNobodyListensIsAFailure) {
  const TemporaryDirectory folder;
  EXPECT_FALSE(JournalSocket::open(folder.file("nothing")));
  EXPECT_FALSE(JournalSocket::open(std::string(200, 'x')));
  Counters counters;
  const auto log = open_log({LogFormat::text, "journal:" + folder.file("nothing"), LogLevel::info}, counters);
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error().message, testing::HasSubstr("cannot open the log: cannot reach the journal at "));
}

TEST(JournalStream, IsTheOneThatTheVariableNames) {
  const TemporaryDirectory folder;
  const Descriptor file(::open(folder.file("x").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct ::stat status {};
  ASSERT_EQ(::fstat(file.get(), &status), 0);
  const std::string name = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  EXPECT_TRUE(is_journal_stream(name.c_str(), file.get()));
  EXPECT_FALSE(is_journal_stream((name + "1").c_str(), file.get()));
  EXPECT_FALSE(is_journal_stream("", file.get()));
  EXPECT_FALSE(is_journal_stream(nullptr, file.get()));
  EXPECT_FALSE(is_journal_stream(name.c_str(), -1));
}

}  // namespace
}  // namespace sallyport
