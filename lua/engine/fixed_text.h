// FixedText: which part of an error's text may be logged, so that nothing of a mail is (threats.md L7).
//
// The text of an error is whatever a rule gives to error(), and Lua's own texts quote names. What is shown is what the
// rule files' authors and the engine have written, never what only a run knows:
// - a text that is a string constant of the rule files, whole;
// - of a text that begins with such a constant ("bad list: " .. name) the constant, and "..." for the rest;
// - of Lua's and the engine's own texts the words that they are made of, and names that stand in the rule files. The
//   first word that is none of these ends what is shown.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace sallyport::lua {

class FixedText {
 public:
  // Takes in a rule file's text. Called while rules load, off the loops.
  void add(std::string_view source);

  // At most 200 octets of printable text; "(not shown)" where nothing of the message is fixed. `by_rule`: it is what
  // the rule itself has given to error() or assert(), so that its words are not the engine's.
  std::string shown(std::string_view message, bool by_rule = false) const;

 private:
  std::size_t longest_constant(std::string_view message) const;
  bool is_known_word(std::string_view word) const;

  std::set<std::string, std::less<>> constants_;
  std::set<std::string, std::less<>> names_;
};

// The message without "spam.lua:3: " before it, as often as that is there: an error that is raised again has it twice.
std::string_view without_place(std::string_view message);
// Tells texts of errors apart, whatever place is before them; never 0.
std::size_t digest_of(std::string_view message);

}  // namespace sallyport::lua
