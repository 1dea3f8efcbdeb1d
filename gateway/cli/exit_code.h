// What the program's exit status says (contract.md, section 2; the names of sysexits.h).
#pragma once

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

}  // namespace sallyport::cli
