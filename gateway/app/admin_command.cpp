#include "gateway/app/admin_command.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include "gateway/admin/process.h"
#include "gateway/app/privileges.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/control/protocol.h"
#include "gateway/uv/signals.h"

namespace sallyport::app {

namespace {

constexpr std::chrono::milliseconds between_tries{200};

int say(int status, const std::string& what, const cli::Console& console) {
  console.err << "sallyport: " << what << "\n";
  return status;
}

void declare(cli::Syntax& syntax, AdminOptions& options) {
  syntax.config_file(options.config_file);
  syntax.flag("--with-parent",
              "Beside the gateway that has started this: wait for the address to be free, and end with that gateway",
              options.ends_with_parent);
}

// Beside a gateway another process may have the address for a while, such as that of a gateway that sees its last
// sessions off: it is waited for, as long as that gateway (`parent`) runs.
Result<std::unique_ptr<admin::AdminProcess>> listen(const SocketAddress& address, std::optional<::pid_t> parent,
                                                    const cli::Console& console) {
  for (bool is_told = false;; is_told = true) {
    auto process = admin::AdminProcess::listen(address);
    if (process) return process;
    const std::string why = "admin.listen: " + process.error().message;
    if (!parent)
      return Failure{why + "; `sallyport run` serves it by itself, unless it is called with --without-admin"};
    if (::getppid() != *parent) return Failure{why};
    if (!is_told) console.err << "sallyport: " << why << "; it is tried again until that works" << std::endl;
    std::this_thread::sleep_for(between_tries);
  }
}

int admin_command(const AdminOptions& options, const cli::Console& console) {
  const ::pid_t parent = ::getppid();
  uv::ignore_sigpipe();
  // As those of `run` end nothing, sent out of habit or by the rotation of logs. admin.listen takes effect at a start.
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
  const auto loaded = cli::load_configuration(options.config_file, console);
  if (!loaded) return cli::exit_code::configuration;
  const config::Settings& settings = *loaded->settings;
  if (!settings.admin.listen)
    return say(cli::exit_code::configuration, "admin.listen is empty: there is nothing to serve", console);

  auto process =
      listen(*settings.admin.listen, options.ends_with_parent ? std::optional(parent) : std::nullopt, console);
  if (!process) return say(cli::exit_code::io, process.error().message, console);
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
