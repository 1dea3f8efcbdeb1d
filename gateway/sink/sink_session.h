// One connection to `sallyport sink`: a simple receiving SMTP server for demonstrations and tests.
//
// It accepts everything except the recipients that SinkBehaviour refuses, offers the extensions that SinkBehaviour
// names, and passes each message to a SinkStore before it replies. It is not meant to face strangers.
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

namespace sallyport::sink {

struct SinkMessage {
  std::string helo;
  bool tls = false;
  std::string mail_line;                // arguments of MAIL as received: "FROM:<a@b> SIZE=12"
  std::vector<std::string> rcpt_lines;  // arguments of each accepted RCPT, as received
  std::string content;                  // without dot-stuffing
  bool by_bdat = false;
};

class SinkStore {
 public:
  virtual ~SinkStore() = default;
  // The message lives until it is stored; after an error the session replies 451. Other sessions have their turn
  // meanwhile, and may store messages.
  virtual Task<Result<Done>> store(const SinkMessage& message, async::Scheduler& scheduler) = 0;
};

struct SinkBehaviour {
  std::string hostname = "sink.example";
  smtp::Extensions offered;
  std::optional<Regex> refused_recipients;  // these get 550 5.1.1
  Duration delay{};                         // before the final reply
  std::uint64_t max_octets = 0;             // largest message; 0 means 64 MiB
  std::shared_ptr<const tls::ServerContext> tls;
};

class SinkSession {
 public:
  SinkSession(async::Scheduler& scheduler, const SinkBehaviour& behaviour, SinkStore& store,
              std::unique_ptr<io::Stream> stream);

  Task<void> run();

 private:
  Task<bool> obey(const smtp::Command& command);  // returns false when the session ends
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

}  // namespace sallyport::sink
