#include "gateway/app/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gateway/base/descriptor.h"
#include "gateway/base/sanitizers.h"

// Of the runtime of instrumented builds, which writes a file at the end of the process.
extern "C" int __llvm_profile_runtime __attribute__((weak));  // NOLINT(bugprone-reserved-identifier)

namespace sallyport::app {

namespace {

// Of the third version; the headers of this system may be older than its kernel.
constexpr std::uint64_t truncating = std::uint64_t{1} << 14;

constexpr std::uint64_t working = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                  LANDLOCK_ACCESS_FS_MAKE_REG;
constexpr std::uint64_t never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                LANDLOCK_ACCESS_FS_MAKE_SYM;

// What a kernel of this version knows beyond the first one.
std::uint64_t further_working(long version) {
  return (version >= 2 ? std::uint64_t{LANDLOCK_ACCESS_FS_REFER} : 0) | (version >= 3 ? truncating : 0);
}

Failure failure(const std::string& what) { return Failure{what + ": " + std::strerror(errno)}; }

Result<Done> allow(const Descriptor& rules, const std::string& directory, std::uint64_t access) {
  const Descriptor place(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return Done{};  // then nothing can be written there in any case
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = place.get();
  if (::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) != 0)
    return failure("landlock_add_rule for " + directory);
  return Done{};
}

}  // namespace

Result<Confinement> confine_writing(const std::vector<std::string>& directories,
                                    const std::vector<std::string>& socket_directories) {
  if (has_sanitizers || &__llvm_profile_runtime != nullptr) return Confinement::left_out;
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, std::size_t{0}, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return Confinement::missing;
  const std::uint64_t allowed = working | further_working(version);
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = allowed | never;
  const Descriptor rules(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0U)));
  if (!rules) return failure("landlock_create_ruleset");
  for (const std::string& directory : directories) {
    if (auto done = allow(rules, directory, allowed); !done) return done.error();
  }
  for (const std::string& directory : socket_directories) {
    if (auto done = allow(rules, directory, LANDLOCK_ACCESS_FS_REMOVE_FILE); !done) return done.error();
  }
  if (::syscall(SYS_landlock_restrict_self, rules.get(), 0U) != 0) return failure("landlock_restrict_self");
  return Confinement::done;
}

}  // namespace sallyport::app
