#include "gateway/uv/transparent_sockets.h"

#include <uv.h>

#include <array>
#include <cerrno>
#include <deque>
#include <new>
#include <optional>
#include <utility>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"
#include "gateway/uv/errors.h"
#include "gateway/uv/handle.h"
#include "gateway/uv/loop.h"

namespace sallyport::uv {

using io::Error;

namespace {

// Wishes that are sent and not answered: fewer than a socket pair takes at the least (net.unix.max_dgram_qlen is 10).
constexpr std::size_t most_unanswered = 8;

using Outcome = Result<Descriptor, Error>;

// A helper without its right is none.
Error failure_of(int error) { return error == EPERM ? Error::no_helper : error_of(-error); }

}  // namespace

// The part of TransparentSockets that must live until libuv has closed the handle.
class TransparentHandle final : public Handle {
 public:
  // A take() that waits.
  struct Waiter : async::ListNode {
    Waiter(TransparentHandle& handle, IpFamily wanted) : family(wanted), turn(handle.loop_.scheduler()) {}
    const IpFamily family;
    async::Signal turn;
    std::optional<Outcome> outcome;
  };

  TransparentHandle(Loop& loop, Descriptor channel, std::function<void()> when_lost)
      : loop_(loop), channel_(std::move(channel)), when_lost_(std::move(when_lost)) {
    if (!loop.make_room_for(channel_.get())) throw std::bad_alloc();
    ensure(uv_poll_init(loop.raw(), &poll_, channel_.get()) == 0, "TransparentSockets: the channel cannot be watched");
    own(reinterpret_cast<uv_handle_t*>(&poll_));
    uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
      static_cast<TransparentHandle*>(static_cast<Handle*>(poll->data))->on_readable();
    });
  }

  bool is_lost() const noexcept { return is_lost_; }

  std::optional<Descriptor> take_kept(IpFamily family) {
    std::deque<Descriptor>& kept = of(family).kept;
    if (kept.empty()) return std::nullopt;
    Descriptor first = std::move(kept.front());
    kept.pop_front();
    return first;
  }

  void queue(Waiter& waiter) noexcept {
    of(waiter.family).waiting.push_back(waiter);
    ask_for_more();
  }

  void release() noexcept {
    released_ = true;
    if (gone_) {
      delete this;
    } else {
      close_handle();
      channel_.reset();
    }
  }

 private:
  struct OfFamily {
    async::ListHead waiting;  // in the order of their arrival
    std::size_t unanswered = 0;
    std::deque<Descriptor> kept;  // those who asked have given up: not more than most_unanswered
  };

  OfFamily& of(IpFamily family) noexcept { return families_[family == IpFamily::v4 ? 0 : 1]; }

  static std::size_t count(const async::ListHead& waiting, std::size_t most) noexcept {
    std::size_t found = 0;
    for (const async::ListNode* node = waiting.empty() ? nullptr : waiting.front(); node != nullptr && found < most;
         node = waiting.after(*node)) {
      ++found;
    }
    return found;
  }

  // One wish for each that waits, as far as the channel takes them; the rest follows when answers come.
  void ask_for_more() noexcept {
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
      OfFamily& state = of(family);
      const std::size_t wanted = count(state.waiting, most_unanswered);
      while (!is_lost_ && state.unanswered < wanted &&
             families_[0].unanswered + families_[1].unanswered < most_unanswered) {
        const auto sent = send_wish(channel_.get(), family);
        if (!sent && sent.error() == Trouble::over) return lose();
        if (!sent) return;
        ++state.unanswered;
      }
    }
  }

  void on_readable() noexcept {
    Turn turn(loop_);
    while (!is_lost_) {
      auto answer = receive_answer(channel_.get());
      if (!answer && answer.error() == Trouble::none_yet) break;
      if (!answer || of(answer->family).unanswered == 0) return lose();
      --of(answer->family).unanswered;
      hand_out(std::move(*answer));
    }
    ask_for_more();
  }

  void hand_out(Answer answer) noexcept {
    OfFamily& state = of(answer.family);
    if (!state.waiting.empty()) {
      auto& first = static_cast<Waiter&>(*state.waiting.front());
      first.unlink();
      first.outcome = answer.socket ? Outcome(std::move(answer.socket)) : Outcome(failure_of(answer.error));
      first.turn.notify();
      return;
    }
    try {
      if (answer.socket) state.kept.push_back(std::move(answer.socket));
    } catch (const std::bad_alloc&) {
      // Without memory it is closed: who asks next asks anew.
    }
  }

  void lose() noexcept {
    if (std::exchange(is_lost_, true)) return;
    close_handle();
    for (OfFamily& state : families_) {
      state.kept.clear();
      while (!state.waiting.empty()) {
        auto& first = static_cast<Waiter&>(*state.waiting.front());
        first.unlink();
        first.outcome = Outcome(Error::no_helper);
        first.turn.notify();
      }
    }
    try {
      when_lost_();
    } catch (const std::bad_alloc&) {
      // Each mail says so.
    }
  }

  void closed() noexcept override {
    gone_ = true;
    if (released_) delete this;
  }

  Loop& loop_;
  Descriptor channel_;
  const std::function<void()> when_lost_;
  uv_poll_t poll_;
  std::array<OfFamily, 2> families_;
  bool is_lost_ = false;
  bool released_ = false;
  bool gone_ = false;
};

TransparentSockets::TransparentSockets(Loop& loop, Descriptor channel, std::function<void()> when_lost)
    : handle_(*new TransparentHandle(loop, std::move(channel), std::move(when_lost))) {}

TransparentSockets::~TransparentSockets() { handle_.release(); }

Task<Result<Descriptor, Error>> TransparentSockets::take(IpFamily family, Time deadline) {
  if (auto kept = handle_.take_kept(family)) co_return std::move(*kept);
  if (handle_.is_lost()) co_return Error::no_helper;
  TransparentHandle::Waiter self(handle_, family);
  handle_.queue(self);
  while (!self.outcome) {
    const async::Woken woken = co_await self.turn.wait(deadline);
    if (woken == async::Woken::timed_out && !self.outcome) co_return Error::no_helper;
  }
  co_return std::move(*self.outcome);
}

}  // namespace sallyport::uv
