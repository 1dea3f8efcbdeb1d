// The C functions that a filter calls around the serving. What they set is the process's, as the interface has no
// object for it. No exception leaves them.
#include <algorithm>
#include <csignal>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>

#include "gateway/milter_library/server.h"
#include "gateway/milter_library/system_log.h"

namespace sallyport::milter_library {

namespace {

// What has been set so far. smfi_main() takes copies, so that settings changed while it serves harm nothing.
struct Setup {
  std::mutex mutex;
  std::optional<Filter> filter;
  std::optional<std::string> place;
  ListeningSocket listening;  // of smfi_opensocket()
  int backlog = SOMAXCONN;
  ServingRules rules;
};

// Never taken down: callbacks may still run while the process ends.
Setup& setup() {
  static Setup& one = *new Setup;
  return one;
}

StopCall& stop_call() {
  static StopCall& one = *new StopCall;
  return one;
}

// The result of what may throw.
template <class Deed>
int guarded(const Deed& deed) noexcept {
  try {
    return deed() ? MI_SUCCESS : MI_FAILURE;
  } catch (const std::exception&) {
    return MI_FAILURE;
  }
}

// With the setup's lock held.
bool open_socket(Setup& now, bool removes_old) {
  if (!now.filter || !now.place) return false;
  if (now.listening.descriptor) return true;
  auto place = parse_socket_place(*now.place);
  if (!place) {
    log_line(Gravity::error, now.filter->name, "bad socket " + *now.place + ": " + place.error().message);
    return false;
  }
  auto listening = listen_at(*place, now.backlog, removes_old);
  if (!listening) {
    log_line(Gravity::error, now.filter->name, "cannot listen at " + *now.place + ": " + listening.error().message);
    return false;
  }
  now.listening = std::move(*listening);
  return true;
}

bool serve() {
  ::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Server> server;
  {
    Setup& now = setup();
    const std::lock_guard lock(now.mutex);
    if (!open_socket(now, false)) return false;
    server = std::make_unique<Server>(*now.filter, now.rules, std::exchange(now.listening, {}), stop_call());
  }
  const bool has_served = server->run();
  stop_call().forget();
  return has_served;
}

}  // namespace

}  // namespace sallyport::milter_library

using namespace sallyport::milter_library;

extern "C" {

int smfi_register(smfiDesc description) {
  return guarded([&description] {
    auto filter = make_filter(description);
    if (!filter) return false;
    stop_call();  // made now, while no signal handler can want it
    const std::lock_guard lock(setup().mutex);
    setup().filter = std::move(filter);
    return true;
  });
}

int smfi_setconn(char* place) {
  return guarded([place] {
    if (place == nullptr || *place == '\0') return false;
    const std::lock_guard lock(setup().mutex);
    setup().place = place;
    return true;
  });
}

int smfi_settimeout(int seconds) {
  if (seconds <= 0) return MI_FAILURE;
  return guarded([seconds] {
    const std::lock_guard lock(setup().mutex);
    setup().rules.io_seconds = std::min(static_cast<std::uint32_t>(seconds), ServingRules::most_io_seconds);
    return true;
  });
}

int smfi_setbacklog(int connections) {
  if (connections <= 0) return MI_FAILURE;
  return guarded([connections] {
    const std::lock_guard lock(setup().mutex);
    setup().backlog = connections;
    return true;
  });
}

// There is nothing that only a debugging filter would be told.
int smfi_setdbg(int) { return MI_SUCCESS; }

size_t smfi_setmaxdatasize(size_t octets) {
  const std::lock_guard lock(setup().mutex);
  // The letter is counted in a packet's length too.
  constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max() - 1;
  const auto before = setup().rules.most_data_octets;
  setup().rules.most_data_octets = static_cast<std::uint32_t>(std::min<std::size_t>(octets, most));
  return before;
}

int smfi_version(unsigned int* major, unsigned int* minor, unsigned int* patch) {
  if (major != nullptr) *major = SM_LM_VRS_MAJOR(SMFI_VERSION);
  if (minor != nullptr) *minor = SM_LM_VRS_MINOR(SMFI_VERSION);
  if (patch != nullptr) *patch = SM_LM_VRS_PLVL(SMFI_VERSION);
  return MI_SUCCESS;
}

// The header's `bool` is an int of four octets for C and one octet for C++; both come in one register, of which only
// the lowest octet is set by both. So the function takes an int under the name that the header gives it.
int open_socket_for_any_bool(int removes_old) __asm__("smfi_opensocket");
int open_socket_for_any_bool(int removes_old) {
  return guarded([removes_old] {
    const std::lock_guard lock(setup().mutex);
    return open_socket(setup(), (removes_old & 0xff) != 0);
  });
}

int smfi_main(void) {
  return guarded([] { return serve(); });
}

int smfi_stop(void) {
  stop_call().call();
  return MI_SUCCESS;
}

}  // extern "C"
