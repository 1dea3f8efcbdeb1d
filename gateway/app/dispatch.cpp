#include "gateway/app/dispatch.h"

#include <ostream>

#include "gateway/app/command_line.h"
#include "gateway/app/exit_code.h"

namespace sallyport::app {
namespace {

struct Execute {
  const Console& console;

  int operator()(const RunOptions& options) const { return run_command(options); }
  int operator()(const SinkOptions& options) const { return sink_command(options); }
  int operator()(const CheckOptions& options) const { return check_command(options, console); }
  int operator()(const ConfigShowOptions& options) const { return config_show_command(options, console); }
  int operator()(const ConfigExplainOptions& options) const { return config_explain_command(options, console); }
  int operator()(const ConfigSchemaOptions& options) const { return config_schema_command(options, console); }
  int operator()(const StatsOptions& options) const { return stats_command(options, console); }
  int operator()(const DmarcReportOptions& options) const { return dmarc_report_command(options, console); }
  int operator()(const ExplainOptions& options) const { return explain_command(options, console); }
};

}  // namespace

int dispatch(const std::vector<std::string>& arguments, const Console& console) {
  const auto parsed = parse_command_line(arguments);
  if (const auto* leave = std::get_if<Leave>(&parsed)) {
    (leave->exit_status == exit_code::ok ? console.out : console.err) << leave->text;
    return leave->exit_status;
  }
  return std::visit(Execute{console}, std::get<Command>(parsed));
}

}  // namespace sallyport::app
