// The routes of the server: what is asked for, and the JSON that answers. See docs/serve.md.
#ifndef HALFSTEP_HTTP_API_H_
#define HALFSTEP_HTTP_API_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "halfstep/http/batcher.h"
#include "halfstep/http/exchange.h"
#include "halfstep/http/image_request.h"
#include "halfstep/http/job_store.h"
#include "halfstep/http/metrics.h"
#include "halfstep/http/served_model.h"

namespace halfstep::http {

// Answers requests. handle may be called from several threads.
class Api {
 public:
  // All must outlive this. `api_key`: what clients must send as a bearer token; none: nothing.
  Api(const std::vector<ServedModel>& models, Batcher& batcher, Metrics& metrics,
      const std::optional<std::string>& api_key);

  Answer handle(const Request& request);

  // New work is refused with 503 from now on, and /health says so.
  void stop() { stopping_ = true; }

 private:
  Answer route(const Request& request, std::string& name);
  // Puts a request into the queue, or says why not.
  std::variant<std::shared_ptr<Job>, Answer> submit(const ImageRequest& request);
  Answer generate(const Request& request);
  Answer create_job(const Request& request);
  Answer show_job(const std::string& id);
  Answer cancel_job(const std::string& id);
  Answer list_models() const;
  Answer health() const;
  bool is_authorized(const Request& request) const;

  const std::vector<ServedModel>& models_;
  Batcher& batcher_;
  Metrics& metrics_;
  const std::optional<std::string> key_hash_;
  const int64_t created_;  // when the models were loaded, Unix time
  JobStore jobs_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_API_H_
