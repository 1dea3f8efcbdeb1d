#include "gateway/base/log.h"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <mutex>
#include <system_error>

#include "gateway/base/counters.h"
#include "gateway/base/log_line.h"
#include "gateway/base/units.h"

namespace sallyport {

namespace {

// Where the lines go: a descriptor, ours to close or not.
class Target {
 public:
  Target(int fd, bool owned) : fd_(fd), owned_(owned) {}
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target() {
    if (owned_) ::close(fd_);
  }
  // One write(2), unless the kernel takes less than everything. False when something of it is lost.
  bool write(std::string_view octets) {
    while (!octets.empty()) {
      ssize_t taken = ::write(fd_, octets.data(), octets.size());
      if (taken < 0 && errno == EINTR) continue;
      if (taken <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(taken));
      half_written_ = !octets.empty();
    }
    return true;
  }
  // True when the last thing that was written has no end: the disk was full in the middle of it.
  bool is_half_written() const { return half_written_; }

 private:
  int fd_;
  bool owned_;
  bool half_written_ = false;
};

struct Form {
  LogFormat format;
  bool priorities;  // each line begins with its <priority>, as the journal reads it from stderr (sd-daemon(3))
};

std::string_view priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug:
      return "<7>";
    case spdlog::level::warn:
      return "<4>";
    case spdlog::level::err:
      return "<3>";
    default:
      return "<6>";
  }
}

// What spdlog hands it is a line without its time; it adds that and writes the whole, one line after the other.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LineSink(int fd, bool owned, Form form, Counters& counters) : target_(fd, owned), form_(form), counters_(counters) {
    line_.reserve(log_line::max_line_octets);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string_view body(message.payload.data(), message.payload.size());
    line_.clear();
    if (target_.is_half_written()) line_ += '\n';
    if (form_.priorities) line_ += priority(message.level);
    if (form_.format == LogFormat::json) {
      line_ += "{\"time\":\"";
      append_log_time(line_, message.time);
      line_ += "\",";
      line_ += body.substr(1);
    } else {
      append_log_time(line_, message.time);
      line_ += ' ';
      line_ += body;
    }
    line_ += '\n';
    if (!target_.write(line_)) counters_.add(Fault::log);
  }
  void flush_() override {}

  Target target_;
  Form form_;
  Counters& counters_;
  std::string line_;  // kept, so that a line costs no allocation
};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Faults and violations can come by the thousand, all alike (threats.md R14). The first is written at once; those equal
// to it are counted, and the count is written when something else comes, or after ten seconds, whichever is noticed
// first.
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

class LineLog final : public Log {
 public:
  LineLog(LogFormat format, LogLevel level, std::shared_ptr<LineSink> sink)
      : format_(format), logger_("sallyport", std::move(sink)) {
    logger_.set_level(spdlog_level(level));
  }
  ~LineLog() override { tell(repeats_.rest(), std::chrono::system_clock::now()); }

  void write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override {
    if (!logger_.should_log(spdlog_level(level))) return;
    thread_local std::string body;
    body.clear();
    log_line::append_body(body, format_, level, event, fields);
    WallTime now = std::chrono::system_clock::now();
    if (event == "fault" || event == "violation") {
      Repeats::Found found = repeats_.note(level, body, now);
      if (found.hold_back) return;
      tell(std::move(found), now);
    }
    put(level, body, now);
  }

 private:
  void tell(Repeats::Found found, WallTime now) {
    if (found.to_tell == 0) return;
    log_line::add_number(found.earlier, format_, "repeated", found.to_tell);
    put(found.level, found.earlier, now);
  }
  void put(LogLevel level, std::string_view body, WallTime now) {
    logger_.log(now, spdlog::source_loc{}, spdlog_level(level), spdlog::string_view_t(body.data(), body.size()));
  }

  LogFormat format_;
  spdlog::logger logger_;
  Repeats repeats_;
};

}  // namespace

Result<std::unique_ptr<Log>> open_log(const LogSettings& settings, Counters& counters) {
  constexpr std::string_view file_prefix = "file:";
  std::string_view target = settings.target;
  int fd = STDERR_FILENO;
  bool is_file = target.starts_with(file_prefix) && target.size() > file_prefix.size();
  if (is_file) {
    std::string path(target.substr(file_prefix.size()));
    fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0) return Failure{"cannot open the log " + path + ": " + std::generic_category().message(errno)};
  } else if (target != "stderr" && target != "journal") {
    return Failure{"log target \"" + settings.target + "\" is none of stderr, journal, file:/path"};
  }
  Form form{settings.format, target == "journal"};
  auto sink = std::make_shared<LineSink>(fd, is_file, form, counters);
  return std::unique_ptr<Log>(std::make_unique<LineLog>(settings.format, settings.level, std::move(sink)));
}

}  // namespace sallyport
