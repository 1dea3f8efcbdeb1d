#include "gateway/cli/check_machine.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <vector>

#include "gateway/base/trusted_place.h"
#include "gateway/cli/file_rights.h"
#include "gateway/cli/reply_route.h"
#include "gateway/cli/transparent_upstreams.h"
#include "gateway/config/diff.h"
#include "gateway/config/key_path.h"
#include "gateway/control/client.h"
#include "gateway/control/protocol.h"
#include "gateway/uv/bound_socket.h"
#include "gateway/uv/listening_sockets.h"
#include "gateway/uv/open_files.h"

namespace sallyport::cli {
namespace {

namespace fs = std::filesystem;

constexpr Duration daemon_patience = std::chrono::seconds(2);

class MachineCheck {
 public:
  MachineCheck(const config::Loaded& loaded, const std::string& config_file, CheckReport& report)
      : loaded_(loaded), settings_(*loaded.settings), config_file_(config_file), report_(report) {}

  void run() {
    find_running();
    for (std::size_t i = 0; i < settings_.listen.size(); ++i) address(i);
    admin_address();
    service_user();
    readable_files();
    state_directory();
    log_file();
    open_files();
    transparent_upstreams();
  }

 private:
  config::Origin place(const std::string& path) const { return place_of(loaded_, config_file_, path); }

  // The addresses of a daemon that runs with this configuration, or an earlier state of it.
  void find_running() {
    const auto answer =
        control::ask(control::socket_path(settings_.state.path), control::encode({"values"}), daemon_patience);
    if (!answer) return;
    const auto text = control::decode_values(*answer);
    const auto values = text ? config::read_effective_values(*text) : Failure{"no values"};
    if (!values) return;
    for (const auto& [path, toml] : *values) {
      if (path.starts_with("listen[") && path.ends_with("].address")) running_.insert(toml);
      if (path == "admin.listen") running_.insert(toml);
    }
  }

  void address(std::size_t index) {
    const Endpoint& wanted = settings_.listen[index].address;
    const std::string path = config::full_path("listen[].address", {index});
    if (!wanted.is_unix()) return look_at(wanted.address(), path);
    if (running_.contains(settings::quote(wanted.to_string()))) return;
    if (const auto objection = uv::objection_to_unix_place(wanted.path()))
      report_.fail(place(path), objection->message);
  }

  // No mail waits for this address. It is no reason against a start of the unit, whose own process for figures goes on
  // when the gateway has died.
  void admin_address() {
    if (!settings_.admin.listen) return;
    const auto other = uv::find_foreign_listener(*settings_.admin.listen);
    const bool is_of_a_gateway = other && uv::is_of_this_program(*other);
    const bool is_start_of_unit = ::getenv("INVOCATION_ID") != nullptr;
    look_at(*settings_.admin.listen, "admin.listen",
            is_of_a_gateway || is_start_of_unit ? &CheckReport::warn : &CheckReport::fail);
  }

  using Say = void (CheckReport::*)(config::Origin, std::string);
  void look_at(const SocketAddress& wanted, const std::string& path, Say say = &CheckReport::fail) {
    if (running_.contains(settings::quote(wanted.to_string()))) return;
    if (is_for_us(wanted, path)) return;
    const auto bound = uv::bind_listeners(wanted, 1);
    if (bound) return;
    if (bound.error().error != EACCES && bound.error().error != EPERM) {
      (report_.*say)(place(path), bound.error().message);
    } else if (const auto other = uv::find_foreign_listener(wanted)) {
      (report_.*say)(place(path), wanted.to_string() + " is in use: " + uv::describe(*other) + " listens at " +
                                      other->address.to_string());
    }
  }

  // A socket unit: the service manager listens there, and hands the socket to the gateway when it starts it. That it is
  // for us the start knows for certain; here it is what a socket of the service manager at our address is for.
  bool is_for_us(const SocketAddress& wanted, const std::string& path) {
    const auto other = uv::find_foreign_listener(wanted);
    if (!other) return false;
    if (uv::is_of_service_manager(*other)) {
      if (other->address != wanted)
        report_.fail(place(path), "systemd listens at " + other->address.to_string() + ", and [[listen]] names " +
                                      wanted.to_string() + ": both must be the same (systemctl edit sallyport.socket)");
      return true;
    }
    // As the unit's own ExecStartPre it may not see who has the socket.
    return other->uid == 0 && ::geteuid() != 0 && ::getenv("INVOCATION_ID") != nullptr && other->address == wanted;
  }

  void service_user() {
    if (::geteuid() != 0) return;
    user_ = find_system_user(settings_.user);
    const bool is_given = !loaded_.origin_of("user").is_default();
    if (!user_ && is_given) {
      report_.fail(place("user"), "there is no user " + settings::quote(settings_.user) + " on this system");
    } else if (!user_) {
      report_.warn(place("user"), "there is no user " + settings::quote(settings_.user) +
                                      " on this system: without `user` a start as root takes that one, and fails");
    } else if (user_->uid == 0) {
      report_.fail(place("user"), "user " + settings::quote(settings_.user) + " is root, and root never serves");
    }
  }

