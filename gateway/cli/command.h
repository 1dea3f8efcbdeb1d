// What a command of the program is: its words on the command line, its options, what it does. Each stands in a file of
// its own, and all of them in one list (command_list.h), which the command line is parsed with.
#pragma once

#include <iosfwd>
#include <memory>

#include "gateway/cli/syntax.h"

namespace sallyport::cli {

// Where commands write: data to `out`, messages to `err`.
struct Console {
  std::ostream& out;
  std::ostream& err;
};

// A command with the options that a command line gives it.
class Invocation {
 public:
  virtual ~Invocation() = default;
  // Returns the exit status (exit_code.h).
  virtual int run(const Console& console) const = 0;
};

template <class Options>
class InvocationOf final : public Invocation {
 public:
  using Run = int (*)(const Options&, const Console&);
  explicit InvocationOf(Run run) : run_(run) {}
  int run(const Console& console) const override { return run_(options, console); }

  Options options;

 private:
  Run run_;
};

struct Command {
  const char* name;   // one word, or that of its group before it: "check", "config show"
  const char* about;  // a line of --help
  // Makes an invocation whose options have their defaults, and declares on `syntax` those that a command line may
  // change; the parser fills them in before it hands the invocation on.
  std::unique_ptr<Invocation> (*make)(Syntax& syntax);
};

// For Command::make: `declare` says which options there are, `run` is the command itself.
template <class Options, void (*declare)(Syntax&, Options&), int (*run)(const Options&, const Console&)>
std::unique_ptr<Invocation> make_invocation(Syntax& syntax) {
  auto made = std::make_unique<InvocationOf<Options>>(run);
  declare(syntax, made->options);
  return made;
}

}  // namespace sallyport::cli
