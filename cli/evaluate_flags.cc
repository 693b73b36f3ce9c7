#include "cli/evaluate_flags.h"

#include "cli/help.h"
#include "cli/values.h"
#include "halfstep/metrics/evaluation.h"

namespace halfstep::cli {

void EvaluateFlags::add_to(CLI::App& command) {
  add_data_flags(command);
  command.option_defaults()->group(kMeasurementGroup);
  add_value(command, "--features", features,
            "Feature network: a .safetensors file made for halfstep (see models/features) or a "
            "TorchScript .pt file")
      ->type_name("FILE")
      ->required();
  offer(add_value(command, "--metrics", this->metrics,
                  "Metrics to compute: frechet, kid, is (Inception Score), pr (precision and "
                  "recall) or agreement (fraction of samples that show their class)")
            ->delimiter(',')
            ->type_name("NAME,...")
            ->default_str("frechet"),
        names_of<metrics::Metric>());
  add_sampling_flags(command);
  add_output_flags(command);
  compute.add_to(command);
}

void EvaluateFlags::add_data_flags(CLI::App& command) {
  command.option_defaults()->group(kDataGroup);
  add_value(command, "--samples", samples,
            "What to measure: models, distillation runs (teacher and students), .npz files "
            "of images (arr_0) or data sets (required without --moments)")
      ->type_name("PATH...");
  command.add_flag("--samples-test", samples_test, "Use the test split of data sets in --samples");
  add_value(command, "--reference", reference,
            "What to compare with: a data set, or an .npz of images (arr_0), of moments (mu, "
            "sigma; enough for --metrics frechet,is,agreement) or of both")
      ->type_name("PATH")
      ->required();
  command.add_flag("--reference-test", reference_test,
                   "Use the test split of the data set in --reference");
  add_value(command, "--image-size", image_size,
            std::string(kImageSizeHelp) + " (images of files, in --samples and --reference)");
  command.add_flag("--skip-broken", skip_broken, kSkipBrokenHelp);
  add_value(command, "--num", num,
            "Maximum number of images per entry of --samples; of larger sets of images, a random "
            "choice");
}

void EvaluateFlags::add_sampling_flags(CLI::App& command) {
  command.option_defaults()->group(kSamplingGroup);
  add_value(command, "--first-seed", first_seed,
            "Models: seed of the first sample, which the others follow; images: seed of the "
            "random choice of --num");
  add_value(command, "--steps", steps,
            "Sampling steps to sweep over; required for a teacher, ignored for a distilled "
            "model unless --force-steps is given")
      ->delimiter(',')
      ->type_name("INT,...");
  offer(add_value(command, "--sampler", samplers,
                  "Samplers to sweep over: " + words_of<Sampler>() +
                      " (default: the model's, ddim for most)")
            ->delimiter(',')
            ->type_name("NAME,..."),
        names_of<Sampler>());
  offer(add_value(command, "--spacing", spacings,
                  "Spacings of the steps to sweep over: uniform in " + words_of<Spacing>())
            ->delimiter(',')
            ->type_name("NAME,...")
            ->default_str("time"),
        names_of<Spacing>());
  offer(
      add_value(
          command, "--variance", variances,
          "Noise variances of the ancestral sampler to sweep over: small, large or "
          "numbers in [0, 1] that interpolate between them (default: the model's, large for most)")
          ->delimiter(',')
          ->type_name("VARIANCE,..."),
      {"small", "large"});
  sampling.add_to(command);
}

void EvaluateFlags::add_output_flags(CLI::App& command) {
  command.option_defaults()->group(kOutputGroup);
  add_value(command, "--json", json_file, "Write all results to this file")->type_name("FILE");
  add_value(command, "--html", html,
            "Write a page with a table of all results and plots of distance against NFE")
      ->type_name("FILE");
  add_value(command, "--moments", moments,
            "Write the reference's moments to this .npz, to use as --reference later")
      ->type_name("FILE");
}

}  // namespace halfstep::cli
