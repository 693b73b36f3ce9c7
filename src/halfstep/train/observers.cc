#include "halfstep/train/observers.h"

namespace halfstep {

void Observers::on_dataset(const std::shared_ptr<const data::Dataset>& dataset) {
  for (TrainObserver* observer : observers_) observer->on_dataset(dataset);
}

void Observers::on_begin(const std::filesystem::path& folder, int64_t total_updates) {
  for (TrainObserver* observer : observers_) observer->on_begin(folder, total_updates);
}

void Observers::on_message(std::string_view message) {
  for (TrainObserver* observer : observers_) observer->on_message(message);
}

void Observers::on_update(const UpdateRecord& record) {
  for (TrainObserver* observer : observers_) observer->on_update(record);
}

void Observers::on_stats(const StatsLine& line) {
  for (TrainObserver* observer : observers_) observer->on_stats(line);
}

void Observers::on_teacher(const std::filesystem::path& folder, const Model& teacher,
                           const std::vector<int64_t>& num_steps, std::optional<double> guidance) {
  for (TrainObserver* observer : observers_)
    observer->on_teacher(folder, teacher, num_steps, guidance);
}

void Observers::on_snapshot(const std::filesystem::path& folder, const Model& model,
                            int64_t total_updates) {
  for (TrainObserver* observer : observers_) observer->on_snapshot(folder, model, total_updates);
}

void Observers::on_stage_end(const std::filesystem::path& folder, const Model& model) {
  for (TrainObserver* observer : observers_) observer->on_stage_end(folder, model);
}

}  // namespace halfstep
