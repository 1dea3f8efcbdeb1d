#include "gateway/cli/sink_command.h"

#include <csignal>
#include <filesystem>
#include <ostream>

#include "gateway/async/nursery.h"
#include "gateway/base/regex.h"
#include "gateway/cli/exit_code.h"
#include "gateway/sink/file_store.h"
#include "gateway/sink/sink_session.h"
#include "gateway/uv/bound_socket.h"
#include "gateway/uv/listener.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/signals.h"

namespace sallyport::cli {
namespace {

Result<Done> read_listen(const std::string& text, SinkOptions& options) {
  const auto address = SocketAddress::parse(text);
  if (!address) return Failure{"expected an address like 127.0.0.1:2600"};
  options.listen = *address;
  return Done{};
}

Result<Done> read_pattern(const std::string& text, SinkOptions& options) {
  const auto pattern = Regex::compile(text);
  if (!pattern) return pattern.error();
  options.reject_recipient = text;
  return Done{};
}

Result<Done> read_max_size(const std::string& text, SinkOptions& options) {
  const auto size = parse_size(text);
  if (!size) return Failure{"expected a size like 10MiB"};
  options.max_size = *size;
  return Done{};
}

Result<Done> read_delay(const std::string& text, SinkOptions& options) {
  const auto delay = parse_duration(text);
  if (!delay) return Failure{"expected a duration like 500ms"};
  options.delay = *delay;
  return Done{};
}

void declare(Syntax& syntax, SinkOptions& options) {
  syntax.value({"--listen", "ADDRESS", "Where to listen [127.0.0.1:2600]"},
               [&](const std::string& text) { return read_listen(text, options); });
  syntax.value({"--reject-rcpt", "RE", "Refuse recipients this pattern is found in"},
               [&](const std::string& text) { return read_pattern(text, options); });
  syntax.value({"--dump", "DIR", "Write each message to a file there"}, options.dump_directory);
  syntax.value({"--max-size", "SIZE", "Refuse larger messages, such as 10MiB"},
               [&](const std::string& text) { return read_max_size(text, options); });
  syntax.flag("--no-pipelining", "Do not offer PIPELINING", options.pipelining, false);
  syntax.flag("--no-chunking", "Do not offer CHUNKING", options.chunking, false);
  syntax.flag("--no-8bitmime", "Do not offer 8BITMIME", options.eight_bit_mime, false);
  syntax.flag("--no-smtputf8", "Do not offer SMTPUTF8", options.smtputf8, false);
  syntax.flag("--no-dsn", "Do not offer DSN", options.dsn, false);
  syntax.value({"--tls-cert", "DIR", "Offer STARTTLS with this certificate"}, options.tls_certificate);
  syntax.value({"--delay", "DURATION", "Wait before the final reply, such as 500ms"},
               [&](const std::string& text) { return read_delay(text, options); });
  syntax.flag("--quiet", "Say nothing about messages", options.quiet);
}

Result<sink::SinkBehaviour> behaviour_of(const SinkOptions& options) {
  sink::SinkBehaviour behaviour;
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

Task<void> serve(async::Scheduler& scheduler, const sink::SinkBehaviour& behaviour, sink::SinkStore& store,
                 std::unique_ptr<io::Stream> stream) {
  sink::SinkSession session(scheduler, behaviour, store, std::move(stream));
  co_await session.run();
}

}  // namespace

int sink_command(const SinkOptions& options, const Console& console) {
  uv::ignore_sigpipe();
  auto behaviour = behaviour_of(options);
  if (!behaviour) {
    console.err << "sallyport: " << behaviour.error().message << "\n";
    return exit_code::usage;
  }
  auto socket = uv::bind_listener(options.listen);
  if (!socket) {
    console.err << "sallyport: " << socket.error().message << "\n";
    return exit_code::io;
  }
  sink::NoStore nothing;
  std::unique_ptr<sink::SinkStore> files;
  if (!options.dump_directory.empty()) {
    std::error_code problem;
    std::filesystem::create_directories(options.dump_directory, problem);
    if (problem) {
      console.err << "sallyport: cannot make " << options.dump_directory << ": " << problem.message() << "\n";
      return exit_code::io;
    }
    files = std::make_unique<sink::FileStore>(options.dump_directory);
  }
  sink::SinkStore& keeper = files ? *files : static_cast<sink::SinkStore&>(nothing);
  sink::TellingStore telling(keeper);
  sink::SinkStore& store = options.quiet ? keeper : telling;

  uv::Loop loop;
  async::Nursery sessions(loop.scheduler());
  uv::Listener listener(loop, std::move(*socket),
                        [&](std::unique_ptr<io::Stream> stream, SocketAddress, SocketAddress) {
                          sessions.spawn(serve(loop.scheduler(), *behaviour, store, std::move(stream)));
                        });
  uv::Signals signals(loop, {SIGTERM, SIGINT}, [&](int) { loop.stop(); });
  if (!options.quiet) console.out << "listening on " << listener.address().to_string() << std::endl;
  loop.run();
  return exit_code::ok;
}

const Command sink_entry{"sink", "A small receiving server for demos and tests",
                         make_invocation<SinkOptions, declare, sink_command>};

}  // namespace sallyport::cli
