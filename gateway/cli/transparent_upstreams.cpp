#include "gateway/cli/transparent_upstreams.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gateway/cli/check_report.h"
#include "gateway/config/key_path.h"
#include "gateway/uv/transparent_messages.h"

namespace sallyport::cli {

namespace {

bool is_transparent(const config::UpstreamSettings& upstream) {
  return upstream.client_info == config::ClientInfoWay::tproxy;
}

}  // namespace

bool has_transparent_upstreams(const config::Settings& settings) {
  return std::any_of(settings.upstreams.begin(), settings.upstreams.end(),
                     [](const auto& named) { return is_transparent(named.second); });
}

config::ConfigErrors at_transparent_upstreams(const config::Loaded& loaded, const std::string& config_file,
                                              const std::string& message) {
  config::ConfigErrors errors;
  for (const auto& [name, upstream] : loaded.settings->upstreams) {
    if (!is_transparent(upstream)) continue;
    errors.push_back({place_of(loaded, config_file, config::full_path("upstreams.*.client_info", {name})), message});
  }
  return errors;
}

config::ConfigErrors find_missing_rights(const config::Loaded& loaded, const std::string& config_file) {
  if (!has_transparent_upstreams(*loaded.settings)) return {};
  const auto trial = uv::make_transparent_socket(uv::IpFamily::v4);
  if (trial) return {};
  std::string message =
      "client_info = \"tproxy\" takes CAP_NET_RAW or CAP_NET_ADMIN at the start, and this process has neither: start "
      "it "
      "as root, or give the unit AmbientCapabilities=CAP_NET_RAW";
  if (trial.error() != EPERM) {
    message = std::string("client_info = \"tproxy\" cannot be had on this system (IP_TRANSPARENT): ") +
              std::strerror(trial.error());
  }
  return at_transparent_upstreams(loaded, config_file, message);
}

}  // namespace sallyport::cli
