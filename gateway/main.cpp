// The program. Everything it can do is a command: gateway/cli/command_list.h, and the daemon,
// gateway/app/run_command.h, with the process beside it, gateway/app/admin_command.h.
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "gateway/app/admin_command.h"
#include "gateway/app/run_command.h"
#include "gateway/cli/dispatch.h"
#include "gateway/cli/exit_code.h"

int main(int argc, char** argv) {
  using namespace sallyport::cli;
  try {
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    const int status =
        dispatch(arguments, Console{std::cout, std::cerr}, {&sallyport::app::run_entry, &sallyport::app::admin_entry});
    // Data that did not arrive must not look like success: a full disk, a closed pipe.
    if (!std::cout.flush() && status == exit_code::ok) {
      std::cerr << "sallyport: the output could not be written\n";
      return exit_code::io;
    }
    return status;
  } catch (const std::bad_alloc&) {
    std::cerr << "sallyport: there is not enough memory (MemoryMax= and LimitAS= of the unit, ulimit -v)\n";
    return exit_code::temporary;
  } catch (const std::exception& error) {
    std::cerr << "sallyport: internal error: " << error.what()
              << "\nThis is a mistake in the program, please report it with the command and its configuration.\n";
    return exit_code::software;
  } catch (...) {
    std::cerr << "sallyport: internal error of an unknown kind\n"
              << "This is a mistake in the program, please report it with the command and its configuration.\n";
    return exit_code::software;
  }
}
