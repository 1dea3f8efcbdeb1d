// What a process that serves gives up besides its rights (threats.md V2, V5, I14): it can start no program, and its
// memory, in which mails and keys lie, is written nowhere.
#pragma once

#include "gateway/base/result.h"

namespace sallyport::app {

// No core files, and no other process of this user may look into this one.
Result<Done> hide_memory();

// From now on the kernel refuses, with EPERM, to start a program or a process, and what no mail needs: ptrace, mount,
// bpf, kernel modules, keys and their like. Threads may be started. Nothing is ended for trying. Called when there is
// one thread and new privileges are refused; all later threads inherit it. In a build with sanitizers, which start
// processes themselves, it does nothing.
Result<Done> refuse_system_calls();

}  // namespace sallyport::app
