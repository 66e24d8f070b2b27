// What a linear layer does beside its products: a bias in every row, and the gradient of that.

extern "C" __global__ void repeat_row(const float *row, float *out, u32 width, u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) out[i] = row[i % width];
}

// parts[y][i] = Σ g over the y-th share of the rows; a thread has one column. `add_parts` adds them up.
extern "C" __global__ void sum_rows(const float *g, float *parts, u32 width, u32 rows) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) return;
    float sum = 0.0f;
    for (u32 row = blockIdx.y; row < rows; row += gridDim.y) sum += g[(u64)row * width + column];
    parts[(u64)blockIdx.y * width + column] = sum;
}
