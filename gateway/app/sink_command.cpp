// `sallyport sink`: a small receiving SMTP server for demonstrations and tests.
#include <csignal>
#include <filesystem>
#include <iostream>

#include "gateway/app/commands.h"
#include "gateway/app/exit_code.h"
#include "gateway/app/file_store.h"
#include "gateway/app/sink_session.h"
#include "gateway/async/nursery.h"
#include "gateway/uv/bound_socket.h"
#include "gateway/uv/listener.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/signals.h"

namespace sallyport::app {

namespace {

Result<SinkBehaviour> behaviour_of(const SinkOptions& options) {
  SinkBehaviour behaviour;
  behaviour.delay = options.delay;
  behaviour.max_octets = options.max_size;
  behaviour.offered.pipelining = options.pipelining;
  behaviour.offered.chunking = options.chunking;
  behaviour.offered.eight_bit_mime = options.eight_bit_mime;
  behaviour.offered.smtputf8 = options.smtputf8;
  behaviour.offered.dsn = options.dsn;
  behaviour.offered.enhanced_status_codes = true;
  behaviour.offered.size = true;
  behaviour.offered.max_size = options.max_size;
  if (!options.reject_recipient.empty()) {
    auto regex = Regex::compile(options.reject_recipient);
    if (!regex) return std::move(regex).error();
    behaviour.refused_recipients = std::move(*regex);
  }
  if (!options.tls_certificate.empty()) {
    tls::ServerTlsSettings settings;
    settings.certificates.push_back(
        {options.tls_certificate + "/fullchain.pem", options.tls_certificate + "/privkey.pem"});
    auto context = tls::make_server_context(settings);
    if (!context) return std::move(context).error();
    behaviour.tls = std::move(*context);
  }
  return behaviour;
}

Task<void> serve(async::Scheduler& scheduler, const SinkBehaviour& behaviour, SinkStore& store,
                 std::unique_ptr<io::Stream> stream) {
  SinkSession session(scheduler, behaviour, store, std::move(stream));
  co_await session.run();
}

}  // namespace

int sink_command(const SinkOptions& options) {
  uv::ignore_sigpipe();
  auto behaviour = behaviour_of(options);
  if (!behaviour) {
    std::cerr << "sallyport: " << behaviour.error().message << "\n";
    return exit_code::usage;
  }
  auto socket = uv::bind_listener(options.listen);
  if (!socket) {
    std::cerr << "sallyport: " << socket.error().message << "\n";
    return exit_code::io;
  }
  NoStore nothing;
  std::unique_ptr<SinkStore> files;
  if (!options.dump_directory.empty()) {
    std::error_code problem;
    std::filesystem::create_directories(options.dump_directory, problem);
    if (problem) {
      std::cerr << "sallyport: cannot make " << options.dump_directory << ": " << problem.message() << "\n";
      return exit_code::io;
    }
    files = std::make_unique<FileStore>(options.dump_directory);
  }
  SinkStore& keeper = files ? *files : static_cast<SinkStore&>(nothing);
  TellingStore telling(keeper);
  SinkStore& store = options.quiet ? keeper : telling;

  uv::Loop loop;
  async::Nursery sessions(loop.scheduler());
  uv::Listener listener(loop, std::move(*socket),
                        [&](std::unique_ptr<io::Stream> stream, SocketAddress, SocketAddress) {
                          sessions.spawn(serve(loop.scheduler(), *behaviour, store, std::move(stream)));
                        });
  uv::Signals signals(loop, {SIGTERM, SIGINT}, [&](int) { loop.stop(); });
  if (!options.quiet) std::cout << "listening on " << listener.address().to_string() << std::endl;
  loop.run();
  return exit_code::ok;
}

}  // namespace sallyport::app
