#include "gateway/smtp/octets.h"

// Plain loops over memory without an early exit. The compiler turns them into vector code, and with target_clones also
// into an AVX2 version, which the loader chooses on processors that have it. (string_view's operator[] checks its index
// and would prevent vectorisation; collecting the result in a type wider than an octet would make it slow.) Sanitizer
// builds have one version only: the loader would choose before the sanitizer's runtime is ready.
#if defined(__x86_64__) && !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#define SALLYPORT_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define SALLYPORT_WIDE
#endif

namespace sallyport::smtp {

SALLYPORT_WIDE bool has_8bit(std::string_view octets) {
  const char* const at = octets.data();
  const std::size_t size = octets.size();
  unsigned char seen = 0;
  for (std::size_t i = 0; i < size; ++i) seen = static_cast<unsigned char>(seen | static_cast<unsigned char>(at[i]));
  return (seen & 0x80U) != 0;
}

SALLYPORT_WIDE bool has_only_crlf_inside(std::string_view octets) {
  const char* const at = octets.data();
  const std::size_t size = octets.size();
  unsigned char bare = 0;
  for (std::size_t i = 1; i < size; ++i)
    bare = static_cast<unsigned char>(bare | static_cast<unsigned char>((at[i - 1] == '\r') != (at[i] == '\n')));
  return bare == 0;
}

SALLYPORT_WIDE std::size_t find_line_dot(std::string_view octets) {
  constexpr std::size_t step = 64;  // octets scanned at a time; also the most that is scanned again for one dot
  const char* const at = octets.data();
  std::size_t i = 1;
  for (; i + step <= octets.size(); i += step) {
    unsigned char found = 0;
    for (std::size_t j = i; j < i + step; ++j)
      found = static_cast<unsigned char>(
          found | static_cast<unsigned char>((at[j] == '.') & ((at[j - 1] == '\r') | (at[j - 1] == '\n'))));
    if (found != 0) break;
  }
  for (; i < octets.size(); ++i)
    if (at[i] == '.' && (at[i - 1] == '\r' || at[i - 1] == '\n')) return i;
  return std::string_view::npos;
}

}  // namespace sallyport::smtp