  // Root opens keys at a start; a reload, and a unit with User=, read them as the user who serves.
  void readable_files() {
    if (!user_ || user_->uid == 0) return;
    for (const tls::CertificateFiles& files : settings_.tls.certificates) readable("tls.cert", files);
    for (const auto& [name, certificates] : settings_.tls.sni) {
      for (const tls::CertificateFiles& files : certificates)
        readable(config::full_path("tls.sni.*.cert", {name}), files);
    }
  }

  void readable(const std::string& key, const tls::CertificateFiles& files) {
    readable(key, files.chain);
    readable(key, files.key);
  }

  void readable(const std::string& key, const std::string& file) {
    const auto obstacle = obstacle_to_reading(file, *user_);
    if (!obstacle) return;
    const bool is_on_the_way = fs::is_directory(*obstacle);
    report_.warn(place(key),
                 settings_.user + " may not " + (is_on_the_way ? "enter " + *obstacle + " to " : "") + "read " + file +
                     ": a reload, and a start by a unit with User=, will fail; give the group of " + settings_.user +
                     " the right to (chgrp, chmod g+rX), or copy it to a place of its own");
  }

  // Without the directory the first start makes it.
  void state_directory() {
    const std::string& path = settings_.state.path;
    const auto fail = [&](std::string message) { report_.fail(place("state.path"), std::move(message)); };
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::exists(status) && !fs::is_directory(status)) return fail(path + " is not a directory");
    const auto found = find_trusted_place(path, LastLink::follow);
    if (!found) return fail("state.path " + path + ": " + found.error().message);
    if (!fs::exists(status)) return;
    struct ::stat directory {};
    if (::stat(path.c_str(), &directory) != 0) return;
    const fs::file_status spool = fs::status(path + "/spool", error);
    if (fs::exists(spool) && !fs::is_directory(spool)) return fail(path + "/spool is not a directory");
    if (!user_ || may(directory, *user_, 3)) return;
    const bool will_be_given = directory.st_uid == 0 && fs::is_empty(path, error) && !error;
    if (will_be_given) return;
    fail(path + " belongs to another user, and " + settings_.user +
         " may not work there: name a directory that is for " + "this gateway alone, or give this one to " +
         settings_.user);
  }

  void open_files() {
    const bool is_default = loaded_.origin_of("limits.sessions").is_default();
    if (const auto shortage = uv::too_few_open_files(settings_.limits.sessions, is_default))
      report_.warn(place("limits.sessions"), *shortage);
  }

  void log_file() {
    constexpr std::string_view prefix = "file:";
    if (!settings_.log.target.starts_with(prefix)) return;
    const std::string path = settings_.log.target.substr(prefix.size());
    const auto fail = [&](std::string message) { report_.fail(place("log.target"), std::move(message)); };
    const fs::path file = path;
    std::error_code error;
    if (fs::is_directory(file, error)) return fail(path + " is a directory");
    if (!fs::is_directory(file.parent_path(), error))
      return fail("there is no directory " + file.parent_path().string());
    if (fs::is_symlink(fs::symlink_status(file, error)))
      return fail(path + " is a symbolic link, which is not followed");
    const auto found = find_trusted_place(path, LastLink::keep);
    if (!found) return fail(path + ": " + found.error().message);
    struct ::stat status {};
    const bool is_there = ::lstat(path.c_str(), &status) == 0;
    if (is_there && S_ISREG(status.st_mode) && status.st_nlink > 1 && ::geteuid() == 0)
      return fail(path + " has a second name (a hard link), and may be another file than it seems");
    if (::access(is_there ? path.c_str() : file.parent_path().c_str(), W_OK) != 0)
      report_.warn(place("log.target"), "this user may not write to " + path);
  }

  // An ordinary user may check for a daemon that root or a unit starts.
  void transparent_upstreams() {
    for (config::ConfigError& missing : find_missing_rights(loaded_, config_file_))
      (::geteuid() == 0 ? report_.errors : report_.warnings).push_back(std::move(missing));
    for (const auto& [name, upstream] : settings_.upstreams) {
      if (upstream.client_info != config::ClientInfoWay::tproxy) continue;
      for (const Endpoint& server : upstream.servers) {
        if (server.is_unix() || server.is_name()) continue;
        if (auto missing = missing_reply_route(server.address()))
          report_.warn(place(config::full_path("upstreams.*.client_info", {name})), std::move(*missing));
      }
    }
  }

  const config::Loaded& loaded_;
  const config::Settings& settings_;
  const std::string& config_file_;
  CheckReport& report_;
  std::set<std::string> running_;   // addresses as TOML
  std::optional<SystemUser> user_;  // when this is root
};

}  // namespace

void check_machine(const config::Loaded& loaded, const std::string& config_file, CheckReport& report) {
  MachineCheck(loaded, config_file, report).run();
}

}  // namespace sallyport::cli
