#include "tests/unit/exhaustion/injector.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <new>

namespace sallyport::exhaustion {

namespace {

struct State {
  bool is_failing = false;
  unsigned exempt = 0;
  Plan plan;
  std::uint64_t allocations = 0;
  std::uint64_t failures = 0;

  bool fails_now() {
    if (!is_failing || exempt > 0) return false;
    std::uint64_t number = ++allocations;
    bool fails =
        number == plan.first || (plan.every != 0 && number > plan.first && (number - plan.first) % plan.every == 0);
    failures += fails ? 1 : 0;
    return fails;
  }
};

State state;

void* allocate(std::size_t octets) {
  void* block = state.fails_now() ? nullptr : std::malloc(octets);
  if (!block) throw std::bad_alloc();
  return block;
}

void* allocate_aligned(std::size_t octets, std::size_t alignment) {
  std::size_t whole = (octets + alignment - 1) / alignment * alignment;
  void* block = state.fails_now() ? nullptr : std::aligned_alloc(alignment, whole);
  if (!block) throw std::bad_alloc();
  return block;
}

void* openssl_malloc(std::size_t octets, const char*, int) { return state.fails_now() ? nullptr : std::malloc(octets); }
void* openssl_realloc(void* block, std::size_t octets, const char*, int) {
  return state.fails_now() ? nullptr : std::realloc(block, octets);
}
void openssl_free(void* block, const char*, int) { std::free(block); }

// Before main(): OpenSSL takes them only as long as it has not allocated anything.
const bool has_openssl = CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;

}  // namespace

Failing::Failing(Plan plan) {
  if (!has_openssl) std::abort();
  state = {.is_failing = true, .plan = plan};
}
Failing::~Failing() { state.is_failing = false; }
std::uint64_t Failing::allocations() const { return state.allocations; }
std::uint64_t Failing::failures() const { return state.failures; }

Exempt::Exempt() { ++state.exempt; }
Exempt::~Exempt() { --state.exempt; }

}  // namespace sallyport::exhaustion

using sallyport::exhaustion::allocate;
using sallyport::exhaustion::allocate_aligned;
using sallyport::exhaustion::state;

// The Lua engine allocates with realloc(); the linker leads it here (--wrap).
extern "C" {
void* __real_realloc(void* block, std::size_t octets);
void* __wrap_realloc(void* block, std::size_t octets) {
  return state.fails_now() ? nullptr : __real_realloc(block, octets);
}
}

// Instead of those of frame_pool.cpp, which hide most allocations of a program that has been running for a while.
namespace sallyport::async {
void* allocate_frame(std::size_t octets) { return ::operator new(octets); }
void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }
}  // namespace sallyport::async

void* operator new(std::size_t octets) { return allocate(octets); }
void* operator new[](std::size_t octets) { return allocate(octets); }
void* operator new(std::size_t octets, std::align_val_t alignment) {
  return allocate_aligned(octets, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t octets, std::align_val_t alignment) {
  return allocate_aligned(octets, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t octets, const std::nothrow_t&) noexcept {
  return state.fails_now() ? nullptr : std::malloc(octets);
}
void* operator new[](std::size_t octets, const std::nothrow_t&) noexcept {
  return state.fails_now() ? nullptr : std::malloc(octets);
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
