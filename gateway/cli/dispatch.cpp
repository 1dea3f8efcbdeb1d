#include "gateway/cli/dispatch.h"

#include <ostream>
#include <utility>

#include "gateway/cli/command_line.h"
#include "gateway/cli/command_list.h"
#include "gateway/cli/exit_code.h"

namespace sallyport::cli {

int dispatch(const std::vector<std::string>& arguments, const Console& console, std::vector<const Command*> processes) {
  std::vector<const Command*> commands = std::move(processes);
  commands.insert(commands.end(), command_list().begin(), command_list().end());
  const auto parsed = parse_command_line(arguments, commands);
  if (const auto* leave = std::get_if<Leave>(&parsed)) {
    (leave->exit_status == exit_code::ok ? console.out : console.err) << leave->text;
    return leave->exit_status;
  }
  return std::get<std::unique_ptr<Invocation>>(parsed)->run(console);
}

}  // namespace sallyport::cli
