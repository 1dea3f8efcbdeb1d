#include "gateway/supervise/board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace sallyport::supervise {

namespace {

Failure system_failure(const char* what) { return Failure{std::string(what) + ": " + std::strerror(errno)}; }

}  // namespace

Result<Board> Board::make() {
  Descriptor memory(::memfd_create("sallyport-board", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return system_failure("memfd_create");
  if (::ftruncate(memory.get(), sizeof(Contents)) != 0) return system_failure("ftruncate");
  // The process that serves has this descriptor: were the memory shortened there, reading it would end the supervisor.
  if (::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0) return system_failure("fcntl");
  return open(std::move(memory));
}

// Fresh memory is zero, which is what the atomics begin with.
Result<Board> Board::open(Descriptor memory) {
  struct ::stat status {};
  if (::fstat(memory.get(), &status) != 0) return system_failure("fstat");
  // Of a version of this program whose board was smaller.
  const bool is_smaller = status.st_size < static_cast<off_t>(sizeof(Contents));
  if (is_smaller && ::ftruncate(memory.get(), sizeof(Contents)) != 0) return system_failure("ftruncate");
  void* const place = ::mmap(nullptr, sizeof(Contents), PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (place == MAP_FAILED) return system_failure("mmap");
  return Board(std::move(memory), static_cast<Contents*>(place));
}

Board::Board(Board&& other) noexcept
    : memory_(std::move(other.memory_)), contents_(std::exchange(other.contents_, nullptr)) {}

Board::~Board() {
  if (contents_ != nullptr) ::munmap(contents_, sizeof(Contents));
}

void Board::beat(std::size_t loop, Time now) noexcept {
  if (loop < most_loops) contents_->beats[loop].store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

std::optional<Time> Board::last_beat(std::size_t loop) const noexcept {
  if (loop >= most_loops) return std::nullopt;
  const std::int64_t beat = contents_->beats[loop].load(std::memory_order_relaxed);
  if (beat == 0) return std::nullopt;
  return Time(Duration(beat));
}

void Board::forget(std::size_t loop) noexcept {
  if (loop < most_loops) contents_->beats[loop].store(0, std::memory_order_relaxed);
}

}  // namespace sallyport::supervise
