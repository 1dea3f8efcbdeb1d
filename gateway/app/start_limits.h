// Whether the system allows this process what its workers need, asked before it says `ready`. A worker that cannot have
// its thread, or no descriptor for a single session, is found out at the start and not by the first client.
#pragma once

#include <cstddef>
#include <string>

#include "gateway/base/result.h"

namespace sallyport::app {

// Raises the limit of open files as far as it may be. The failure says how many are needed and how many there are.
Result<Done> check_open_files(std::size_t workers, std::size_t listeners);

// Whether the limits of memory (RLIMIT_AS, RLIMIT_DATA) leave room for the workers and the threads' stacks.
Result<Done> check_memory(std::size_t workers);
// The sentence where memory ran out all the same.
Failure too_little_memory();

// Starts as many threads as the process will have beside this one, and ends them again. The failure says how many are
// needed and how many there could be.
Result<Done> check_threads(std::size_t workers);
// The same sentence, where the threads themselves could not be started after all.
Failure too_few_threads(std::size_t workers, std::size_t started, const char* why);
// A sentence for the thread of something else.
Failure no_thread_for(const std::string& whom);

}  // namespace sallyport::app
