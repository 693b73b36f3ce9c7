# The installed headers, relative to src/halfstep. tests/public_headers_test.cmake checks that they include no header that
# is not listed here.

# The documented interface.
set(HALFSTEP_PUBLIC_HEADERS
  # Errors and the version.
  core/error.h
  core/version.h
  # Schedules, samplers and parameterizations, as functions of tensors.
  diffusion/ancestral.h
  diffusion/angle.h
  diffusion/ddim.h
  diffusion/denoiser.h
  diffusion/guidance.h
  diffusion/parameterization.h
  diffusion/sample.h
  diffusion/schedule.h
  # Images and arrays in files; data sets.
  io/image.h
  io/npy.h
  data/check_dataset.h
  data/dataset.h
  data/open_dataset.h
  # Models: load, save, generate, convert.
  model/generate.h
  model/model.h
  model/model_file.h
  convert/convert.h
  convert/onnx.h
  # Training, distillation and resuming, in one process or several.
  train/distill.h
  train/forecast.h
  train/observer.h
  parallel/c10d_group.h
  # The HTTP server.
  http/server.h
  serve/served_model.h
  # Evaluation and image grids.
  metrics/evaluate.h
  metrics/run_evaluator.h
  report/image_grid.h)

# Headers that the interface includes: types of its fields and results.
set(HALFSTEP_SUPPORT_HEADERS
  checkpoint/checkpoint_every.h
  conditioning/image_condition.h
  core/enum_names.h
  core/precision.h
  core/random.h
  core/spelling.h
  core/stop_token.h
  core/tensor.h
  data/passed_over.h
  diffusion/weighting.h
  http/exchange.h
  http/served_model.h
  io/array.h
  io/dtype.h
  metrics/evaluation.h
  metrics/evaluation_result.h
  metrics/feature_network.h
  metrics/feature_set.h
  metrics/image_source.h
  metrics/kernel_distance.h
  metrics/mean_deviation.h
  metrics/moments.h
  metrics/precision_recall.h
  metrics/reference.h
  nn/code_shape.h
  nn/dropout.h
  nn/external_options.h
  nn/network.h
  nn/network_options.h
  nn/time_embedding.h
  nn/torchscript_network.h
  nn/unet2d_options.h
  nn/unet_options.h
  objective/objective.h
  objective/objective_options.h
  parallel/launch_environment.h
  parallel/process_group.h
  train/checked.h
  train/config.h
  train/distill_options.h
  train/evaluator.h
  train/options.h
  train/outcome.h
  train/quality.h
  train/source_model.h
  train/stage.h
  train/stats.h
  train/training_error.h
  train/update_options.h)
