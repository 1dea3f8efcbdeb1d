#include "gateway/cli/daemon_answer.h"

#include <array>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include "gateway/cli/configuration.h"
#include "gateway/config/load.h"
#include "gateway/control/client.h"
#include "gateway/control/protocol.h"
#include "gateway/control/upgrade.h"

namespace sallyport::cli {

std::variant<DaemonAnswer, int> ask_daemon(const std::string& config_file, std::string_view request,
                                           const Console& console) {
  return send_to_daemon(config_file, control::encode({std::string(request)}), console);
}

std::variant<DaemonAnswer, int> send_to_daemon(const std::string& config_file, std::string_view request_line,
                                               const Console& console) {
  const config::Outcome outcome = config::read_configuration(config_file, config::Disk());
  std::string socket = daemon_socket(config_file, outcome);
  auto response = control::ask(socket, request_line, std::chrono::seconds(5));
  if (response) return DaemonAnswer{std::move(socket), std::move(*response)};
  print_errors(outcome.errors, console);
  console.err << "sallyport: " << unreachable(socket, response.error()).message << "\n";
  return outcome.errors.empty() ? exit_code::unavailable : exit_code::configuration;
}

Result<std::string> ask_who_serves(const std::string& socket, std::string_view request, Duration timeout) {
  constexpr Duration interval = std::chrono::milliseconds(50);
  constexpr int most_tries = 100;
  auto response = control::ask(socket, request, timeout);
  for (int tries = 1; response && control::is_superseded(*response) && tries < most_tries; ++tries) {
    std::this_thread::sleep_for(interval);
    response = control::ask(socket, request, timeout);
  }
  return response;
}

std::string local_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (::localtime_r(&time, &parts) == nullptr) return std::to_string(seconds);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

}  // namespace sallyport::cli
