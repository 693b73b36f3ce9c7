// Draws images of seeds in several processes.
#ifndef HALFSTEP_PARALLEL_SHARDED_GENERATE_H_
#define HALFSTEP_PARALLEL_SHARDED_GENERATE_H_

#include <cstdint>
#include <vector>

#include "halfstep/model/generate.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::parallel {

// Draws the same images as generate() in one process. Rank 0 gets all of them; the other ranks get
// none. Each rank draws whole batches, so that an image has the same bits for any number of
// processes. `progress` is called on rank 0, which assumes that the others are as far as itself.
// Throws ConfigError unless all ranks have the same model, seeds, options and noise.
Samples generate(ProcessGroup& group, const Model& model, const std::vector<uint64_t>& seeds,
                 const GenerateOptions& options, const Tensor& noise = {},
                 const GenerateProgress& progress = {});

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_SHARDED_GENERATE_H_
