// A dialogue file: what a client says, what it hears, and what the upstream sees of it; written for people, run by the
// tests.
//
//   # a comment, as far as the end of the line
//   config KEY VALUE          a setting of the gateway, before the first octet: the keys are in dialogue_file.cpp
//   dns A name address        a record; TXT too
//   upstream VERB REPLY       what the upstream says next to VERB ("." = the end of the content, "hello" = its
//   greeting); upstream* VERB REPLY      what it always says. REPLY may be close, reset or silence greeted connects,
//   and passes over the greeting and EHLO C: line                   the client sends it, with CRLF; lines that follow
//   each other are one segment C- text                   the same without CRLF S: reply                  what the
//   client hears, line by line; * stands for anything, a line of "..." for any lines U: command                the
//   upstream has seen it, after what was asked for before; * stands for anything M: line                   a line of
//   the message that the upstream has taken last stored N                  so many messages it has taken count KIND N
//   violations or faults of that kind so far log TEXT                  a line of the log holds it; * stands for
//   anything wait 5s                   time passes leave                     the client closes its side closed the
//   gateway has ended the connection; all it had to say was asked for before whole                     the dialogue
//   lives by what arrives together: not to be run octet by octet
//
// In C, upstream and M, \r \n \t \\ and \xNN are octets, and \(x*70000) is so many of one.
#pragma once

#include <filesystem>
#include <string>

namespace sallyport::session {

// Runs it. What is not as it should be: "file:line: what"; empty when all is well.
std::string run_dialogue(const std::filesystem::path& file, bool octet_by_octet);
// Whether it may be run octet by octet.
bool is_whole_only(const std::filesystem::path& file);

}  // namespace sallyport::session
