// Rows of a matrix by their numbers, and their gradients.

extern "C" __global__ void select_rows(const float *x, const u32 *rows, float *out, u32 width) {
    const float *from = x + (u64)rows[blockIdx.x] * width;
    float *to = out + (u64)blockIdx.x * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) to[i] = from[i];
}

// A block for each row that was selected, however often: g's rows order[starts[b]..starts[b + 1]] are added to row
// targets[b] of g_x, in this order.
extern "C" __global__ void select_rows_backward(const float *g, const u32 *targets, const u32 *starts, const u32 *order,
                                                float *g_x, u32 width) {
    float *to = g_x + (u64)targets[blockIdx.x] * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float sum = to[i];
        for (u32 at = starts[blockIdx.x]; at < starts[blockIdx.x + 1]; ++at) sum += g[(u64)order[at] * width + i];
        to[i] = sum;
    }
}
