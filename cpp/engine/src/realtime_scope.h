// Where the real time of the audio thread begins and ends, for RealtimeSanitizer: of compilers that do
// not see it in FXKIT_NONBLOCKING, but whose machine has the sanitizer's library.
#pragma once

#if defined(FXKIT_REALTIME_SANITIZER)
extern "C" {
void __rtsan_realtime_enter(void);
void __rtsan_realtime_exit(void);
}
#endif

namespace fxkit::engine {

class RealtimeScope {
 public:
#if defined(FXKIT_REALTIME_SANITIZER)
  explicit RealtimeScope(bool realtime = true) noexcept : realtime_(realtime) {
    if (realtime_) __rtsan_realtime_enter();
  }
  ~RealtimeScope() {
    if (realtime_) __rtsan_realtime_exit();
  }

 private:
  const bool realtime_;
#else
  explicit RealtimeScope(bool = true) noexcept {}
  ~RealtimeScope() {}
#endif

 public:
  RealtimeScope(const RealtimeScope&) = delete;
  RealtimeScope& operator=(const RealtimeScope&) = delete;
};

}  // namespace fxkit::engine
