// Handle: base class of objects that contain a libuv handle. They live on the heap, because the memory must stay until
// libuv calls the close callback: the user holds a plain pointer and calls close_handle() (or release() of the derived
// class), and the object deletes itself in that callback.
#pragma once

struct uv_handle_s;

namespace sallyport::uv {

class Handle {
 public:
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  // Starts closing; further calls do nothing. libuv calls closed() in a later turn of the loop.
  void close_handle() noexcept;
  bool is_closing() const noexcept;

 protected:
  Handle() = default;
  virtual ~Handle() = default;
  // Stores `this` in the libuv handle. The derived class calls it right after initialising the handle.
  void own(uv_handle_s* raw) noexcept;
  // Called when libuv no longer uses the handle; from here on the object may be deleted.
  virtual void closed() noexcept { delete this; }
  // For derived classes that close with another function than uv_close(), such as uv_tcp_close_reset().
  static void close_callback(uv_handle_s* raw) noexcept;

 private:
  uv_handle_s* raw_ = nullptr;
};

}  // namespace sallyport::uv
