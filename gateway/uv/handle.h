// Handle: a libuv handle on the heap. It may die only in its close callback, so whoever uses one holds a plain pointer
// and says when he has done with it.
#pragma once

struct uv_handle_s;

namespace sallyport::uv {

class Handle {
 public:
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  // Starts closing, once; closed() is called from a later turn of the loop.
  void close_handle() noexcept;
  bool is_closing() const noexcept;

 protected:
  Handle() = default;
  virtual ~Handle() = default;
  // Tells libuv whose handle it is; to be called when it has been initialised.
  void own(uv_handle_s* raw) noexcept;
  // libuv has let go of it.
  virtual void closed() noexcept { delete this; }
  // For closing in another way than uv_close().
  static void close_callback(uv_handle_s* raw) noexcept;

 private:
  uv_handle_s* raw_ = nullptr;
};

}  // namespace sallyport::uv
