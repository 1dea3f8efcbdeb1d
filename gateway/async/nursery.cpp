#include "gateway/async/nursery.h"

namespace sallyport::async {

struct Nursery::Root {
  struct promise_type : PooledFrame, ListNode {
    Nursery& nursery;
    std::exception_ptr error;

    promise_type(Nursery& owner, const Task<void>&) noexcept : nursery(owner) {}

    Root get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct Farewell {
      bool await_ready() const noexcept { return false; }
      // Never inlined: when clang before 17 inlines this function, it may store its locals in the coroutine frame,
      // which destroy() frees.
      [[gnu::noinline]] void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        Nursery& owner = self.promise().nursery;
        std::exception_ptr failure = std::move(self.promise().error);
        self.destroy();  // this awaiter was in the frame: use only locals from here on
        owner.ended(std::move(failure));
      }
      void await_resume() const noexcept {}
    };
    Farewell final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept { error = std::current_exception(); }
  };

  std::coroutine_handle<promise_type> handle;
};

Nursery::Root Nursery::run(Nursery&, Task<void> child) { co_await std::move(child); }

void Nursery::spawn(Task<void> child) {
  Root root = run(*this, std::move(child));
  children_.push_back(root.handle.promise());
  ++size_;
  root.handle.resume();
}

void Nursery::ended(std::exception_ptr error) noexcept {
  if (error && !first_error_) first_error_ = std::move(error);
  --size_;
  if (size_ == 0) tell_joiner();
}

// joiner_ is kept until the joiner runs: if the nursery is destroyed before that, ~Nursery must still clear its pointer
// to us.
void Nursery::tell_joiner() noexcept {
  if (joiner_) scheduler_.post(joiner_->ready_);
}

void Nursery::cancel() noexcept {
  while (!children_.empty()) {
    auto& promise = static_cast<Root::promise_type&>(*children_.front());
    std::coroutine_handle<Root::promise_type>::from_promise(promise).destroy();
    --size_;
  }
  tell_joiner();
}

Nursery::~Nursery() {
  cancel();
  if (joiner_) joiner_->nursery_ = nullptr;
}

}  // namespace sallyport::async
