// How many files (descriptors, sockets among them) this process may have open, and whether they are enough for the
// sessions that its settings allow (threats.md R4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::uv {

// The hard limit (RLIMIT_NOFILE), up to which the process may raise its soft one.
std::uint64_t most_open_files();
// Raises the soft limit to the hard one, where it can.
void raise_open_files();

// Nothing, or one sentence with what is needed, what there is, and the cure. A session has three files: its client, its
// server, and a spool file or a question to DNS. A number of sessions that nobody has set promises nothing: then there
// have to be as many files as sessions.
std::optional<std::string> too_few_open_files(std::uint64_t sessions, bool is_default);

}  // namespace sallyport::uv
