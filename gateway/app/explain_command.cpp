// `sallyport explain`: reads the message, lets dry_run() find out, writes down what it found.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <string>
#include <utility>

#include "gateway/app/commands.h"
#include "gateway/app/dry_run.h"
#include "gateway/app/exit_code.h"
#include "gateway/app/explain_json.h"
#include "gateway/app/explain_text.h"
#include "gateway/app/stored_message.h"
#include "gateway/config/load.h"
#include "gateway/uv/descriptor.h"

namespace sallyport::app {

namespace {

// Up to `most` octets: what the gateway would refuse for its size need not be read to its end. An errno on failure.
Result<std::string, int> read_all(int descriptor, std::uint64_t most) {
  std::string octets;
  constexpr std::size_t block = 64 * 1024;
  while (octets.size() < most) {
    const std::size_t before = octets.size();
    octets.resize(before + block);
    const ssize_t count = ::read(descriptor, octets.data() + before, block);
    octets.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) break;
    if (count < 0 && errno != EINTR) return int{errno};
  }
  return octets;
}

Result<std::string, int> read_message(const std::string& file, std::uint64_t most) {
  if (file == "-") return read_all(STDIN_FILENO, most);
  const uv::Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) return int{errno};
  return read_all(descriptor.get(), most);
}

int exit_code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return exit_code::no_input;
    case EACCES:
    case EPERM:
      return exit_code::permission;
    case EISDIR:
      return exit_code::data;
    default:
      return exit_code::io;
  }
}

}  // namespace

int explain_command(const ExplainOptions& options, const Console& console) {
  const auto loaded = config::load(options.config_file, config::Disk());
  if (!loaded) {
    for (const config::ConfigError& error : loaded.error()) console.err << error.to_string() << "\n";
    return exit_code::configuration;
  }
  const std::string shown = options.message == "-" ? "standard input" : options.message;
  auto octets = read_message(options.message, loaded->settings->limits.message_size + 1);
  if (!octets) {
    console.err << "sallyport: " << shown << ": " << std::strerror(octets.error()) << "\n";
    return exit_code_of(octets.error());
  }
  auto message = read_stored_message(std::move(*octets));
  if (!message) {
    console.err << "sallyport: " << shown << " is no message: " << message.error().message << "\n";
    return exit_code::data;
  }
  Envelope envelope = make_envelope(options, message->content, *loaded->settings);
  const auto explanation = dry_run(*loaded->settings, std::move(envelope), std::move(*message));
  if (!explanation) {
    console.err << options.config_file << ": error: " << explanation.error().message << "\n";
    return exit_code::configuration;
  }
  console.out << (options.json ? explain_json(*explanation) : explain_text(*explanation));
  return explanation->passes() ? exit_code::ok : exit_code::not_passed;
}

}  // namespace sallyport::app
