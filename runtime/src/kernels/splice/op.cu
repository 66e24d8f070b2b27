// Rows of one matrix in the places of rows of another. from[r] is the row that stands in row r's place, or NOBODY.

#define NOBODY 0xffffffffu

extern "C" __global__ void splice_rows(const float *into, const float *rows, const u32 *from, float *out, u32 width) {
    const u32 own = from[blockIdx.x];
    const u64 start = (u64)blockIdx.x * width;
    const float *x = own == NOBODY ? into + start : rows + (u64)own * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) out[start + i] = x[i];
}

extern "C" __global__ void splice_rows_backward(const u32 *from, const float *g, float *g_into, float *g_rows, u32 width) {
    const u32 own = from[blockIdx.x];
    const u64 start = (u64)blockIdx.x * width;
    float *to = own == NOBODY ? g_into + start : g_rows + (u64)own * width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) to[i] += g[start + i];
}
