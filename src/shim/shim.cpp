// The few libtorch functions that `tch` does not bind, behind a C interface.
// Each returns nullptr on success or a malloc'ed message that the caller frees.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/native/quantized/PackedParams.h>

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <vector>

namespace {

constexpr int64_t kRowsPerThread = 64;

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

// A linear layer in 8 bits: rows of the weight with a scale each.
struct Layer {
  c10::intrusive_ptr<LinearPackedParamsBase> weight;
  at::Tensor bias;  // [to]
};

// Rows of `from` numbers, each divided by its largest magnitude, which goes to `peaks`.
at::Tensor normalized_rows(const at::Tensor& x, int64_t from, float* peaks) {
  auto out = at::empty_like(x);
  const float* in = x.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, x.numel() / from, kRowsPerThread, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* a = in + row * from;
      float* b = to + row * from;
      float peak = 0;
#pragma omp simd reduction(max : peak)
      for (int64_t i = 0; i < from; ++i) peak = std::max(peak, std::abs(a[i]));
      const float scale = peak > 0 ? 1 / peak : 0;
      for (int64_t i = 0; i < from; ++i) b[i] = a[i] * scale;
      peaks[row] = peak;
    }
  });
  return out;
}

// y = peak * y + bias, row by row.
void restore_rows(at::Tensor& y, const at::Tensor& bias, const float* peaks) {
  const int64_t to = bias.numel();
  float* out = y.mutable_data_ptr<float>();
  const float* add = bias.const_data_ptr<float>();
  at::parallel_for(0, y.numel() / to, kRowsPerThread, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t i = 0; i < to; ++i) out[row * to + i] = out[row * to + i] * peaks[row] + add[i];
    }
  });
}

}  // namespace

extern "C" {

// Packs a weight [to, from] as 8-bit rows with a scale each; it is float if `scale` is null, else such rows already.
char* tts_pack_linear(at::Tensor* weight, at::Tensor* scale, at::Tensor* bias, Layer** layer) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    // The scales of stored rows go through the same roundings as those of the floats that they stand for.
    auto largest = scale ? *scale * 127 : weight->abs().amax(1);
    auto scales = (largest.clamp_min(1e-8) / 127).to(at::kDouble);
    auto zeros = at::zeros({weight->size(0)}, at::kLong);
    auto rows = scale ? at::_make_per_channel_quantized_tensor(*weight, scales, zeros, 0)
                      : at::quantize_per_channel(*weight, scales, zeros, 0, at::kQInt8);
    auto prepack = c10::Dispatcher::singleton()
                       .findSchemaOrThrow("quantized::linear_prepack", "")
                       .typed<c10::intrusive_ptr<LinearPackedParamsBase>(at::Tensor, std::optional<at::Tensor>)>();
    *layer = new Layer{prepack.call(rows, std::nullopt), bias->detach().contiguous()};
  });
}

// Each row of x is quantized by itself, so that its result does not depend on what other rows there are. Without VNNI
// instructions sums of 8-bit products saturate: activations then keep 7 bits.
char* tts_packed_linear(Layer* layer, at::Tensor* x, at::Tensor** y) {
  static const bool vnni = __builtin_cpu_supports("avx512vnni") || __builtin_cpu_supports("avxvnni");
  static const int64_t zero = vnni ? 128 : 64;
  return guarded([&] {
    auto in = x->contiguous();
    const int64_t from = in.size(-1);
    std::vector<float> peaks(in.numel() / from);
    auto rows = normalized_rows(in, from, peaks.data());
    auto out = layer->weight->apply_with_input_q_dq_qweight_dq_output_fp32(rows, 1.0 / (zero - 1), zero);
    restore_rows(out, layer->bias, peaks.data());
    *y = new at::Tensor(out);
  });
}

void tts_free_packed(Layer* layer) { delete layer; }

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
