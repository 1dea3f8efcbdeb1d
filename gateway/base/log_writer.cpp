#include "gateway/base/log_writer.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/base/blocked_signals.h"
#include "gateway/base/counters.h"
#include "gateway/base/units.h"

namespace sallyport {

namespace {

// How much of the queue is allocated, and written to a file, at a time.
constexpr std::size_t chunk_octets = 64 * 1024;
static_assert(chunk_octets > 2 * log_line::max_line_octets);
// After it has written, the thread sleeps this long before it looks for more. Callers need not wake it meanwhile: a
// wake-up per line costs more than writing the line, and takes the processor from the loop that called. The first line
// after a silence is written at once.
constexpr std::chrono::milliseconds pause_after_writing{1};
// How long the destructor waits for the thread to see `give_up`; longer only if a system call holds the thread.
constexpr std::chrono::milliseconds time_to_give_up{500};

// Lines, one after the other.
struct Chunk {
  std::string octets;
  std::vector<std::size_t> ends;  // of the lines in `octets`

  bool has_room_for(std::size_t more) const { return octets.size() + more <= chunk_octets; }
  // Appends the whole line; without memory for it, nothing, and throws.
  void append(std::string_view line) {
    ends.push_back(octets.size() + line.size());
    try {
      octets.append(line);
    } catch (...) {
      ends.pop_back();
      throw;
    }
  }
  void clear() {
    octets.clear();
    ends.clear();
  }
  bool has_memory() const { return octets.capacity() >= chunk_octets; }
};

}  // namespace

// Shared by the LogWriter and its thread; lives until both are gone.
struct LogWriter::State {
  State(LogTarget target_of_log, log_line::Form form_of_lines, Counters& counters_of_log,
        const LogBounds& bounds_of_log)
      : bounds(bounds_of_log), form(form_of_lines), counters(&counters_of_log), target(std::move(target_of_log)) {
    notice.reserve(log_line::max_line_octets);
    told.reserve(log_line::max_line_octets);
  }

  // To be called with `mutex` locked.
  bool queue_line(std::string_view line);
  void count_lost(std::uint64_t lines);
  void start_thread(std::shared_ptr<State> self) noexcept;
  bool rouse();
  bool take_chunk();
  bool is_failing() const;

  // Called by the thread only.
  void write_until_closed();
  std::uint64_t write_chunk();
  bool tell_of_unwritten();
  bool reopen_target() noexcept;

  const LogBounds bounds;
  const log_line::Form form;

  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable end;
  Counters* counters;  // null once the LogWriter is gone
  std::deque<Chunk> queue;
  Chunk spare;             // empty, with its memory
  std::size_t octets = 0;  // of all lines that are not written yet, in the queue and in `in_hand`
  std::size_t lines = 0;
  std::uint64_t lost = 0;  // lines that did not fit since the last one that did
  std::string notice;      // the line that tells of them, while it is made
  std::thread thread;
  bool is_asleep = false;
  bool is_reopening = false;  // asked for
  bool is_closing = false;
  bool has_ended = false;
  std::optional<Time> busy_since;  // set while the thread writes `in_hand`

  std::atomic<bool> give_up = false;
  std::atomic<bool> has_failed = false;  // the target did not take what was last written

