#include "gateway/uv/handle.h"

#include <uv.h>

namespace sallyport::uv {

void Handle::own(uv_handle_s* raw) noexcept {
  raw_ = raw;
  raw_->data = this;
}

void Handle::close_handle() noexcept {
  if (!is_closing()) uv_close(raw_, close_callback);
}

bool Handle::is_closing() const noexcept { return uv_is_closing(raw_) != 0; }

void Handle::close_callback(uv_handle_s* raw) noexcept { static_cast<Handle*>(raw->data)->closed(); }

}  // namespace sallyport::uv
