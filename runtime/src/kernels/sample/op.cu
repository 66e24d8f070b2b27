// A token of each row of logits: temperature, then top-k, then top-p over what is left. A block for each row, of up to
// 256 threads; each has a stretch of the ids, so that tokens lie along [0, 1) in the order of their ids.

// Whose weight counts: those of a cut by k that are in a cut by mass as well.
struct Candidates {
    const float *z;
    Cut by_k, by_mass;
    double top, temperature;

    __device__ bool has(u32 id) const { return by_k.has(id, z[id]) && by_mass.has(id, z[id]); }
    __device__ double weight(u32 id) const { return exp(((double)z[id] - top) / temperature); }
};

// The weight of all candidates above `number`.
__device__ double mass_above(const Candidates &of, u32 width, u32 number) {
    double mass = 0.0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x)
        if (ordered(of.z[i]) > number && of.by_k.has(i, of.z[i])) mass += of.weight(i);
    return block_sum(mass);
}

// The likeliest candidates whose weights reach `enough` together; the first one always.
__device__ Cut most_likely(const Candidates &of, u32 width, double enough) {
    u32 low = 0, high = 0xffffffffu;
    while (low < high) {
        const u32 middle = low + (high - low) / 2;
        const double mass = mass_above(of, width, middle);
        if (mass == 0.0 || mass < enough) high = middle;
        else low = middle + 1;
    }
    Cut cut = {low, 0xffffffffu};
    const double before = mass_above(of, width, low);
    // among equals the lowest ids come first, as long as what comes before them is not enough
    u32 first = 0, last = width - 1;
    while (first < last) {
        const u32 middle = first + (last - first) / 2;
        double equals = 0.0;
        for (u32 i = threadIdx.x; i <= middle; i += blockDim.x)
            if (ordered(of.z[i]) == low && of.by_k.has(i, of.z[i])) equals += of.weight(i);
        equals = block_sum(equals);
        if (equals > 0.0 && before + equals >= enough) last = middle;
        else first = middle + 1;
    }
    cut.last = last;
    return cut;
}

extern "C" __global__ void __launch_bounds__(256)
    sample(const float *logits, u32 width, const double *uniforms, double temperature, u32 top_k, double top_p, u32 *tokens,
           float *log_probs, u32 *finite) {
    __shared__ double stretches[256];
    __shared__ u32 token;
    const float *z = logits + (u64)blockIdx.x * width;
    float top = -infinity();
    u32 wrong = 0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        top = fmaxf(top, z[i]);
        wrong += (__float_as_uint(z[i]) & 0x7f800000u) == 0x7f800000u;
    }
    top = block_max(top);
    wrong = block_sum(wrong);
    double whole = 0.0;
    float best = -(float)width;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        whole += exp((double)z[i] - (double)top);
        if (z[i] == top) best = fmaxf(best, -(float)i);
    }
    whole = (double)top + log(block_sum(whole));
    best = block_max(best);
    if (threadIdx.x == 0) token = (u32)-best;
    __syncthreads();
    if (wrong == 0 && temperature > 0.0 && width > 1) {
        Candidates of = {z, {0, 0xffffffffu}, {0, 0xffffffffu}, (double)top, temperature};
        if (top_k > 0) of.by_k = largest(z, width, top_k);
        if (top_p < 1.0) {
            double all = 0.0;
            for (u32 i = threadIdx.x; i < width; i += blockDim.x)
                if (of.by_k.has(i, z[i])) all += of.weight(i);
            of.by_mass = most_likely(of, width, top_p * block_sum(all));
        }
        const u32 each = (width + blockDim.x - 1) / blockDim.x;
        const u32 start = min(threadIdx.x * each, width), end = min(start + each, width);
        double stretch = 0.0;
        float last = -1.0f; // the last token that can be drawn
        for (u32 i = start; i < end; ++i)
            if (of.has(i)) {
                const double weight = of.weight(i);
                stretch += weight;
                if (weight > 0.0) last = (float)i;
            }
        stretches[threadIdx.x] = stretch;
        last = block_max(last);
        __syncthreads();
        if (threadIdx.x == 0) {
            double all = 0.0, sum = 0.0;
            for (u32 t = 0; t < blockDim.x; ++t) all += stretches[t];
            const double target = uniforms[blockIdx.x] * all;
            u32 t = 0;
            while (t < blockDim.x && !(sum + stretches[t] > target)) sum += stretches[t++];
            token = (u32)last;
            for (u32 i = min(t * each, width); i < min((t + 1) * each, width); ++i) {
                if (!of.has(i)) continue;
                sum += of.weight(i);
                if (sum > target) {
                    token = i;
                    break;
                }
            }
        }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        tokens[blockIdx.x] = token;
        log_probs[blockIdx.x] = (float)((double)z[token] - whole);
        finite[blockIdx.x] = wrong == 0;
    }
}
