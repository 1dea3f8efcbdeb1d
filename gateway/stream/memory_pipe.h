// A connected pair of streams inside this process, for a dialogue without a network, such as the dry run's.
//
// Each end keeps the promises of io::Stream except backpressure: a write never waits, and everything the other end has
// not read yet stays in memory. Both ends are used on the loop of `scheduler`. Either may be destroyed first, but both
// before the scheduler.
#pragma once

#include <memory>
#include <utility>

#include "gateway/async/scheduler.h"
#include "gateway/io/stream.h"

namespace sallyport::stream {

std::pair<std::unique_ptr<io::Stream>, std::unique_ptr<io::Stream>> make_memory_pipe(async::Scheduler& scheduler);

}  // namespace sallyport::stream
