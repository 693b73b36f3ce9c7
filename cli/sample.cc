// halfstep sample: draws one image per seed and writes them as PNG files, an .npz or a grid.
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/input_flags.h"
#include "cli/model_path.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/sampling_flags.h"
#include "cli/seeds.h"
#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/io/disk.h"
#include "halfstep/io/image.h"
#include "halfstep/io/npy.h"
#include "halfstep/metrics/image_source.h"
#include "halfstep/metrics/restoration_quality.h"
#include "halfstep/model/tensor_io.h"
#include "halfstep/parallel/sharded_generate.h"
#include "halfstep/report/image_grid.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultSeeds = "0-63";

struct Flags {
  fs::path model;
  std::optional<std::string> seeds;
  InputFlags input;
  std::optional<fs::path> noise;
  std::optional<int64_t> steps;
  std::optional<std::string> sampler;
  std::optional<std::string> variance;
  std::string spacing = "time";
  SamplingFlags sampling;
  std::optional<fs::path> outdir;
  std::optional<fs::path> npz;
  std::optional<fs::path> grid;
  std::optional<fs::path> write_noise;
  int64_t scale = 1;
  bool captions = false;
  std::optional<fs::path> compare;
  ComputeFlags compute;
};

// Returns the PSNR over all pixels, in dB.
double psnr(const Tensor& images, const Tensor& reference) {
  const Tensor error = (images.to(at::kDouble) - reference.to(at::kDouble)).square();
  return metrics::decibels(error.mean()).item<double>();
}

void write_samples(const fs::path& path, const Samples& samples) {
  const bool images = samples.images.scalar_type() == at::kByte;
  write_npz(path, {{"arr_0", images ? samples.images.permute({0, 2, 3, 1}) : samples.images},
                   {"arr_1", samples.labels}});
}

void write_noise(const fs::path& path, const SampleInputs& inputs) {
  write_npz(path, {{"noise", inputs.noise},
                   {"class", inputs.labels},
                   {"guidance", inputs.guidance},
                   {"step_noise", inputs.step_noise},
                   {"condition", inputs.condition}});
  std::printf("%s\n", path.c_str());
}

// Reads the images of --compare. Throws FormatError unless there is one per seed, of the model's
// shape.
Tensor read_reference(const fs::path& path, const ModelSpec& spec, size_t count) {
  const metrics::ImageSource images = metrics::open_images(path);
  const std::vector<int64_t> shape = input_shape(spec.network);
  if (images.count != static_cast<int64_t>(count) || images.shape != shape) {
    throw FormatError(path.string(), "expected " + std::to_string(count) + " images of " +
                                         io::to_string(shape) + ", received " +
                                         std::to_string(images.count) + " of " +
                                         io::to_string(images.shape));
  }
  return images.read(0, images.count);
}

void write_images(const fs::path& outdir, const Samples& samples,
                  const std::vector<uint64_t>& seeds) {
  io::make_folder(outdir);
  for (size_t i = 0; i < seeds.size(); ++i) {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "%06llu.png",
                  static_cast<unsigned long long>(seeds[i]));
    io::write_png(outdir / name.data(), report::to_image(samples.images[static_cast<int64_t>(i)]));
  }
}

// Returns whether samples are wanted, and not only their noise.
bool draws(const Flags& flags) { return flags.outdir || flags.npz || flags.grid || flags.compare; }

void require_images(const Flags& flags, const ModelSpec& spec) {
  if (is_image(spec.network)) return;
  for (const auto& [flag, path] :
       {std::pair{"--grid", flags.grid}, std::pair{"--outdir", flags.outdir},
        std::pair{"--compare", flags.compare}}) {
    if (!path) continue;
    throw ConfigError(flag, "expected an image model, received one of float32 " +
                                io::to_string(input_shape(spec.network)) + "; use --npz");
  }
}

