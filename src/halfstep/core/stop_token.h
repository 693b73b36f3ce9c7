#ifndef HALFSTEP_CORE_STOP_TOKEN_H_
#define HALFSTEP_CORE_STOP_TOKEN_H_

#include <atomic>

namespace halfstep {

// A view of a flag that asks a long operation to stop; without a flag it never stops. A signal
// handler may set the flag. Thread-safe; the flag must outlive the token.
class StopToken {
 public:
  StopToken() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a flag is a token
  StopToken(const std::atomic<bool>& flag) : flag_(&flag) {}

  bool stop_requested() const { return flag_ != nullptr && flag_->load(); }

 private:
  const std::atomic<bool>* flag_ = nullptr;
};

}  // namespace halfstep

#endif  // HALFSTEP_CORE_STOP_TOKEN_H_
