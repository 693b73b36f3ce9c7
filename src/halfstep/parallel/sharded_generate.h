// Images of seeds, made by several processes.
#ifndef HALFSTEP_PARALLEL_SHARDED_GENERATE_H_
#define HALFSTEP_PARALLEL_SHARDED_GENERATE_H_

#include <cstdint>
#include <vector>

#include "halfstep/model/generate.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::parallel {

// As generate() of one process: all images, for the root; the others get none. Each process makes
// whole batches, so that an image has the same bits whatever their number. `progress` is called in
// the root, which takes the others to be as far as itself.
Samples generate(ProcessGroup& group, const Model& model, const std::vector<uint64_t>& seeds,
                 const GenerateOptions& options, const Tensor& noise = {},
                 const GenerateProgress& progress = {});

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_SHARDED_GENERATE_H_