// Returns the sampling options of the flags. Throws ConfigError if the model does not support them.
GenerateOptions options_of(const Flags& flags, const ModelSpec& spec) {
  GenerateOptions options = flags.sampling.options_for(spec);
  options.num_steps = flags.steps;
  options.spacing = enum_of<Spacing>(flags.spacing, "--spacing");
  if (flags.sampler) options.sampler = enum_of<Sampler>(*flags.sampler, "--sampler");
  if (flags.variance) options.variance = parse_variance(*flags.variance);
  validate(options, spec);
  return options;
}

// Returns the captions of --captions: the seed of each image and its class, if it has one.
std::vector<std::string> captions_of(const Samples& samples, const std::vector<uint64_t>& seeds,
                                     const ModelSpec& spec) {
  std::vector<std::string> captions;
  for (size_t i = 0; i < seeds.size(); ++i) {
    std::string caption = std::to_string(seeds[i]);
    if (samples.labels.defined()) {
      const auto label = samples.labels[static_cast<int64_t>(i)].item<int64_t>();
      const auto number = static_cast<size_t>(label);
      caption += " " + (label == kNullLabel                ? "none"
                        : number < spec.class_names.size() ? spec.class_names[number]
                                                           : std::to_string(label));
    }
    captions.push_back(caption);
  }
  return captions;
}

void write_outputs(const Flags& flags, const Samples& samples, const std::vector<uint64_t>& seeds,
                   const ModelSpec& spec, const KnownImages& known, const Tensor& reference) {
  report::GridOptions grid{.scale = flags.scale};
  if (flags.captions) grid.captions = captions_of(samples, seeds, spec);
  if (flags.npz) write_samples(*flags.npz, samples);
  if (flags.grid) {
    io::write_png(*flags.grid,
                  known.defined() && !flags.captions
                      ? report::restored_grid(spec, known, samples.images, {}, flags.scale)
                      : report::image_grid(samples.images, grid));
  }
  if (flags.outdir) write_images(*flags.outdir, samples, seeds);
  if (flags.compare) {
    std::printf("psnr %.2f dB against %s\n", psnr(samples.images, reference),
                flags.compare->c_str());
  }
  for (const auto& path : {flags.npz, flags.grid, flags.outdir}) {
    if (path) std::printf("%s\n", path->c_str());
  }
}

void require_png(const Flags& flags) {
  if (flags.grid && flags.grid->extension() != ".png") {
    throw ConfigError("--grid",
                      "expected a name that ends in .png, received " + flags.grid->string());
  }
}

// Throws ConfigError if there is nothing to write, or if a flag contradicts another.
void require_sound(const Flags& flags) {
  if (!draws(flags) && !flags.write_noise) {
    throw ConfigError(
        "sample", "expected --outdir, --npz, --grid, --compare or --write-noise, received none");
  }
  if (flags.write_noise && flags.noise) {
    throw ConfigError("--write-noise",
                      "expected no --noise, because the noise of the seeds is written, received " +
                          flags.noise->string());
  }
  if (flags.scale < 1 || flags.scale > report::kMostScale) {
    throw ConfigError("--scale", "expected 1 to " + std::to_string(report::kMostScale) +
                                     ", received " + std::to_string(flags.scale));
  }
}

int run(const Flags& flags) {
  require_sound(flags);
  at::Device device = flags.compute.apply();
  const std::unique_ptr<parallel::ProcessGroup> group = join_processes(device);
  std::vector<uint64_t> seeds;
  if (flags.seeds || !flags.input.is_given())
    seeds = parse_seeds(flags.seeds.value_or(kDefaultSeeds));
  if (group->is_rank_zero()) {
    require_outputs({{"--npz", flags.npz},
                     {"--grid", flags.grid},
                     {"--write-noise", flags.write_noise},
                     {"--outdir", flags.outdir, /*is_folder=*/true}});
  }
  require_png(flags);
  const Model model = flags.sampling.load(model_path(flags.model, group->is_rank_zero()), device);
  GenerateOptions options = options_of(flags, model.spec());
  options.known = flags.input.read(model.spec(), seeds);
  require_images(flags, model.spec());
  if (flags.write_noise && group->is_rank_zero())
    write_noise(*flags.write_noise, inputs_of_seeds(model.spec(), options, seeds));
  if (!draws(flags)) {
    group->leave();
    return kDone;
  }
  Tensor noise;
  if (flags.noise) noise = to_tensor(io::read_npy(*flags.noise).view());
  Tensor reference;
  if (flags.compare && group->is_rank_zero())
    reference = read_reference(*flags.compare, model.spec(), seeds.size());
  CountLine progress;
  const Samples samples = parallel::generate(
      *group, model, seeds, options, noise,
      [&](int64_t done) { progress.show("sampled", done, static_cast<int64_t>(seeds.size())); });
  group->leave();
  if (group->is_rank_zero())
    write_outputs(flags, samples, seeds, model.spec(), options.known, reference);
  return kDone;
}

