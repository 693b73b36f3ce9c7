// What an evaluation of an unfinished model finds.
#ifndef HALFSTEP_TRAIN_QUALITY_H_
#define HALFSTEP_TRAIN_QUALITY_H_

#include <cstdint>
#include <optional>
#include <string>

namespace halfstep {

// The samples of a model against the data that it is trained on. Means and deviations are over all
// pixels and channels of all images, in levels from 0 to 255.
struct Quality {
  std::string distance_name;  // "FD-ResNet20-FashionMNIST", "FID"
  // Fréchet distance; none if the samples were not finite.
  std::optional<double> distance = std::nullopt;
  double pixel_mean = 0.0;       // of the samples
  double pixel_deviation = 0.0;  // standard deviation
  double data_mean = 0.0;
  double data_deviation = 0.0;
  // The run sets the last three: the update of the stage whose model is the best so far, 0 if there
  // is none, its distance, and the wall time of the evaluation.
  int64_t best_update = 0;
  std::optional<double> best_distance = std::nullopt;
  double seconds = 0.0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("distance_name", self.distance_name, "a string");
    visit("distance", self.distance, "a number or null");
    visit("pixel_mean", self.pixel_mean, "a number");
    visit("pixel_deviation", self.pixel_deviation, "a number");
    visit("data_mean", self.data_mean, "a number");
    visit("data_deviation", self.data_deviation, "a number");
    visit("best_update", self.best_update, "an integer");
    visit("best_distance", self.best_distance, "a number or null");
    visit("seconds", self.seconds, "a number");
  }
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_QUALITY_H_
