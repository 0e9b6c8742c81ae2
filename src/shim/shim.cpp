// The few libtorch functions that `tch` does not bind, behind a C interface.
// Each returns nullptr on success or a malloc'ed message that the caller frees.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/native/quantized/PackedParams.h>

#include "kernels.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <utility>
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

// Each row of x [.., from] is quantized by itself, so that its result does not depend on what other rows there are. Without
// VNNI instructions sums of 8-bit products saturate: activations then keep 7 bits.
at::Tensor apply(const Layer& layer, const at::Tensor& x) {
  static const bool vnni = __builtin_cpu_supports("avx512vnni") || __builtin_cpu_supports("avxvnni");
  static const int64_t zero = vnni ? 128 : 64;
  const int64_t from = x.size(-1), to = layer.bias.numel(), rows = x.numel() / from;
  std::vector<float> peaks(rows);
  auto unit = at::empty_like(x);
  const float* in = x.const_data_ptr<float>();
  float* divided = unit.mutable_data_ptr<float>();
  at::parallel_for(0, rows, kRowsPerThread, [&](int64_t begin, int64_t end) {
    kernels::divide_by_peak(in + begin * from, end - begin, from, peaks.data() + begin, divided + begin * from);
  });
  auto out = layer.weight->apply_with_input_q_dq_qweight_dq_output_fp32(unit, 1.0 / (zero - 1), zero);
  float* y = out.mutable_data_ptr<float>();
  const float* bias = layer.bias.const_data_ptr<float>();
  at::parallel_for(0, rows, kRowsPerThread, [&](int64_t begin, int64_t end) {
    kernels::multiply_by_peak(y + begin * to, end - begin, to, peaks.data() + begin, bias);
  });
  return out;
}

// Weight and bias of a layer norm.
struct Norm {
  const at::Tensor &weight, &bias;
};

at::Tensor normal(const at::Tensor& x, const Norm& norm) {
  auto y = at::empty_like(x);
  const int64_t dim = x.size(-1);
  kernels::normalize(x.const_data_ptr<float>(), x.numel() / dim, dim, norm.weight.const_data_ptr<float>(),
                     norm.bias.const_data_ptr<float>(), y.mutable_data_ptr<float>());
  return y;
}

// residual + gain·down(gelu(up(norm(x)))); a gain of null is one.
at::Tensor mlp(const at::Tensor& x, const at::Tensor& residual, const Norm& norm, const Layer& up, const Layer& down,
               const at::Tensor* gain) {
  const int64_t dim = x.size(-1), rows = x.numel() / dim;
  auto hidden = apply(up, normal(x, norm));
  kernels::gelu(hidden.mutable_data_ptr<float>(), rows, hidden.size(-1));
  auto y = apply(down, hidden);
  kernels::add(y.mutable_data_ptr<float>(), gain ? gain->const_data_ptr<float>() : nullptr, residual.const_data_ptr<float>(), rows,
               dim);
  return y;
}

// What new positions of a causal sequence see. `keys` and `values` [W, C] are a ring of the positions before, of which there
// were `position`. Row r comes after row `parents[r]` < r, or right after the ring if that is negative, and sees the W positions
// up to itself. `turns` [R, dim] holds the cosines and sines of each row's position.
struct Before {
  const at::Tensor &keys, &values;
  int64_t position;
  const int64_t* parents;
  const float* turns;
  int64_t heads;
};

