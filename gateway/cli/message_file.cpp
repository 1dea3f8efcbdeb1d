#include "gateway/cli/message_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <utility>

#include "gateway/base/address.h"
#include "gateway/cli/exit_code.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/path.h"
#include "gateway/uv/descriptor.h"

namespace sallyport::cli {
namespace {

// An address as in an envelope, with or without <>, in canonical form.
Result<std::string> read_address(const std::string& text, smtp::PathKind kind) {
  const std::string path = text.starts_with('<') ? text : "<" + text + ">";
  const auto parsed = smtp::parse_path(path, kind, true);
  if (!parsed || !parsed->rest.empty()) return Failure{"expected an address like ann@example.org"};
  return parsed->path.to_string();
}

Result<Done> read_ip(const std::string& text, explain::GivenEnvelope& to) {
  to.ip = IpAddress::parse(text);
  if (!to.ip) return Failure{"expected an address like 192.0.2.1"};
  return Done{};
}

Result<Done> read_helo(const std::string& text, explain::GivenEnvelope& to) {
  const auto name = smtp::parse_greeting(text);
  if (!name || *name != text) return Failure{"expected a name like mail.example.org"};
  to.helo = text;
  return Done{};
}

Result<Done> read_from(const std::string& text, explain::GivenEnvelope& to) {
  auto address = read_address(text, smtp::PathKind::reverse);
  if (!address) return std::move(address).error();
  to.from = std::move(*address);
  return Done{};
}

Result<Done> read_to(const std::string& text, explain::GivenEnvelope& to) {
  auto address = read_address(text, smtp::PathKind::forward);
  if (!address) return std::move(address).error();
  to.to.push_back(std::move(*address));
  return Done{};
}

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

void declare_envelope(Syntax& syntax, explain::GivenEnvelope& given) {
  syntax.value({"--ip", "ADDRESS", "The client's address"},
               [&](const std::string& text) { return read_ip(text, given); });
  syntax.value({"--helo", "NAME", "The client's HELO name"},
               [&](const std::string& text) { return read_helo(text, given); });
  syntax.value({"--from", "ADDRESS", "The sender; '' is the null sender"},
               [&](const std::string& text) { return read_from(text, given); });
  syntax.values({"--to", "ADDRESS", "A recipient; may be given again"},
                [&](const std::string& text) { return read_to(text, given); });
  syntax.flag("--tls", "As if the client had come through TLS", given.tls);
}

std::optional<explain::StoredMessage> read_message_file(const std::string& file, std::uint64_t most,
                                                        const Console& console, int& exit) {
  const std::string shown = file == "-" ? "standard input" : file;
  auto octets = read_message(file, most);
  if (!octets) {
    console.err << "sallyport: " << shown << ": " << std::strerror(octets.error()) << "\n";
    exit = exit_code_of(octets.error());
    return {};
  }
  auto message = explain::read_stored_message(std::move(*octets));
  if (message) return std::move(*message);
  console.err << "sallyport: " << shown << " is no message: " << message.error().message << "\n";
  exit = exit_code::data;
  return {};
}

}  // namespace sallyport::cli
