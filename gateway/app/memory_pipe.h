// A connected pair of streams inside this process, for a dialogue that no network sees.
//
// It keeps the promises of io::Stream, but for backpressure: a write never waits, what the other side has not read is
// kept. The two ends may outlive each other, but not the scheduler.
#pragma once

#include <memory>
#include <utility>

#include "gateway/async/scheduler.h"
#include "gateway/io/stream.h"

namespace sallyport::app {

std::pair<std::unique_ptr<io::Stream>, std::unique_ptr<io::Stream>> make_memory_pipe(async::Scheduler& scheduler);

}  // namespace sallyport::app
