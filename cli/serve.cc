// halfstep serve: draws images for HTTP clients.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/load_model.h"
#include "cli/model_path.h"
#include "cli/process.h"
#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/http/server.h"
#include "halfstep/io/file.h"
#include "halfstep/serve/served_model.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::vector<std::string> models;
  std::optional<int64_t> steps;
  std::string host = "127.0.0.1";
  int64_t port = 8000;
  std::optional<fs::path> api_key_file;
  int64_t batch = 64;
  int64_t queue = 128;
  int64_t grace = 30;
  bool deterministic = false;
  std::string precision = "auto";
  ComputeFlags compute;
};

struct NamedPath {
  std::string name;
  fs::path path;
};

bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                              "XYZ0123456789._-") == std::string_view::npos;
}

// Returns the name that a model has if none is given: that of its folder, or of its file.
std::string default_name(fs::path path) {
  if (!path.has_filename()) path = path.parent_path();  // "models/a/"
  if (path.filename() == "model.safetensors" || path.filename() == "model.pt")
    path = fs::absolute(path).parent_path();
  if (path.extension() == ".safetensors" || path.extension() == ".pt") path = path.stem();
  return path.filename().string();
}

// Parses MODEL or NAME=MODEL.
NamedPath parse_model(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals != std::string::npos && is_name(text.substr(0, equals)) && !fs::exists(text))
    return {.name = text.substr(0, equals), .path = path_of(text.substr(equals + 1), "--model")};
  return {.name = default_name(text), .path = path_of(text, "--model")};
}

std::vector<http::ServedModel> load(const Flags& flags, const at::Device& device) {
  const auto precision = enum_of<PrecisionChoice>(flags.precision, "--precision");
  ServingOptions options{.teacher_steps = flags.steps};
  if (flags.deterministic) options.fixed_batch = flags.batch;
  std::vector<http::ServedModel> models;
  std::set<std::string> names;
  for (const std::string& text : flags.models) {
    const NamedPath named = parse_model(text);
    if (!names.insert(named.name).second) {
      throw ConfigError("--model", "expected different names, received two models called " +
                                       named.name + "; use NAME=MODEL");
    }
    const Model model =
        load_model(model_path(named.path), {.device = device, .precision = precision});
    models.push_back(served_model(named.name, model, options));
  }
  return models;
}

std::optional<std::string> read_key(const std::optional<fs::path>& path) {
  constexpr size_t kLeast = 16, kMost = 1024;
  if (!path) return std::nullopt;
  std::string key = io::read_file(*path, kMost + 1);
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  bool printable = true;
  for (const char c : key) printable = printable && c > ' ' && c < '\x7f';
  if (key.size() < kLeast || key.size() > kMost || !printable) {
    throw ConfigError("--api-key-file", "expected " + std::to_string(kLeast) + " to " +
                                            std::to_string(kMost) +
                                            " printable characters without spaces, received "
                                            "others; make one with: openssl rand -hex 32");
  }
  return key;
}

// Returns the time as 2026-11-30T12:00:00Z.
std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&now, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

void log(const http::Record& record) {
  nlohmann::ordered_json line = {{"time", time_text()},     {"client", record.client},
                                 {"method", record.method}, {"path", record.path},
                                 {"status", record.status}, {"seconds", record.seconds},
                                 {"bytes", record.bytes}};
  if (!record.model.empty()) line["model"] = record.model;
  if (record.images > 0) line["images"] = record.images;
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  std::fputs(text.c_str(), stderr);
}

int run(const Flags& flags) {
  const at::Device device = flags.compute.apply();
  http::ServerOptions options{.host = flags.host,
                              .port = static_cast<int>(std::clamp<int64_t>(flags.port, -1, 65536)),
                              .api_key = read_key(flags.api_key_file),
                              .batch = static_cast<size_t>(std::max<int64_t>(flags.batch, 0)),
                              .queue = static_cast<size_t>(std::max<int64_t>(flags.queue, 0)),
                              .grace = std::chrono::seconds(flags.grace)};
  validate(options);
  const std::atomic<bool>& stop = stop_on_interrupt();
  http::Server server(load(flags, device), options, log);
  const bool v6 = flags.host.find(':') != std::string::npos;
  std::printf("http://%s:%d/\n", (v6 ? "[" + flags.host + "]" : flags.host).c_str(), server.port());
  std::fflush(stdout);
  const size_t cancelled = server.run(stop);
  if (cancelled > 0)
    std::fprintf(stderr, "halfstep: %zu requests were cancelled after --grace\n", cancelled);
  return kDone;
}

void add_server_flags(CLI::App& command, Flags& flags) {
  command.option_defaults()->group(kServerGroup);
  add_value(command, "--host", flags.host,
            "Address to listen at; one that other machines can reach needs --api-key-file")
      ->type_name("ADDRESS");
  add_value(command, "--port", flags.port, "Port to listen at; 0 is any free one");
  add_value(command, "--api-key-file", flags.api_key_file,
            "File with a key that requests must have, as the header Authorization: Bearer KEY")
      ->type_name("FILE");
  add_value(command, "--queue", flags.queue, "Requests that may wait; more are refused with 429");
  add_value(command, "--grace", flags.grace,
            "Seconds in which accepted requests are finished after SIGTERM");
}

}  // namespace

void add_serve(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("serve", "Draw images for HTTP clients and a page in the browser");
  command->footer(
      "Examples:\n"
      "  halfstep serve --model models/fashion-4-steps\n"
      "  halfstep serve --model models/fashion-1-step --model teacher=models/fashion-teacher "
      "--steps 64\n\n"
      "Prints the address, and one JSON line per request on stderr. See docs/serve.md.");
  auto flags = std::make_shared<Flags>();
  command->option_defaults()->group(kModelGroup);
  add_value(*command, "--model", flags->models,
            std::string("A model to serve, by the name of its folder or by NAME: ") + kModelHelp)
      ->type_name("[NAME=]MODEL")
      ->required();
  command->option_defaults()->group(kSamplingGroup);
  add_value(*command, "--steps", flags->steps, "Sampling steps of teachers, which need a number");
  command->add_flag("--deterministic", flags->deterministic,
                    "Always draw batches of --batch images, so that an image does not depend on "
                    "the others of its batch in any bit");
  add_server_flags(*command, *flags);
  command->option_defaults()->group(kComputeGroup);
  add_value(*command, "--batch", flags->batch, "Most images per batch");
  offer(add_value(*command, "--precision", flags->precision,
                  kPrecisionHelp + words_of<PrecisionChoice>())
            ->type_name("NAME"),
        names_of<PrecisionChoice>());
  flags->compute.add_to(*command);
  command->callback([&action, flags] { action = [flags] { return run(*flags); }; });
}

}  // namespace halfstep::cli