// Attention of new positions, whose queries, keys and values are `qkv` [R, 3C]: the result [R, C], and the rows' own keys and
// values [R, 2C]; the ring stays as it is. A row's result depends on the positions that it sees alone, to the last bit.
std::pair<at::Tensor, at::Tensor> attention(const at::Tensor& qkv, const Before& before) {
  const int64_t rows = qkv.size(0), window = before.keys.size(0), channels = before.keys.size(1);
  const int64_t heads = before.heads, dim = channels / heads;
  const float* in = qkv.const_data_ptr<float>();
  const float* ring_keys = before.keys.const_data_ptr<float>();
  const float* ring_values = before.values.const_data_ptr<float>();
  auto y = at::empty({rows, channels}, qkv.options());
  auto kv = at::empty({rows, 2 * channels}, qkv.options());
  float* new_kv = kv.mutable_data_ptr<float>();
  std::vector<float> query(channels), weights(window);
  std::vector<const float*> seen_keys(window), seen_values(window);
  for (int64_t r = 0; r < rows; ++r) {
    const float *cos = before.turns + r * dim, *sin = cos + dim / 2, *row = in + r * 3 * channels;
    kernels::rotate(row, cos, sin, heads, dim, query.data());
    kernels::rotate(row + channels, cos, sin, heads, dim, new_kv + r * 2 * channels);
    std::copy(row + 2 * channels, row + 3 * channels, new_kv + (2 * r + 1) * channels);
    // From itself back to the first row, then back through the ring; filled from the end.
    int64_t at = window;
    for (int64_t i = r; i >= 0 && at > 0; i = before.parents[i]) {
      seen_keys[--at] = new_kv + i * 2 * channels;
      seen_values[at] = new_kv + (2 * i + 1) * channels;
    }
    for (int64_t p = before.position - 1; p >= 0 && at > 0; --p) {
      seen_keys[--at] = ring_keys + p % window * channels;
      seen_values[at] = ring_values + p % window * channels;
    }
    kernels::attend(query.data(), seen_keys.data() + at, seen_values.data() + at, window - at, heads, dim, weights.data(),
                    y.mutable_data_ptr<float>() + r * channels);
  }
  return {y, kv};
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

// `[.., from]` to `[.., to]`.
char* tts_packed_linear(Layer* layer, at::Tensor* x, at::Tensor** y) {
  return guarded([&] { *y = new at::Tensor(apply(*layer, x->contiguous())); });
}

// residual + gain·down(gelu(up(norm(x)))) of x and residual [.., dim]; `gain` [dim] may be null.
char* tts_packed_mlp(Layer* up, Layer* down, at::Tensor* norm_weight, at::Tensor* norm_bias, at::Tensor* gain, at::Tensor* x,
                     at::Tensor* residual, at::Tensor** y) {
  return guarded([&] {
    *y = new at::Tensor(
        mlp(x->contiguous(), residual->contiguous(), {*norm_weight, *norm_bias}, *up, *down, gain));
  });
}

// Depthwise convolution over time of x [B, T, C] with weights [C, 1, K] and a bias [C].
char* tts_depthwise(at::Tensor* x, at::Tensor* weight, at::Tensor* bias, at::Tensor** y) {
  return guarded([&] {
    const auto in = x->contiguous(), taps = weight->squeeze(1).t().contiguous();
    auto out = at::empty_like(in);
    const int64_t frames = in.size(1), dim = in.size(2);
    for (int64_t b = 0; b < in.size(0); ++b) {
      kernels::depthwise(in.const_data_ptr<float>() + b * frames * dim, frames, dim, taps.const_data_ptr<float>(), taps.size(0),
                         bias->const_data_ptr<float>(), out.mutable_data_ptr<float>() + b * frames * dim);
    }
    *y = new at::Tensor(out);
  });
}

// Spectrum [B, T, F], complex, from five predicted ones [B, T, 5, F], the pulses' [B, T, F] and Gaussian noise [B, T, 2, F].
char* tts_mix(at::Tensor* bands, at::Tensor* source, at::Tensor* noise, double most, at::Tensor** y) {
  return guarded([&] {
    const auto b = bands->contiguous(), s = at::view_as_real(source->contiguous()), n = noise->contiguous();
    auto out = at::empty_like(s);
    const int64_t bins = b.size(-1), rows = b.numel() / (5 * bins);
    at::parallel_for(0, rows, kRowsPerThread, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        kernels::mix(b.const_data_ptr<float>() + row * 5 * bins, s.const_data_ptr<float>() + row * 2 * bins,
                     n.const_data_ptr<float>() + row * 2 * bins, bins, most, out.mutable_data_ptr<float>() + row * 2 * bins);
      }
    });
    *y = new at::Tensor(at::view_as_complex(out));
  });
}

void tts_free_packed(Layer* layer) { delete layer; }

// See `attention`.
char* tts_attend(at::Tensor* qkv, at::Tensor* keys, at::Tensor* values, int64_t position, const int64_t* parents,
                 const float* turns, int64_t heads, at::Tensor** result, at::Tensor** own) {
  return guarded([&] {
    auto [y, kv] = attention(*qkv, {*keys, *values, position, parents, turns, heads});
    *result = new at::Tensor(y);
    *own = new at::Tensor(kv);
  });
}

// What a block of a causal transformer makes of new positions x [R, C], and their own keys and values [R, 2C]. The norms are
// weight and bias of the first and of the second.
char* tts_packed_block(Layer* qkv, Layer* output, Layer* up, Layer* down, at::Tensor** norms, at::Tensor* x, at::Tensor* keys,
                       at::Tensor* values, int64_t position, const int64_t* parents, const float* turns, int64_t heads,
                       at::Tensor** result, at::Tensor** own) {
  return guarded([&] {
    auto [seen, kv] = attention(apply(*qkv, normal(*x, {*norms[0], *norms[1]})),
                                {*keys, *values, position, parents, turns, heads});
    auto y = apply(*output, seen);
    kernels::add(y.mutable_data_ptr<float>(), nullptr, x->const_data_ptr<float>(), y.size(0), y.size(1));
    *result = new at::Tensor(mlp(y, y, {*norms[2], *norms[3]}, *up, *down, nullptr));
    *own = new at::Tensor(kv);
  });
}

// Copies a position's key and value, side by side in `own` [1, 2C], into a row of each ring [W, C].
char* tts_remember(at::Tensor* own, at::Tensor* keys, at::Tensor* values, int64_t row) {
  return guarded([&] {
    const int64_t dim = keys->size(1);
    const float* from = own->const_data_ptr<float>();
    std::copy(from, from + dim, keys->mutable_data_ptr<float>() + row * dim);
    std::copy(from + dim, from + 2 * dim, values->mutable_data_ptr<float>() + row * dim);
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
