#ifndef HALFSTEP_TESTS_DEVICE_WITHOUT_GRAPHS_H_
#define HALFSTEP_TESTS_DEVICE_WITHOUT_GRAPHS_H_

#include <cstdlib>

namespace halfstep::test {

// Turns graphs of devices off while it lives.
class WithoutGraphs {
 public:
  WithoutGraphs() { setenv("HALFSTEP_GRAPHS", "0", 1); }
  WithoutGraphs(const WithoutGraphs&) = delete;
  WithoutGraphs& operator=(const WithoutGraphs&) = delete;
  ~WithoutGraphs() { unsetenv("HALFSTEP_GRAPHS"); }
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_DEVICE_WITHOUT_GRAPHS_H_
