#include "tests/unit/exhaustion/client.h"

#include <array>
#include <cctype>

namespace sallyport::exhaustion {

namespace {

std::shared_ptr<const tls::ClientContext> client_context() {
  static const auto context = [] {
    tls::ClientTlsSettings settings;
    settings.mode = tls::UpstreamTls::require;
    return tls::make_client_context(settings).value();
  }();
  return context;
}

bool is_reply_line(std::string_view line) {
  return line.size() >= 4 && line[0] >= '2' && line[0] <= '5' && std::isdigit(static_cast<unsigned char>(line[1])) &&
         std::isdigit(static_cast<unsigned char>(line[2])) && (line[3] == ' ' || line[3] == '-');
}

class Client {
 public:
  Client(Rig& rig, SocketAddress from) : rig_(rig), pipe_(rig.connect(from)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    pipe_->there.ended = true;
    pipe_->there.news.notify();
    rig_.run();
  }

  void send(std::string_view octets) {
    Exempt exempt;
    if (engine_) {
      if (engine_->write(octets) == tls::Engine::Status::failed) return;
      pipe_->there.octets += engine_->take_output();
    } else {
      pipe_->there.octets += octets;
    }
    pipe_->there.news.notify();
  }

  // One reply's last line. Empty: there will be none.
  std::string reply(std::string& fault) {
    while (true) {
      {
        Exempt exempt;
        std::size_t end = heard_.find("\r\n");
        if (end != heard_.npos) {
          std::string line = heard_.substr(0, end);
          heard_.erase(0, end + 2);
          if (!is_reply_line(line)) fault = "no reply: " + line;
          if (line.size() > 3 && line[3] == '-') continue;
          return line;
        }
        if (pipe_->back.ended || pipe_->back.reset || is_broken_) return {};
      }
      rig_.run_until_news(pipe_->back);
      Exempt exempt;
      if (pipe_->back.octets.empty() && !pipe_->back.ended && !pipe_->back.reset) {
        fault = "silence";
        return {};
      }
      receive();
    }
  }

  bool starttls() {
    {
      Exempt exempt;
      engine_ = client_context()->make_engine("mx.example.com");
    }
    while (true) {
      tls::Engine::Status status;
      {
        Exempt exempt;
        std::string_view arrived = pipe_->back.octets;
        status = engine_->handshake(arrived);
        pipe_->back.octets.erase(0, pipe_->back.octets.size() - arrived.size());
        pipe_->there.octets += engine_->take_output();
        pipe_->there.news.notify();
      }
      if (status == tls::Engine::Status::done) return true;
      if (status != tls::Engine::Status::want_input || pipe_->back.ended || pipe_->back.reset) return false;
      rig_.run_until_news(pipe_->back);
      if (pipe_->back.octets.empty()) return false;
    }
  }

 private:
  void receive() {
    std::string arrived = std::exchange(pipe_->back.octets, {});
    if (!engine_) {
      heard_ += arrived;
      return;
    }
    undecrypted_ += arrived;
    std::string_view rest = undecrypted_;
    std::array<char, 16 * 1024> plain{};
    while (true) {
      auto read = engine_->read(rest, plain);
      heard_.append(plain.data(), read.octets);
      if (read.status == tls::Engine::Status::done) continue;
      is_broken_ = read.status != tls::Engine::Status::want_input;
      break;
    }
    undecrypted_ = std::string(rest);
  }

  Rig& rig_;
  std::shared_ptr<Pipe> pipe_;
  std::unique_ptr<tls::Engine> engine_;
  std::string undecrypted_;
  std::string heard_;
  bool is_broken_ = false;
};

// True when the reply is the expected one.
bool take(Client& client, const std::string& code, Outcome& outcome) {
  std::string line = client.reply(outcome.fault);
  Exempt exempt;
  if (!line.empty()) outcome.replies.push_back(line);
  if (line.starts_with(code)) return outcome.fault.empty();
  outcome.as_expected = false;
  if (!line.empty() && line[0] != '4' && outcome.fault.empty()) outcome.fault = "instead of " + code + ": " + line;
  return false;
}

}  // namespace

Outcome converse(Rig& rig, const std::vector<Step>& script, SocketAddress from) {
  Outcome outcome;
  Client client(rig, from);
  if (!take(client, "220", outcome)) return outcome;
  for (const Step& step : script) {
    client.send(step.say);
    for (const std::string& code : step.codes) {
      if (!take(client, code, outcome)) return outcome;
    }
    if (!step.say.starts_with("STARTTLS") || client.starttls()) continue;
    outcome.as_expected = false;
    return outcome;
  }
  return outcome;
}

}  // namespace sallyport::exhaustion
