// AdamW in one pass, Σ g², and whether all is finite.

extern "C" __global__ void adamw(float *p, const float *g, float *m, float *v, float beta1, float rest1, float beta2,
                                 float rest2, float rate, float root, float eps, float keep, float scale, u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) {
        float gradient = g[i] * scale;
        float mean = beta1 * m[i] + rest1 * gradient;
        float square = beta2 * v[i] + rest2 * gradient * gradient;
        m[i] = mean;
        v[i] = square;
        p[i] = p[i] * keep - rate * mean / (sqrtf(square) * root + eps);
    }
}

extern "C" __global__ void sum_squares(const float *g, double *parts, u64 count) {
    double sum = 0.0;
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) sum += (double)g[i] * (double)g[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// How many numbers of each block's share are not finite.
extern "C" __global__ void not_finite(const float *values, u32 *parts, u64 count) {
    u32 found = 0;
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid())
        found += (__float_as_uint(values[i]) & 0x7f800000u) == 0x7f800000u;
    found = block_sum(found);
    if (threadIdx.x == 0) parts[blockIdx.x] = found;
}
