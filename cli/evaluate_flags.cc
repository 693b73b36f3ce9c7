#include "cli/evaluate_flags.h"

#include "cli/help.h"

namespace halfstep::cli {

void EvaluateFlags::add_to(CLI::App& command) {
  add_data_flags(command);
  command.option_defaults()->group(kMeasurementGroup);
  command
      .add_option(
          "--features", features,
          "Feature network: a .safetensors file made for halfstep (see models/features) or a "
          "TorchScript .pt file")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--metrics", this->metrics,
                  "Metrics to compute: frechet, kid, is (Inception Score) or pr (precision and "
                  "recall)")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->default_str("frechet");
  add_sampling_flags(command);
  add_output_flags(command);
  compute.add_to(command);
}

void EvaluateFlags::add_data_flags(CLI::App& command) {
  command.option_defaults()->group(kDataGroup);
  command
      .add_option("--samples", samples,
                  "What to measure: models, distillation runs (teacher and students), .npz files "
                  "of images (arr_0) or data sets (required without --moments)")
      ->type_name("PATH...");
  command.add_flag("--samples-test", samples_test, "Use the test split of data sets in --samples");
  command
      .add_option("--reference", reference,
                  "What to compare with: a data set, or an .npz of images (arr_0) or of moments "
                  "(mu, sigma; enough for --metrics frechet,is)")
      ->type_name("PATH")
      ->required();
  command.add_flag("--reference-test", reference_test,
                   "Use the test split of the data set in --reference");
  command.add_option("--num", num, "Maximum number of images per entry of --samples")
      ->capture_default_str();
}

void EvaluateFlags::add_sampling_flags(CLI::App& command) {
  command.option_defaults()->group(kSamplingGroup);
  command
      .add_option("--first-seed", first_seed,
                  "Models: seed of the first sample; the others follow it")
      ->capture_default_str();
  command
      .add_option("--steps", steps,
                  "Sampling steps to sweep over; required for a teacher, ignored for a distilled "
                  "model unless --force-steps is given")
      ->delimiter(',')
      ->type_name("INT,...");
  command
      .add_option("--sampler", samplers,
                  "Samplers to sweep over: " + words_of<Sampler>() +
                      " (default: the model's, ddim for most)")
      ->delimiter(',')
      ->type_name("NAME,...");
  command
      .add_option("--spacing", spacings,
                  "Spacings of the steps to sweep over: uniform in " + words_of<Spacing>())
      ->delimiter(',')
      ->type_name("NAME,...")
      ->default_str("time");
  command
      .add_option(
          "--variance", variances,
          "Noise variances of the ancestral sampler to sweep over: small, large or "
          "numbers in [0, 1] that interpolate between them (default: the model's, large for most)")
      ->delimiter(',')
      ->type_name("VARIANCE,...");
  sampling.add_to(command);
}

void EvaluateFlags::add_output_flags(CLI::App& command) {
  command.option_defaults()->group(kOutputGroup);
  command.add_option("--json", json_file, "Write all results to this file")->type_name("FILE");
  command
      .add_option("--html", html,
                  "Write a page with a table of all results and plots of distance against NFE")
      ->type_name("FILE");
  command
      .add_option("--moments", moments,
                  "Write the reference's moments to this .npz, to use as --reference later")
      ->type_name("FILE");
}

}  // namespace halfstep::cli
