#include "gateway/app/admin_command.h"

#include <unistd.h>

#include <csignal>
#include <optional>
#include <ostream>
#include <string>

#include "gateway/admin/process.h"
#include "gateway/app/privileges.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/control/protocol.h"
#include "gateway/uv/signals.h"

namespace sallyport::app {

namespace {

int say(int status, const std::string& what, const cli::Console& console) {
  console.err << "sallyport: " << what << "\n";
  return status;
}

void declare(cli::Syntax& syntax, AdminOptions& options) {
  syntax.config_file(options.config_file);
  syntax.flag("--with-parent", "End when the process that started this one has ended", options.ends_with_parent);
}

int admin_command(const AdminOptions& options, const cli::Console& console) {
  const ::pid_t parent = ::getppid();
  uv::ignore_sigpipe();
  std::signal(SIGHUP, SIG_IGN);  // admin.listen takes effect at a start
  const auto loaded = cli::load_configuration(options.config_file, console);
  if (!loaded) return cli::exit_code::configuration;
  const config::Settings& settings = *loaded->settings;
  if (!settings.admin.listen)
    return say(cli::exit_code::configuration, "admin.listen is empty: there is nothing to serve", console);

  auto process = admin::AdminProcess::listen(*settings.admin.listen);
  if (!process) return say(cli::exit_code::io, "admin.listen: " + process.error().message, console);
  const auto account = account_to_serve_as(settings.user);
  if (!account) return say(cli::exit_code::permission, account.error().message, console);
  if (const auto dropped = drop_privileges(*account); !dropped)
    return say(cli::exit_code::permission, dropped.error().message, console);
  console.err << "sallyport: figures and health at http://" << settings.admin.listen->to_string()
              << "/metrics, /healthz, /readyz" << std::endl;
  const auto watched = options.ends_with_parent ? std::optional(parent) : std::nullopt;
  (*process)->serve(control::socket_path(settings.state.path), watched);
  return cli::exit_code::ok;
}

}  // namespace

const cli::Command admin_entry{"admin", "Serve figures and health over HTTP at admin.listen",
                               cli::make_invocation<AdminOptions, declare, admin_command>};

}  // namespace sallyport::app
