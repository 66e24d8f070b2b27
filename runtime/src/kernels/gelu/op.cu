// x / (1 + e^(-rate (x + cube x³))): half of 1 + tanh(u) is the logistic function of 2u.

__device__ float open_at(float x) { return 1.0f / (1.0f + expf(-1.5957691f * (x + 0.044715f * x * x * x))); }

extern "C" __global__ void gelu(const float *x, float *out, u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) out[i] = x[i] * open_at(x[i]);
}

extern "C" __global__ void gelu_backward(const float *x, const float *g, float *g_x, u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) {
        float at = x[i], open = open_at(at);
        g_x[i] = g[i] * (open + at * open * (1.0f - open) * 1.5957691f * (1.0f + 0.134145f * at * at));
    }
}
