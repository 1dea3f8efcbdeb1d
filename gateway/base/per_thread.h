// An object that each thread has of its own, destroyed when the thread ends.
//
// A `thread_local` whose destructor does something is registered with the C library at its first use in each thread,
// and where the registration finds no memory glibc ends the process. Here the lack of memory is a `std::bad_alloc` like
// any other (threats.md R1), or a null pointer to who asks by `find`. So no `thread_local` of ours has a destructor;
// the `memory` test looks at the program for one.
#pragma once

#include <pthread.h>

#include <memory>
#include <new>

namespace sallyport {

// One object per thread and type `T`, which is constructed without arguments at its first use in the thread. What other
// destructors use at a thread's end is made anew and destroyed after them. The main thread's is left to the process's
// end.
template <typename T>
class PerThread {
 public:
  // This thread's object. Throws std::bad_alloc, and what the constructor throws.
  static T& get() {
    if (here_ == nullptr) make();
    return *here_;
  }
  // The same; null where there is no memory for it, and none was made before.
  static T* find() noexcept {
    if (here_ != nullptr) return here_;
    try {
      make();
    } catch (...) {
      return nullptr;
    }
    return here_;
  }

 private:
  // The C library keeps the first 32 keys of a process in the thread's own block, others in memory it asks for.
  struct Key {
    Key() noexcept : is_made(::pthread_key_create(&key, destroy) == 0) {}
    pthread_key_t key{};
    bool is_made;
  };
  static void make() {
    static const Key key;
    auto object = std::make_unique<T>();
    if (!key.is_made || ::pthread_setspecific(key.key, object.get()) != 0) throw std::bad_alloc();
    here_ = object.release();
  }
  static void destroy(void* object) noexcept {
    here_ = nullptr;
    delete static_cast<T*>(object);
  }

  static inline constinit thread_local T* here_ = nullptr;
};

}  // namespace sallyport
