// x / sqrt(mean(x²) + epsilon) · weight, a block for each group of `width` values.

__device__ float scale_of(const float *x, u32 width, float epsilon) {
    float squares = 0.0f;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) squares += x[i] * x[i];
    return 1.0f / sqrtf(block_sum(squares) / (float)width + epsilon);
}

extern "C" __global__ void rms_norm(const float *x, const float *weight, float epsilon, float *out, u32 width) {
    u64 start = (u64)blockIdx.x * width;
    float scale = scale_of(x + start, width, epsilon);
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) out[start + i] = x[start + i] * scale * weight[i];
}

// Adds to g_x, and keeps the scale of each group for the gradient of the weight.
extern "C" __global__ void rms_norm_backward(const float *x, const float *weight, float epsilon, const float *g, float *g_x,
                                             float *scales, u32 width) {
    u64 start = (u64)blockIdx.x * width;
    float scale = scale_of(x + start, width, epsilon), along = 0.0f;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) along += g[start + i] * weight[i] * x[start + i];
    along = block_sum(along) * scale * scale * scale / (float)width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x)
        g_x[start + i] += g[start + i] * weight[i] * scale - x[start + i] * along;
    if (threadIdx.x == 0) scales[blockIdx.x] = scale;
}

// parts[y][i] = Σ g · x · scale over the y-th share of the groups; a thread has one column.
extern "C" __global__ void rms_norm_weight(const float *x, const float *g, const float *scales, float *parts, u32 width,
                                           u32 groups) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) return;
    float sum = 0.0f;
    for (u32 group = blockIdx.y; group < groups; group += gridDim.y) {
        u64 at = (u64)group * width + column;
        sum += g[at] * x[at] * scales[group];
    }
    parts[(u64)blockIdx.y * width + column] = sum;
}

// sums[i] += Σ parts[y][i], in the order of y.
extern "C" __global__ void add_parts(const float *parts, float *sums, u32 width, u32 shares) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) return;
    float sum = 0.0f;
    for (u32 share = 0; share < shares; ++share) sum += parts[(u64)share * width + column];
    sums[column] += sum;
}
