#include "gateway/base/log.h"

#include <exception>
#include <mutex>
#include <utility>

#include "gateway/base/counters.h"
#include "gateway/base/log_line.h"
#include "gateway/base/log_target.h"
#include "gateway/base/log_writer.h"
#include "gateway/base/per_thread.h"
#include "gateway/base/units.h"

namespace sallyport {

namespace {

// Folds faults and violations, which can come by the thousand, all alike (threats.md R14). The first is written at
// once. Those equal to it are counted; the count is due when a different one comes, or when an equal one comes after
// ten seconds.
class Repeats {
 public:
  struct Found {
    bool hold_back = false;     // this line is one more of the last
    std::uint64_t to_tell = 0;  // so many of `earlier` were held back
    LogLevel level = LogLevel::info;
    std::string earlier;
  };

  Found note(LogLevel level, const std::string& body, WallTime now) {
    std::lock_guard lock(mutex_);
    if (body == last_ && now >= since_ && now - since_ < std::chrono::seconds(10)) {
      ++held_back_;
      return {.hold_back = true};
    }
    Found found = take();
    level_ = level;
    last_ = body;
    since_ = now;
    return found;
  }
  Found rest() {
    std::lock_guard lock(mutex_);
    return take();
  }

 private:
  Found take() {
    Found found;
    found.to_tell = std::exchange(held_back_, 0);
    found.level = level_;
    if (found.to_tell > 0) found.earlier = last_;
    return found;
  }

  std::mutex mutex_;
  LogLevel level_ = LogLevel::info;
  std::string last_;
  WallTime since_;
  std::uint64_t held_back_ = 0;
};

// Kept by each thread, so that a line costs no allocation.
struct LineBuffers {
  std::string body;
  std::string line;
};

class LineLog final : public Log {
 public:
  LineLog(log_line::Form form, LogLevel least, LogTarget target, Counters& counters, const LogBounds& bounds)
      : form_(form), least_(least), writer_(std::move(target), form, counters, bounds) {}
  ~LineLog() override {
    try {
      tell(repeats_.rest(), std::chrono::system_clock::now());
    } catch (const std::exception&) {
      writer_.lose();
    }
  }

  bool write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override {
    if (level < least_) return true;
    try {
      std::string& body = PerThread<LineBuffers>::get().body;
      body.clear();
      log_line::append_body(body, form_, level, event, fields);
      const WallTime now = std::chrono::system_clock::now();
      if (event == "fault" || event == "violation") {
        Repeats::Found found = repeats_.note(level, body, now);
        if (found.hold_back) return true;
        tell(std::move(found), now);
      }
      return put(level, body, now);
    } catch (const std::exception&) {
      writer_.lose();  // no memory for the line
      return false;
    }
  }
  void reopen() override { writer_.reopen(); }
  bool start() override { return writer_.start(); }

 private:
  void tell(Repeats::Found found, WallTime now) {
    if (found.to_tell == 0) return;
    log_line::add_number(found.earlier, form_, "repeated", found.to_tell);
    put(found.level, found.earlier, now);
  }
  bool put(LogLevel level, std::string_view body, WallTime now) {
    std::string& line = PerThread<LineBuffers>::get().line;
    line.clear();
    log_line::append_line(line, form_, level, now, body);
    return writer_.add(line);
  }

  const log_line::Form form_;
  const LogLevel least_;
  Repeats repeats_;
  LogWriter writer_;
};

}  // namespace

Result<std::unique_ptr<Log>> open_log(const LogSettings& settings, Counters& counters, const LogBounds& bounds) {
  auto target = LogTarget::open(settings.target);
  if (!target) return std::move(target).error();
  const bool has_priorities = settings.target == "journal" && !target->takes_entries();
  const log_line::Form form{settings.format, has_priorities, target->takes_entries(), settings.schema};
  return std::unique_ptr<Log>(std::make_unique<LineLog>(form, settings.level, std::move(*target), counters, bounds));
}

}  // namespace sallyport
