// The few libtorch functions that `tch` does not bind, behind a C interface.
// Each returns nullptr on success or a malloc'ed message that the caller frees.

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/native/quantized/PackedParams.h>

#include <dlfcn.h>

#include <cstring>
#include <exception>
#include <vector>

namespace {

template <typename F>
char* guarded(F f) {
  try {
    f();
    return nullptr;
  } catch (const std::exception& e) {
    return strdup(e.what());
  }
}

std::vector<at::Tensor> list(at::Tensor** tensors, size_t n) {
  std::vector<at::Tensor> out;
  out.reserve(n);
  for (size_t i = 0; i < n; ++i) out.push_back(*tensors[i]);
  return out;
}

using Packed = c10::intrusive_ptr<LinearPackedParamsBase>;

}  // namespace

extern "C" {

// Packs a float weight [to, from] as 8-bit rows with a scale each; `bias` may be null.
char* tts_pack_linear(at::Tensor* weight, at::Tensor* bias, Packed** packed) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto scales = (weight->abs().amax(1).clamp_min(1e-8) / 127).to(at::kDouble);
    auto zeros = at::zeros({weight->size(0)}, at::kLong);
    auto rows = at::quantize_per_channel(*weight, scales, zeros, 0, at::kQInt8);
    auto prepack = c10::Dispatcher::singleton()
                       .findSchemaOrThrow("quantized::linear_prepack", "")
                       .typed<Packed(at::Tensor, std::optional<at::Tensor>)>();
    *packed = new Packed(prepack.call(rows, bias ? std::optional<at::Tensor>(bias->detach()) : std::nullopt));
  });
}

// Without VNNI instructions sums of 8-bit products saturate: activations then keep 7 bits.
char* tts_packed_linear(Packed* packed, at::Tensor* x, at::Tensor** y) {
  static const bool reduce_range = !__builtin_cpu_supports("avx512vnni") && !__builtin_cpu_supports("avxvnni");
  return guarded([&] { *y = new at::Tensor((*packed)->apply_dynamic(*x, reduce_range)); });
}

void tts_free_packed(Packed* packed) { delete packed; }

// One AdamW update of all parameters, their gradients first scaled down to the global norm `max_norm`.
// Writes the norm before scaling to `norm`.
char* tts_fused_adamw(at::Tensor** params, at::Tensor** grads, at::Tensor** exp_avgs, at::Tensor** exp_avg_sqs,
                      at::Tensor** steps, size_t n, double lr, double beta1, double beta2, double weight_decay,
                      double eps, double max_norm, double* norm) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto g = list(grads, n);
    auto total = at::stack(at::_foreach_norm(g, 2)).norm(2);
    *norm = total.item<double>();
    if (*norm > max_norm) at::_foreach_mul_(g, max_norm / (*norm + 1e-6));
    auto s = list(steps, n);
    at::_foreach_add_(s, 1);
    at::_fused_adamw_(list(params, n), g, list(exp_avgs, n), list(exp_avg_sqs, n), {}, s, lr, beta1,
                      beta2, weight_decay, eps, /*amsgrad=*/false, /*maximize=*/false);
  });
}

// Loads libtorch's CUDA library, which registers itself; the program is linked against the CPU's alone.
char* tts_load_cuda() {
  return dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) ? nullptr : strdup(dlerror());
}

// Switches bf16 autocast for this thread on the CPU (cuda = false) or the GPU.
char* tts_set_autocast(bool cuda, bool enabled) {
  return guarded([&] {
    auto device = cuda ? at::kCUDA : at::kCPU;
    if (enabled) {
      at::autocast::set_autocast_dtype(device, at::kBFloat16);
      at::autocast::increment_nesting();
    } else if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
    at::autocast::set_autocast_enabled(device, enabled);
  });
}
}
