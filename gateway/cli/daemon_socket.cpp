#include "gateway/cli/daemon_socket.h"

#include <set>
#include <utility>

#include "gateway/control/protocol.h"

namespace sallyport::cli {
namespace {

constexpr int most_attempts = 50;

// The files of the disk, some of their lines empty.
class Mended final : public config::Disk {
 public:
  // Leaves out that line or, as a parser may notice a mistake only after it, the nearest one above that is still there.
  // False when there is none.
  bool leave_out(const config::Origin& at) {
    for (std::uint32_t line = at.line; line > 0; --line) {
      if (left_out_.emplace(at.file, line).second) return true;
    }
    return false;
  }

  Result<std::string> read(const std::string& path) const override {
    auto content = Disk::read(path);
    if (!content) return content;
    std::string mended;
    std::uint32_t line = 1;
    for (const char octet : *content) {
      if (octet == '\n') ++line;
      if (octet == '\n' || !left_out_.contains({path, line})) mended += octet;
    }
    return mended;
  }

 private:
  std::set<std::pair<std::string, std::uint32_t>> left_out_;
};

}  // namespace

std::string daemon_socket(const std::string& config_file, const config::Outcome& outcome) {
  std::string state_path = outcome.loaded.settings->state.path;
  config::ConfigErrors errors = outcome.errors;
  bool is_found = !outcome.loaded.origin_of("state.path").is_default();
  Mended files;
  for (int i = 0; i < most_attempts && !is_found && !errors.empty(); ++i) {
    bool has_changed = false;
    for (const config::ConfigError& error : errors) has_changed = files.leave_out(error.at) || has_changed;
    if (!has_changed) break;
    config::Outcome mended = config::read_configuration(config_file, files);
    is_found = !mended.loaded.origin_of("state.path").is_default();
    state_path = mended.loaded.settings->state.path;
    errors = std::move(mended.errors);
  }
  return control::socket_path(state_path);
}

Failure unreachable(const std::string& socket, const Failure& why) {
  return {"the daemon cannot be reached at " + socket + ": " + why.message +
          ". Is it running with this configuration, and may you open its socket?"};
}

Failure unusable_answer(const std::string& socket, const Failure& why) {
  return {"the daemon at " + socket + " answered: " + why.message};
}

}  // namespace sallyport::cli
