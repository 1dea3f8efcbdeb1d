// What commands that try something with a stored message have in common: the message's file, and the options that say
// with which envelope it came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/cli/command.h"
#include "gateway/explain/stored_message.h"

namespace sallyport::cli {

// --ip, --helo, --from, --to, --tls.
void declare_envelope(Syntax& syntax, explain::GivenEnvelope& given);

// Reads at most so many octets of the file; "-" is standard input. Nothing: an error has been printed, and `exit` is
// the exit status.
std::optional<explain::StoredMessage> read_message_file(const std::string& file, std::uint64_t most,
                                                        const Console& console, int& exit);

}  // namespace sallyport::cli
