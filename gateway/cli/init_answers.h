// What `init` has to know, where it gets that from, and the configuration that it makes of it.
//
// Answers come from the command line, from a file of them, and from the terminal, in this order: what was said once is
// not asked again. The file has lines `key = value` with the names below; a list is separated by commas or spaces, and
// may have several lines; `#` begins a comment.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::cli {

struct InitAnswers {
  std::string hostname;
  std::vector<std::string> domains;
  std::string upstream;          // "10.0.0.5", "mail.example.com:25", "unix:/path"
  std::string certificate;       // a directory, or "none"
  std::vector<std::string> dns;  // empty: those of /etc/resolv.conf
  std::string listen;            // empty: [::]:25
  std::string state;             // empty: the default
  std::string log;               // log.target; empty: the default
  bool shadow = false;           // checks only look, until the administrator has seen what they would do
};

// What of `answers` is still empty is taken from the text. The failure names the line.
Result<Done> read_answers(std::string_view text, InitAnswers& answers);

// Asks for what is missing and has no default: one question a line on `questions`, an answer a line from `input`. A
// domain or address that is none is asked for again. The failure: the input has ended.
Result<Done> ask_for_answers(std::istream& input, std::ostream& questions, InitAnswers& answers);

// The first thing that is missing or cannot be right, in words that name the option; nothing else.
Result<Done> check_answers(const InitAnswers& answers);

// The configuration file, with a comment for each key.
std::string configuration_of(const InitAnswers& answers);

}  // namespace sallyport::cli