void add_sampling_flags(CLI::App& command, Flags& flags) {
  command.option_defaults()->group(kSamplingGroup);
  add_value(command, "--seeds", flags.seeds, "Seeds, such as 0-63 or 1,5,7-9; one image per seed")
      ->default_str(kDefaultSeeds)
      ->type_name("LIST");
  flags.input.add_to(command);
  add_value(command, "--steps", flags.steps,
            "Sampling steps; required for a teacher, fixed for a distilled model");
  offer(add_value(command, "--sampler", flags.sampler,
                  "Sampler: " + words_of<Sampler>() + " (default: the model's, ddim for most)")
            ->type_name("NAME"),
        names_of<Sampler>());
  offer(add_value(command, "--spacing", flags.spacing,
                  "Spacing of the steps: uniform in " + words_of<Spacing>())
            ->type_name("NAME"),
        names_of<Spacing>());
  offer(
      add_value(command, "--variance", flags.variance,
                "Noise variance of the ancestral sampler: small, large or a number in [0, 1] that "
                "interpolates between them (default: the model's, large for most)")
          ->type_name("VARIANCE"),
      {"small", "large"});
  add_value(command, "--noise", flags.noise,
            "Start from this .npy, float32 [N, C, ...] with one entry per seed, instead of noise "
            "drawn from the seeds")
      ->type_name("FILE");
  flags.sampling.add_to(command);
}

void add_output_flags(CLI::App& command, Flags& flags) {
  command.option_defaults()->group(kOutputGroup);
  add_value(command, "--outdir", flags.outdir,
            "Write each image to this folder, as SEED.png with six digits: 000000.png")
      ->type_name("FOLDER");
  add_value(command, "--npz", flags.npz,
            "Write all samples to this .npz: arr_0 is uint8 [N, H, W, C], or float32 for "
            "non-image data; arr_1 contains the labels")
      ->type_name("FILE");
  add_value(command, "--grid", flags.grid, "Write one PNG with all images")->type_name("FILE");
  add_value(command, "--write-noise", flags.write_noise,
            "Write the inputs of the samples to this .npz, by the names of the inputs of an ONNX "
            "file: noise, class, guidance and step_noise, as far as the model has them")
      ->type_name("FILE");
  add_value(command, "--scale", flags.scale, "Enlarge the images of --grid this many times");
  command.add_flag("--captions", flags.captions,
                   "Write the seed and the class below each image of --grid");
  add_value(command, "--compare", flags.compare,
            "Print the PSNR against the images of the same seeds in this .npz or data set")
      ->type_name("PATH");
}

}  // namespace

void add_sample(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("sample", "Draw samples from a model, one per seed");
  command->footer(
      "Examples:\n"
      "  halfstep sample --model models/fashion-4-steps --grid student.png --scale 2 --captions\n"
      "  halfstep sample --model RUN/stage-0004 --seeds 0-999 --npz samples.npz\n\n"
      "At least one of --outdir, --npz, --grid, --compare and --write-noise is required.");
  auto flags = std::make_shared<Flags>();
  command->option_defaults()->group(kModelGroup);
  add_value(*command, "--model", flags->model, kModelHelp)->type_name("MODEL")->required();
  add_sampling_flags(*command, *flags);
  add_output_flags(*command, *flags);
  flags->compute.add_to(*command);
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
