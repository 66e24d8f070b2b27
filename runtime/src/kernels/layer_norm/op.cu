// (x - mean(x)) / sqrt(var(x) + epsilon) · weight + bias, a block for each row of `width` values.

// The mean of a row, and one over its deviation.
struct Moments {
    float mean, scale;
};

__device__ Moments moments(const float *x, u32 width, float epsilon) {
    float sum = 0.0f, squares = 0.0f;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) sum += x[i];
    const float mean = block_sum(sum) / (float)width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) squares += (x[i] - mean) * (x[i] - mean);
    Moments found = {mean, 1.0f / sqrtf(block_sum(squares) / (float)width + epsilon)};
    return found;
}

extern "C" __global__ void layer_norm(const float *x, const float *weight, const float *bias, float epsilon, float *out,
                                      u32 width) {
    const u64 start = (u64)blockIdx.x * width;
    const Moments row = moments(x + start, width, epsilon);
    for (u32 i = threadIdx.x; i < width; i += blockDim.x)
        out[start + i] = (x[start + i] - row.mean) * row.scale * weight[i] + bias[i];
}

// Adds to g_x, and keeps each row's mean and scale for the gradient of the weight.
extern "C" __global__ void layer_norm_backward(const float *x, const float *weight, float epsilon, const float *g, float *g_x,
                                               float *means, float *scales, u32 width) {
    const u64 start = (u64)blockIdx.x * width;
    const Moments row = moments(x + start, width, epsilon);
    float level = 0.0f, along = 0.0f;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        const float weighted = g[start + i] * weight[i];
        level += weighted;
        along += weighted * (x[start + i] - row.mean) * row.scale;
    }
    level = block_sum(level) / (float)width;
    along = block_sum(along) / (float)width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        const float even = (x[start + i] - row.mean) * row.scale;
        g_x[start + i] += (g[start + i] * weight[i] - level - even * along) * row.scale;
    }
    if (threadIdx.x == 0) {
        means[blockIdx.x] = row.mean;
        scales[blockIdx.x] = row.scale;
    }
}

// parts[y][i] = Σ g · (x - mean) · scale over the y-th share of the rows; a thread has one column.
extern "C" __global__ void layer_norm_weight(const float *x, const float *g, const float *means, const float *scales,
                                             float *parts, u32 width, u32 rows) {
    const u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) return;
    float sum = 0.0f;
    for (u32 row = blockIdx.y; row < rows; row += gridDim.y) {
        const u64 at = (u64)row * width + column;
        sum += g[at] * (x[at] - means[row]) * scales[row];
    }
    parts[(u64)blockIdx.y * width + column] = sum;
}
