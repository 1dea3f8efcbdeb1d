// One connection to `sallyport sink`: a receiving SMTP server for demonstrations and tests, as plain as it can be.
//
// It accepts everything but the recipients it was told to refuse, speaks the extensions it was told to offer, and hands
// each message to a SinkStore before it answers. It is no mail server: nothing of it is meant to face strangers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/regex.h"
#include "gateway/mail/spool.h"
#include "gateway/session/client_channel.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/extensions.h"
#include "gateway/smtp/path.h"
#include "gateway/smtp/sequence.h"
#include "gateway/tls/context.h"

namespace sallyport::app {

struct SinkMessage {
  std::string helo;
  bool tls = false;
  std::string mail_line;                // MAIL as it came: "FROM:<a@b> SIZE=12"
  std::vector<std::string> rcpt_lines;  // each RCPT that was accepted, as it came
  std::string content;                  // without dot-stuffing
  bool by_bdat = false;
};

class SinkStore {
 public:
  virtual ~SinkStore() = default;
  // Before this returns the message is stored; an error is answered 451.
  virtual Result<Done> store(const SinkMessage& message) = 0;
};

struct SinkBehaviour {
  std::string hostname = "sink.example";
  smtp::Extensions offered;
  std::optional<Regex> refused_recipients;  // 550 5.1.1
  Duration delay{};                         // before the final reply
  std::uint64_t max_octets = 0;             // 0 = 64 MiB
  std::shared_ptr<const tls::ServerContext> tls;
};

class SinkSession {
 public:
  SinkSession(async::Scheduler& scheduler, const SinkBehaviour& behaviour, SinkStore& store,
              std::unique_ptr<io::Stream> stream);

  Task<void> run();

 private:
  Task<bool> obey(const smtp::Command& command);  // false: the dialogue is over
  void on_hello(const smtp::Command& command);
  void on_mail(const smtp::Command& command);
  void on_rcpt(const smtp::Command& command);
  Task<bool> on_data();
  Task<bool> on_bdat(const smtp::Command& command);
  Task<bool> on_starttls();
  Task<void> finish_message();
  void say(int code, std::string_view enhanced, std::string_view text);

  async::Scheduler& scheduler_;
  const SinkBehaviour& behaviour_;
  SinkStore& store_;
  session::ClientChannel channel_;
  smtp::Sequence sequence_;
  SinkMessage message_;
};

}  // namespace sallyport::app