  // Used by the thread only.
  LogTarget target;
  Chunk in_hand;
  std::uint64_t unwritten = 0;  // lines that the target did not take, not told of yet
  std::string told;             // a line of our own, while it is made
};

// Appends `line` (nothing if it is empty); if lines were lost before it, first the line that says how many. Returns
// false if there is no room or no memory.
bool LogWriter::State::queue_line(std::string_view line) {
  if (octets + line.size() > bounds.octets || lines >= bounds.lines) return false;  // the usual reason
  try {
    notice.clear();
    if (lost > 0) log_line::append_lost_line(notice, form, lost);
    const std::size_t more = notice.size() + line.size();
    if (octets + more > bounds.octets || lines + (notice.empty() ? 0 : 1) >= bounds.lines) return false;
    if (queue.empty() || !queue.back().has_room_for(more)) {
      Chunk chunk = std::exchange(spare, {});
      chunk.octets.reserve(chunk_octets);
      queue.push_back(std::move(chunk));
    }
    for (std::string_view text : {std::string_view(notice), line}) {
      if (text.empty()) continue;
      queue.back().append(text);
      octets += text.size();
      ++lines;
      lost = 0;  // `notice` comes first
    }
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void LogWriter::State::count_lost(std::uint64_t lines_lost) {
  if (counters && lines_lost > 0) counters->add(Fault::log, lines_lost);
}

void LogWriter::State::start_thread(std::shared_ptr<State> self) noexcept {
  try {
    const BlockedSignals blocked;
    thread = std::thread([self = std::move(self)] {
      ::pthread_setname_np(::pthread_self(), "log");
      self->write_until_closed();
    });
  } catch (const std::exception&) {
    // The lines stay queued; the next add() tries again.
  }
}

// Returns true if the thread waits and nobody has woken it yet. The caller then notifies `work`, after unlocking.
bool LogWriter::State::rouse() { return std::exchange(is_asleep, false); }

// Moves the next lines to write into `in_hand`. Returns false if there are none.
bool LogWriter::State::take_chunk() {
  // Lines were lost and none has been added since: the line that says how many is written alone.
  if (queue.empty() && (lost == 0 || !queue_line({}))) return false;
  in_hand.octets.swap(queue.front().octets);
  in_hand.ends.swap(queue.front().ends);
  queue.pop_front();
  return true;
}

bool LogWriter::State::is_failing() const {
  return has_failed || (busy_since && std::chrono::steady_clock::now() - *busy_since > bounds.patience);
}

void LogWriter::State::write_until_closed() {
  std::unique_lock lock(mutex);
  while (!give_up) {
    if (std::exchange(is_reopening, false)) {
      lock.unlock();
      const bool is_open = reopen_target();
      lock.lock();
      if (!is_open) count_lost(1);
      continue;
    }
    if (take_chunk()) {
      busy_since = std::chrono::steady_clock::now();
      lock.unlock();
      const std::uint64_t lines_lost = write_chunk();
      lock.lock();
      busy_since.reset();
      count_lost(lines_lost);
      octets -= in_hand.octets.size();
      lines -= in_hand.ends.size();
      in_hand.clear();
      if (!spare.has_memory()) std::swap(spare, in_hand);
      if (is_closing || octets >= chunk_octets) continue;
      lock.unlock();
      std::this_thread::sleep_for(pause_after_writing);
      lock.lock();
      continue;
    }
    if (is_closing) break;
    is_asleep = true;
    work.wait(lock);
    is_asleep = false;
  }
  has_ended = true;
  end.notify_all();
}

// Writes `in_hand`. Returns how many of its lines are lost.
std::uint64_t LogWriter::State::write_chunk() {
  const std::string_view octets_in_hand = in_hand.octets;
  const std::vector<std::size_t>& ends = in_hand.ends;
  std::uint64_t lines_lost = 0;
  std::size_t written = 0;
  std::size_t line = 0;
  while (line < ends.size() && !give_up) {
    if (unwritten > 0 && !tell_of_unwritten()) {
      // The target still fails: these lines are lost without an attempt each.
      unwritten += ends.size() - line;
      break;
    }
    const std::size_t end_of_part = target.takes_many_lines() ? ends.back() : ends[line];
    written += target.write(octets_in_hand.substr(written, end_of_part - written), give_up);
    while (line < ends.size() && ends[line] <= written) ++line;
    has_failed = written < end_of_part;
    if (!has_failed || give_up) continue;
    // The line that was not written whole is lost. The next round tries those behind it.
    written = ends[line++];
    ++unwritten;
    ++lines_lost;
  }
  return lines_lost + (ends.size() - line);
}

// Writes the line that says how many lines the target did not take; a half-written line is ended first.
bool LogWriter::State::tell_of_unwritten() {
  try {
    told.clear();
    if (target.is_half_written()) told += '\n';
    log_line::append_lost_line(told, form, unwritten);
  } catch (const std::exception&) {
    return false;
  }
  has_failed = target.write(told, give_up) < told.size();
  if (!has_failed) unwritten = 0;
  return !has_failed;
}

// Never waits: nobody may read there.
void write_to_stderr(std::string_view line) noexcept {
  pollfd entry{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&entry, 1, 0) != 1 || (entry.revents & POLLOUT) == 0) return;
  static_cast<void>(!::write(STDERR_FILENO, line.data(), std::min(line.size(), std::size_t{PIPE_BUF})));
}

// Reopens the target; a failure is written to the file that was open before, and to standard error, as nobody may find
// that file any more.
bool LogWriter::State::reopen_target() noexcept {
  try {
    auto opened = target.reopen();
    if (opened) return true;
    std::string body;
    log_line::append_body(body, form, LogLevel::error, "fault",
                          {{"kind", name(Fault::log)}, {"detail", opened.error().message}});
    told.clear();
    if (target.is_half_written()) told += '\n';
    log_line::append_line(told, form, LogLevel::error, std::chrono::system_clock::now(), body);
    target.write(told, give_up);
    write_to_stderr(told);
  } catch (const std::exception&) {
    // No memory for a path or a message. The old file is still open.
  }
  return false;
}

LogWriter::LogWriter(LogTarget target, log_line::Form form, Counters& counters, const LogBounds& bounds)
    : state_(std::make_shared<State>(std::move(target), form, counters, bounds)), bounds_(bounds) {}

LogWriter::~LogWriter() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.is_closing = true;
  const bool has_lines = !state.queue.empty() || state.lost > 0;
  if (has_lines && !state.thread.joinable()) state.start_thread(state_);
  const auto has_ended = [&state] { return state.has_ended; };
  if (state.thread.joinable()) {
    state.work.notify_one();
    if (!state.end.wait_for(lock, bounds_.patience, has_ended)) {
      state.give_up = true;
      state.end.wait_for(lock, time_to_give_up, has_ended);
    }
  }
  state.count_lost(state.lines);
  state.counters = nullptr;
  if (!state.thread.joinable()) return;
  const bool is_free = state.has_ended;
  std::thread thread = std::move(state.thread);
  lock.unlock();
  if (is_free) {
    thread.join();
  } else {
    thread.detach();
  }
}

bool LogWriter::add(std::string_view line) noexcept {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const bool is_queued = state.queue_line(line);
  if (!is_queued) {
    ++state.lost;
    state.count_lost(1);
  }
  if (!state.thread.joinable()) state.start_thread(state_);
  const bool is_taken = is_queued && !state.is_failing();
  const bool is_to_be_woken = state.rouse();
  lock.unlock();
  if (is_to_be_woken) state.work.notify_one();
  return is_taken;
}

bool LogWriter::start() noexcept {
  const std::lock_guard lock(state_->mutex);
  if (!state_->thread.joinable()) state_->start_thread(state_);
  return state_->thread.joinable();
}

void LogWriter::lose() noexcept {
  const std::lock_guard lock(state_->mutex);
  ++state_->lost;
  state_->count_lost(1);
}

void LogWriter::reopen() noexcept {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  state.is_reopening = true;
  if (!state.thread.joinable()) state.start_thread(state_);
  if (state.rouse()) state.work.notify_one();
}

}  // namespace sallyport
