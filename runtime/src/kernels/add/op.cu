// a + scale · b, and the same into a.

extern "C" __global__ void add(const float *a, const float *b, float scale, float *out, u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) out[i] = a[i] + scale * b[i];
}

extern "C" __global__ void accumulate(float *into, const float *from, float scale, u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) into[i] += scale * from[i];
}
