// Whether this build is instrumented by a sanitizer: its runtime starts threads and processes, writes files, and wants
// to see each allocation.
#pragma once

namespace sallyport {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SALLYPORT_HAS_SANITIZERS 1
#endif
#endif

// For the preprocessor: SALLYPORT_HAS_SANITIZERS is defined.
#ifdef SALLYPORT_HAS_SANITIZERS
inline constexpr bool has_sanitizers = true;
#else
inline constexpr bool has_sanitizers = false;
#endif

}  // namespace sallyport
