// That RealtimeSanitizer sees what must not happen on the audio thread; under it, the other tests show
// that it does not happen.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>

#include "realtime_scope.h"
#include "test.h"

namespace {

using fxkit::engine::RealtimeScope;

// Whether a process of its own that does this is still alive at the end.
template <class F>
bool survives(F f) {
  const pid_t child = fork();
  if (child == 0) {
    if (!std::freopen("/dev/null", "w", stderr)) _exit(2);
    f();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void allocate() {
  void* volatile memory = std::malloc(16);
  std::free(memory);
}

TEST(real_time_neither_allocates_locks_nor_waits) {
  CHECK(!survives([] {
    const RealtimeScope realtime;
    allocate();
  }));
  CHECK(!survives([] {
    static std::mutex mutex;
    const RealtimeScope realtime;
    const std::lock_guard lock(mutex);
  }));
  CHECK(!survives([] {
    const RealtimeScope realtime;
    usleep(1);
  }));
}

TEST(outside_of_real_time_all_is_allowed) {
  CHECK(survives([] {
    allocate();
    { const RealtimeScope realtime; }
    const RealtimeScope offline(false);
    allocate();
  }));
}

}  // namespace
