// The C library's heap: how it is set, and how free memory goes back to the system. Nothing else of ours changes
// either.
//
// glibc gives each thread a heap of its own and keeps what is freed for the next request of that thread. By itself it
// returns only what lies at a heap's end, so one block in use there keeps all that is free before it. What each setting
// is for stands in heap.cpp; gateway/README.md ("What memory is kept") says who calls these.
#pragma once

#include "gateway/base/units.h"

namespace sallyport {

// Once, at the start of a process that is to live long, before it has a second thread.
void settle_heap() noexcept;

// Gives back all whole pages that are free, and returns the processor time that took: it grows with what is free, up to
// many milliseconds. A thread whose heap is being looked through waits for memory meanwhile. Any thread, but no loop's.
Duration trim_heap();

}  // namespace sallyport
