// GCRA, the generic cell rate algorithm: a token bucket of depth `burst` that fills at `count` in `per`, kept as one
// time.
//
// The time is the theoretical arrival time (TAT): when the bucket would be full again. A key whose TAT has passed is as
// if it had never been seen, so it can be forgotten.
#pragma once

#include "gateway/base/units.h"
#include "gateway/io/rate_store.h"

namespace sallyport::state {

// Takes one at `now`: when allowed, `arrival` moves on; else it stays as it is. A rate of nothing allows nothing; a
// burst of less than one counts as one.
io::RateAnswer take_one(Time& arrival, const Rate& rate, Time now);

}  // namespace sallyport::state
