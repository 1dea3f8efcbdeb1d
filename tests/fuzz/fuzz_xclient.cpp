// XCLIENT: what a front end says of a client is valid or refused; whatever is said of a client, the commands that tell
// it on have one line each, of at most 512 octets, and read as they were meant.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/smtp/extensions.h"
#include "gateway/smtp/xclient.h"

namespace {

using namespace sallyport;
using namespace sallyport::smtp;

constexpr std::string_view verb = "XCLIENT ";

void check_commands(const ClientAttributes& said) {
  for (const auto& commands :
       {xclient_commands(said, xclient_attributes), xforward_commands(said, xclient_attributes)}) {
    for (const std::string& command : commands) {
      ensure(command.size() <= 512, "a command is too long");
      ensure(command.find_first_of(std::string_view("\r\n\0", 3)) == command.size() - 2, "a command has two lines");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto said = parse_xclient(input)) {
    check_commands(*said);
    for (const std::string& command : xclient_commands(*said, xclient_attributes)) {
      const std::string_view arguments =
          std::string_view(command).substr(verb.size(), command.size() - verb.size() - 2);
      ensure(parse_xclient(arguments).ok(), "what we say is not what we take");
    }
  }
  // A client's own words, unchecked.
  ClientAttributes raw;
  raw.login = std::string(input);
  raw.ident = std::string(input);
  check_commands(raw);
  const std::string names = to_attribute_names(read_attribute_names(input));
  ensure(read_attribute_names(names) == read_attribute_names(input), "the list of attributes changes");
  return 0;
}
