// Shell: Lua as rules have it, a line at a time, with the tx of one mail: what `sallyport lua` is made of.
//
// Lines see `sp`, `t` (sallyport.test), `tx`, `print` and `use`, and the globals that lines before them have set. The
// world is that of tests (world.h): nothing real is asked, and the DNS has what t.dns has put in. It executes on the
// calling thread, within 5 s of processor time and 256 MiB for each line, so it is not for the thread of a loop.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/rule_set.h"
#include "lua/trial/trial_mail.h"

namespace sallyport::lua {

class Shell {
 public:
  struct Answer {
    enum class Kind : std::uint8_t {
      done,
      failed,
      unfinished,  // the text goes on in the next line; nothing has been executed
    };
    Kind kind = Kind::done;
    std::string text;   // what has been printed, and the values; lines with their ends
    std::string error;  // of `failed`: what is wrong, in one line
  };

  // t.run executes the rules of these settings; where they do not load, load_errors() says why, and there are none.
  // `checks` as in RuleSet::load(). At first tx is `mail`; use(t.mail { ... }) gives another one from the next line on.
  Shell(const RuleSettings& settings, std::span<const std::string_view> checks, TrialMail mail);
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell();

  const std::vector<LoadError>& load_errors() const;
  // An expression's values are shown, and what sp.log has written.
  Answer execute(const std::string& code);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace sallyport::lua
