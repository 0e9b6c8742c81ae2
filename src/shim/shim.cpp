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

// Functions in a hot loop are compiled for newer processors, too, and the best version is picked when the program starts.
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

// Attention of one query [heads * dim] over `count` keys and values, in their order.
FOR_EACH_PROCESSOR void attend(const float* query, const float* const* keys, const float* const* values, int64_t count,
                               int64_t heads, int64_t dim, float* weights, float* out) {
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  for (int64_t head = 0; head < heads; ++head) {
    const int64_t at = head * dim;
    float most = -INFINITY;
    for (int64_t i = 0; i < count; ++i) {
      float product = 0;
#pragma omp simd reduction(+ : product)
      for (int64_t j = 0; j < dim; ++j) product += query[at + j] * keys[i][at + j];
      weights[i] = product * scale;
      most = std::max(most, weights[i]);
    }
    float total = 0;
    for (int64_t i = 0; i < count; ++i) {
      weights[i] = std::exp(weights[i] - most);
      total += weights[i];
    }
    std::fill(out + at, out + at + dim, 0.0f);
    for (int64_t i = 0; i < count; ++i) {
      const float weight = weights[i] / total;
#pragma omp simd
      for (int64_t j = 0; j < dim; ++j) out[at + j] += weight * values[i][at + j];
    }
  }
}

// Turns the two halves of each head of x [heads * dim] by the angles whose cosines and sines are given, [dim / 2] each.
void rotate(const float* x, const float* cos, const float* sin, int64_t heads, int64_t dim, float* out) {
  const int64_t half = dim / 2;
  for (int64_t at = 0; at < heads * dim; at += dim) {
    for (int64_t j = 0; j < half; ++j) {
      const float a = x[at + j], b = x[at + half + j];
      out[at + j] = a * cos[j] - b * sin[j];
      out[at + half + j] = a * sin[j] + b * cos[j];
    }
  }
}

}  // namespace

extern "C" {

// Packs a float weight [to, from] as 8-bit rows with a scale each; `bias` [to] may be null.
char* tts_pack_linear(at::Tensor* weight, at::Tensor* bias, Layer** layer) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto scales = (weight->abs().amax(1).clamp_min(1e-8) / 127).to(at::kDouble);
    auto zeros = at::zeros({weight->size(0)}, at::kLong);
    auto rows = at::quantize_per_channel(*weight, scales, zeros, 0, at::kQInt8);
    auto prepack = c10::Dispatcher::singleton()
                       .findSchemaOrThrow("quantized::linear_prepack", "")
                       .typed<c10::intrusive_ptr<LinearPackedParamsBase>(at::Tensor, std::optional<at::Tensor>)>();
    *layer = new Layer{prepack.call(rows, std::nullopt),
                       bias ? bias->detach().contiguous() : at::zeros({weight->size(0)})};
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

// Attention of new positions of a causal sequence. `qkv` [R, 3C] holds their queries, keys and values. `keys` and `values`
// [W, C] are a ring of the positions before, of which there were `position`. Row r comes after row `parents[r]` < r, or
// right after the ring if that is negative, and sees the W positions up to itself. `turns` [R, dim] holds the cosines and
// sines of each row's position. Gives the result [R, C], and the rows' own keys and values [R, 2C]; the ring stays as it is.
// A row's result depends on the positions that it sees alone, to the last bit.
char* tts_attend(at::Tensor* qkv, at::Tensor* keys, at::Tensor* values, int64_t position, const int64_t* parents,
                 const float* turns, int64_t heads, at::Tensor** result, at::Tensor** own) {
  return guarded([&] {
    const int64_t rows = qkv->size(0), window = keys->size(0), channels = keys->size(1), dim = channels / heads;
    const float* in = qkv->const_data_ptr<float>();
    const float* ring_keys = keys->const_data_ptr<float>();
    const float* ring_values = values->const_data_ptr<float>();
    auto y = at::empty({rows, channels}, qkv->options());
    auto kv = at::empty({rows, 2 * channels}, qkv->options());
    float* new_kv = kv.mutable_data_ptr<float>();
    std::vector<float> query(channels), weights(window);
    std::vector<const float*> seen_keys(window), seen_values(window);
    for (int64_t r = 0; r < rows; ++r) {
      const float *cos = turns + r * dim, *sin = cos + dim / 2, *row = in + r * 3 * channels;
      rotate(row, cos, sin, heads, dim, query.data());
      rotate(row + channels, cos, sin, heads, dim, new_kv + r * 2 * channels);
      std::copy(row + 2 * channels, row + 3 * channels, new_kv + (2 * r + 1) * channels);
      // From itself back to the first row, then back through the ring; filled from the end.
      int64_t at = window;
      for (int64_t i = r; i >= 0 && at > 0; i = parents[i]) {
        seen_keys[--at] = new_kv + i * 2 * channels;
        seen_values[at] = new_kv + (2 * i + 1) * channels;
      }
      for (int64_t p = position - 1; p >= 0 && at > 0; --p) {
        seen_keys[--at] = ring_keys + p % window * channels;
        seen_values[at] = ring_values + p % window * channels;
      }
      attend(query.data(), seen_keys.data() + at, seen_values.data() + at, window - at, heads, dim, weights.data(),
             y.mutable_data_ptr<float>() + r * channels);
    }
    *result = new at::Tensor(y);
    *own = new at::Tensor(kv);
  });
}

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
