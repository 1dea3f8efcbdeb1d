#include "gateway/uv/work_pool.h"

#include <uv.h>

#include <algorithm>
#include <cstdlib>

#include "gateway/base/blocked_signals.h"
#include "gateway/base/ensure.h"

namespace sallyport::uv {

std::size_t threads_of_work_pool() {
  constexpr int by_default = 4;
  constexpr int most = 1024;
  const char* const wanted = std::getenv("UV_THREADPOOL_SIZE");
  return static_cast<std::size_t>(wanted ? std::clamp(std::atoi(wanted), 1, most) : by_default);
}

void start_work_pool() {
  const BlockedSignals blocked;
  Loop loop;
  auto nothing = [] {};
  loop.run_until_done(on_worker(loop, nothing));
}

struct Work::Request {
  uv_work_t work;
};

Work::Work(Loop& loop) : loop_(loop), request_(std::make_unique<Request>()), news_(loop.scheduler()) {}

Work::~Work() = default;

void Work::start() {
  request_->work.data = this;
  int code = uv_queue_work(
      loop_.raw(), &request_->work, [](uv_work_t* raw) { static_cast<Work*>(raw->data)->run(); },
      [](uv_work_t* raw, int) {
        Work& work = *static_cast<Work*>(raw->data);
        Turn turn(work.loop_);
        work.is_done_ = true;
        if (work.is_released_) {
          delete &work;
        } else {
          work.news_.notify();
        }
      });
  ensure(code == 0, "on_worker: the pool does not take the job");
}

void Work::release() noexcept {
  is_released_ = true;
  if (is_done_) {
    delete this;
  } else {
    uv_cancel(reinterpret_cast<uv_req_t*>(&request_->work));  // the callback above follows in either case
  }
}

}  // namespace sallyport::uv
