#include "halfstep/nn/torchscript_state.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

namespace halfstep {
namespace {

using c10::IValue;

// The place of the first difference between two values; none if there is none.
using Difference = std::optional<std::string>;

constexpr int kMaxDepth = 100;  // of containers and submodules in each other

Difference difference(const IValue& a, const IValue& b, const std::string& name, int depth);

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  if (a.layout() != at::kStrided || a.is_quantized()) return at::equal(a, b);
  const at::Tensor left = a.detach().cpu().contiguous();
  const at::Tensor right = b.detach().cpu().contiguous();
  return left.numel() == 0 ||
         std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) == 0;
}

Difference of_elements(at::ArrayRef<IValue> a, at::ArrayRef<IValue> b, const std::string& name,
                       int depth) {
  if (a.size() != b.size()) return name;
  for (size_t i = 0; i < a.size(); ++i) {
    if (const auto found = difference(a[i], b[i], name + "[" + std::to_string(i) + "]", depth))
      return found;
  }
  return std::nullopt;
}

Difference of_entries(const IValue& a, const IValue& b, const std::string& name, int depth) {
  const auto left = a.toGenericDict();
  const auto right = b.toGenericDict();
  if (left.size() != right.size()) return name;
  auto other = right.begin();  // dictionaries keep the order of insertion
  for (auto entry = left.begin(); entry != left.end(); ++entry, ++other) {
    for (const auto& [one, two] :
         {std::pair{entry->key(), other->key()}, std::pair{entry->value(), other->value()}}) {
      if (const auto found = difference(one, two, name + "[]", depth)) return found;
    }
  }
  return std::nullopt;
}

Difference of_attributes(const IValue& a, const IValue& b, const std::string& name, int depth) {
  const auto left = a.toObject();
  const auto right = b.toObject();
  if (left->type() != right->type()) return name;
  for (size_t slot = 0; slot < left->type()->numAttributes(); ++slot) {
    const std::string attribute =
        (name.empty() ? "" : name + ".") + left->type()->getAttributeName(slot);
    if (const auto found = difference(left->getSlot(slot), right->getSlot(slot), attribute, depth))
      return found;
  }
  return std::nullopt;
}

// Values of other types, such as devices, cannot change from call to call without a type that is
// compared here.
bool same_number_or_text(const IValue& a, const IValue& b) {
  if (a.isInt()) return a.toInt() == b.toInt();
  if (a.isBool()) return a.toBool() == b.toBool();
  if (a.isDouble())
    return std::bit_cast<uint64_t>(a.toDouble()) == std::bit_cast<uint64_t>(b.toDouble());
  if (a.isComplexDouble()) return a.toComplexDouble() == b.toComplexDouble();
  if (a.isString()) return a.toStringRef() == b.toStringRef();
  if (a.isEnum()) return a.toEnumHolder()->name() == b.toEnumHolder()->name();
  return true;
}

Difference difference(const IValue& a, const IValue& b, const std::string& name, int depth) {
  if (depth == kMaxDepth || a.tagKind() != b.tagKind()) return name;
  if (a.isTensor()) return same_bits(a.toTensor(), b.toTensor()) ? Difference() : name;
  if (a.isObject()) return of_attributes(a, b, name, depth + 1);
  if (a.isList()) return of_elements(a.toListRef(), b.toListRef(), name, depth + 1);
  if (a.isTuple()) {
    return of_elements(a.toTupleRef().elements().asArrayRef(),
                       b.toTupleRef().elements().asArrayRef(), name, depth + 1);
  }
  if (a.isGenericDict()) return of_entries(a, b, name, depth + 1);
  return same_number_or_text(a, b) ? Difference() : name;
}

}  // namespace

std::string TorchScriptState::changed_in(const torch::jit::Module& module) const {
  return difference(copy_._ivalue(), module._ivalue(), "", 0).value_or("");
}

}  // namespace halfstep
