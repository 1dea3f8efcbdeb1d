#include "gateway/app/web_trust.h"

#include <utility>

#include "gateway/uv/work_pool.h"

namespace sallyport::app {

namespace {

struct ReadAuthorities {
  std::string ca_file;

  std::shared_ptr<const tls::ClientContext> operator()() const {
    auto made = tls::make_client_context({tls::UpstreamTls::verify, {}, ca_file});
    return made ? std::move(*made) : nullptr;
  }
};

}  // namespace

Task<std::shared_ptr<const tls::ClientContext>> WebTrust::context(std::string ca_file) {
  const auto known = contexts_.find(ca_file);
  if (known != contexts_.end()) co_return known->second;
  const async::Lock::Held held = co_await reading_.take();
  const auto meanwhile = contexts_.find(ca_file);
  if (meanwhile != contexts_.end()) co_return meanwhile->second;
  ReadAuthorities job{ca_file};
  const std::uint64_t reload = reloads_;
  auto made = co_await uv::on_worker(loop_, std::move(job));
  if (made && reload == reloads_) contexts_[std::move(ca_file)] = made;
  co_return made;
}

}  // namespace sallyport::app
