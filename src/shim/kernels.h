// Loops over plain floats, for what libtorch would do in many small steps. Each row is computed by itself: its result does
// not depend on what other rows there are.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace kernels {

// Functions in a hot loop are compiled for newer processors, too, and the best version is picked when the program starts.
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

// e^x to 2e-7 of itself, between 1e-38 and 1e38 (after Cephes' expf), in steps that vector instructions have.
__attribute__((always_inline)) inline float exponential(float x) {
  x = std::min(std::max(x, -87.0f), 88.0f);
  const float shifted = x * 1.44269504f + 12582912.0f;  // the nearest whole power of two, in the last bits
  const float power = shifted - 12582912.0f;
  const float r = x - power * 0.693359375f + power * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return y * scale;
}

// Sine and cosine of an angle of at most a few thousand, to 2e-7 (after Cephes' sinf and cosf).
__attribute__((always_inline)) inline void sine_cosine(float x, float& sine, float& cosine) {
  const float shifted = x * 0.636619772f + 12582912.0f;  // quarter turns
  const float quarters = shifted - 12582912.0f;
  const float r = x - quarters * 1.5703125f - quarters * 4.83751296997e-4f - quarters * 7.54978995489e-8f;
  const float z = r * r;
  const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  const float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1;
  uint32_t turn;
  std::memcpy(&turn, &shifted, sizeof turn);
  const float a = turn & 1 ? c : s, b = turn & 1 ? s : c;
  sine = turn & 2 ? -a : a;
  cosine = (turn + 1) & 2 ? -b : b;
}

// Divides each row of `dim` numbers by its largest magnitude, which goes to `peaks`.
FOR_EACH_PROCESSOR void divide_by_peak(const float* x, int64_t rows, int64_t dim, float* peaks, float* y) {
  for (int64_t row = 0; row < rows; ++row, x += dim, y += dim) {
    float peak = 0;
#pragma omp simd reduction(max : peak)
    for (int64_t i = 0; i < dim; ++i) peak = std::max(peak, std::abs(x[i]));
    const float scale = peak > 0 ? 1 / peak : 0;
#pragma omp simd
    for (int64_t i = 0; i < dim; ++i) y[i] = x[i] * scale;
    peaks[row] = peak;
  }
}

// y = peak·y + bias, row by row.
FOR_EACH_PROCESSOR void multiply_by_peak(float* y, int64_t rows, int64_t dim, const float* peaks, const float* bias) {
  for (int64_t row = 0; row < rows; ++row, y += dim) {
#pragma omp simd
    for (int64_t i = 0; i < dim; ++i) y[i] = y[i] * peaks[row] + bias[i];
  }
}

// Rows of `dim` numbers to zero mean and unit variance, then scaled and shifted.
FOR_EACH_PROCESSOR void normalize(const float* x, int64_t rows, int64_t dim, const float* weight, const float* bias, float* y) {
  for (int64_t row = 0; row < rows; ++row, x += dim, y += dim) {
    float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < dim; ++i) sum += x[i];
    const float mean = sum / dim;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < dim; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const float factor = 1 / std::sqrt(squares / dim + 1e-5f);
#pragma omp simd
    for (int64_t i = 0; i < dim; ++i) y[i] = (x[i] - mean) * factor * weight[i] + bias[i];
  }
}

// x/(1 + e^-2u) with u = sqrt(2/pi)·(x + 0.044715·x^3): GELU by way of tanh, in place.
FOR_EACH_PROCESSOR void gelu(float* x, int64_t rows, int64_t dim) {
  for (int64_t row = 0; row < rows; ++row, x += dim) {
#pragma omp simd
    for (int64_t i = 0; i < dim; ++i) {
      const float u = 0.7978845608f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
      x[i] = x[i] / (1 + exponential(-2 * u));
    }
  }
}

// y = gain·y + x; a gain of null is one.
FOR_EACH_PROCESSOR void add(float* y, const float* gain, const float* x, int64_t rows, int64_t dim) {
  for (int64_t row = 0; row < rows; ++row, x += dim, y += dim) {
    if (gain) {
#pragma omp simd
      for (int64_t i = 0; i < dim; ++i) y[i] = gain[i] * y[i] + x[i];
    } else {
#pragma omp simd
      for (int64_t i = 0; i < dim; ++i) y[i] += x[i];
    }
  }
}

// Convolution of each channel with `taps` weights of its own, [taps, dim], over rows that zeros continue on either side.
FOR_EACH_PROCESSOR void depthwise(const float* x, int64_t rows, int64_t dim, const float* weight, int64_t taps, const float* bias,
                                  float* y) {
  for (int64_t row = 0; row < rows; ++row, y += dim) {
    std::copy(bias, bias + dim, y);
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t from = row + tap - taps / 2;
      if (from < 0 || from >= rows) continue;
      const float *in = x + from * dim, *w = weight + tap * dim;
#pragma omp simd
      for (int64_t i = 0; i < dim; ++i) y[i] += w[i] * in[i];
    }
  }
}

// A row of the waveform's spectrum from five predicted ones [5, bins], the pulses' spectrum and Gaussian noise [2, bins]; complex
// numbers lie as pairs. See `mix` in src/codec/decoder.rs.
FOR_EACH_PROCESSOR void mix(const float* bands, const float* source, const float* noise, int64_t bins, float most, float* out) {
  const float *log_h = bands, *theta = bands + bins, *log_n = bands + 2 * bins, *log_r = bands + 3 * bins,
              *phi = bands + 4 * bins;
#pragma omp simd
  for (int64_t i = 0; i < bins; ++i) {
    const float h = exponential(std::min(log_h[i], most));
    const float n = exponential(std::min(log_n[i], most));
    const float r = exponential(std::min(log_r[i], most));
    float sin_h, cos_h, sin_r, cos_r;
    sine_cosine(3.14159265f * (1 - 2 / (1 + exponential(2 * theta[i]))), sin_h, cos_h);
    sine_cosine(phi[i], sin_r, cos_r);
    const float re = source[2 * i], im = source[2 * i + 1];
    out[2 * i] = h * (cos_h * re - sin_h * im) + n * noise[i] + r * cos_r;
    out[2 * i + 1] = h * (cos_h * im + sin_h * re) + n * noise[bins + i] + r * sin_r;
  }
}

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
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < count; ++i) {
      weights[i] = exponential(weights[i] - most);
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

}  // namespace kernels
