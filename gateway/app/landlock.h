// Landlock: where this process may write, for the rest of its life (threats.md V3, landlock(7)).
//
// Reading is not limited: certificates, keys, rules and lists lie where a configuration says, also one that comes by a
// reload, and links among them change with each renewal. The limit is the kernel's, beside the rights of the files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::app {

enum class Confinement : std::uint8_t {
  done,
  missing,   // this kernel has no Landlock, or was started without it
  left_out,  // a build that writes where it likes: with sanitizers, or instrumented for a profile
};

// From now on files are made, written, renamed and removed below `directories` alone, removed below
// `socket_directories`, too, and no file is executed. A directory that this user cannot reach is left out. Unix-domain
// sockets may be made anywhere: a reload may name another place for a listener. What is open stays as it is. Called
// when there is one thread and new privileges are refused; all later threads inherit it.
Result<Confinement> confine_writing(const std::vector<std::string>& directories,
                                    const std::vector<std::string>& socket_directories);

}  // namespace sallyport::app
