// What the program's exit status says (contract.md, section 2; the names of sysexits.h).
#pragma once

#include <array>
#include <string_view>

namespace sallyport::cli {

namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int not_passed = 1;    // a check or a message did not pass
inline constexpr int usage = 64;        // the command line is wrong
inline constexpr int data = 65;         // what was given as data is unusable
inline constexpr int no_input = 66;     // a file named on the command line, other than the configuration, is not there
inline constexpr int unavailable = 69;  // the daemon cannot be reached
inline constexpr int software = 70;     // a mistake of ours
inline constexpr int io = 74;           // reading or writing failed
inline constexpr int temporary = 75;    // try again later
inline constexpr int permission = 77;   // not allowed
inline constexpr int configuration = 78;  // the configuration is wrong, or cannot be read
}  // namespace exit_code

struct ExitStatus {
  int status;
  std::string_view meaning;  // a sentence for administrators
};

// All of them, for the documentation.
inline constexpr std::array exit_statuses{
    ExitStatus{exit_code::ok, "Done."},
    ExitStatus{exit_code::not_passed, "A check or a message did not pass."},
    ExitStatus{exit_code::usage, "The command line is wrong."},
    ExitStatus{exit_code::data, "What was given as data is unusable."},
    ExitStatus{exit_code::no_input, "A file named on the command line is not there."},
    ExitStatus{exit_code::unavailable, "The daemon cannot be reached."},
    ExitStatus{exit_code::software, "A mistake in the program."},
    ExitStatus{exit_code::io, "Reading or writing failed, or an address is taken."},
    ExitStatus{exit_code::temporary, "The system does not give what is needed; try again later."},
    ExitStatus{exit_code::permission, "Not allowed."},
    ExitStatus{exit_code::configuration, "The configuration is wrong, or cannot be read."},
};

}  // namespace sallyport::cli
