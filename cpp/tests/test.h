// A test: TEST(name) { CHECK(...); }. Executables link test_main.cpp, which runs them all.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace test {

struct Case {
  const char* name;
  void (*run)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Register {
  Register(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

inline void check(bool condition, const char* text, const char* file, int line,
                  const std::string& more = {}) {
  if (condition) return;
  ++failures();
  std::printf("%s:%d: %s %s\n", file, line, text, more.c_str());
}

// How long a test with audio of `otherwise` seconds should be: FXKIT_TEST_SECONDS shortens it, where
// a sanitizer or an emulator makes everything slow.
inline double seconds(double otherwise) {
  const char* most = std::getenv("FXKIT_TEST_SECONDS");
  return most ? std::min(otherwise, std::atof(most)) : otherwise;
}

}  // namespace test

#define TEST(name)                                                    \
  static void test_##name();                                          \
  static const test::Register register_##name(#name, test_##name);    \
  static void test_##name()

#define CHECK(condition) test::check((condition), #condition, __FILE__, __LINE__)
#define CHECK_MORE(condition, more) \
  test::check((condition), #condition, __FILE__, __LINE__, (more))
