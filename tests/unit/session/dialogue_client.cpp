#include "tests/unit/session/dialogue_client.h"

#include <utility>

#include "gateway/stream/tls_stream.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::session {

namespace {

class PlainClient final : public DialogueClient {
 public:
  explicit PlainClient(World& world) : world_(world) { world_.connect(); }

  std::string say(std::string_view octets) override { return world_.say(octets); }
  std::string heard() override { return world_.heard(); }
  void leave() override { world_.client->end(); }

 private:
  World& world_;
};

class TlsClient final : public StarttlsClient {
 public:
  TlsClient(World& world, config::ListenTls kind, bool in_crumbs) : world_(world), talking_(world.loop.scheduler()) {
    world_.listener.tls = common_server_context();
    world_.listener.settings.tls = kind;
    auto [ours, theirs] = support::memory_streams(world_.loop.scheduler());
    if (in_crumbs) ours->set_write_faults({.piece_octets = 1});
    stream_ = std::move(ours);
    world_.connect(std::move(theirs), *SocketAddress::parse("192.0.2.1:1234"));
    if (kind == config::ListenTls::implicit) {
      start_tls();
    } else {
      talking_.spawn(listen());
      world_.loop.run();
    }
  }

  std::string say(std::string_view octets) override {
    talking_.spawn(write(std::string(octets)));
    return heard();
  }
  std::string heard() override {
    world_.loop.run();
    return std::exchange(heard_, {});
  }
  void leave() override {
    stream_->close();
    world_.loop.run();
  }
  bool start_tls() override {
    talking_.cancel();
    auto secured =
        std::make_unique<stream::TlsStream>(std::move(stream_), client_context().make_engine("mx.example.com"));
    stream::TlsStream& stream = *secured;
    stream_ = std::move(secured);
    bool is_secured = false;
    talking_.spawn(shake(stream, is_secured));
    world_.loop.run();
    return is_secured;
  }

 private:
  static const tls::ClientContext& client_context() {
    static const std::shared_ptr<const tls::ClientContext> context = [] {
      tls::ClientTlsSettings settings;
      settings.mode = tls::UpstreamTls::require;
      return tls::make_client_context(settings).value();
    }();
    return *context;
  }

  Task<void> write(std::string octets) { static_cast<void>(co_await stream_->write(octets, async::no_deadline)); }
  Task<void> listen() {
    bool is_open = true;
    while (is_open) {
      heard_ += stream_->input();
      stream_->consume(stream_->input().size());
      is_open = (co_await stream_->fill(async::no_deadline)).ok();
    }
  }
  Task<void> shake(stream::TlsStream& stream, bool& is_secured) {
    is_secured = (co_await stream.handshake(async::no_deadline)).ok();
    if (is_secured) co_await listen();
  }

  World& world_;
  std::unique_ptr<io::Stream> stream_;
  std::string heard_;
  async::Nursery talking_;  // last: ends before what it uses
};

}  // namespace

std::unique_ptr<DialogueClient> connect_in_the_clear(World& world) { return std::make_unique<PlainClient>(world); }

std::unique_ptr<DialogueClient> connect_over_tls(World& world, bool in_crumbs) {
  return std::make_unique<TlsClient>(world, config::ListenTls::implicit, in_crumbs);
}

std::unique_ptr<StarttlsClient> connect_before_tls(World& world) {
  return std::make_unique<TlsClient>(world, config::ListenTls::starttls, false);
}

std::shared_ptr<const tls::ServerContext> common_server_context() {
  static const std::shared_ptr<const tls::ServerContext> context = [] {
    tls::ServerTlsSettings settings;
    settings.certificates = {tls::common_certificates().ecdsa};
    return tls::make_server_context(settings).value();
  }();
  return context;
}

}  // namespace sallyport::session
