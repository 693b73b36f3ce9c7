// Includes every public header and uses the layer that needs the most packages.
#include <cstdio>
#include <string>

#include "public_headers.h"

int main() {
  try {
    halfstep::data::open_dataset("no-such-folder");
  } catch (const halfstep::Error& error) {
    std::printf("halfstep %s: %s\n", std::string(halfstep::version()).c_str(), error.what());
    return 0;
  }
  return 1;
}
