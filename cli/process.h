#ifndef HALFSTEP_CLI_PROCESS_H_
#define HALFSTEP_CLI_PROCESS_H_

#include <atomic>

namespace halfstep::cli {

// Prepares the process, first of all: opens those of the standard descriptors that are closed, so
// that no file gets their numbers and what is printed; makes a file over the size limit an error
// and not a signal; and prints what TorchScript code prints to stderr, because stdout is for
// results.
void prepare_process();

// Returns a flag that Ctrl-C, SIGTERM and SIGHUP set from now on, and request_stop(). A second
// Ctrl-C ends the program at once. A SIGHUP that is ignored, as under nohup, stays ignored. From
// now on, writing to a pipe whose reader has ended is an error and not SIGPIPE.
const std::atomic<bool>& stop_on_interrupt();

// Sets the flag of stop_on_interrupt().
void request_stop();

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_PROCESS_H_
