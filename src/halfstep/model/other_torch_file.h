// Recognizes files of PyTorch that are no models here, because they have no code that can be run.
#ifndef HALFSTEP_MODEL_OTHER_TORCH_FILE_H_
#define HALFSTEP_MODEL_OTHER_TORCH_FILE_H_

#include <filesystem>
#include <string>

namespace halfstep {

// Throws FormatError, which says what the file is and what to do, if it is one that torch.save
// wrote, such as a state_dict, an exported program (.pt2) or a pickle. `expected` is the kind of
// file that is wanted. Does nothing for other files, or if there is none.
void require_no_other_torch_file(const std::filesystem::path& path, const std::string& expected);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_OTHER_TORCH_FILE_H_
