#include "gateway/cli/top_command.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <optional>
#include <ostream>

#include "gateway/base/field_json.h"
#include "gateway/cli/daemon_answer.h"
#include "gateway/cli/top_view.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, TopOptions& options) {
  syntax.config_file(options.config_file);
  syntax.flag("--once", "Show it once and end, as where stdout is no terminal", options.once);
  syntax.json(options.json);
}

volatile std::sig_atomic_t is_interrupted = 0;

// The terminal's second screen, without a cursor and without waiting for a line; as before at the end. Signals that
// would end the process are noted, so that this end comes.
class Screen {
 public:
  explicit Screen(std::ostream& out) : out_(out) {
    is_interrupted = 0;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, [](int) { is_interrupted = 1; });
    has_keys_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (has_keys_) {
      ::termios quick = before_;
      quick.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      ::tcsetattr(STDIN_FILENO, TCSANOW, &quick);
    }
    out_ << "\x1b[?1049h\x1b[?25l" << std::flush;
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    out_ << "\x1b[?25h\x1b[?1049l" << std::flush;
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
  }

  void draw(const TopFigures& figures) {
    ::winsize size{};
    const bool is_known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1;
    const std::size_t width = is_known ? size.ws_col : 80;
    const std::size_t height = is_known ? size.ws_row - 1u : 23;
    out_ << "\x1b[H";
    for (const std::string& line : top_lines(figures, width, height)) out_ << line << "\x1b[K\r\n";
    out_ << "\x1b[J" << std::flush;
  }

  // Waits; true when the user wants to leave.
  bool wait(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!is_interrupted && out_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      ::pollfd keys{has_keys_ ? STDIN_FILENO : -1, POLLIN, 0};
      if (::poll(&keys, 1, static_cast<int>(left.count())) <= 0) continue;
      char key = 0;
      if (::read(STDIN_FILENO, &key, 1) != 1) has_keys_ = false;
      if (key == 'q' || key == 'Q') return true;
    }
    return true;
  }

 private:
  std::ostream& out_;
  ::termios before_{};
  bool has_keys_ = false;
};

struct Look {
  control::State state;
  std::chrono::steady_clock::time_point at;
};

// Nothing after a failure, whose exit code is in `status`.
std::optional<Look> look(const TopOptions& options, const Console& console, int& status) {
  Look made;
  status = show_answer(options.config_file, "metrics", console, control::decode_state,
                       [&](const control::State& state) { made.state = state; });
  made.at = std::chrono::steady_clock::now();
  if (status != exit_code::ok) return std::nullopt;
  return made;
}

int watch(const TopOptions& options, const Console& console) {
  int status = exit_code::ok;
  std::optional<Look> before;
  std::optional<Look> now = look(options, console, status);
  if (!now) return status;
  {
    Screen screen(console.out);
    do {
      const double seconds = before ? std::chrono::duration<double>(now->at - before->at).count() : 0;
      screen.draw(top_figures(now->state, before ? &before->state : nullptr, seconds));
      if (screen.wait(std::chrono::seconds(1))) return exit_code::ok;
      before = std::move(now);
      std::ostream nowhere(nullptr);  // messages have no place on the screen; the last try below has them
      now = look(options, {console.out, nowhere}, status);
    } while (now);
  }
  look(options, console, status);
  return status;
}

}  // namespace

int top_command(const TopOptions& options, const Console& console) {
  if (!options.once && !options.json && ::isatty(STDOUT_FILENO) == 1) return watch(options, console);
  int status = exit_code::ok;
  const auto now = look(options, console, status);
  if (!now) return status;
  const TopFigures figures = top_figures(now->state, nullptr, 0);
  if (options.json) {
    console.out << FieldWriter::json(figures) << "\n";
  } else {
    const std::size_t any = std::numeric_limits<std::size_t>::max();
    for (const std::string& line : top_lines(figures, any, any)) console.out << line << "\n";
  }
  return exit_code::ok;
}

const Command top_entry{"top", "What the running daemon does, drawn anew each second; q ends it",
                        make_invocation<TopOptions, declare, top_command>};

}  // namespace sallyport::cli
