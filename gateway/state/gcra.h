// GCRA, the generic cell rate algorithm: a token bucket of depth `burst` that is refilled with `count` tokens per
// `per`, stored as a single time.
//
// That time is the theoretical arrival time (TAT): when the bucket will be full again. A key whose TAT has passed is in
// the same state as one never seen, so it can be forgotten.
#pragma once

#include "gateway/base/units.h"
#include "gateway/io/rate_store.h"

namespace sallyport::state {

// Takes one event at `now`. If it is allowed, `arrival` (the TAT) moves on; otherwise it stays. A rate with count 0
// allows nothing; a burst of 0 counts as 1.
io::RateAnswer take_one(Time& arrival, const Rate& rate, Time now);

// Undoes one take_one() with the same rate: `arrival` moves back by one event, at most to `now`, where the allowance is
// full.
void give_back_one(Time& arrival, const Rate& rate, Time now);

}  // namespace sallyport::state
