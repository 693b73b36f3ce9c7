#ifndef HALFSTEP_TRAIN_OBSERVERS_H_
#define HALFSTEP_TRAIN_OBSERVERS_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/train/observer.h"

namespace halfstep {

// Passes every call on to several observers, in order.
class Observers final : public TrainObserver {
 public:
  explicit Observers(std::vector<TrainObserver*> observers) : observers_(std::move(observers)) {}
  void on_dataset(const std::shared_ptr<const data::Dataset>& dataset) override;
  void on_begin(const std::filesystem::path& folder, int64_t total_updates) override;
  void on_message(std::string_view message) override;
  void on_update(const UpdateRecord& record) override;
  void on_stats(const StatsLine& line) override;
  void on_teacher(const std::filesystem::path& folder, const Model& teacher,
                  const std::vector<int64_t>& num_steps, std::optional<double> guidance) override;
  void on_snapshot(const std::filesystem::path& folder, const Model& model,
                   int64_t total_updates) override;
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

 private:
  std::vector<TrainObserver*> observers_;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_OBSERVERS_H_
