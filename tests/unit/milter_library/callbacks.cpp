#include "tests/unit/milter_library/callbacks.h"

#include <arpa/inet.h>

#include "gateway/base/ensure.h"

namespace sallyport::milter_library {

namespace {

Callbacks* current = nullptr;

std::string words_of(const std::string& name, char** words) {
  std::string line = name;
  for (; *words != nullptr; ++words) line += ' ' + std::string(*words);
  return line;
}

std::string family_of(const ::sockaddr* address) {
  if (address == nullptr) return "unknown";
  if (address->sa_family == AF_INET) return "inet";
  return address->sa_family == AF_INET6 ? "inet6" : "unix";
}

}  // namespace

sfsistat Callbacks::run(const std::string& name, const std::string& line, SMFICTX* context) {
  {
    const std::lock_guard lock(mutex_);
    calls.push_back(line);
  }
  const auto deed = does.find(name);
  return deed == does.end() ? SMFIS_CONTINUE : deed->second(context);
}

Callbacks::Callbacks() : description{} {
  ensure(current == nullptr, "two filters at a time");
  current = this;
  static char name[] = "test";
  description.xxfi_name = name;
  description.xxfi_version = SMFI_VERSION;
  description.xxfi_flags = SMFI_CURR_ACTS;
  description.xxfi_connect = [](SMFICTX* context, char* host, ::sockaddr* address) {
    return current->run("connect", "connect " + std::string(host) + ' ' + family_of(address), context);
  };
  description.xxfi_helo = [](SMFICTX* context, char* host) {
    return current->run("helo", "helo " + std::string(host), context);
  };
  description.xxfi_envfrom = [](SMFICTX* context, char** words) {
    return current->run("envfrom", words_of("envfrom", words), context);
  };
  description.xxfi_envrcpt = [](SMFICTX* context, char** words) {
    return current->run("envrcpt", words_of("envrcpt", words), context);
  };
  description.xxfi_header = [](SMFICTX* context, char* field, char* value) {
    return current->run("header", "header " + std::string(field) + ':' + value, context);
  };
  description.xxfi_eoh = [](SMFICTX* context) { return current->run("eoh", "eoh", context); };
  description.xxfi_body = [](SMFICTX* context, unsigned char* octets, std::size_t size) {
    return current->run("body", "body " + std::string(reinterpret_cast<const char*>(octets), size), context);
  };
  description.xxfi_eom = [](SMFICTX* context) { return current->run("eom", "eom", context); };
  description.xxfi_abort = [](SMFICTX* context) { return current->run("abort", "abort", context); };
  description.xxfi_close = [](SMFICTX* context) { return current->run("close", "close", context); };
  description.xxfi_unknown = [](SMFICTX* context, const char* line) {
    return current->run("unknown", "unknown " + std::string(line), context);
  };
  description.xxfi_data = [](SMFICTX* context) { return current->run("data", "data", context); };
}

Callbacks::~Callbacks() { current = nullptr; }

std::vector<std::string> Callbacks::take_calls() {
  const std::lock_guard lock(mutex_);
  return std::exchange(calls, {});
}

std::string u32(std::uint32_t number) {
  std::string octets;
  for (int shift = 24; shift >= 0; shift -= 8) octets += static_cast<char>(number >> shift & 0xff);
  return octets;
}

bool Exchange::send() {
  if (is_lost) return false;
  sent += std::exchange(answers, {});
  return true;
}

std::string Exchange::say_raw(char letter, std::string data) {
  sent.clear();
  const bool goes_on = session_->take({letter, data}, *this);
  send();
  return goes_on ? sent : sent + "(end)";
}

std::string Exchange::say(char letter, std::string data) {
  const std::string raw = say_raw(letter, std::move(data));
  std::string_view rest = std::string_view(raw).substr(0, sent.size());
  std::string line;
  milter::PacketReader reader;
  while (!rest.empty()) {
    if (reader.read(rest) != milter::PacketReader::Status::packet) return "not a packet: " + raw;
    if (!line.empty()) line += '|';
    line += reader.packet().letter + std::string(reader.packet().data);
  }
  return line + raw.substr(sent.size());
}

void Exchange::open(std::uint32_t actions, std::uint32_t options) {
  say('O', u32(6) + u32(actions) + u32(options));
  say('C', std::string("host.test\0U", 11));
  say('H', std::string("helo.test\0", 10));
  say('M', std::string("<a@b>\0", 6));
}

}  // namespace sallyport::milter_library
