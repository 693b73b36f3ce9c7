#ifndef HALFSTEP_PYTHON_BINDINGS_INTERRUPTS_H_
#define HALFSTEP_PYTHON_BINDINGS_INTERRUPTS_H_

#include <csignal>

#include "halfstep/core/stop_token.h"

namespace halfstep::python {

// While it lives, Ctrl-C (SIGINT) and SIGTERM set a flag that stops a run, in place of the handlers
// of Python, which the destructor restores. A second signal ends the process at once. One may live
// at a time, on the main thread.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  StopToken token() const;

 private:
  struct sigaction old_int_ = {};
  struct sigaction old_term_ = {};
};

}  // namespace halfstep::python

#endif  // HALFSTEP_PYTHON_BINDINGS_INTERRUPTS_H_
