// How much the frame pool of this thread keeps (frame_pool.h), for whoever looks after a loop's memory.
#pragma once

#include <cstddef>

namespace sallyport::async {

// Frees half of the frames that are kept of each size, rounded up, those at the highest addresses; the others are used
// from the lowest on. Called now and then, it leaves after a burst what is needed again and again, close together.
// Returns how many are left.
std::size_t free_half_of_kept_frames() noexcept;

}  // namespace sallyport::async
