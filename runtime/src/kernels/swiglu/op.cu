// silu(gate) · up.

extern "C" __global__ void swiglu(const float *gate, const float *up, float *out, u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) {
        float x = gate[i];
        out[i] = x / (1.0f + expf(-x)) * up[i];
    }
}

extern "C" __global__ void swiglu_backward(const float *gate, const float *up, const float *g, float *g_gate, float *g_up,
                                           u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) {
        float x = gate[i], open = 1.0f / (1.0f + expf(-x));
        g_gate[i] = g[i] * up[i] * (open + x * open * (1.0f - open));
        g_up[i] = g[i] * x * open;
    }
}
