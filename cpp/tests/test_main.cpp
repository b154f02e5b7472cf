#include "test.h"

int main() {
  for (const auto& c : test::cases()) {
    const int before = test::failures();
    c.run();
    std::printf("%s %s\n", test::failures() == before ? "ok  " : "FAIL", c.name);
  }
  return test::failures() > 0 || test::cases().empty() ? 1 : 0;
}
